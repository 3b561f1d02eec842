"""An operator looks after dead letters, and asks whether everything adds up."""

from __future__ import annotations

import asyncio
import uuid

from runtime.configuration import load_settings, open_sealer
from runtime.database import connect
from runtime.redis import Scripts, make_redis
from schema.ids import ConversationKey
from schema.messages.envelope import Envelope
from schema.messages.inbound import Inbound, encode_inbound
from tests.acceptance.fte_process import Up, new_conversation
from worker.mailbox.mailbox import Mailbox

CARD = "4111 1111 1111 1111"


def leave_in_a_mailbox(up: Up, conversation: str, text: str) -> None:
    """Put a message into a mailbox that the database does not know, as after a restore from a backup."""
    settings = load_settings(state_dir=up.fte.state_dir, database_url=up.database_url, redis_url=up.redis_url)
    inbound = Inbound(
        message_id=f"m-{uuid.uuid4().hex}",
        tenant="default",
        conversation=conversation,
        channel="chat",
        sender="ada",
        text=text,
    )
    payload = open_sealer(settings).seal(encode_inbound(inbound))

    async def append() -> None:
        client = make_redis(settings)
        envelope = Envelope(position=1, message_id=inbound.message_id, payload=payload)
        await Mailbox(client, Scripts(client), settings).append(ConversationKey("default", conversation), [envelope])
        await client.aclose()

    asyncio.run(append())


def test_a_dead_letter_is_listed_opened_redriven_and_dropped_and_everything_adds_up(up: Up) -> None:
    conversation = new_conversation()
    leave_in_a_mailbox(up, conversation, f"Can I bring my dog? My card is {CARD}.")
    narrowed = ("--conversation", conversation)
    letters = next(lines for _ in range(20) if (lines := up.run("dead", "list", *narrowed, "--json").lines))
    number = str(letters[0]["dead_letter_id"])

    shown = up.run("dead", "show", number)
    opened = up.run("dead", "show", number, "--open", "--as", "sam@desk.example")
    tried = up.run("dead", "redrive", number, "--dry-run", "--json").lines
    redriven = up.run("dead", "redrive", *narrowed, "--because", "the backup is whole again", "--json").lines
    again = up.run("dead", "redrive", number)
    dropped = up.run("dead", "drop", number, "--as", "sam@desk.example")
    everything = up.run("dead", "redrive")
    [reply] = up.wait_for("replies", conversation, 1)
    verified = up.run("verify", "--tenant", "default")

    assert letters[0]["reason"] == "no such message was accepted"
    assert "bring my dog" not in shown.output
    assert "Can I bring my dog? My card is [CARD_NUMBER]." in opened.output
    assert [line["status"] for line in tried + redriven] == ["would be redriven", "redriven"]
    assert reply["in_reply_to"] == [redriven[0]["message_id"]]
    assert (again.code, "redriven before" in again.output) == (0, True)
    assert (dropped.code, "dropped" in dropped.output) == (0, True)
    assert (everything.code, "say which" in everything.told) == (2, True)
    events = {event["name"]: event["attributes"] for event in up.wait_for("events", conversation, 3)}
    assert set(events) == {"letter.opened", "letter.redriven", "letter.dropped"}
    assert events["letter.opened"]["operator"] == "sam@desk.example"
    assert events["letter.redriven"]["because"] == "the backup is whole again"
    assert (verified.code, "no violation" in verified.output) == (0, True)


def test_a_violation_is_told_with_its_place_and_way_out_and_ends_in_exit_code_1(up: Up) -> None:
    tenant = f"t{uuid.uuid4().hex[:8]}"
    with connect(up.database_url) as connection:
        connection.execute("INSERT INTO tenant (tenant_id) VALUES (%s)", [tenant])
        connection.execute(
            "INSERT INTO conversation (tenant_id, conversation_id, last_position) VALUES (%s, 'c-gap', 1)", [tenant]
        )

    page = up.run("verify", "--tenant", tenant)
    with connect(up.database_url) as connection:  # the product is other tests' too
        connection.execute("DELETE FROM conversation WHERE tenant_id = %s", [tenant])

    assert page.code == 1
    assert f"conservation: {tenant} c-gap" in page.output
    assert "1 accepted, done up to 0; the inbox has 0 messages" in page.output
    assert "way out: " in page.output
