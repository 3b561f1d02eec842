"""Read the accounts of channels, with their secrets opened, through a view that is never older than five seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.encoding import parse_json
from runtime.fresh_cache import FreshCache
from runtime.outage import POSTGRESQL_AWAY
from runtime.server_addresses import first_line
from schema.channel_accounts import ACCOUNT_CHANNELS, read_account
from schema.channels import Channel
from schema.errors import ServerUnreachable

if TYPE_CHECKING:
    from runtime.database import Database, Row
    from runtime.sealing import Sealer

VIEW_SECONDS_MAX = 4.5
"""How old the view may be: below the five seconds that are promised, for the way of an answer."""

ACCOUNTS_MAX = 10_000
"""Accounts that a process remembers, those that do not exist among them."""


@dataclass(frozen=True, slots=True)
class ChannelAccount:
    """An account of a channel; `repr` shows no secret."""

    tenant: str
    account_id: str
    channel: Channel
    settings: Any
    """`schema.channel_accounts.SmsAccount` or `EmailAccount`, by `channel`."""
    secrets: Any
    """`SmsSecrets` or `EmailSecrets`."""
    old_secrets: Any
    """The secrets before, while they hold beside the new ones; else None."""
    stopped_because: str | None
    """Why nothing is sent by it; None: it is in service."""
    tenant_suspended: bool
    door_hash: bytes
    """By which `speak_for` gets the tenant's proof."""

    def __repr__(self) -> str:
        """Show which account it is."""
        return f"ChannelAccount({self.tenant}, {self.account_id}, {self.channel})"


class ChannelAccounts:
    """What one process knows of accounts; looks each up in PostgreSQL again after VIEW_SECONDS_MAX."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self._views: FreshCache[tuple[str, str], ChannelAccount | None] = FreshCache(
            self._look_up, seconds_max=VIEW_SECONDS_MAX, entries_max=ACCOUNTS_MAX
        )

    async def get(self, tenant: str, account_id: str) -> ChannelAccount | None:
        """Return an account; None where there is none.

        Raises ServerUnreachable; Unsealable without the key of its secrets; InvalidAccount for one that this release
        cannot read.
        """
        return await self._views.get((tenant, account_id))

    async def speak_for(self, account: ChannelAccount) -> None:
        """Let this process speak for an account's tenant: call it when a request has proven to be the account's own.

        Raises ServerUnreachable.
        """
        if self._database.has_proof(account.tenant):
            return
        [row] = await self._read(
            "prove_account", tenant=account.tenant, account_id=account.account_id, door_hash=account.door_hash
        )
        if row["proof"] is not None:
            self._database.keep_proof(account.tenant, row["proof"])

    async def _look_up(self, handle: tuple[str, str]) -> ChannelAccount | None:
        tenant, account_id = handle
        rows = await self._read("find_account_by_id", tenant=tenant, account_id=account_id)
        if not rows or rows[0]["of_channel"] not in ACCOUNT_CHANNELS:
            return None
        return self._open(tenant, account_id, rows[0])

    def _open(self, tenant: str, account_id: str, row: Row) -> ChannelAccount:
        channel: Channel = row["of_channel"]
        settings, secrets = read_account(channel, row["account_settings"], self._secrets_in(row["sealed_secrets"]))
        old = row["sealed_old_secrets"]
        return ChannelAccount(
            tenant=tenant,
            account_id=account_id,
            channel=channel,
            settings=settings,
            secrets=secrets,
            old_secrets=read_account(channel, row["account_settings"], self._secrets_in(old))[1] if old else None,
            stopped_because=row["stopped_because"],
            tenant_suspended=row["tenant_suspended"],
            door_hash=door_hash_of(self._sealer.open(row["sealed_door"])),
        )

    def _secrets_in(self, sealed: str) -> dict[str, Any]:
        secrets: dict[str, Any] = parse_json(self._sealer.open(sealed))
        return secrets

    async def _read(self, query: str, **parameters: Any) -> list[Row]:
        try:
            return await self._database.read("", query, **parameters)
        except POSTGRESQL_AWAY as error:
            raise ServerUnreachable(
                "PostgreSQL", self._database.address, "FTE_DATABASE_URL", first_line(error)
            ) from None


def door_hash_of(door_secret: str) -> bytes:
    """Return what a process shows to get a tenant's proof; the database stores the SHA-256 of it."""
    return hashlib.sha256(door_secret.encode()).digest()
