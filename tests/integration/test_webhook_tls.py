"""A webhook goes to the address that was checked, under the receiver's own name, and only to its own certificate."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[2]
CLIENT = """
import asyncio, dataclasses, json, sys
from ipaddress import ip_network
from aiohttp.abc import AbstractResolver
from producer.delivery.sending import open_sender
from schema.settings.webhooks import WebhookSettings

class Lookup(AbstractResolver):
    async def resolve(self, host, port=0, family=0):
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]
    async def close(self): ...

async def main(url):
    settings = WebhookSettings(webhook_networks=[ip_network("127.0.0.0/8")])
    async with open_sender(settings, Lookup()) as sender:
        print(json.dumps(dataclasses.asdict(await sender.post(url, {}, b"{}"))))

asyncio.run(main(sys.argv[1]))
"""


def write_certificate(name: str, folder: Path) -> Path:
    """Write a certificate for a name, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def receiving(certificate: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Receive over TLS; yields the port, and what is seen of the client."""
    seen: dict[str, str] = {}

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            seen["host"] = self.headers["host"]
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    def note_name(_socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        seen["sni"] = name or ""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = note_name
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    serving.start()
    try:
        yield server.server_port, seen
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def post(url: str, trusted: Path, **environment: str) -> dict[str, Any]:
    """Post from a process of its own, since what it trusts is read as it starts."""
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, url],
        env=os.environ | {"SSL_CERT_FILE": str(trusted), "PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_the_name_is_kept_although_the_address_was_looked_up_before(tmp_path: Path) -> None:
    certificate = write_certificate("hook.example", tmp_path)

    with receiving(certificate) as (port, seen):
        # A proxy of the environment would look the name up itself, and connect to whatever it finds.
        outcome = post(f"https://hook.example:{port}/", certificate, HTTPS_PROXY="http://127.0.0.1:1")

    assert outcome["status"] == 204
    assert seen == {"sni": "hook.example", "host": f"hook.example:{port}"}


@pytest.mark.parametrize("case", ["another name's", "nobody's"])
def test_a_certificate_that_does_not_hold_ends_the_attempt(tmp_path: Path, case: str) -> None:
    ours, others = write_certificate("hook.example", tmp_path), write_certificate("other.example", tmp_path)
    shown, trusted = (others, others) if case == "another name's" else (ours, others)

    with receiving(shown) as (port, seen):
        outcome = post(f"https://hook.example:{port}/", trusted)

    assert (outcome["kind"], outcome["status"]) == ("insecure", None)
    assert "host" not in seen
