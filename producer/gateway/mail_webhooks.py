"""Routes that providers of inbound mail call: SendGrid, Mailgun, Postmark, each with the raw mail.

They need no API key: a request proves to be the provider's, and speaks for the tenant of the account in its path.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import TYPE_CHECKING, Annotated, Final, Literal

import structlog
from fastapi import APIRouter, HTTPException, Path, Request, Response

from producer.channels.email.providers import Forged, ProvidedMail, ProviderRequest, UnreadableRequest, read_provided
from producer.gateway.access import parts_of
from producer.gateway.mail_accounts import own_address_of
from producer.gateway.mail_intake import MailEnvelope
from producer.gateway.problems import Refused
from schema.channel_accounts import ACCOUNT_ID_PATTERN
from schema.errors import MailboxFull, Overloaded
from schema.ids import TENANT_PATTERN

if TYPE_CHECKING:
    from producer.gateway.parts import Parts
    from runtime.channel_accounts import ChannelAccount

RETRY_SECONDS: Final = 10

router = APIRouter(prefix="/v1/channels/email", tags=["channels"], include_in_schema=False)

Tenant = Annotated[str, Path(pattern=TENANT_PATTERN)]
AccountId = Annotated[str, Path(pattern=ACCOUNT_ID_PATTERN)]
Provider = Literal["sendgrid", "mailgun", "postmark"]

STATUS_FOR_GOOD: Final[dict[Provider, int]] = {"sendgrid": 200, "mailgun": 406, "postmark": 403}
"""What tells a provider not to hand a mail in again: of its refusals the one that it does not try again for days."""

_log = structlog.get_logger("fte.gateway.mail")


@router.post("/{tenant}/{account_id}/{provider}")
@router.post("/{tenant}/{account_id}/{provider}/mime")  # Mailgun hands in the raw mail where the URL ends so
async def take_provided_mail(request: Request, tenant: Tenant, account_id: AccountId, provider: Provider) -> Response:
    """Take a mail; the answer comes once it is in the inbox. What is refused for ever is not asked for again."""
    parts = parts_of(request)
    account = await parts.accounts.get(tenant, account_id)
    if account is None or account.channel != "email" or provider not in account.settings.inbound_providers:
        raise _refused(tenant, account_id, provider, "no such account, or it takes no mail of this provider")
    if parts.mail_bodies.locked():
        raise _not_now("too many mails are being taken")
    async with parts.mail_bodies:
        try:
            body = await request.body()
        except HTTPException as error:
            return _refuse_for_good(account, provider, str(error.detail))
        provided = await _read(request, account, provider, body)
        if isinstance(provided, Response):
            return provided
        await parts.accounts.speak_for(account)
        if "email" not in (await parts.tenants.settings(tenant)).channels:
            raise _refused(tenant, account_id, provider, "the tenant takes no e-mail")
        own_address = next((own for each in provided.recipients if (own := own_address_of(each, account))), None)
        if own_address is None:
            return _refuse_for_good(account, provider, "none of its recipients is an address of the account")
        await _check_token(parts, account, provided)
        await _take(parts, account, provided, own_address)
    return Response(status_code=200)


async def _read(request: Request, account: ChannelAccount, provider: Provider, body: bytes) -> ProvidedMail | Response:
    """Verify a request and read it; raises Refused for one that is forged, in the same words whatever is wrong."""
    keys = [each for each in (account.secrets, account.old_secrets) if each is not None]
    try:
        return await asyncio.to_thread(
            read_provided, provider, ProviderRequest(request.headers, body, time.time()), keys
        )
    except Forged as error:
        raise _refused(account.tenant, account.account_id, provider, str(error)) from None
    except UnreadableRequest as error:
        return _refuse_for_good(account, provider, str(error))


async def _check_token(parts: Parts, account: ChannelAccount, provided: ProvidedMail) -> None:
    """Take a token for one mail alone: the provider signs it, and not the mail; raises Refused for another mail."""
    if provided.token is None:
        return
    rows = await parts.database.read(
        account.tenant,
        "note_provider_token",
        tenant=account.tenant,
        account_id=account.account_id,
        token_hash=hashlib.sha256(provided.token.encode()).digest(),
        mail_hash=hashlib.sha256(provided.raw).digest(),
    )
    if not rows[0]["is_same"]:
        raise _refused(account.tenant, account.account_id, "mailgun", "the token was used for another mail")


async def _take(parts: Parts, account: ChannelAccount, provided: ProvidedMail, own_address: str) -> None:
    envelope = MailEnvelope(
        sender=provided.sender,
        recipients=provided.recipients,
        own_address=own_address,
        passed_own_server=False,
        dkim_domains=provided.dkim_domains,
    )
    try:
        await parts.mail.take(account, provided.raw, envelope)
    except (MailboxFull, Overloaded):
        raise _not_now("too much is unanswered") from None


def _refuse_for_good(account: ChannelAccount, provider: Provider, reason: str) -> Response:
    """Answer so that the provider drops the mail; our log tells of it, for nobody else will."""
    _log.error("mail.dropped", tenant=account.tenant, account=account.account_id, provider=provider, reason=reason)
    return Response(status_code=STATUS_FOR_GOOD[provider])


def _refused(tenant: str, account_id: str, provider: Provider, reason: str) -> Refused:
    """Refuse what is not the provider's, in the same words whatever is wrong.

    Postmark drops a mail after 403: a password that was changed on one side only would cost mails.
    """
    _log.warning("mail.refused", tenant=tenant, account=account_id, provider=provider, reason=reason)
    status = 401 if provider == "postmark" else 403
    return Refused("forbidden", "this request is not one of the provider's for this account", status=status)


def _not_now(reason: str) -> Refused:
    return Refused("unavailable", reason, headers={"Retry-After": str(RETRY_SECONDS)})
