"""Write requests to Twilio's Messages API, and tell what an answer means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schema.channel_accounts import SmsAccount, SmsSecrets

Meaning = Literal["accepted", "retry", "unknown", "failed", "suppressed", "stopped"]

RATE_CODES: Final = frozenset({20429, 14107, 30022, 63018})
QUEUE_CODES: Final = frozenset({21611, 30001})
OPTED_OUT: Final = 21610
ACCOUNT_CODES: Final = frozenset({20003, 20404, 20005, 21606, 21703, 21704, 21705})
"""Credentials, an account that is not there or suspended, a sender of ours that cannot be used: nothing goes."""
PASSING_CODES: Final = frozenset({30003, 30008, 30410})
"""A handset that is off, or no reason at all: told later; once more may do."""
BLOCKED_CODES: Final = frozenset({30004, 30007, 30034, 30023, 63038})
"""Blocked or filtered by carriers, or over a cap: trying again makes it worse."""

PAUSE_SECONDS: Final = 30.0
"""How long an account that is asked too much is left alone when the answer does not say how long."""
PAUSE_SECONDS_MAX: Final = 3_600.0

WORDS: Final[dict[int, str]] = {
    20003: "the provider refuses the credentials",
    20404: "the provider knows no such account",
    20005: "the provider has suspended the account",
    21211: "the number is not valid",
    21214: "the number cannot be reached",
    21217: "the number is not valid",
    21408: "messages to that region are not enabled at the provider",
    21606: "the provider does not let us send from this number",
    21610: "the customer has opted out",
    21612: "the number cannot be reached from ours",
    21614: "the number takes no text messages",
    21703: "the messaging service has no number",
    21704: "the messaging service has no number",
    21705: "the messaging service is not valid",
    30003: "the handset is off or unreachable",
    30004: "the message was blocked",
    30005: "the handset is unknown",
    30006: "a landline or a carrier that cannot be reached",
    30007: "the carrier filtered the message",
    30008: "not delivered, for a reason that the carrier does not tell",
    30034: "our number is not registered with the carriers",
}
"""What some codes mean, for people."""

_SERVER_FAULT: Final = 500
_CLIENT_FAULT: Final = 400
_TOO_MANY: Final = 429
_MESSAGE_SID: Final = re.compile(r"(SM|MM)[0-9a-f]{32}")


@dataclass(frozen=True)
class ApiAnswer:
    """What the answer to a message that was posted means."""

    meaning: Meaning
    message_sid: str | None = None
    code: int | None = None
    """The provider's error, or else HTTP's status."""
    pause_seconds: float = 0.0

    @property
    def reason(self) -> str:
        """Say for people what it means, with the code, and without anything that a customer wrote."""
        if self.meaning == "accepted":
            return ""
        return f"{WORDS.get(self.code or 0, 'the provider does not take it')} ({self.code})"


@dataclass(frozen=True)
class ListedMessage:
    """One message as the provider lists it."""

    message_sid: str
    sender: str
    recipient: str
    body: str
    status: str
    created_at: datetime | None
    error_code: str | None
    service: str | None
    direction: str
    media: str
    """How many attachments it has."""


def credentials_of(account: SmsAccount, secrets: SmsSecrets) -> tuple[str, str]:
    """Return user and password of the API: its API key where there is one, else the account's auth token."""
    if account.api_key_sid is not None and secrets.api_key_secret is not None:
        return account.api_key_sid, secrets.api_key_secret
    return account.account_sid, secrets.auth_token


def messages_url(account: SmsAccount) -> str:
    """Return the URL of an account's messages."""
    return f"{account.api_url}/2010-04-01/Accounts/{account.account_sid}/Messages.json"


def account_url(account: SmsAccount) -> str:
    """Return the URL of the account itself."""
    return f"{account.api_url}/2010-04-01/Accounts/{account.account_sid}.json"


def list_url(account: SmsAccount, **filters: str) -> str:
    """Return the URL that lists an account's messages, filtered by `To`, `From` or `DateSent>` (a day)."""
    return f"{messages_url(account)}?{urlencode({**filters, 'PageSize': '200'}, quote_via=quote)}"


def webhook_url(account: SmsAccount, tenant: str, account_id: str) -> str:
    """Return where the provider delivers inbound messages, as it must be entered there."""
    return f"{account.public_url}/v1/channels/sms/{tenant}/{account_id}"


def status_url(account: SmsAccount, tenant: str, account_id: str, *, reply_id: str, part: int) -> str:
    """Return where the provider tells what becomes of a message; it names the reply, for the answer may be lost."""
    return f"{webhook_url(account, tenant, account_id)}/status?reply={quote(reply_id, safe='')}&part={part}"


def write_form(
    account: SmsAccount, *, recipient: str, own_address: str, own_group: str | None, text: str, callback: str
) -> dict[str, str]:
    """Return the form that sends a message.

    A customer who wrote to a number is answered from that number; the service, where there is one, is named as well.
    Without such a number the service chooses.
    """
    form = {
        "To": recipient,
        "Body": text,
        "StatusCallback": callback,
        "ValidityPeriod": str(account.validity_seconds),
    }
    if own_group is not None:
        form["MessagingServiceSid"] = own_group
    if own_group is None or own_address in account.numbers:
        form["From"] = own_address
    return form


def read_answer(status: int, headers: Mapping[str, str], body: Any) -> ApiAnswer:
    """Tell what an answer to a posted message means; `body` is its JSON, or None. `headers` in lower case.

    A server's fault may come after the message was taken, so it is unknown. An answer without an id, too.
    """
    found: Mapping[str, Any] = body if isinstance(body, dict) else {}
    code = _code_in(found)
    if status < _CLIENT_FAULT:
        sid = found.get("sid")
        if isinstance(sid, str) and _MESSAGE_SID.fullmatch(sid):
            return ApiAnswer("accepted", message_sid=sid)
        return ApiAnswer("unknown", code=status)
    if status >= _SERVER_FAULT:
        return ApiAnswer("unknown", code=code or status)
    if status == _TOO_MANY or code in RATE_CODES:
        return ApiAnswer("retry", code=code or status, pause_seconds=_pause_in(headers))
    if status in {401, 403, 404} and code is None:
        return ApiAnswer("stopped", code=status)
    return ApiAnswer(meaning_of(code), code=code or status)


def meaning_of(code: int | None) -> Meaning:
    """Tell what an error of the provider asks for, whether it came with the answer or later."""
    if code == OPTED_OUT:
        return "suppressed"
    if code in ACCOUNT_CODES:
        return "stopped"
    return "retry" if code in QUEUE_CODES | RATE_CODES | PASSING_CODES else "failed"


def read_list(body: Any) -> tuple[list[ListedMessage], str | None]:
    """Read a page of the list; return its messages and the path of the next page. Raises ValueError for no list."""
    page: Mapping[str, Any] = body if isinstance(body, dict) else {}
    listed = page.get("messages")
    if not isinstance(listed, list):
        raise ValueError("the provider's list of messages cannot be read")  # noqa: TRY004 - what a provider sent
    found = [_listed(each) for each in listed if isinstance(each, dict)]
    following = page.get("next_page_uri")
    return found, following if isinstance(following, str) and following.startswith("/2010-04-01/") else None


def find_sent(
    listed: Sequence[ListedMessage], *, recipient: str, body: str, not_before: datetime, known: frozenset[str]
) -> ListedMessage | None:
    """Find a message that we sent among listed ones: to the recipient, word for word, no earlier, and not known yet."""
    for message in listed:
        if message.message_sid in known or message.recipient != recipient or message.body != body:
            continue
        if not message.direction.startswith("outbound"):
            continue
        if message.created_at is None or message.created_at >= not_before:
            return message
    return None


def _listed(one: Mapping[str, Any]) -> ListedMessage:
    code = one.get("error_code")
    return ListedMessage(
        message_sid=str(one.get("sid", "")),
        sender=str(one.get("from") or ""),
        recipient=str(one.get("to") or ""),
        body=str(one.get("body") or ""),
        status=str(one.get("status") or ""),
        created_at=_moment(one.get("date_created")),
        error_code=None if code is None else str(code),
        service=str(one["messaging_service_sid"]) if one.get("messaging_service_sid") else None,
        direction=str(one.get("direction") or ""),
        media=str(one.get("num_media") or "0"),
    )


def _moment(text: Any) -> datetime | None:
    """Parse a time as the API writes it, RFC 2822."""
    try:
        at = parsedate_to_datetime(str(text))
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _code_in(body: Mapping[str, Any]) -> int | None:
    code = body.get("code") or body.get("error_code")
    return code if isinstance(code, int) else None


def _pause_in(headers: Mapping[str, str]) -> float:
    given = headers.get("retry-after", "")
    return min(float(given), PAUSE_SECONDS_MAX) if re.fullmatch(r"[0-9]{1,6}", given) else PAUSE_SECONDS
