"""One conversation, several senders: what one of them proved or said is nothing to another."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from runtime.database import connect
from schema.channels import Channel
from schema.messages.inbound import MODEL_LATENCY_KEY
from tests.integration.airline_worker import make_airline_worker
from tests.integration.conftest import add_tenant
from tests.integration.senders import ADA, HELLO, Mail, reveals
from tests.integration.three_bookings import add_three_bookings, seat_of_ada

if TYPE_CHECKING:
    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness, MakeHarness

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


@pytest.mark.parametrize("is_marked", [True, False])
async def test_a_model_is_shown_a_senders_own_words_alone(worker: MakeHarness, *, is_marked: bool) -> None:
    harness = await worker()
    await Mail(harness).say(ADA, "my room is seven")
    if not is_marked:
        await forget_senders(harness)

    await Mail(harness).say("eve@example.com", "hello")
    of_eve = json.dumps(harness.model.inputs[-1])
    await Mail(harness).say(ADA, "hello again")
    of_ada = json.dumps(harness.model.inputs[-1])

    assert "seven" not in of_eve
    assert "seven" in of_ada
    assert '"hello"' not in of_ada


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

    await mail.say(
        ADA, "Yes, go ahead"
    )  # the last reply made no offer, so it is made again, or Ada is asked who she is
    await mail.say(ADA, "Yes, go ahead")

    assert (seat_of_ada(settings, tenant) != "14C") is is_kept


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


# Reserved metadata


@pytest.mark.parametrize("load_tests", [False, True])
async def test_a_worker_obeys_reserved_metadata_of_a_stored_message_in_a_load_test_alone(
    settings: Settings, sealer: Sealer, tenant: str, *, load_tests: bool
) -> None:
    harness = await make_airline_worker(settings.model_copy(update={"load_tests": load_tests}), sealer, tenant)

    await harness.accept("slow", "Hello!", metadata={MODEL_LATENCY_KEY: "400..400"})
    await harness.drain("slow")

    calls = await harness.query("SELECT model_calls -> 0 ->> 'milliseconds' AS milliseconds FROM turn")
    await harness.close()
    assert (float(calls[0]["milliseconds"]) >= 400) is load_tests
