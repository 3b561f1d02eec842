"""Routes that a provider of text messages calls: what came in, and what became of what went out.

They need no API key: each request is signed by the provider, and speaks for the tenant of the account in its path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import structlog
from fastapi import APIRouter, Path, Request, Response

from producer.channels.sms.requests import NOT_DELIVERED, ForeignMessage, read_status, read_text_message
from producer.channels.sms.signing import SIGNATURE_HEADER, SigningKeys, read_pairs, read_signed
from producer.gateway.access import parts_of
from producer.gateway.problems import Refused
from schema.channel_accounts import ACCOUNT_ID_PATTERN
from schema.errors import MailboxFull, Overloaded
from schema.ids import TENANT_PATTERN

if TYPE_CHECKING:
    from producer.gateway.parts import Parts
    from runtime.channel_accounts import ChannelAccount

EMPTY_TWIML: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""Says nothing to the customer; a plain text would be sent to them, and JSON is an error."""

METHODS: Final = ["POST", "GET"]
"""The provider calls by either, as the operator chose there: by GET, everything stands in the query."""

router = APIRouter(prefix="/v1/channels/sms", tags=["channels"], include_in_schema=False)

Tenant = Annotated[str, Path(pattern=TENANT_PATTERN)]
AccountId = Annotated[str, Path(pattern=ACCOUNT_ID_PATTERN)]

_log = structlog.get_logger("fte.gateway.sms")


@router.api_route("/{tenant}/{account_id}", methods=METHODS)
async def take_text_message(request: Request, tenant: Tenant, account_id: AccountId) -> Response:
    """Take a text message; the answer comes once it is in the inbox, and says nothing to the customer."""
    parts = parts_of(request)
    account, parameters = await _verify(request, parts, tenant, account_id)
    try:
        message = read_text_message(parameters, account.settings)
    except ForeignMessage as error:
        raise _refused(account, str(error)) from None
    except ValueError as error:
        _log.warning("sms.unreadable", tenant=tenant, account=account_id, reason=str(error))
        return Response(EMPTY_TWIML, media_type="text/xml")
    if "sms" not in (await parts.tenants.settings(tenant)).channels:
        raise _refused(account, "the tenant takes no text messages")
    try:
        await parts.texts.take(account, message)
    except (MailboxFull, Overloaded) as error:
        # The provider repeats after 5xx, where it was told to; else `fte channels reconcile` finds the message.
        after = str(error.retry_after_seconds)
        raise Refused("unavailable", "too much is unanswered", headers={"Retry-After": after}) from None
    return Response(EMPTY_TWIML, media_type="text/xml")


@router.api_route("/{tenant}/{account_id}/status", methods=METHODS)
async def take_status(request: Request, tenant: Tenant, account_id: AccountId) -> Response:
    """Take what became of a message that went out; one that is not known is passed over."""
    parts = parts_of(request)
    account, parameters = await _verify(request, parts, tenant, account_id)
    try:
        report = read_status(parameters, account.settings)
    except ForeignMessage as error:
        raise _refused(account, str(error)) from None
    except ValueError as error:
        _log.warning("sms.unreadable_status", tenant=tenant, account=account_id, reason=str(error))
        return Response(status_code=204)
    part = request.query_params.get("part", "")
    rows = await parts.database.read(
        tenant,
        "note_provider_status",
        tenant=tenant,
        account_id=account_id,
        reply_id=request.query_params.get("reply"),
        part=int(part) if part.isascii() and part.isdigit() and len(part) <= 3 else None,  # noqa: PLR2004 - PARTS_MAX
        provider_id=report.message_sid,
        status=report.status,
        rank=report.rank,
        code=report.error_code or (report.status if report.status in NOT_DELIVERED else None),
    )
    for row in rows:
        await parts.database.read(tenant, "note_reply_receipt", tenant=tenant, reply_id=row["reply_id"])
    return Response(status_code=204)


async def _verify(
    request: Request, parts: Parts, tenant: str, account_id: str
) -> tuple[ChannelAccount, dict[str, str]]:
    """Verify a request's signature over the configured URL; return its account and parameters.

    Raises Refused: for a missing header, and in the same words for everything else that is wrong.
    """
    if SIGNATURE_HEADER not in request.headers:
        raise Refused("invalid-request", f"{SIGNATURE_HEADER}: missing; only the provider calls this", status=400)
    account = await parts.accounts.get(tenant, account_id)
    if account is None or account.channel != "sms" or account.tenant_suspended:
        raise _refused(account, "no such account, or its tenant is suspended")
    body = b"" if request.method == "GET" else await request.body()
    signed = read_signed(request.headers, _url_of(request, account), body, _keys_of(account))
    if signed is None:
        raise _refused(account, "the signature does not hold")
    await parts.accounts.speak_for(account)
    if request.method == "POST":
        return account, dict(signed)
    try:
        return account, dict(read_pairs(request.scope["query_string"]))
    except ValueError as error:
        raise _refused(account, str(error)) from None


def _url_of(request: Request, account: ChannelAccount) -> str:
    """Return the URL as the provider signed it: the configured base, and the path and query as they came.

    Never from Host or X-Forwarded-Proto: whoever forges a request chooses those.
    """
    raw_path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    base: str = account.settings.public_url
    return base + raw_path.decode("latin-1") + ("?" + query.decode("latin-1") if query else "")


def _keys_of(account: ChannelAccount) -> SigningKeys:
    secrets = [each for each in (account.secrets, account.old_secrets) if each is not None]
    shared = {name: key for each in reversed(secrets) for name, key in each.shared_keys.items()}
    return SigningKeys(tuple(dict.fromkeys(each.auth_token for each in secrets)), shared)


def _refused(account: ChannelAccount | None, reason: str) -> Refused:
    about = {"tenant": account.tenant, "account": account.account_id} if account is not None else {}
    _log.warning("sms.refused", **about, reason=reason)
    return Refused("forbidden", "this request is not one of the provider's for this account")
