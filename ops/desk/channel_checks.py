"""Check a channel account against its provider and the gateway, and send a test message by it."""

from __future__ import annotations

import secrets as random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import httpx2

from ops.desk.channel_findings import AccountFinding, CannotBeChecked, look_at_state
from ops.desk.email_checks import check_mailbox, make_resolver, send_test_mail
from producer.channels.sms import api
from producer.channels.sms.signing import SIGNATURE_HEADER, sign
from producer.delivery.reply_channel import OutgoingPart, ReplyRoute, SendOutcome
from producer.delivery.sms_replies import SmsReplies, UnsafeApiUrl, check_api_url
from runtime.startup import check_deployment

if TYPE_CHECKING:
    from ops.desk.channels import AccountDesk
    from runtime.channel_accounts import ChannelAccount

SECONDS_MAX: Final = 10.0
NUMBERS_MAX: Final = 20
"""Numbers of one account that a check asks about."""

_OK: Final = 200
_NO_CONTENT: Final = 204
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


async def check(account: ChannelAccount) -> list[AccountFinding]:
    """Look whether an account works, without sending anything to anybody."""
    if account.channel == "email":
        return await check_mailbox(account, make_resolver())
    async with httpx2.AsyncClient(timeout=SECONDS_MAX, trust_env=False) as client:
        found = [look_at_state(account), await _ask_api(client, account)]
        if found[-1].state == "right":
            found += await _ask_numbers(client, account)
        return [*found, await _ask_gateway(client, account)]


async def send_test(desk: AccountDesk, account_id: str, recipient: str) -> SendOutcome:
    """Send a test message by an account; raises CannotBeChecked where its customer has opted out."""
    account = await desk.open(account_id)
    own, group = _own_address(account)
    if {row["own_address"] for row in await desk.suppressions(recipient, rows_max=100)} & {own, group}:
        raise CannotBeChecked(f"this customer is suppressed; nothing is sent to them from {own or group}")
    if account.channel == "email":
        return await send_test_mail(account, recipient, await check_deployment(desk.database, desk.sealer))
    now = datetime.now(UTC)
    part = OutgoingPart("test", 1, "This is a test message of your airline's support.", recipient, 1, now, now)
    route = ReplyRoute(account, "test", own, group, sender_key="")
    async with httpx2.AsyncClient(timeout=SECONDS_MAX, trust_env=False) as client:
        return await SmsReplies(desk.database, client).send(part, route)


def _own_address(account: ChannelAccount) -> tuple[str, str | None]:
    if account.channel == "email":
        return account.settings.addresses[0], None
    numbers, services = account.settings.numbers, account.settings.messaging_services
    if not numbers and not services:
        raise CannotBeChecked(f"{account.account_id} has neither a number nor a messaging service; `fte channels set`")
    return (numbers[0], None) if numbers else ("", services[0])


async def _ask_api(client: httpx2.AsyncClient, account: ChannelAccount) -> AccountFinding:
    """Ask the provider for the account itself, with the credentials that messages are sent with."""
    user = "API key" if account.settings.api_key_sid else "auth token"
    try:
        check_api_url(account.settings.api_url)
        response = await client.get(api.account_url(account.settings), auth=_auth(account))
        found = response.json() if response.status_code == _OK else {}
    except UnsafeApiUrl as error:
        return AccountFinding("API", "wrong", str(error))
    except (httpx2.HTTPError, ValueError) as error:
        host = urlsplit(account.settings.api_url).netloc
        return AccountFinding("API", "wrong", f"{host} does not answer: {type(error).__name__}; see api_url")
    if response.status_code != _OK:
        return AccountFinding("API", "wrong", f"status {response.status_code} with the {user}; see account_sid")
    status = found.get("status")
    if status != "active":
        return AccountFinding("API", "wrong", f"the provider says that the account is {status}")
    return AccountFinding("API", "right", f"answers with the {user}")


async def _ask_numbers(client: httpx2.AsyncClient, account: ChannelAccount) -> list[AccountFinding]:
    """Ask the provider whether the numbers are the account's, and take text messages."""
    if not account.settings.numbers and not account.settings.messaging_services:
        return [AccountFinding("numbers", "wrong", "none is set: no message is taken; fte channels set … numbers=+1…")]
    return [await _ask_number(client, account, number) for number in account.settings.numbers[:NUMBERS_MAX]]


async def _ask_number(client: httpx2.AsyncClient, account: ChannelAccount, number: str) -> AccountFinding:
    base = api.account_url(account.settings).removesuffix(".json")
    if not number.startswith("+"):
        return AccountFinding(number, "advice", "a short code: look at the provider's console whether it is yours")
    url = f"{base}/IncomingPhoneNumbers.json?{urlencode({'PhoneNumber': number})}"
    try:
        response = await client.get(url, auth=_auth(account))
        found: list[dict[str, Any]] = response.json().get("incoming_phone_numbers", [])
    except (httpx2.HTTPError, ValueError, AttributeError) as error:
        return AccountFinding(number, "wrong", f"cannot be asked for: {type(error).__name__}")
    if not found:
        return AccountFinding(number, "wrong", "is not a number of this account at the provider")
    if not found[0].get("capabilities", {}).get("sms", False):
        return AccountFinding(number, "wrong", "takes no text messages")
    return AccountFinding(number, "right", "is the account's, and takes text messages")


async def _ask_gateway(client: httpx2.AsyncClient, account: ChannelAccount) -> AccountFinding:
    """Call our own webhook as the provider would, with a status of a message that nobody knows."""
    url = api.webhook_url(account.settings, account.tenant, account.account_id) + "/status"
    if urlsplit(url).hostname not in _LOOPBACK:
        return AccountFinding(
            "webhook", "advice", f"send a message to the number and look at `fte channels log`; enter {url[:-7]} there"
        )
    pairs = {
        "AccountSid": account.settings.account_sid,
        "MessageSid": "SM" + random.token_hex(16),
        "MessageStatus": "queued",
    }
    headers = {SIGNATURE_HEADER: sign(account.secrets.auth_token, url, list(pairs.items()))}
    try:
        response = await client.post(url, data=pairs, headers=headers)
    except httpx2.HTTPError as error:
        return AccountFinding("webhook", "wrong", f"{url[:-7]} does not answer: {type(error).__name__}; see public_url")
    if response.status_code != _NO_CONTENT:
        return AccountFinding("webhook", "wrong", f"{url[:-7]} answered {response.status_code} to a signed request")
    return AccountFinding("webhook", "right", f"{url[:-7]} takes what is signed with the auth token")


def _auth(account: ChannelAccount) -> tuple[str, str]:
    return api.credentials_of(account.settings, account.secrets)
