"""Take a mail in: read it, find its conversation, decide whether it is answered, and accept it as a message."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog

from producer.channels.email.automatic_mail import Arrival, find_sign
from producer.channels.email.composing import AnsweredMail
from producer.channels.email.identity import is_verified
from producer.channels.email.mail_reading import Mail, read_head, read_mail
from producer.channels.email.raw_mail import OverLimit
from producer.channels.email.reports import MailReport, read_report
from producer.channels.email.threads import MailClaims, hash_of_message_id, message_key_of, read_claims
from producer.channels.email.tokens import MailTokens, reference_of
from producer.channels.reply_budget import PUBLIC_DOMAINS, limits_of_mails
from producer.gateway.answer_judge import AnswerJudge
from producer.gateway.mail_reports import record_report
from runtime.encoding import dump_json
from schema.ids import ConversationKey
from schema.messages.inbound import SENDER_VERIFIED_KEY, TEXT_CHARACTERS_MAX, Inbound
from schema.messages.unanswered import UNANSWERED_KEY

if TYPE_CHECKING:
    from producer.channels.reply_budget import CountKind
    from producer.sending.client import AsyncProducer
    from runtime.channel_accounts import ChannelAccount
    from runtime.database import Database, Row
    from runtime.sealing import ConversationSealer, Sealer
    from schema.messages.unanswered import PersonReason, SilentReason
    from schema.settings.answers import MailAnswerSettings

READING_MAX: Final = 2
"""Mails that are read at once; each takes up to 50 ms of a thread."""

UNKNOWN_SENDER: Final = "unknown sender"
"""Stands for the address of a mail that does not say from whom it is."""

_NO_TEXT: Final = "[The mail has no text.]"

_log = structlog.get_logger("fte.mail")


@dataclass(frozen=True, slots=True)
class MailEnvelope:
    """How a mail came: who it was sent by and to, as the mail server in front was told."""

    sender: str | None
    """To whom bounces go; empty: nobody (`<>`); None: whoever hands the mail in does not tell."""
    recipients: tuple[str, ...]
    own_address: str
    """The mailbox of ours that it came to, as the account has it."""
    passed_own_server: bool = True
    """Whether a mail server of ours took it, whose results of DMARC can be told from forged ones."""
    dkim_domains: frozenset[str] = frozenset()
    """Domains whose signature a provider found to hold, and says so in a request that it signed."""


@dataclass(frozen=True, slots=True)
class TakenMail:
    """What became of a mail."""

    message_id: str
    conversation: str
    is_new: bool
    unanswered_because: str | None


@dataclass(frozen=True, slots=True)
class _Read:
    """What follows from a mail's bytes alone; one over a limit has its header and a notice for its text."""

    mail: Mail
    message_id: str
    text: str
    claims: MailClaims
    unanswered_because: str | None
    sign: str
    report: MailReport | None


class MailIntake:
    """Takes mails for the process that reads them; the same for every way in."""

    def __init__(
        self, database: Database, producer: AsyncProducer, sealer: Sealer, settings: MailAnswerSettings
    ) -> None:
        self._database = database
        self._producer = producer
        self._sealer = sealer
        self._answers = AnswerJudge(database, sealer, producer.sender_keys, limits_of_mails(settings))
        self._reading = asyncio.Semaphore(READING_MAX)

    async def take(self, account: ChannelAccount, raw: bytes, envelope: MailEnvelope) -> TakenMail | None:
        """Accept a mail for an account that this process speaks for; it is in the inbox when this returns.

        A mail that came before is accepted as it was then. None: it is a mail system's report about a reply of ours,
        which was recorded with that reply. Raises what `AsyncProducer.send` raises.
        """
        tokens = MailTokens.of_account(self._producer.sender_keys, account.tenant, account.account_id)
        async with self._reading:
            read = await asyncio.to_thread(_read, raw, account, envelope, tokens)
        if read.report is not None and await record_report(self._database, account, read.report):
            return None
        rows = await self._ask(account, "find_accepted_mail", message_id=read.message_id)
        if rows:
            return TakenMail(read.message_id, rows[0]["conversation_id"], is_new=False, unanswered_because=None)
        sender = read.mail.sender
        sender_key = self._producer.sender_keys.key_of(account.tenant, "email", _address_of(read.mail))
        thread = await self._find_thread(account, read, sender_key) if sender is not None else None
        key = ConversationKey(account.tenant, thread["conversation_id"] if thread else f"mail-{read.message_id[:32]}")
        unanswered = read.unanswered_because
        if unanswered is None and sender is not None:
            unanswered = await self._judge(key, sender_key, sender.domain, read.text)
        inbound = _write_inbound(key, read, unanswered, account, envelope)
        own = self._sealer.with_kept_key(thread["sealed_key"] if thread else None)
        await self._note(account, key, read, sender_key, envelope, own=own)
        receipt = await self._producer.send(inbound)
        is_new = receipt.status == "accepted"
        _log.info(
            "mail.taken",
            tenant=key.tenant,
            account=account.account_id,
            conversation=receipt.conversation,
            new=is_new,
            unanswered=unanswered,
            sign=read.sign or None,
        )
        return TakenMail(read.message_id, receipt.conversation, is_new, unanswered)

    async def _find_thread(self, account: ChannelAccount, read: _Read, sender_key: str) -> Row | None:
        """Find the conversation that a mail claims to belong to, if its sender takes part there, and its key.

        A token or an id that we gave is no authority: it may have been forwarded, or guessed from a quotation.
        """
        claims = read.claims
        if not any(claims):
            return None
        rows = await self._ask(
            account,
            "find_mail_threads",
            sender_key=sender_key,
            references=list(claims.references),
            replies=list(claims.replies),
            id_hashes=[hash_of_message_id(each) for each in claims.message_ids],
        )
        return rows[0] if rows else None

    async def _judge(self, key: ConversationKey, sender_key: str, domain: str, text: str) -> str | None:
        """Return why a mail that would be answered is not to be; None: it is."""
        counted: dict[CountKind, str] = {
            "sender": sender_key,
            "conversation": key.conversation,
            "text": self._answers.under_words(key.tenant, sender_key, text),
        }
        if domain not in PUBLIC_DOMAINS:
            counted["domain"] = self._answers.under(key.tenant, "domain", domain)
        return await self._answers.judge(key, text, counted)

    async def _note(
        self,
        account: ChannelAccount,
        key: ConversationKey,
        read: _Read,
        sender_key: str,
        envelope: MailEnvelope,
        *,
        own: ConversationSealer,
    ) -> None:
        """Note how the mail is answered and found again, before it is accepted: there is no reply without it."""
        mail = read.mail
        references = " ".join(f"<{each}>" for each in mail.fields.message_ids("references"))
        answered = AnsweredMail(f"<{mail.message_id}>" if mail.message_id else "", references, mail.subject)
        route = {
            "tenant": key.tenant,
            "conversation": key.conversation,
            "sender_key": sender_key,
            "account_id": account.account_id,
            "own_address": envelope.own_address,
            "own_group": None,
        }
        noted = {
            "tenant": key.tenant,
            "message_id": read.message_id,
            "conversation": key.conversation,
            "direction": "in",
            "reference": reference_of(key),
            "id_hash": hash_of_message_id(mail.message_id) if mail.message_id else None,
            "head": own.seal(dump_json(asdict(answered))),
        }
        routed = [("note_conversation_route", route)] if mail.sender is not None else []
        await self._database.run_all(key.tenant, [*routed, ("note_mail", noted)])

    async def _ask(self, account: ChannelAccount, query: str, **parameters: Any) -> list[dict[str, Any]]:
        return await self._database.read(account.tenant, query, tenant=account.tenant, **parameters)


def _read(raw: bytes, account: ChannelAccount, envelope: MailEnvelope, tokens: MailTokens) -> _Read:
    """Read a mail as far as that is possible; runs in a thread, and takes no connection."""
    limit = None
    try:
        mail = read_mail(raw)
    except OverLimit as error:
        _log.warning("mail.over_limit", tenant=account.tenant, account=account.account_id, limit=str(error))
        limit = error
        mail = _read_head(raw, f"[A mail came that is not read: it has {error}. A person is to look at it.]")
    arrival = Arrival(envelope.sender, frozenset(account.settings.addresses), tokens)
    sign = find_sign(mail, arrival)
    reason: SilentReason | PersonReason | None = sign.reason if sign is not None else None
    if reason is None and limit is not None:
        reason = "unreadable"
    elif reason is None and mail.sender is None:
        reason = "no_sender"
    recipients = (*envelope.recipients, envelope.own_address)
    return _Read(
        mail=mail,
        message_id=message_key_of(None if limit is not None else mail, raw),
        text=mail.own_text(TEXT_CHARACTERS_MAX) or _NO_TEXT,
        claims=read_claims(mail, recipients, tokens),
        unanswered_because=reason,
        sign=sign.sign if sign is not None else limit.what if limit is not None else "",
        report=read_report(mail.root, raw, recipients, tokens) if limit is None else None,
    )


def _read_head(raw: bytes, notice: str) -> Mail:
    """Read at least from whom a mail is that is not read; of one whose header is too much, nothing."""
    try:
        return read_head(raw, notice)
    except OverLimit:
        return read_head(b"\n", notice)


def _write_inbound(
    key: ConversationKey, read: _Read, unanswered: str | None, account: ChannelAccount, envelope: MailEnvelope
) -> Inbound:
    """Write the message; its `Date` is whatever its sender claims, so the time of its acceptance counts."""
    mail = read.mail
    metadata = {}
    if _is_vouched_for(mail, account, envelope):
        metadata[SENDER_VERIFIED_KEY] = "true"
    if unanswered is not None:
        metadata[UNANSWERED_KEY] = unanswered
    if read.sign:
        metadata["mail.sign"] = read.sign
    return Inbound(
        message_id=read.message_id,
        tenant=key.tenant,
        conversation=key.conversation,
        channel="email",
        sender=_address_of(mail),
        text=read.text,
        subject=mail.subject or None,
        metadata=metadata,
    )


def _is_vouched_for(mail: Mail, account: ChannelAccount, envelope: MailEnvelope) -> bool:
    """Check whether a mail surely comes from its sender, by our own server's word or by the provider's."""
    if not envelope.passed_own_server:
        return mail.sender is not None and mail.sender.domain in envelope.dkim_domains
    return is_verified(mail, account.settings.authserv_id, own_hops=account.settings.authserv_hops)


def _address_of(mail: Mail) -> str:
    return mail.sender.address if mail.sender is not None else UNKNOWN_SENDER
