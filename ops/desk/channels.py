"""Look after a tenant's channel accounts: add, list, set, rotate, enable, remove them, redrive their replies."""

from __future__ import annotations

import hashlib
import secrets as random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import errors

from runtime.channel_accounts import ChannelAccount, ChannelAccounts, door_hash_of
from runtime.encoding import dump_json, parse_json
from runtime.startup import check_deployment
from schema.channel_accounts import check_account
from schema.errors import FteError, UnknownTenant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from runtime.database import Database, Row
    from runtime.sealing import Sealer
    from schema.channels import Channel

OVERLAP_SECONDS: Final = 86_400
"""How long the secrets before hold beside new ones."""

ACCOUNTS_MAX: Final = 100
"""Accounts of one tenant."""

ROWS_LISTED_MAX: Final = 1_000


class TooManyAccounts(FteError):
    """A tenant that has as many channel accounts as it may have."""

    def __init__(self, tenant: str) -> None:
        super().__init__(
            f"tenant {tenant} has {ACCOUNTS_MAX} channel accounts, the most there may be; remove one first"
        )


class UnknownAccount(FteError):
    """A channel account that its tenant does not have."""

    def __init__(self, tenant: str, account_id: str) -> None:
        super().__init__(f"no channel account {account_id} of tenant {tenant}; see `fte channels list`, and --tenant")


@dataclass(frozen=True)
class AccountDesk:
    """A tenant's channel accounts; the caller has checked that whoever asks may change them."""

    database: Database
    sealer: Sealer
    tenant: str

    async def add(self, channel: Channel, settings: dict[str, Any], secrets: dict[str, Any]) -> str:
        """Add an account and return its id. Raises InvalidAccount, TooManyAccounts, UnknownTenant."""
        settings, secrets = check_account(channel, settings, secrets)
        if len(await self.read()) >= ACCOUNTS_MAX:
            raise TooManyAccounts(self.tenant)
        account_id = f"ch_{random.token_hex(8)}"
        door_secret = random.token_urlsafe(32)
        row = {
            "account_id": account_id,
            "channel": channel,
            "settings": dump_json(settings),
            "secrets": self.sealer.seal(dump_json(secrets)),
            "door_secret": self.sealer.seal(door_secret),
            "door_hash": hashlib.sha256(door_hash_of(door_secret)).digest(),
        }
        try:
            await self.database.read(self.tenant, "add_channel_account", tenant=self.tenant, **row)
        except errors.ForeignKeyViolation:
            raise UnknownTenant(self.tenant) from None
        return account_id

    async def read(self, account_id: str | None = None, channel: Channel | None = None) -> list[Row]:
        """List accounts with their settings and counts; of secrets only which are set."""
        rows = await self._list(account_id, channel)
        hidden = {"tenant_id", "secrets", "old_secrets"}
        return [
            {name: value for name, value in row.items() if name not in hidden} | {"secrets": self._names_in(row)}
            for row in rows
        ]

    async def find(self, account_id: str) -> Row:
        """Return one account as `read` lists it; raises UnknownAccount."""
        rows = await self.read(account_id)
        if not rows:
            raise UnknownAccount(self.tenant, account_id)
        return rows[0]

    async def open(self, account_id: str) -> ChannelAccount:
        """Return an account with its secrets opened, as processes see it; raises UnknownAccount, Unsealable."""
        account = await ChannelAccounts(self.database, self.sealer).get(self.tenant, account_id)
        if account is None:
            raise UnknownAccount(self.tenant, account_id)
        return account

    async def suppressions(self, sender: str | None = None, *, rows_max: int) -> list[Row]:
        """List who may not be written to, newest first, by key; `sender` narrows it to one customer's address."""
        key = None
        channel = "email" if sender is not None and "@" in sender else "sms"
        if sender is not None:
            senders = await check_deployment(self.database, self.sealer)
            key = senders.key_of(self.tenant, channel, sender)
        return await self.database.read(
            self.tenant, "list_suppressions", tenant=self.tenant, sender_key=key, rows_max=rows_max
        )

    async def set(self, account_id: str, settings: dict[str, Any]) -> None:
        """Change settings of an account; None takes a setting back. Raises InvalidAccount, UnknownAccount."""
        found = await self._find(account_id)
        await self._store(found, _changed(found["settings"], settings), self._secrets_of(found), overlap_seconds=0)

    async def rotate(
        self, account_id: str, secrets: dict[str, Any], overlap_seconds: int = OVERLAP_SECONDS
    ) -> datetime | None:
        """Give an account new secrets, those that are named; return until when the ones before hold beside them.

        Raises InvalidAccount, UnknownAccount.
        """
        found = await self._find(account_id)
        changed = _changed(self._secrets_of(found), secrets)
        return await self._store(found, found["settings"], changed, overlap_seconds=overlap_seconds)

    async def enable(self, account_id: str) -> None:
        """Send by an account again that was stopped; what waits for it goes on. Raises UnknownAccount."""
        await self._run("enable_channel_account", account_id)

    async def remove(self, account_id: str) -> None:
        """Remove an account with its routes and deliveries; who has opted out stays so. Raises UnknownAccount."""
        await self._run("remove_channel_account", account_id)

    async def log(
        self,
        *,
        account_id: str | None,
        reply_id: str | None,
        conversation: str | None,
        state: str | None,
        rows_max: int,
    ) -> list[Row]:
        """List deliveries with their parts, newest first: no text and no address."""
        return await self.database.read(
            self.tenant,
            "list_replies",
            tenant=self.tenant,
            account_id=account_id,
            reply_id=reply_id,
            conversation=conversation,
            state=state,
            rows_max=min(rows_max, ROWS_LISTED_MAX),
        )

    async def redrive(self, account_id: str, reply_ids: Sequence[str] = ()) -> int:
        """Queue dead replies of an account anew, those named or all; return how many. Raises UnknownAccount.

        What the provider took of them is not sent again.
        """
        await self._find(account_id)
        async with self.database.transaction(self.tenant) as transaction:
            rows = await transaction.run(
                "redrive_replies", tenant=self.tenant, account_id=account_id, reply_ids=list(reply_ids) or None
            )
            for conversation, channel in sorted({(row["conversation_id"], row["channel"]) for row in rows}):
                names = {"tenant": self.tenant, "conversation": conversation, "channel": channel}
                await transaction.run("lock_reply_conversation", **names)
                await transaction.run("free_replies", **names)
        return len(rows)

    async def _store(
        self, found: Row, settings: dict[str, Any], secrets: dict[str, Any], *, overlap_seconds: int
    ) -> datetime | None:
        settings, secrets = check_account(found["channel"], settings, secrets)
        [row] = await self._run(
            "set_channel_account",
            found["account_id"],
            settings=dump_json(settings),
            secrets=self.sealer.seal(dump_json(secrets)),
            overlap_seconds=overlap_seconds,
        )
        until: datetime | None = row["old_secrets_until"]
        return until

    def _secrets_of(self, row: Row) -> dict[str, Any]:
        opened: dict[str, Any] = parse_json(self.sealer.open(row["secrets"]))
        return opened

    def _names_in(self, row: Row) -> list[str]:
        """Return which secrets are set; of a set of keys, each key's id."""
        names = []
        for name, value in sorted(self._secrets_of(row).items()):
            names += [f"{name}.{key}" for key in sorted(value)] if isinstance(value, dict) else [name]
        return names

    async def _list(self, account_id: str | None, channel: Channel | None) -> list[Row]:
        return await self.database.read(
            self.tenant, "list_channel_accounts", tenant=self.tenant, account_id=account_id, channel=channel
        )

    async def _find(self, account_id: str) -> Row:
        rows = await self._list(account_id, None)
        if not rows:
            raise UnknownAccount(self.tenant, account_id)
        return rows[0]

    async def _run(self, query: str, account_id: str, **parameters: Any) -> list[Row]:
        rows = await self.database.read(self.tenant, query, tenant=self.tenant, account_id=account_id, **parameters)
        if not rows:
            raise UnknownAccount(self.tenant, account_id)
        return rows


def _changed(stored: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return what is stored with changes: a value replaces, None takes back, and sets of keys are changed by key."""
    merged = dict(stored)
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = _changed(merged[name], value)
        else:
            merged[name] = value
    return merged
