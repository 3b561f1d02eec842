"""Run a real Postfix on loopback: the server in front of the door, the relay, and the customers' mail host in one."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import eventually

CUSTOMERS = "customers.example"
"""Domain whose mailboxes are folders; those of USERS exist, and mail to any other comes back."""

USERS = ("maya", "victor")

_SERVICES = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass
class Postfix:
    """A mail server that takes mail by SMTP, and hands ours to the door by LMTP."""

    folder: Path
    port: int

    def mails_of(self, user: str) -> list[bytes]:
        """Return what is in a customer's mailbox, in the order in which it came."""
        found = [file for place in ("new", "cur") for file in (self.folder / "mail" / user / place).glob("*")]
        return [file.read_bytes() for file in sorted(found, key=lambda file: file.stat().st_mtime_ns)]

    def submit(self, sender: str, recipient: str, content: bytes) -> None:
        """Send a mail as a customer's program does; raises what smtplib raises."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
            client.sendmail(sender, [recipient], content)

    def log(self) -> str:
        return (self.folder / "postfix.log").read_text("utf-8", "replace")


@asynccontextmanager
async def postfix(our_domain: str, door: str) -> AsyncIterator[Postfix]:
    """Run Postfix until the end of the block; `door` is where mails to our domain go. Skips where there is none."""
    program = shutil.which("postfix", path="/usr/sbin:/usr/local/sbin")
    if program is None or os.geteuid() != 0 or not _has_account():
        pytest.skip("needs postfix, a package of Debian, and root")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    folder = _make_folder()
    _configure(folder, port, our_domain, door)
    run = _start([program, "-c", str(folder / "etc"), "start-fg"])
    try:
        await eventually(lambda: _answers(port))
        yield Postfix(folder, port)
    finally:
        os.killpg(run.pid, signal.SIGTERM)
        run.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _has_account() -> bool:
    """Check that the package was installed to its end, which makes the account that the daemons run as."""
    return any(entry.pw_name == "postfix" for entry in pwd.getpwall())


def _make_folder() -> Path:
    """Make a folder that the daemons' accounts can enter, which pytest's own they cannot."""
    folder = Path(tempfile.mkdtemp(prefix="fte-postfix-"))
    folder.chmod(0o755)
    return folder


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def _configure(folder: Path, port: int, our_domain: str, door: str) -> None:
    etc, data, mail = folder / "etc", folder / "data", folder / "mail"
    for made in (etc, data, mail, folder / "queue"):
        made.mkdir(mode=0o755)
    shutil.chown(data, "postfix")
    shutil.chown(mail, "nobody")
    users = ", ".join(f"{{{user}@{CUSTOMERS} = {user}/}}" for user in USERS)
    settings = {
        "compatibility_level": "3.6",
        "queue_directory": folder / "queue",
        "data_directory": data,
        "maillog_file": folder / "postfix.log",
        "maillog_file_prefixes": folder,
        "myhostname": "mx.test.example",
        "mydestination": "",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "mynetworks": "127.0.0.0/8",
        "smtpd_forbid_bare_newline": "yes",
        # What a mail host does that takes mail before it knows its users: it sends a bounce later.
        "smtpd_reject_unlisted_recipient": "no",
        "virtual_mailbox_domains": f"inline:{{{{{CUSTOMERS} = yes}}}}",
        "virtual_mailbox_base": mail,
        "virtual_mailbox_maps": f"inline:{{{users}}}",
        "virtual_uid_maps": "static:65534",
        "virtual_gid_maps": "static:65534",
        "relay_domains": our_domain,
        "transport_maps": f"inline:{{{{{our_domain} = lmtp:inet:{door}}}}}",
        "lmtp_destination_recipient_limit": "1",
        "recipient_delimiter": "+",
        "disable_dns_lookups": "yes",
        "default_transport": "error:5.4.4 no mail leaves this machine",
    }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    (etc / "main.cf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (etc / "master.cf").write_text(_SERVICES.format(port=f"127.0.0.1:{port}"), encoding="utf-8")


async def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False
