"""A TLS front of a server that speaks in clear, as a load balancer or a managed database has; and a CA for it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from anyio.from_thread import start_blocking_portal
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runtime.cancelling import cancel_and_wait

_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""What a client of PostgreSQL sends first, to ask for TLS on the same connection."""

_READ_BYTES_MAX = 65_536


class Authority:
    """A certificate authority of a test's own."""

    def __init__(self, folder: Path, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._folder = folder
        self.path = folder / f"{name}.pem"
        """The certificate by which clients trust it."""
        own = self._certificate(self._name, self._key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        own = own.add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        self.path.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def certify(self, host: str) -> ssl.SSLContext:
        """Return the context of a server with a certificate for an address or a name."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            name: x509.GeneralName = x509.IPAddress(ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        made = self._certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]), key.public_key())
        made = made.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(issuer, critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self._folder / f"{host}.pem"
        path.write_bytes(private + made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _certificate(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )


@contextmanager
def tls_front(port: int, context: ssl.SSLContext, *, is_postgresql: bool = False) -> Iterator[int]:
    """Serve a loopback port over TLS for the block; yields the port of the front.

    It runs on a loop of its own thread, since clients that block are served as well.
    """
    with start_blocking_portal("asyncio") as portal:
        front = _Front(port, context, is_postgresql=is_postgresql)
        yield portal.call(front.open)
        portal.call(front.close)


class _Front:
    def __init__(self, port: int, context: ssl.SSLContext, *, is_postgresql: bool) -> None:
        self._port = port
        self._context = context
        self._is_postgresql = is_postgresql
        self._carrying: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Listen; returns the port."""
        at_once = None if self._is_postgresql else self._context
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=at_once)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop listening, and end every connection."""
        assert self._server is not None
        self._server.close()
        await cancel_and_wait(*self._carrying)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError), closing(writer):
            if self._is_postgresql:
                if await reader.readexactly(len(_SSL_REQUEST)) != _SSL_REQUEST:
                    return  # who speaks in clear is not answered
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self._context)
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            with closing(back):
                passing = [asyncio.create_task(work) for work in (_pass(reader, back), _pass(there, writer))]
                try:
                    await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    await cancel_and_wait(*passing)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_READ_BYTES_MAX):
            writer.write(data)
            await writer.drain()
