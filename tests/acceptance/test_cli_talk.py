"""Messages in, answers out, from the shell."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.acceptance.fte_process import Up, new_conversation


def inbound(conversation: str, message_id: str, text: str = "How many bags can I bring?", **changes: str) -> str:
    message = {
        "message_id": message_id,
        "tenant": "default",
        "conversation": conversation,
        "channel": "sms",
        "sender": "+14155550100",
        "text": text,
    }
    return json.dumps(message | changes)


def test_a_message_sent_is_answered(up: Up) -> None:
    conversation = new_conversation()

    sent = up.run("send", "--json", "--conversation", conversation, "--text", "How many bags can I bring?")

    replies = up.wait_for("replies", conversation, 1)
    assert [receipt["status"] for receipt in sent.lines] == ["accepted"]
    assert [reply["in_reply_to"] for reply in replies] == [[sent.lines[0]["message_id"]]]
    assert replies[0]["text"]


def test_a_file_with_wrong_lines_is_sent_without_them(up: Up, tmp_path: Path) -> None:
    conversation = new_conversation()
    lines = [
        inbound(conversation, f"{conversation}-1"),
        "not json",
        "",
        inbound(conversation, f"{conversation}-2", channel="fax"),
        inbound(conversation, f"{conversation}-1"),
        inbound(conversation, f"{conversation}-3", tenant="nobody"),
        inbound(conversation, f"{conversation}-4"),
    ]
    file = tmp_path / "messages.jsonl"
    file.write_text("\n".join(lines))

    sent = up.run("send", "--json", str(file))

    assert sent.code == 1
    assert [line.get("status", line.get("line")) for line in sent.lines] == [
        "accepted",
        2,
        4,
        "duplicate",
        6,
        "accepted",
    ]
    assert [line["field"] for line in sent.lines if "field" in line] == ["message", "channel"]
    sent_names = [f"{conversation}-1", f"{conversation}-4"]
    replies = up.wait_for_answers(conversation, sent_names)
    assert [name for reply in replies for name in reply["in_reply_to"]] == sent_names


def test_many_messages_come_through_a_pipe_and_are_answered_in_order(up: Up) -> None:
    conversation = new_conversation()
    ids = [f"{conversation}-{number}" for number in range(12)]

    sent = up.run("send", "-", stdin="".join(inbound(conversation, name) + "\n" for name in ids))

    replies = up.wait_for_answers(conversation, ids)
    assert (sent.code, sent.output.splitlines()[-1]) == (0, "12 accepted")
    assert [name for reply in replies for name in reply["in_reply_to"]] == ids
    assert [reply["sequence"] for reply in replies] == list(range(1, len(replies) + 1))
    assert len(replies) < len(ids)  # what came in a row is answered together


def test_a_follower_sees_a_reply_when_it_comes_and_ends_with_ctrl_c(up: Up) -> None:
    conversation = new_conversation()
    before = new_conversation()
    up.say(before, "How many bags can I bring?")
    up.wait_for("replies", before, 1)

    with up.fte.start("replies", "--follow", "--json", "--last", "1") as follower:
        first = json.loads(follower.read_line())
        up.say(conversation, "Is there wifi on board?")
        second = json.loads(follower.read_line())
        code = follower.stop(signal.SIGINT)

    assert first["conversation"] == before
    assert second["conversation"] == conversation
    assert code == 0


def test_the_whole_stream_can_be_read_from_its_start(up: Up) -> None:
    conversation = new_conversation()
    for number in (1, 2, 3):
        up.say(conversation, f"How many bags can I bring? {number}")
        up.wait_for("replies", conversation, number)

    whole = up.run("replies", "--from-start", "--json", "--conversation", conversation)
    newest = up.run("replies", "--last", "2", "--json", "--conversation", conversation)

    assert [reply["sequence"] for reply in whole.lines] == [1, 2, 3]
    assert [reply["sequence"] for reply in newest.lines] == [2, 3]


def test_a_chat_through_a_pipe_waits_for_each_reply(up: Up) -> None:
    conversation = new_conversation()

    done = up.run(
        "chat", "--conversation", conversation, stdin="How many bags can I bring?\n\nIs there wifi on board?\n"
    )

    assert done.code == 0, done.told
    replies = up.wait_for("replies", conversation, 2)
    words = " ".join(done.output.split())
    assert all(" ".join(reply["text"].split()) in words for reply in replies)


def test_an_escalation_reaches_the_human_agents(up: Up) -> None:
    conversation = new_conversation()

    up.say(conversation, "I want to speak to a human being, now!")

    escalations = up.wait_for("escalations", conversation, 1)
    shown = up.run("escalations", "--conversation", conversation)
    assert escalations[0]["ticket_id"] in shown.output


def test_a_load_reports_with_exactly_these_keys(up: Up, tmp_path: Path) -> None:
    file = tmp_path / "report.json"

    amounts = ["--conversations", "4", "--turns", "2", "--rate", "40", "--lag-max-ms", "5000"]
    done = up.run("load", *amounts, "--json", str(file))

    report = json.loads(file.read_text())
    assert done.code == 0, done.told
    assert list(report) == [
        "messages",
        "replies",
        "lost",
        "unanswered",
        "unread",
        "duplicated",
        "out_of_order",
        "escalations",
        "accepted_per_s",
        "acceptance_ms",
        "messages_per_s",
        "latency_ms",
        "overhead_ms",
        "model_calls_per_turn",
        "input_tokens_per_turn",
        "output_tokens_per_turn",
        "repeated",
        "lag_ms",
        "reader_lag_ms",
        "lag_ms_max",
        "is_valid",
        "refused",
        "phases",
        "timeline",
        "curve",
        "setup",
    ]
    assert report["model_calls_per_turn"] > 0
    assert report["input_tokens_per_turn"] > report["output_tokens_per_turn"] > 0
    assert (report["messages"], report["lost"]) == (8, 0)
    assert 4 <= report["replies"] <= 8  # a customer's two, sent at once, may be answered together
    assert set(report["latency_ms"]) == set(report["overhead_ms"]) == {"p50", "p95", "p99", "max"}


def test_a_profile_is_sent_by_several_processes_either_way_and_its_report_is_a_page(up: Up, tmp_path: Path) -> None:
    profile, page, file = tmp_path / "mine.toml", tmp_path / "page.html", tmp_path / "report.json"
    profile.write_text(
        'name = "<i>mine</i>"\nconversations = 4\nturns = 2\nlag_ms_max = 5000\n'
        '[[phases]]\nname = "up"\nseconds = 2\nrate = 1\nrate_end = 6\n'
        '[[phases]]\nname = "hot"\nseconds = 1\nrate = 4\nhot_share = 0.5\n',
        encoding="utf-8",
    )
    options = ["--profile", str(profile), "--senders", "2", "--json", str(file), "--report", str(page)]

    first = up.run("load", *options)
    second = up.run("load", *options, "--via", "http", "--baseline", str(file))

    assert (first.code, second.code) == (0, 0), first.told + second.told
    report = json.loads(file.read_text(encoding="utf-8"))
    assert [phase["name"] for phase in report["phases"]] == ["up", "hot"]
    assert (report["messages"], report["lost"]) == (11, 0)
    assert (report["setup"]["via"], report["setup"]["senders"]) == ("http", 2)
    written = page.read_text(encoding="utf-8")
    assert "&lt;i&gt;mine&lt;/i&gt;" in written
    assert "Compared" in written
    assert "<script" not in written
