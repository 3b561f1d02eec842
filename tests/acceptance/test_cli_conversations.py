"""An operator looks at a conversation, takes it over, hands it back."""

from __future__ import annotations

from tests.acceptance.fte_process import Up, new_conversation

CARD = "4111 1111 1111 1111"


def test_a_conversation_is_shown_with_its_secrets_masked(up: Up) -> None:
    conversation = new_conversation()
    up.say(conversation, f"How many bags can I bring? I am ada@example.com and my card is {CARD}.")
    up.wait_for("replies", conversation, 1)

    page = up.run("show", conversation)
    row = up.run("show", conversation, "--json").lines[0]

    assert page.code == 0
    assert "[CARD_NUMBER]" in page.output
    assert "[EMAIL_1]" in page.output
    assert CARD not in page.output + str(row)
    assert "ada@example.com" not in page.output + str(row)
    assert [line["kind"] for line in row["lines"]][:: len(row["lines"]) - 1] == ["customer", "agent"]
    assert {"queue_ms", "hydrate_ms", "guard_ms", "act_ms", "model_ms"} <= set(row["turns"][0]["timings"])


def test_a_conversation_is_traced_while_it_goes_on(up: Up) -> None:
    conversation = new_conversation()
    for number, text in enumerate((f"How many bags can I bring? My card is {CARD}.", "Can I bring my dog?"), start=1):
        up.say(conversation, text)
        up.wait_for("replies", conversation, number)

    def steps() -> set[str]:
        turns = up.run("trace", conversation, "--json").lines[0]["turns"]
        return {step["kind"] for turn in turns for attempt in turn["attempts"] for step in attempt["steps"]}

    # A worker writes what it finished every half second; the command takes longer than that.
    assert any("publish" in steps() for _ in range(20))
    page = up.run("trace", conversation)
    second = up.run("trace", conversation, "--turn", "2", "--json").lines[0]
    missing = up.run("trace", conversation, "--turn", "3")

    assert page.code == 0
    assert all(
        word in page.output for word in ("turn 1 answered", "waited", "agent FAQ Agent", "model local", "commit")
    )
    assert CARD not in page.output
    assert [turn["number"] for turn in second["turns"]] == [2]
    assert second["totals"]["model_calls"] >= 1
    assert second["trace_id"] in page.output
    assert (missing.code, missing.told.strip()) == (1, "fte: no turn 3; there are 1 to 2")


def test_what_is_published_of_a_conversation_is_erased(up: Up) -> None:
    conversation = new_conversation()
    up.say(conversation, "How many bags can I bring?")
    up.wait_for("replies", conversation, 1)

    erased = up.run("privacy", "erase-entries", conversation, "--as", "ada", "--json").lines[0]
    up.wait_for("events", conversation, 1)
    left = [entry for entry in up.run("replies", "--json").lines if entry["conversation"] == conversation]

    assert (erased["rows"], erased["unpublished"]) == (1, 0)
    assert left == []


def test_usage_shows_a_days_model_calls(up: Up) -> None:
    conversation = new_conversation()
    up.say(conversation, "How many bags can I bring?")
    up.wait_for("replies", conversation, 1)

    table = up.run("usage")
    rows = up.run("usage", "--json").lines
    none = up.run("usage", "--day", "2020-01-01")

    assert "tokens in" in table.output
    assert [(row["tenant"], row["model"], row["cost_usd"]) for row in rows] == [("default", "local", 0.0)]
    assert rows[0]["calls"] >= 1
    assert none.output.strip() == "default made no model calls on 2020-01-01 (UTC)"


def test_an_unknown_conversation_is_one_line_on_standard_error(up: Up) -> None:
    for command in (["show"], ["trace"], ["takeover"], ["hand-back"], ["privacy", "erase-entries"]):
        done = up.run(*command, "nobody-wrote-here")

        assert done.code == 1
        assert done.told.splitlines() == ["fte: no conversation nobody-wrote-here of tenant default; see --tenant"]


def test_the_bot_is_silent_from_a_takeover_until_it_is_handed_back(up: Up) -> None:
    conversation = new_conversation()
    up.say(conversation, "How many bags can I bring?")
    up.wait_for("replies", conversation, 1)

    taken = up.run("takeover", conversation, "--json").lines
    up.say(conversation, "Is there wifi on board?")
    up.wait_for("events", conversation, 2)
    back = up.run("hand-back", conversation, "--json").lines
    up.say(conversation, "When does check-in open?")
    replies = up.wait_for("replies", conversation, 2)

    events = up.wait_for("events", conversation, 3)
    assert [line[0]["changed"] for line in (taken, back)] == [True, True]
    assert [event["name"] for event in events] == [
        "conversation.taken_over",
        "message.forwarded",
        "conversation.handed_back",
    ]
    assert len(replies) == 2
    lines = up.run("show", conversation, "--json").lines[0]["lines"]
    said = [line["text"] for line in lines if line["kind"] == "customer"]
    assert said == ["How many bags can I bring?", "Is there wifi on board?", "When does check-in open?"]


def test_a_takeover_of_what_is_taken_over_changes_nothing(up: Up) -> None:
    conversation = new_conversation()
    up.say(conversation, "How many bags can I bring?")
    up.run("takeover", conversation)

    again = up.run("takeover", conversation, "--json")

    assert (again.code, again.lines[0]["changed"]) == (0, False)


def test_a_chat_says_that_a_human_has_the_conversation(up: Up) -> None:
    conversation = new_conversation()
    up.say(conversation, "How many bags can I bring?")
    up.wait_for("replies", conversation, 1)
    up.run("takeover", conversation)

    done = up.run("chat", "--conversation", conversation, stdin="Is there wifi on board?\n")

    assert done.code == 0
    assert "a human has this conversation" in done.output
