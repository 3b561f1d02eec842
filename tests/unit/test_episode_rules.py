"""Where one episode ends and the next begins: the same whenever and however often it is worked out."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schema.channels import Channel
from worker.store.episode_rules import Activity, Episode, Message, Resolution, advance

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
IDLE: dict[Channel, timedelta] = {
    "chat": timedelta(hours=4),
    "sms": timedelta(hours=24),
    "email": timedelta(hours=72),
}


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Message], list[Resolution]]:
    """Draw messages in order, with their answers, and resolutions between them."""
    messages: list[Message] = []
    resolutions: list[Resolution] = []
    at = START
    for position in range(1, draw(st.integers(1, 12)) + 1):
        at += timedelta(minutes=draw(st.integers(0, 60 * 100)))
        answered = at + timedelta(minutes=draw(st.integers(0, 600)))
        messages.append(Message(position, draw(st.sampled_from(sorted(IDLE))), at, answered))
        if draw(st.booleans()) and draw(st.booleans()):
            resolutions.append(Resolution(position, answered))
        at = answered if draw(st.booleans()) else at
    return messages, resolutions


def fold(messages: list[Message], resolutions: list[Resolution], cuts: list[int], now: datetime) -> list[Episode]:
    """Work episodes out in pieces, as the job does when it looks in between."""
    kept: dict[int, Episode] = {}
    edges = [0, *sorted(cuts), len(messages)]
    for start, end in itertools.pairwise(edges):
        newest = kept[max(kept)] if kept else None
        is_last = end == len(messages)
        known = [each for each in resolutions if each.position >= (newest.last_position if newest else 0)]
        seen = known if is_last else [each for each in known if end and each.position < messages[end - 1].position]
        activity = Activity(messages[start:end], seen, is_waiting=not is_last)
        for episode in advance(newest, activity, IDLE, now if is_last else START):
            kept[episode.number] = episode
    return [kept[number] for number in sorted(kept)]


@given(history=histories(), cuts=st.lists(st.integers(0, 12), max_size=4))
def test_looking_in_between_changes_nothing(history: tuple[list[Message], list[Resolution]], cuts: list[int]) -> None:
    messages, resolutions = history
    now = messages[-1].finished_at + timedelta(days=30)
    whole = fold(messages, resolutions, [], now)
    pieces = fold(messages, resolutions, [min(cut, len(messages)) for cut in cuts], now)

    assert [(each.first_position, each.last_position, each.closed_at, each.close_reason) for each in pieces] == [
        (each.first_position, each.last_position, each.closed_at, each.close_reason) for each in whole
    ]


@given(history=histories())
def test_episodes_hold_every_message_once_in_order_and_only_the_newest_is_open(
    history: tuple[list[Message], list[Resolution]],
) -> None:
    messages, resolutions = history
    found = fold(messages, resolutions, [], messages[-1].finished_at)

    held = [position for each in found for position in range(each.first_position, each.last_position + 1)]
    assert held == [each.position for each in messages]
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert all(each.closed_at is not None for each in found[:-1])


@given(history=histories())
def test_an_episode_ends_where_the_next_message_came_too_late_or_it_was_resolved_and_nowhere_else(
    history: tuple[list[Message], list[Resolution]],
) -> None:
    messages, resolutions = history
    found = fold(messages, resolutions, [], messages[-1].finished_at)
    begun = {each.first_position for each in found}
    resolved = {each.position for each in resolutions}

    last_at = messages[0].finished_at
    for before, message in itertools.pairwise(messages):
        ends = before.position in resolved or message.accepted_at > last_at + IDLE[before.channel]
        assert (message.position in begun) == ends
        last_at = message.finished_at if ends else max(last_at, message.finished_at)


def test_a_silent_episode_is_closed_at_the_end_of_its_silence_and_not_before() -> None:
    message = Message(1, "chat", START, START + timedelta(minutes=1))
    end = message.finished_at + IDLE["chat"]
    quiet = Activity([], [], is_waiting=False)
    [opened] = advance(None, Activity([message], [], is_waiting=False), IDLE, START)

    assert advance(opened, quiet, IDLE, end) == []
    [closed] = advance(opened, quiet, IDLE, opened.look_at)
    assert (closed.closed_at, closed.close_reason) == (end, "idle")


def test_while_a_message_waits_the_conversation_is_not_silent() -> None:
    message = Message(1, "chat", START, START)
    [opened] = advance(None, Activity([message], [], is_waiting=True), IDLE, START)
    later = START + timedelta(hours=5)

    [still] = advance(opened, Activity([], [], is_waiting=True), IDLE, later)

    assert still.closed_at is None
    assert still.look_at > later
