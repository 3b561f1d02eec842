from __future__ import annotations

import pytest

from producer.channels.email.automatic_mail import RULES, find_sign
from producer.channels.email.mail_reading import read_mail
from schema.ids import ConversationKey, reply_id_of
from tests.unit.mail_cases import ARRIVAL, OURS, TOKENS, mail, multipart, part

OWN_ID = TOKENS.message_id_for(reply_id_of(ConversationKey("default", "c"), 1), "air.example")

NEVER: list[tuple[str, str, bytes]] = [
    *(
        ("automatic_reply", f"Auto-Submitted {value}", mail(f"Auto-Submitted: {value}"))
        for value in (
            "auto-generated",
            "auto-replied",
            "auto-notified",
            "AUTO-REPLIED",
            "auto-replied; owner-email=a@b.example",
            "auto-generated (rejected)",
            "yes",
            "",
            "auto-replied;",
        )
    ),
    ("automatic_reply", "two Auto-Submitted", mail("Auto-Submitted: no", "Auto-Submitted: auto-replied")),
    *(
        ("automatic_reply", name, mail(f"{name}: yes"))
        for name in (
            "X-Autoreply",
            "X-Auto-Reply",
            "X-Autorespond",
            "X-Autoresponder",
            "X-AutoReply-From",
            "X-Auto-Generated",
            "X-Loop",
            "X-Failed-Recipients",
            "X-MS-Exchange-Inbox-Rules-Loop",
            "X-Mail-Autoreply",
            "X-Away-Message",
            "X-MS-Exchange-Generated-Message-Source",
            "x-autoreply",
            "X-Vacation",
        )
    ),
    *(
        ("bulk_mail", name, mail(f"{name}: <x.list.example>"))
        for name in (
            "List-Id",
            "List-Unsubscribe",
            "List-Unsubscribe-Post",
            "List-Post",
            "List-Help",
            "List-Subscribe",
            "List-Owner",
            "List-Archive",
            "Mailing-List",
            "X-Mailman-Version",
            "X-Mailing-List",
            "Feedback-ID",
            "LIST-ID",
            "X-Campaign-Id",
        )
    ),
    *(
        ("bulk_mail", f"Precedence {value}", mail(f"Precedence: {value}"))
        for value in (
            "bulk",
            "list",
            "junk",
            "auto_reply",
            "Bulk",
            " bulk",
            "auto-reply",
        )
    ),
    *(
        ("bounce", kind, mail(f"Content-Type: {kind}; boundary=x"))
        for kind in (
            "multipart/report",
            "multipart/report; report-type=delivery-status",
            "multipart/report; report-type=disposition-notification",
            "multipart/report; report-type=feedback-report",
            "message/delivery-status",
            "message/disposition-notification",
            "message/feedback-report",
            "Multipart/Report",
        )
    ),
    *(
        ("automatic_reply", f"From {local}", mail(From=f"X <{local}@customer.example>"))
        for local in (
            "mailer-daemon",
            "MAILER-DAEMON",
            "postmaster",
            "no-reply",
            "noreply",
            "NoReply",
            "do-not-reply",
            "donotreply",
            "do_not_reply",
            "bounce",
            "bounces",
            "bounce+1234",
            "bounces-77",
            "list-request",
            "owner-list",
            "no.reply",
            "notifications-noreply",
            "noreply+tag",
            "majordomo",
            "autoresponder",
            "nicht-antworten",
            "noresponder",
        )
    ),
    ("automatic_reply", "empty Return-Path", mail("Return-Path: <>")),
    ("mail_loop", "From us", mail(From=f"Larkfield <{OURS}>")),
    ("mail_loop", "From us in capitals", mail(From=OURS.upper())),
    ("mail_loop", "From us with a plus", mail(From="Larkfield <support+x@air.example>")),
    ("mail_loop", "Sender is us", mail(f"Sender: {OURS}")),
    ("mail_loop", "Reply-To is us", mail(f"Reply-To: {OURS}")),
    ("mail_loop", "Return-Path is us", mail(f"Return-Path: <{OURS}>")),
    ("mail_loop", "our Message-ID", mail(Message_ID=OWN_ID)),
    ("spam", "X-Spam-Flag", mail("X-Spam-Flag: YES")),
    *(
        ("automatic_reply", f"Subject {subject}", mail(Subject=subject))
        for subject in (
            "Automatic reply: A bag",
            "Out of Office: A bag",
            "Out of office reply",
            "Out-of-office: x",
            "AutoReply: Re: A bag",
            "Auto response",
            "Abwesenheitsnotiz: A bag",
            "Automatische Antwort: A bag",
            "Réponse automatique : A bag",
            "Réponse automatique\u00a0: A bag",
            "Respuesta automática: A bag",
            "Risposta automatica: A bag",
            "Resposta automática: A bag",
            "Autosvar: A bag",
            "Automatisch antwoord: A bag",
            "Automatisk svar: A bag",
            "Automaattinen vastaus: A bag",
            "Odpowiedź automatyczna: A bag",
            "Automatická odpověď: A bag",
            "Автоответ: A bag",
            "自動応答: A bag",
            "自动回复: A bag",
            "Undeliverable: A bag",
            "Unzustellbar: A bag",
            "Delivery Status Notification (Failure)",
            "Mail delivery failed: returning message to sender",
            "Undelivered Mail Returned to Sender",
            "failure notice",
            "Read: A bag",
            "Gelesen: A bag",
            "=?utf-8?q?R=C3=A9ponse_automatique?= : x",
            "OOO: A bag",
            "I am out of the office",
        )
    ),
]


@pytest.mark.parametrize(("reason", "name", "raw"), NEVER, ids=[name for _, name, _ in NEVER])
def test_what_a_machine_or_a_list_sent_is_never_answered(reason: str, name: str, raw: bytes) -> None:
    sign = find_sign(read_mail(raw), ARRIVAL)

    assert sign is not None
    assert sign.reason == reason
    assert sign.sign


ANSWERED: dict[str, bytes] = {
    "an ordinary mail": mail(),
    "Auto-Submitted no": mail("Auto-Submitted: no"),
    "Auto-Submitted no with a comment": mail("Auto-Submitted: No (a person)"),
    **{
        f"X-Auto-Response-Suppress {value}": mail(f"X-Auto-Response-Suppress: {value}")
        for value in (
            "All",
            "DR, OOF, AutoReply",
            "OOF",
            "None",
            "DR, RN, NRN, OOF, AutoReply",
        )
    },
    "Precedence first-class": mail("Precedence: first-class"),
    "Precedence normal": mail("Precedence: normal"),
    "X-Spam-Flag no": mail("X-Spam-Flag: NO"),
    "X-Spam-Status": mail("X-Spam-Status: No, score=-1"),
    "Importance": mail("Importance: high"),
    "a reply-like name": mail(From="Nora Reply <nora.reply@customer.example>"),
    "a postmaster in the name alone": mail(From="Postmaster <ada@customer.example>"),
    "a bouncer": mail(From="bouncy.castle@customer.example"),
    "an owner": mail(From="ownership@customer.example"),
    "requesting": mail(From="requests@customer.example"),
    "noreen": mail(From="noreen.plyer@customer.example"),
    "subject about an auto reply": mail(Subject="I got an automatic reply from you"),
    "subject about absence": mail(Subject="My absence from the office and my booking"),
    "subject Re: of a machine's": mail(Subject="Question about undeliverable bags"),
    "subject reading": mail(Subject="Reading lamp at 12A"),
    "subject automatic check-in": mail(Subject="Automatic check-in does not work"),
    "a read receipt asked for": mail("Disposition-Notification-To: ada@customer.example"),
    "Return-Path": mail("Return-Path: <ada@customer.example>"),
    "signed": multipart("signed", part("hi"), part("x", kind="application/pgp-signature")),
    "another's Message-ID": mail(Message_ID="<0123456789abcdef01234567.aaaaaaaaaaaaaaaa@air.example>"),
    "our address in To and Cc": mail(Cc=OURS),
    "List in the text": mail(body="List-Id: <x>"),
    "X-Mailer": mail("X-Mailer: Auto Mailer 3"),
}


@pytest.mark.parametrize("name", ANSWERED)
def test_what_a_person_wrote_is_answered(name: str) -> None:
    assert find_sign(read_mail(ANSWERED[name]), ARRIVAL) is None


@pytest.mark.parametrize("sender", ["", "MAILER-DAEMON@customer.example", "postmaster@x.example", "owner-l@x.example"])
def test_the_envelopes_sender_tells_a_machine_as_well(sender: str) -> None:
    sign = find_sign(read_mail(mail()), ARRIVAL._replace(envelope_sender=sender))

    assert sign is not None
    assert sign.sign in {"empty envelope sender", "envelope sender"}


def test_where_nobody_tells_the_envelopes_sender_its_absence_is_no_sign() -> None:
    assert find_sign(read_mail(mail()), ARRIVAL._replace(envelope_sender=None)) is None


def test_a_sender_that_takes_bounces_for_a_person_is_no_sign() -> None:
    """Newsletters aside, people write through services whose envelope is `bounces+…`."""
    assert find_sign(read_mail(mail()), ARRIVAL._replace(envelope_sender="bounces+1@mailer.example")) is None


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_no_rule_is_there_for_nothing(rule: object) -> None:
    others = [each for each in RULES if each is not rule]
    cases = [raw for _, _, raw in NEVER]

    def is_found(raw: bytes) -> bool:
        return any(each(read_mail(raw), ARRIVAL) for each in others)

    assert not all(map(is_found, [*cases, mail("X-Spam-Flag: YES")]))
