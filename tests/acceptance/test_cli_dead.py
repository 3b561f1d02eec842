"""An operator looks after dead letters, and asks whether everything adds up."""

from __future__ import annotations

import uuid

from ops.runtime.database import connect
from tests.acceptance.fte_process import Up, new_conversation

CARD = "4111 1111 1111 1111"
UNREADABLE = "sealed with a key that is gone"


def test_a_dead_letter_is_listed_opened_redriven_and_dropped_and_everything_adds_up(up: Up) -> None:
    conversation = new_conversation()
    up.say(conversation, "How many bags can I bring?")
    up.wait_for("replies", conversation, 1)
    # A vault that no key opens: the conversation's next message fails every attempt, and then it goes on from nothing.
    with connect(up.database_url) as connection:
        connection.execute("UPDATE conversation SET vault = %s WHERE conversation_id = %s", [UNREADABLE, conversation])
    up.say(conversation, f"Can I bring my dog? My card is {CARD}.")
    up.wait_for("escalations", conversation, 1)

    [letter] = up.run("dead", "list", "--conversation", conversation, "--json").lines
    number = str(letter["dead_letter_id"])
    shown = up.run("dead", "show", number)
    opened = up.run("dead", "show", number, "--open", "--as", "sam@desk.example")
    tried = up.run("dead", "redrive", number, "--dry-run", "--json").lines
    redriven = up.run("dead", "redrive", "--conversation", conversation, "--because", "the vault is mended", "--json")
    up.wait_for("replies", conversation, 3)
    again = up.run("dead", "redrive", number)
    dropped = up.run("dead", "drop", number, "--as", "sam@desk.example")
    nothing = up.run("dead", "list", "--conversation", conversation)
    everything = up.run("dead", "redrive")
    unknown = up.run("dead", "show", "999999999")
    verified = up.run("verify", "--tenant", "default")

    assert letter["reason"].startswith("no answer after ")
    assert "Can I bring my dog" not in shown.output
    assert "Can I bring my dog? My card is [CARD_NUMBER]." in opened.output
    assert [line["status"] for line in tried + redriven.lines] == ["would be redriven", "redriven"]
    assert (again.code, "redriven before" in again.output) == (0, True)
    assert (dropped.code, "dropped" in dropped.output) == (0, True)
    assert "no dead letters" in nothing.output
    assert everything.code == 2
    assert (unknown.code, "no dead letter 999999999" in unknown.told) == (1, True)
    events = {event["name"]: event for event in up.wait_for("events", conversation, 5)}
    assert {"message.dead", "letter.opened", "letter.redriven", "letter.dropped"} <= set(events)
    assert events["letter.opened"]["attributes"]["operator"] == "sam@desk.example"
    assert events["letter.redriven"]["attributes"]["because"] == "the vault is mended"
    assert (verified.code, "no violation" in verified.output) == (0, True)


def test_a_violation_is_told_with_its_place_and_ends_in_exit_code_1(up: Up) -> None:
    tenant = f"t{uuid.uuid4().hex[:8]}"
    with connect(up.database_url) as connection:
        connection.execute("INSERT INTO tenant (tenant_id) VALUES (%s)", [tenant])
        connection.execute(
            "INSERT INTO conversation (tenant_id, conversation_id, last_position) VALUES (%s, 'c-gap', 1)", [tenant]
        )

    page = up.run("verify", "--tenant", tenant)
    report = up.run("verify", "--tenant", tenant, "--json")

    assert (page.code, report.code) == (1, 1)
    assert f"conservation: {tenant} c-gap" in page.output
    assert "way out: " in page.output
    [finding] = report.lines[0]["findings"]
    assert (finding["check"], finding["numbers"]["last_position"], finding["numbers"]["messages"]) == (
        "conservation",
        1,
        0,
    )
