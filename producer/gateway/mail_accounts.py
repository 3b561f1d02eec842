"""Find whose mailbox an address is, through views that are never older than five seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from producer.channels.email.mailboxes import read_address
from producer.channels.email.tokens import BOUNCE_LOCAL_PART
from runtime.channel_accounts import VIEW_SECONDS_MAX
from runtime.fresh_cache import FreshCache
from schema.errors import FteError

if TYPE_CHECKING:
    from runtime.channel_accounts import ChannelAccount, ChannelAccounts
    from runtime.database import Database

ADDRESSES_MAX: Final = 10_000
"""Addresses that a process remembers, those that nobody has among them."""


class AmbiguousMailbox(FteError):
    """Raised for an address that two accounts have: a mail must not come to the wrong one of two tenants."""

    def __init__(self, address: str) -> None:
        super().__init__(f"two accounts have the address {address}; take it away from one: `fte channels set`")


@dataclass(frozen=True, slots=True)
class FoundMailbox:
    """An account, and which of its addresses a mail came to."""

    account: ChannelAccount
    own_address: str


class MailAccounts:
    """What one process knows of mailboxes."""

    def __init__(self, database: Database, accounts: ChannelAccounts) -> None:
        self._database = database
        self._accounts = accounts
        self._owners: FreshCache[tuple[str, str | None], tuple[str, str] | None] = FreshCache(
            self._look_up, seconds_max=VIEW_SECONDS_MAX, entries_max=ADDRESSES_MAX
        )

    async def find(self, recipient: str) -> FoundMailbox | None:
        """Return the mailbox that a recipient's address leads to, without what follows its plus; None for nobody's.

        Raises AmbiguousMailbox; what `ChannelAccounts.get` raises.
        """
        plain = _plain(recipient)
        if plain is None:
            return None
        owner = await self._owners.get(plain)
        account = await self._accounts.get(*owner) if owner is not None else None
        own_address = own_address_of(recipient, account) if account is not None else None
        return FoundMailbox(account, own_address) if account is not None and own_address is not None else None

    async def speak_for(self, account: ChannelAccount) -> None:
        """Let this process speak for the tenant of an account to which a mail came."""
        await self._accounts.speak_for(account)

    async def _look_up(self, handle: tuple[str, str | None]) -> tuple[str, str] | None:
        address, bounce_domain = handle
        rows = await self._database.read("", "find_mail_account", address=address, bounce_domain=bounce_domain)
        if len(rows) > 1:
            raise AmbiguousMailbox(address)
        return (rows[0]["of_tenant"], rows[0]["of_account"]) if rows else None


def own_address_of(recipient: str, account: ChannelAccount) -> str | None:
    """Return which address of an account a mail came to; bounces come to its first one. None: to none of them."""
    plain = _plain(recipient)
    if plain is None or account.channel != "email":
        return None
    address, bounce_domain = plain
    addresses: tuple[str, ...] = account.settings.addresses
    if address in addresses:
        return address
    return addresses[0] if bounce_domain == account.settings.domain else None


def _plain(recipient: str) -> tuple[str, str | None] | None:
    """Return an address without what follows its plus, and the domain that it returns bounces to, if it does."""
    address = read_address("", recipient.strip().strip("<>"))
    if address is None:
        return None
    local, plus, _ = address.local.lower().partition("+")
    return f"{local}@{address.domain}", address.domain if plus and local == BOUNCE_LOCAL_PART else None
