"""Judge a dialogue that was played: what was asked again, where it went, when a person got it, what was refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import mean
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ops.lab.evaluate.asking import asked_for
from ops.lab.evaluate.figures import Figure, Measured, Miss, Target, count_shares, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ops.lab.evaluate.sets import Dialogue

FAQ_CALLS_MAX, BOOKING_CALLS_MAX = 2, 3
"""Model calls that the answer to a question, and any other turn, may take."""

_ROUTES: Mapping[str, str] = MappingProxyType(
    {"FAQ Agent": "faq", "Booking Agent": "booking", "Escalation Agent": "escalation"}
)
_BOOKING_TOOLS = ("confirm_quote", "quote_", "find_", "look_up_", "search_flights", "flight_status")


@dataclass(frozen=True)
class PlayedTurn:
    """What came of one message: the reply, and what the product recorded of the turn."""

    said: str
    reply: str
    outcome: str
    agent: str | None
    model_calls: int
    tools: tuple[str, ...]
    abuse_tripped: bool
    has_ticket: bool
    """Whether a person has the conversation, from this turn or an earlier one."""
    input_parts: Mapping[str, int] = field(default_factory=dict)
    """Tokens of all that the turn asked over the wire, by part of the requests; empty where nothing was."""

    @property
    def route(self) -> str:
        """Return where the turn went: faq, booking, escalation, off_topic, or triage when it stayed there."""
        if self.outcome == "escalated":
            return "escalation"
        if self.outcome == "refused" and not self.abuse_tripped:
            return "off_topic"
        if self.agent is not None and self.agent in _ROUTES:
            return _ROUTES[self.agent]
        if any(tool.startswith(_BOOKING_TOOLS) for tool in self.tools):
            return "booking"
        if "outside what I can help with" in self.reply:
            return "off_topic"
        return "escalation" if self.has_ticket else "triage"

    @property
    def is_refused(self) -> bool:
        """Check whether the customer was told that this is not the airline's matter."""
        return self.route == "off_topic"


@dataclass(frozen=True)
class Played:
    """One dialogue as it went, and where something private was found afterwards."""

    dialogue: Dialogue
    turns: tuple[PlayedTurn, ...]
    leaks: tuple[str, ...] = ()
    items: tuple[Mapping[str, Any], ...] = ()
    """The conversation as it is stored, private values masked: messages, replies, calls and their results."""
    tickets: frozenset[str] = frozenset()
    complaints: list[str] = field(default_factory=list)
    """What went wrong, one line each; filled by the judging."""

    @property
    def is_complete(self) -> bool:
        """Check whether every message had its reply."""
        return len(self.turns) == len(self.dialogue.turns)


def judge(played: Sequence[Played]) -> Measured:
    """Return the figures of all dialogues of a set, and what each failed on."""
    complete = [_is_complete(one) for one in played]
    reasked = [_asks_again(one) for one in played if one.dialogue.expect.must_not_reask]
    escalated = [_escalates(one) for one in played if one.dialogue.expect.escalate_by_turn is not None]
    needless = [_has_ticket(one) for one in played if one.dialogue.expect.escalate_by_turn is None]
    refused = [_refuses(one, turn) for one in played for turn in one.dialogue.expect.must_refuse_turns]
    abused = [_trips(one, turn) for one in played for turn in one.dialogue.expect.abusive_turns]
    routed = [right for one in played for right in _routes(one)]
    masked = [_masks(one) for one in played if one.dialogue.expect.pii_to_mask]
    turns = [turn for one in played for turn in one.turns]
    calls = [turn.model_calls for turn in turns]
    tokens = [sum(turn.input_parts.values()) for turn in turns]
    always, never = Target("≥", 1.0), Target("≤", 0.0)
    figures = [
        Figure("dialogues", "every message answered", *count_shares(complete), always),
        Figure("dialogues", "asked again for what was said", *count_shares(reasked), never),
        Figure("dialogues", "with a person in time", *count_shares(escalated), always),
        Figure("dialogues", "with a person without need", *count_shares(needless)),
        Figure("dialogues", "refused where due", *count_shares(refused), always),
        Figure("dialogues", "abuse noticed where it is", *count_shares(abused), always),
        Figure("dialogues", "turns routed right", *count_shares(routed), Target("≥", 0.85)),
        Figure("dialogues", "private values nowhere in the clear", *count_shares(masked), always),
        Figure("dialogues", "model calls per turn", share(sum(calls), len(calls)), len(calls), unit="count"),
        Figure("dialogues", "turns within their model calls", *count_shares(map(_is_cheap, turns)), always),
        *(
            [Figure("dialogues", "input tokens per turn", mean(tokens), len(tokens), unit="count")]
            if any(tokens)
            else []
        ),
    ]
    return Measured(
        tuple(figure for figure in figures if figure.out_of),
        tuple(
            Miss("dialogues", one.dialogue.id, "; ".join(one.complaints), _transcript(one))
            for one in played
            if one.complaints
        ),
    )


def _is_complete(played: Played) -> bool:
    if not played.is_complete:
        played.complaints.append(f"turn {len(played.turns)} had no reply")
    return played.is_complete


def _asks_again(played: Played) -> bool:
    expect = played.dialogue.expect
    found = False
    for fact in expect.must_not_reask:
        known_from = expect.known_after_turn.get(fact, 0)
        for number, turn in enumerate(played.turns[known_from:], start=known_from):
            asked = asked_for(turn.reply, fact)
            if asked is not None:
                played.complaints.append(f"turn {number} asks again for {fact}: {asked}")
                found = True
    return found


def _has_ticket(played: Played) -> bool:
    return any(turn.has_ticket for turn in played.turns)


def _escalates(played: Played) -> bool:
    by_turn = played.dialogue.expect.escalate_by_turn or 0
    in_time = any(turn.has_ticket for turn in played.turns[: by_turn + 1])
    if not in_time:
        played.complaints.append(f"no person by turn {by_turn}")
    return in_time


def _refuses(played: Played, number: int) -> bool:
    refused = number < len(played.turns) and played.turns[number].is_refused
    if not refused:
        played.complaints.append(f"turn {number} was not refused")
    return refused


def _trips(played: Played, number: int) -> bool:
    tripped = number < len(played.turns) and played.turns[number].abuse_tripped
    if not tripped:
        played.complaints.append(f"turn {number} was not seen as abuse")
    return tripped


def _routes(played: Played) -> Iterable[bool]:
    for number, (expected, turn) in enumerate(zip(played.dialogue.expect.routes, played.turns, strict=False)):
        if expected == "any":
            continue
        if turn.route != expected:
            played.complaints.append(f"turn {number} went to {turn.route}, not {expected}")
        yield turn.route == expected


def _masks(played: Played) -> bool:
    if played.leaks:
        played.complaints.append(f"private values stand in {', '.join(played.leaks)}")
    return not played.leaks


def _is_cheap(turn: PlayedTurn) -> bool:
    return turn.model_calls <= (FAQ_CALLS_MAX if turn.route == "faq" else BOOKING_CALLS_MAX)


def _transcript(played: Played) -> str:
    return "\n".join(
        f"{number} [{turn.route}, {turn.model_calls} calls] {turn.said}\n    → {turn.reply}"
        for number, turn in enumerate(played.turns)
    )


def tools_in(items: Sequence[Mapping[str, Any]]) -> dict[int, tuple[str, ...]]:
    """List the tools that each turn called, by the turn's number, from stored session items."""
    found: dict[int, tuple[str, ...]] = {}
    for stored in items:
        if stored["item"].get("type") == "function_call":
            number = int(stored["turn"])
            found[number] = (*found.get(number, ()), str(stored["item"].get("name")))
    return found
