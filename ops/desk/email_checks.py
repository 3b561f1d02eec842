"""Check a mailbox: its relay, what its domain's DNS says, and the keys of who brings mail in; and send a test mail."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.resolver import NXDOMAIN, NoAnswer

from ops.desk.channel_findings import AccountFinding, CannotBeChecked, look_at_state
from producer.channels.email.composing import AnsweredMail, OwnMailbox, Unmailable, compose_mail
from producer.channels.email.providers import is_public_key
from producer.channels.email.tokens import MailTokens
from producer.delivery.email_replies import endpoint_of
from producer.delivery.mail_relay import Relay
from schema.ids import ConversationKey, new_token, trace_id_of
from schema.messages.reply import Reply

if TYPE_CHECKING:
    from producer.delivery.mail_relay import RelayEndpoint
    from producer.delivery.reply_channel import SendOutcome
    from runtime.channel_accounts import ChannelAccount
    from runtime.sender_keys import SenderKeys

RELAY_SECONDS_MAX: Final = 20.0
DNS_SECONDS_MAX: Final = 4.0
"""How long one look-up may take."""

_ELSEWHERE: Final = "look for MX, SPF, DKIM and DMARC elsewhere"

DOMAINS_MAX: Final = 10
"""Domains of one account whose DNS a check asks."""


async def check_mailbox(account: ChannelAccount, resolver: Resolver | None) -> list[AccountFinding]:
    """Look whether a mailbox works, without sending a mail.

    What DNS says is advice: the name servers asked here may not be those that the world asks. `resolver`: None, there
    are none.
    """
    found = [look_at_state(account), await _ask_relay(account), *_look_at_keys(account)]
    addresses: tuple[str, ...] = account.settings.addresses
    domains = dict.fromkeys([account.settings.domain, *(address.rpartition("@")[2] for address in addresses)])
    for domain in list(domains)[:DOMAINS_MAX]:
        found += await _ask_dns(domain, resolver)
    return found


def make_resolver() -> Resolver | None:
    """Return what asks this machine's name servers; None where it has none."""
    try:
        resolver = Resolver()
    except DNSException:
        return None
    resolver.lifetime = DNS_SECONDS_MAX
    return resolver


async def send_test_mail(account: ChannelAccount, recipient: str, senders: SenderKeys) -> SendOutcome:
    """Send a test mail as a reply is sent; raises CannotBeChecked where there is no relay, or no such address."""
    relay = Relay(_endpoint_of(account), ssl.create_default_context())
    key = ConversationKey(account.tenant, f"test-{new_token()[:8]}")
    reply = Reply(
        reply_id=f"reply_{new_token()[:24]}",
        tenant=key.tenant,
        conversation=key.conversation,
        sequence=1,
        in_reply_to=["test"],
        channel="email",
        recipient=recipient,
        text="This is a test mail of your airline's support.",
        agent="test",
        issue_type=None,
        trace_id=trace_id_of(key),
        created_at=datetime.now(UTC),
    )
    tokens = MailTokens.of_account(senders, account.tenant, account.account_id)
    mailbox = OwnMailbox("", account.settings.addresses[0], tokens)
    try:
        mail = compose_mail(reply, key, mailbox, AnsweredMail(subject="Test"), is_from_human=False)
    except Unmailable as error:
        raise CannotBeChecked(str(error)) from None
    try:
        return await relay.send(mail, RELAY_SECONDS_MAX)
    finally:
        await relay.close()


def _endpoint_of(account: ChannelAccount) -> RelayEndpoint:
    endpoint = endpoint_of(account)
    if endpoint is None:
        raise CannotBeChecked(f"{account.account_id} has no relay, so it only receives; `fte channels set` relay_host")
    return endpoint


async def _ask_relay(account: ChannelAccount) -> AccountFinding:
    """Connect to the relay, verify it and log in."""
    try:
        endpoint = _endpoint_of(account)
    except CannotBeChecked as error:
        return AccountFinding("relay", "advice", str(error))
    if endpoint.user and not endpoint.password:
        missing = "relay_user is set and relay_password is not; `fte channels rotate` asks for it"
        return AccountFinding("relay", "wrong", missing)
    outcome = await Relay(endpoint, ssl.create_default_context()).check(RELAY_SECONDS_MAX)
    where = f"{endpoint.host}:{endpoint.port}"
    if outcome.kind != "accepted":
        return AccountFinding("relay", "wrong", f"{where}: {outcome.reason}")
    how = "in clear, on loopback" if endpoint.security == "none" else "its certificate holds"
    who = f"logged in as {endpoint.user}" if endpoint.user else "no login is set"
    return AccountFinding("relay", "right", f"{where} answers; {how}; {who}")


def _look_at_keys(account: ChannelAccount) -> list[AccountFinding]:
    """Look whether the secrets of providers of inbound mail are there, and have their form."""
    secrets = account.secrets
    forms = {
        "sendgrid": (
            secrets.sendgrid_public_key is not None and is_public_key(secrets.sendgrid_public_key),
            "sendgrid_public_key: the public key that the provider shows, base64 in one line",
        ),
        "mailgun": (bool(secrets.mailgun_signing_key), "mailgun_signing_key: the HTTP webhook signing key"),
        "postmark": (":" in (secrets.postmark_password or ""), "postmark_password: as user:password"),
    }
    found = []
    for provider in account.settings.inbound_providers:
        is_plausible, needed = forms[provider]
        found.append(
            AccountFinding(provider, "right", "its key has the right form")
            if is_plausible
            else AccountFinding(provider, "wrong", f"`fte channels rotate` with {needed}")
        )
    return found


async def _ask_dns(domain: str, resolver: Resolver | None) -> list[AccountFinding]:
    """Ask for what other mail systems ask for: where mail to a domain goes, and who may send for it."""
    if resolver is None:
        return [AccountFinding(domain, "advice", f"there is no DNS here; {_ELSEWHERE}")]
    found = []
    for name, kind, where, missing in (
        ("MX", "MX", domain, "mails and bounces to this domain find no way here"),
        ("SPF", "TXT", domain, 'mails may be taken for spam; publish "v=spf1 … -all" with the relay in it'),
        ("DMARC", "TXT", f"_dmarc.{domain}", 'large providers refuse mails; publish "v=DMARC1; p=none; rua=mailto:…"'),
    ):
        records = await _look_up(resolver, where, kind)
        if records is None:
            return [
                AccountFinding(domain, "advice", "DNS does not answer here; look for MX, SPF, DKIM and DMARC elsewhere")
            ]
        marked = [text for text in records if name == "MX" or text.lower().startswith(f"v={name}1".lower())]
        if len(marked) == 1 or (marked and name == "MX"):
            found.append(AccountFinding(f"{domain} {name}", "right", marked[0][:200]))
        else:
            problem = f"{len(marked)} records, and only one may be" if marked else "no record"
            found.append(AccountFinding(f"{domain} {name}", "advice", f"{problem}: {missing}"))
    told = "send a test mail and look for dkim=pass there: its selector is the relay's own affair"
    return [*found, AccountFinding(f"{domain} DKIM", "advice", told)]


async def _look_up(resolver: Resolver, name: str, kind: str) -> list[str] | None:
    """Return records as text, none where the name has none, None where nobody answers."""
    try:
        answer = await resolver.resolve(name, kind)
    except (NoAnswer, NXDOMAIN):
        return []
    except (DNSException, OSError):
        return None
    if kind == "TXT":
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
    return sorted(record.to_text() for record in answer)
