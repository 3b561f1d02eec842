"""Read back from a provider what its webhooks missed, and hand it in; each message is taken once by its id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx2

from producer.channels.sms import api
from producer.channels.sms.requests import ForeignMessage, read_text_message
from producer.delivery.sms_replies import check_api_url
from producer.gateway.sms_arrivals import SmsArrivals
from producer.sending.client import AsyncProducer
from runtime.channel_accounts import ChannelAccounts
from runtime.configuration import open_sealer
from runtime.database import Database
from schema.errors import FteError

if TYPE_CHECKING:
    from datetime import datetime

    from runtime.channel_accounts import ChannelAccount
    from schema.settings.gateway import GatewaySettings

PAGES_MAX: Final = 500
"""Pages of the provider's list, of 200 messages each."""

SECONDS_MAX: Final = 30.0


class CannotBeReconciled(FteError):
    """An account that is not there, or whose provider does not tell what it has."""


@dataclass(frozen=True)
class Reconciliation:
    """What a reconciliation found."""

    seen: int = 0
    """Inbound messages that the provider lists since then."""
    accepted: int = 0
    """Those that nobody had handed in."""
    commands: int = 0
    """Those of them that were commands to the channel."""


async def reconcile(settings: GatewaySettings, tenant: str, account_id: str, *, since: datetime) -> Reconciliation:
    """Hand in the messages that came to an account since a moment and are not here, the oldest first.

    Raises CannotBeReconciled, and what `AsyncProducer` raises.
    """
    database, sealer = Database(settings), open_sealer(settings)
    await database.open()
    try:
        account = await ChannelAccounts(database, sealer).get(tenant, account_id)
        if account is None or account.channel != "sms":
            raise CannotBeReconciled(f"no sms account {account_id} of tenant {tenant}; see `fte channels list`")
        listed = await _list_inbound(account, since)
        async with AsyncProducer(settings, database=database) as producer:
            arrivals = SmsArrivals(database, producer, sealer, settings)
            taken = [await arrivals.take(account, message) for message in listed]
    finally:
        await database.close()
    missed = [each for each in taken if each != "known"]
    return Reconciliation(len(taken), len(missed), sum(each != "accepted" for each in missed))


async def _list_inbound(account: ChannelAccount, since: datetime) -> list[Any]:
    """Return the messages to the account's addresses that the provider lists since a moment, the oldest first."""
    check_api_url(account.settings.api_url)
    found = {}
    numbers = account.settings.numbers if not account.settings.messaging_services else ()
    async with httpx2.AsyncClient(timeout=SECONDS_MAX, trust_env=False) as client:
        for filters in [{"To": number} for number in numbers] or [{}]:
            for each in await _read_pages(client, account, {**filters, "DateSent>": since.date().isoformat()}):
                if each.direction == "inbound" and (each.created_at is None or each.created_at >= since):
                    found[each.message_sid] = each
    read = [_read(each, account) for each in reversed(found.values())]
    return [message for message in read if message is not None]


async def _read_pages(
    client: httpx2.AsyncClient, account: ChannelAccount, filters: dict[str, str]
) -> list[api.ListedMessage]:
    url: str | None = api.list_url(account.settings, **filters)
    found: list[api.ListedMessage] = []
    for _ in range(PAGES_MAX):
        if url is None:
            return found
        try:
            response = await client.get(url, auth=api.credentials_of(account.settings, account.secrets))
            response.raise_for_status()
            listed, following = api.read_list(response.json())
        except (httpx2.HTTPError, ValueError) as error:
            raise CannotBeReconciled(
                f"{account.account_id}: its list cannot be read ({type(error).__name__}); see `fte channels check`"
            ) from None
        found += listed
        url = account.settings.api_url + following if following is not None else None
    return found


def _read(listed: api.ListedMessage, account: ChannelAccount) -> Any:
    """Read a listed message as its webhook would have been read; None for one that is not this account's."""
    parameters = {
        "AccountSid": account.settings.account_sid,
        "MessageSid": listed.message_sid,
        "From": listed.sender,
        "To": listed.recipient,
        "Body": listed.body,
        "NumMedia": listed.media,
        **({"MessagingServiceSid": listed.service} if listed.service else {}),
    }
    try:
        return read_text_message(parameters, account.settings)
    except (ForeignMessage, ValueError):
        return None
