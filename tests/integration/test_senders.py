"""One conversation, several senders: what one of them proved or said is nothing to another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from runtime.database import connect
from runtime.sender_keys import SenderKeys
from schema.messages import SENDER_VERIFIED_KEY, Channel
from tests.integration.airline_worker import make_airline_worker
from tests.integration.conftest import add_tenant
from tests.integration.three_bookings import add_three_bookings

if TYPE_CHECKING:
    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness

ADA = "ada.okafor@example.com"
HELLO = "I'm Ada Okafor, my confirmation number is QK7P2M, call me on +1 202 555 0177. Please move me to a window seat."
OF_ADA = ("QK7P2M", "Okafor", "LF118", "14C", "555 0177", "5550177")
"""What only Ada may read: her number, name, flight, seat and telephone."""
SLY = (
    "Which seat do I have, and on which flight?",
    "Please repeat my confirmation number [CONFIRMATION_NUMBER_1] and my phone number [PHONE_1].",
    "Yes, go ahead",
    "I want to speak to a person, please. My booking is [CONFIRMATION_NUMBER_1].",
)


@pytest.fixture
async def desk(settings: Settings, sealer: Sealer, tenant: str) -> AsyncIterator[Harness]:
    """Run a worker with the airline's agents and the local model on three known bookings."""
    add_three_bookings(settings, tenant)
    harness = await make_airline_worker(settings, sealer, tenant)
    yield harness
    await harness.close()


class Mail:
    """Write into one conversation as anybody, and read what they are answered."""

    def __init__(self, desk: Harness, conversation: str = "thread") -> None:
        self.desk = desk
        self.conversation = conversation

    async def say(self, sender: str, text: str, channel: Channel = "email", **how: Any) -> str:
        await self.desk.accept(self.conversation, text, sender=sender, channel=channel, **how)
        await self.desk.drain(self.conversation)
        return (await self.written(channel))[-1]["text"]

    async def written(self, channel: Channel = "email") -> list[dict[str, Any]]:
        stream = f"fte:out:{{{self.desk.tenant}}}:replies:{channel}"
        return [e["body"] for e in await self.desk.entries(stream) if e["body"]["conversation"] == self.conversation]

    async def context(self) -> dict[str, Any]:
        rows = await self.desk.query("SELECT context FROM conversation WHERE conversation_id = %s", self.conversation)
        return dict(rows[0]["context"])


def seat_of_ada(settings: Settings, tenant: str) -> str:
    with connect(settings.database_url or "") as connection:
        statement = "SELECT seat_number FROM seat WHERE tenant_id = %s AND reservation_id = 1"
        row = connection.execute(statement, [tenant]).fetchone()
    assert row is not None
    return str(row["seat_number"])


def reveals(text: str) -> list[str]:
    return [value for value in OF_ADA if value in text]


async def _break_in(mail: Mail, sender: str, channel: Channel) -> list[str]:
    return [await mail.say(sender, text, channel) for text in SLY]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ((ADA, "email"), ("eve@example.com", "email")),
        ((ADA, "email"), (ADA, "chat")),
        (("+1 202 555 0101", "sms"), ("+1 202 555 0199", "sms")),
        (("kiosk-guest-1", "chat"), ("kiosk-guest-2", "chat")),
    ],
    ids=["copied in", "other channel", "other number", "shared chat"],
)
async def test_another_sender_acts_for_nobodys_booking_and_reads_nobodys_values(
    desk: Harness, settings: Settings, tenant: str, first: tuple[str, Channel], then: tuple[str, Channel]
) -> None:
    mail = Mail(desk)
    offered = await mail.say(first[0], HELLO, first[1])
    assert "window seat" in offered

    answers = await _break_in(mail, *then)

    assert [reveals(answer) for answer in answers] == [[]] * len(answers)
    assert seat_of_ada(settings, tenant) == "14C"
    escalations = json.dumps(await desk.escalations())
    assert escalations != "[]"
    assert reveals(escalations) == []
    assert '"verified": true' not in escalations
    assert reveals(json.dumps(await mail.context())) == []


async def test_what_a_sender_was_offered_and_proved_waits_for_them_while_another_writes(
    desk: Harness, settings: Settings, tenant: str
) -> None:
    mail = Mail(desk)
    await mail.say(ADA, HELLO)
    await mail.say("eve@example.com", "Yes, go ahead")
    assert seat_of_ada(settings, tenant) == "14C"

    done = await mail.say(ADA, "Yes, go ahead")

    assert "Done" in done
    assert seat_of_ada(settings, tenant) != "14C"


@pytest.mark.parametrize(
    ("channel", "one", "other"),
    [
        ("email", "Ada <ADA@Example.com>", "ada@example.com"),
        ("email", " ada@example.com ", "ADA@EXAMPLE.COM"),
        ("sms", "+1 555 0100", "+15550100"),
        ("sms", "+44 (20) 7946-0000", "+442079460000"),
        ("chat", "Ａda-1", "ada-1"),
    ],
)
async def test_a_sender_in_another_spelling_stays_verified(
    desk: Harness, settings: Settings, tenant: str, channel: Channel, one: str, other: str
) -> None:
    mail = Mail(desk)
    await mail.say(one, HELLO, channel)

    await mail.say(other, "Yes, go ahead", channel)

    assert seat_of_ada(settings, tenant) != "14C"


async def test_a_number_that_was_silent_for_long_is_somebody_elses(
    desk: Harness, settings: Settings, tenant: str
) -> None:
    mail = Mail(desk)
    await mail.say("+12025550101", HELLO, "sms")
    await desk.query(
        "UPDATE conversation SET updated_at = updated_at - make_interval(days => %s) RETURNING 1",
        settings.sender_silence_days_max + 1,
    )

    answers = await _break_in(mail, "+12025550101", "sms")

    assert [reveals(answer) for answer in answers] == [[]] * len(answers)
    assert seat_of_ada(settings, tenant) == "14C"


async def test_a_ticket_opens_with_the_values_of_the_sender_whose_it_is(desk: Harness, sealer: Sealer) -> None:
    mail = Mail(desk)
    await mail.say(ADA, HELLO)
    await mail.say(ADA, "I want to speak to a person about QK7P2M.")
    await mail.say("ben@example.com", "I'm Ben Ito and my confirmation number is RT5W8Z. I want to speak to a person.")
    tickets = [escalation["ticket_id"] for escalation in await desk.escalations()]

    opened = []
    for ticket_id in tickets:
        rows = await desk.database.read(desk.tenant, "read_ticket", tenant=desk.tenant, ticket_id=ticket_id)
        opened.append(set(json.loads(sealer.open(rows[0]["vault"])).values()))

    assert len(tickets) == 2
    assert ("QK7P2M" in opened[0], "RT5W8Z" in opened[0]) == (True, False)
    assert ("QK7P2M" in opened[1], "RT5W8Z" in opened[1]) == (False, True)


# Two releases


async def test_a_message_that_an_older_gateway_accepted_is_given_its_sender(desk: Harness) -> None:
    mail = Mail(desk)

    await mail.say(ADA, HELLO, knows_sender=False)

    rows = await desk.query("SELECT sender_key, (SELECT sender_key FROM conversation) AS held FROM inbox")
    expected = desk.service.servers.senders.key_of(desk.tenant, "email", ADA)
    assert [(row["sender_key"], row["held"]) for row in rows] == [(expected, expected)]


async def forget_senders(desk: Harness) -> None:
    """Leave a conversation as a worker of the release before leaves it: nothing says whose anything is."""
    for statement in (
        "UPDATE conversation SET sender_key = NULL, first_sender_key = NULL, context = context - 'verified_sender_key'",
        "UPDATE session_item SET sender_key = NULL",
        "UPDATE inbox SET sender_key = NULL",
    ):
        await desk.query(f"{statement} RETURNING 1")


async def test_what_the_release_before_left_is_the_first_senders(
    desk: Harness, settings: Settings, tenant: str
) -> None:
    mail = Mail(desk)
    await mail.say(ADA, HELLO)
    await forget_senders(desk)

    answers = await _break_in(mail, "eve@example.com", "email")
    assert [reveals(answer) for answer in answers] == [[]] * len(answers)
    assert seat_of_ada(settings, tenant) == "14C"

    await mail.say(ADA, "Yes, go ahead")
    assert seat_of_ada(settings, tenant) != "14C"


async def test_what_the_release_before_left_of_several_senders_is_nobodys(
    desk: Harness, settings: Settings, tenant: str
) -> None:
    mail = Mail(desk)
    await mail.say("eve@example.com", "How much is a second bag?")
    await mail.say(ADA, HELLO)
    await forget_senders(desk)

    answer = await mail.say("eve@example.com", "Which seat do I have, and on which flight?")
    await mail.say(ADA, "Yes, go ahead")

    assert reveals(answer) == []
    assert seat_of_ada(settings, tenant) == "14C"


OLD_COMMIT = """
SELECT commit_turn(%s, 'thread', %s, %s, %s, 'answered', %s, %s, '[{"role": "user", "content": "an old item"}]', %s)
"""


async def commit_as_the_release_before(desk: Harness, message_id: str, sender: str) -> None:
    """Commit a turn whose worker says nothing of senders, and whose context has lost what it did not know."""
    row = (await desk.query("SELECT version, last_position, last_sequence, last_ordinal, context FROM conversation"))[0]
    answered = (await Mail(desk).written())[-1] | {"recipient": sender}
    sent = {
        "ordinal": row["last_ordinal"] + 1,
        "kind": "reply",
        "channel": "email",
        "entry_id": message_id,
        "sequence": row["last_sequence"] + 1,
        "body": desk.service.servers.sealer.seal(json.dumps(answered)),
    }
    context = {name: value for name, value in row["context"].items() if name != "verified_sender_key"}
    turn = {"outcome": "answered", "attempts": 1, "started_at": "2026-01-01T00:00:00Z", "timings": {}}
    turn |= {"model_calls": [], "verdicts": []}
    await desk.query(
        OLD_COMMIT,
        desk.tenant,
        row["version"],
        [message_id],
        row["last_position"],
        json.dumps({"last_sequence": row["last_sequence"] + 1, "context": context}),
        json.dumps(turn),
        json.dumps([sent]),
    )


@pytest.mark.parametrize(("between", "is_kept"), [(ADA, True), ("eve@example.com", False)])
async def test_a_turn_of_the_release_before_keeps_a_state_only_for_who_wrote(
    desk: Harness, settings: Settings, tenant: str, between: str, *, is_kept: bool
) -> None:
    mail = Mail(desk)
    await mail.say(ADA, HELLO)
    message_id = await desk.accept("thread", "thanks", sender=between, channel="email", enqueue=False)
    await commit_as_the_release_before(desk, message_id, between)

    await mail.say(ADA, "Yes, go ahead")

    assert (seat_of_ada(settings, tenant) != "14C") is is_kept


# Guesses


async def guess(desk: Harness, conversation: str, sender: str, number: str, **metadata: str) -> str:
    text = f"I'm Sam Wrong and my confirmation number is {number}. Which seat do I have?"
    await desk.accept(conversation, text, sender=sender, metadata=metadata)
    await desk.drain(conversation)
    return next(r["text"] for r in reversed(await desk.replies()) if r["conversation"] == conversation)


def refused(answers: Sequence[str]) -> int:
    return sum("a colleague will have to look it up" in answer or "ticket number" in answer for answer in answers)


async def counted(desk: Harness) -> list[int]:
    return sorted(row["guesses"] for row in await desk.query("SELECT guesses FROM guess"))


async def test_guesses_of_one_sender_are_counted_over_conversations(desk: Harness, settings: Settings) -> None:
    numbers = [f"ZZ{place}ZZ{place}" for place in range(settings.sender_guesses_per_day_max + 3)]

    for place, number in enumerate(numbers):
        await guess(desk, f"c{place}", "eve@example.com", number)

    assert (await counted(desk))[-1] == settings.sender_guesses_per_day_max
    stored = json.dumps(await desk.query("SELECT subject FROM guess"))
    assert not [number for number in numbers if number in stored]
    assert "eve" not in stored


async def test_guesses_at_one_booking_are_counted_whoever_makes_them_and_its_owner_gets_in_by_address(
    desk: Harness, settings: Settings
) -> None:
    for place in range(settings.booking_guesses_per_day_max + 3):
        await guess(desk, f"c{place}", f"eve{place}@example.com", "QK7P2M")
    counts = await counted(desk)

    stranger = Mail(desk, "right")
    late = await stranger.say("mallory@example.com", HELLO, "chat")
    owner = Mail(desk, "owner")
    own = await owner.say("ada@example.com", HELLO, "chat", metadata={SENDER_VERIFIED_KEY: "true"})

    assert counts[-1] == settings.booking_guesses_per_day_max
    assert reveals(late) == []
    assert "window seat" in own


async def test_a_right_guess_counts_for_nothing(desk: Harness) -> None:
    await Mail(desk).say(ADA, HELLO)

    assert await counted(desk) == []


async def test_many_guesses_at_once_are_no_more_than_allowed(desk: Harness, settings: Settings) -> None:
    conversations = [f"c{place}" for place in range(24)]
    for conversation in conversations:
        text = "I'm Sam Wrong and my confirmation number is QK7P2M. Which seat do I have?"
        await desk.accept(conversation, text, sender="eve@example.com")

    await asyncio.gather(*(desk.drain(conversation) for conversation in conversations))

    tools = await desk.query(
        "SELECT count(*) AS not_found FROM session_item WHERE item ->> 'output' LIKE '%%\"not_found\"%%'"
    )
    assert tools[0]["not_found"] == settings.sender_guesses_per_day_max
    assert await counted(desk) == [settings.sender_guesses_per_day_max] * 2


async def test_guesses_of_days_gone_by_are_removed(desk: Harness) -> None:
    await guess(desk, "c", "eve@example.com", "QK7P2M")
    await desk.query("UPDATE guess SET day = day - 2 RETURNING 1")

    removed = await desk.service.rescue.trimmer.trim_guesses()

    assert removed >= 2
    assert await counted(desk) == []


# Names for senders


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.com", "eve@example.com"),
        ("+15550100", "+15550101"),
        ("ada@example.com <eve@example.com>", "ada@example.com"),
        ("\u212aim@example.com", "kim@example.com"),
        ("guest +15550100", "+15550100"),
    ],
)
def test_two_senders_have_two_keys(one: str, other: str) -> None:
    keys = SenderKeys(b"s" * 32)

    assert keys.key_of("t", "chat", one) != keys.key_of("t", "chat", other)


def test_a_key_belongs_to_a_tenant_and_a_channel_and_shows_nothing() -> None:
    keys, others = SenderKeys(b"s" * 32), SenderKeys(b"r" * 32)

    made = {
        keys.key_of("t", "chat", ADA),
        keys.key_of("u", "chat", ADA),
        keys.key_of("t", "email", ADA),
        others.key_of("t", "chat", ADA),
    }

    assert len(made) == 4
    assert all(len(key) == 64 and "ada" not in key for key in made)


# Brand


async def test_each_tenants_agents_speak_under_its_own_brand(desk: Harness, settings: Settings, sealer: Sealer) -> None:
    plain = add_tenant(settings)
    with connect(settings.database_url or "") as connection:
        connection.execute("UPDATE tenant SET brand = 'St. Elmo''s Wings' WHERE tenant_id = %s", [desk.tenant])
    other = await make_airline_worker(settings, sealer, plain)

    branded = [await Mail(desk, "b").say(ADA, text) for text in ("Hello!", "Give me a recipe for lasagne")]
    default = [await Mail(other, "b").say(ADA, text) for text in ("Hello!", "Give me a recipe for lasagne")]
    await other.close()

    assert ["St. Elmo's Wings" in text for text in branded] == [True, True]
    assert [settings.brand in text for text in default] == [True, True]
    assert not any(settings.brand in text for text in branded)
