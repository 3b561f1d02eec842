"""Search everything that the servers hold for planted words: each table, each key, and what is sealed in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from psycopg import sql

from runtime.database import connect
from runtime.sealing import OWN_MARK, VAULT_MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis.asyncio import Redis

    from schema.settings import Settings

TABLES = """
    SELECT c.relname AS name FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
"""
_READ_ROWS = sql.SQL("SELECT to_jsonb(t)::text AS content FROM {} t")


def dump_tables(settings: Settings, tenant: str) -> list[tuple[str, str]]:
    """Return a tenant's rows of every table but `conversation_key`, as a long-lived backup has them: table, JSON."""
    mine = json.dumps(tenant)
    with connect(settings.database_url or "") as connection:
        tables = [row["name"] for row in connection.execute(TABLES)]
        return [
            (table, row["content"])
            for table in tables
            if table != "conversation_key"
            for row in connection.execute(_READ_ROWS.format(sql.Identifier(table)))
            if f'"tenant_id": {mine}' in row["content"]
        ]


def find_in_dump(dump: list[tuple[str, str]], keys: list[Fernet], words: tuple[str, ...]) -> set[str]:
    """Return the tables of a dump in which one of the words stands, in clear or sealed with one of the keys."""
    return {table for table, text in dump if any(word in each for each in _opened(text, keys) for word in words)}


def vault_keys_of(settings: Settings) -> list[Fernet]:
    return [Fernet(key.get_secret_value()) for key in settings.vault_keys]


def own_keys_of(settings: Settings, tenant: str) -> list[Fernet]:
    """Return the keys of a tenant's conversations."""
    vault = MultiFernet(vault_keys_of(settings))
    with connect(settings.database_url or "") as connection:
        rows = connection.execute("SELECT sealed_key FROM conversation_key WHERE tenant_id = %s", [tenant]).fetchall()
    return [Fernet(vault.decrypt(row["sealed_key"])) for row in rows]


async def find_everywhere(settings: Settings, redis: Redis, words: tuple[str, ...]) -> list[str]:
    """List the tables and keys in which one of the words stands, in clear or sealed with a key of the deployment.

    All tests of a run share the servers: a test that looks plants words that no other test writes.
    """
    fernets = vault_keys_of(settings)
    found = []
    with connect(settings.database_url or "") as connection:
        for table in [row["name"] for row in connection.execute(TABLES)]:
            rows = connection.execute(_READ_ROWS.format(sql.Identifier(table)))
            texts = [text for row in rows for text in _opened(row["content"], fernets)]
            found += [f"table {table}: {word}" for word in words if any(word in text for text in texts)]
    async for key in redis.scan_iter(count=1_000):
        texts = [text for part in await _content(redis, key) for text in _opened(part, fernets)]
        found += [f"key {key.decode()}: {word}" for word in words if any(word in text for text in texts)]
    return found


def _opened(text: str, fernets: list[Fernet]) -> Iterator[str]:
    """Yield a text, and everything in it that one of the keys opens."""
    yield text
    try:
        values = list(_strings(json.loads(text)))
    except ValueError:
        values = [text]
    for value in values:
        token = value.removeprefix(OWN_MARK)
        if not token.startswith(VAULT_MARK):
            continue
        for fernet in fernets:
            try:
                yield from _opened(fernet.decrypt(token.encode()).decode(), fernets)
            except InvalidToken:
                continue


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


async def _content(redis: Any, key: bytes) -> list[str]:
    kind = await redis.type(key)
    reads = {
        b"string": lambda: redis.get(key),
        b"list": lambda: redis.lrange(key, 0, -1),
        b"hash": lambda: redis.hgetall(key),
        b"set": lambda: redis.smembers(key),
        b"zset": lambda: redis.zrange(key, 0, -1),
        b"stream": lambda: redis.xrange(key),
    }
    return [key.decode(), *_flat(await reads[kind]())]


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, bytes):
        yield value.decode(errors="replace")
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _flat(name)
            yield from _flat(each)
    elif isinstance(value, (list, tuple, set)):
        for each in value:
            yield from _flat(each)
