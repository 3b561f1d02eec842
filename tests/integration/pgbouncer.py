"""Run a real PgBouncer in transaction mode before the tests' PostgreSQL."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import SplitResult, urlsplit, urlunsplit

import psycopg
import pytest

from ops.embedded.account import choose_account
from tests.waiting import eventually

SERVER_CONNECTIONS = 2
"""Connections to PostgreSQL: fewer than clients have, so that transactions of several take turns on each."""


@asynccontextmanager
async def pgbouncer(database_url: str, folder: Path) -> AsyncIterator[str]:
    """Pool the transactions of one login; gives the address for it. Skips the test where there is no PgBouncer."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("needs pgbouncer, a package of Debian")
    parts = urlsplit(database_url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = _launch(program, parts, port, folder)
    address = urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}"))
    try:
        await eventually(lambda: _answers(address))
        yield address
    finally:
        process.kill()
        process.wait()


def _launch(program: str, parts: SplitResult, port: int, folder: Path) -> subprocess.Popen[bytes]:
    """Start it under an account that may run servers, which root is not."""
    account = choose_account(folder / "data")
    folder.mkdir(parents=True)
    (folder / "users").write_text(f'"{parts.username}" "{parts.password}"\n', encoding="utf-8")
    (folder / "ini").write_text(
        f"""
[databases]
{parts.path.strip("/")} = host={parts.hostname} port={parts.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = users
pool_mode = transaction
default_pool_size = {SERVER_CONNECTIONS}
max_client_conn = 100
""",
        encoding="utf-8",
    )
    for path in (folder, *folder.iterdir()):
        account.own(path)
    return subprocess.Popen([program, "-q", "ini"], cwd=folder, stderr=subprocess.DEVNULL, **account.popen_arguments())


async def _answers(address: str) -> bool:
    try:
        await (await psycopg.AsyncConnection.connect(address, prepare_threshold=None)).close()
    except psycopg.OperationalError:
        return False
    return True
