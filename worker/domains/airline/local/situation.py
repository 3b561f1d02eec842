"""Read what a model is shown into what a decision needs: who speaks as whom, what is known, what was said and done."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import accumulate
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from worker.domains.airline.local.asking import SURE_OF_OTHER, is_facet, weigh_published
from worker.domains.airline.local.reading.asides import without_asides
from worker.domains.airline.local.reading.clauses import own_text
from worker.domains.airline.local.reading.intent import Intent, read
from worker.domains.airline.local.reading.own_questions import asks_what_if
from worker.domains.airline.local.reading.reading import Reading, read_message

_AGENT = re.compile(
    r"You are the (?P<agent>[A-Z]\w+ Agent) of "
    r"(?:(?P<airline>[^\n]+?)['\u2019]s customer support|(?P<other>[^\n.]+?)(?:['\u2019]s? [a-z]|[.,\n]|$))"
)
_FACTS = re.compile(r"## Known facts\s*\n(?:```\w*\n)?(?P<json>\{.*\})")

_ASKS_FOR_NAME = re.compile(r"\b(?:surname|last name|name on)\b", re.IGNORECASE)

HANDOFF_PREFIX = "transfer_to_"
SOURCE = "Source: "
"""What stands before the name of an article that a reply quotes."""
LEFT_AS_IT_WAS = "I have left everything as it was"
"""What the airline says of an offer that was turned down; the offer itself stays under the known facts."""


class OpenQuote(BaseModel):
    """An offer that waits for the customer's answer."""

    model_config = ConfigDict(extra="ignore")

    quote_id: str
    kind: str = ""
    summary: str = ""
    price_usd: float = 0
    was_just_offered: bool = False
    """Whether the reply before the newest message made this offer."""
    said_yes: bool = False
    """Whether the newest message is a yes to it, as the rule of the tools reads it."""


class Published(BaseModel):
    """What a search of the articles found on the newest message, before any agent was asked."""

    model_config = ConfigDict(extra="ignore")

    rank: float = 0.0


class KnownFacts(BaseModel):
    """The facts that an agent's instructions end with; unknown keys are for other models."""

    model_config = ConfigDict(extra="ignore")

    passenger_name: str | None = None
    confirmation_number: str | None = None
    verified: bool = False
    flight_number: str | None = None
    flight_date: str | None = None
    seat_number: str | None = None
    seat_preference: str | None = None
    issue_type: str | None = None
    ticket_id: str | None = None
    quote: OpenQuote | None = None
    published: Published | None = None
    agrees: bool = False
    """Whether the newest message is a yes as it stands, whatever it may answer."""
    agrees_to_person: bool = False
    """Whether it is a yes to a colleague, if one was offered."""
    turn_count: int = 0
    sender_verified: bool = False
    today: date | None = None
    out_of_service: tuple[str, ...] = ()
    """Tools and handoffs that operators have switched off; a person does what needs them."""


@dataclass(frozen=True)
class FinishedCall:
    """A tool call and what came back: an object as the tools write them, or `{"text": …}`."""

    name: str
    arguments: dict[str, Any]
    output: dict[str, Any]
    turn: int = 0
    """How many messages of the customer in sight came before it."""

    @property
    def is_ok(self) -> bool:
        """Check whether the tool did what it was asked."""
        return self.output.get("ok") is True


@dataclass(frozen=True)
class Utterance:
    """One thing said."""

    speaker: Literal["customer", "airline"]
    text: str


@dataclass(frozen=True)
class Situation:
    """Everything a decision may look at."""

    agent: str
    airline: str
    facts: KnownFacts
    lines: tuple[Utterance, ...]
    done_before: tuple[FinishedCall, ...]
    done: tuple[FinishedCall, ...]
    callable_names: frozenset[str]

    @cached_property
    def message(self) -> str:
        """Return the customer's newest message, without what is quoted in it and the signature."""
        said = self.customer_texts
        return said[-1] if said else ""

    @cached_property
    def customer_texts(self) -> tuple[str, ...]:
        """Return everything the customer said that is still in sight, oldest first, in their own words each time."""
        return tuple(own_text(line.text) for line in self.lines if line.speaker == "customer")

    @cached_property
    def intent(self) -> Intent:
        """Return what the newest message is about, the articles asked as well."""
        facts, likely = self.facts, read(without_asides(self.message))
        if facts.verified and self.reading.wishes and asks_what_if(self.message):
            return Intent("booking", 1.0)
        if likely.label == "booking" and self.reading.wishes and (self.reading.preference or self.reading.seats):
            return likely  # it says which seat, so it wants one: "can I move to a window seat?"
        if self.asks_on:
            return Intent("faq", SURE_OF_OTHER)
        rank = facts.published.rank if facts.published else 0.0
        return weigh_published(likely, self.message, rank, is_in_booking=facts.issue_type == "booking")

    @property
    def asks_on(self) -> bool:
        """Check whether the newest message asks for another side of what an article has just answered."""
        was_answered = SOURCE in self.last_reply and not self.facts.agrees
        return was_answered and is_facet(self.message) and not self.reading.own_questions

    @cached_property
    def reading(self) -> Reading:
        """Return what the newest message says."""
        written = next((line.text for line in reversed(self.lines) if line.speaker == "customer"), "")
        return read_message(written, name_asked=_ASKS_FOR_NAME.search(self.last_reply) is not None)

    @cached_property
    def tells_name(self) -> bool:
        """Check whether the newest message gives a name for which the reply before it asked."""
        return bool(self.reading.names) and _ASKS_FOR_NAME.search(self.last_reply) is not None

    @cached_property
    def last_reply(self) -> str:
        """Return the airline's last words before the newest message; empty at the start of a conversation."""
        replies = [line.text for line in self.lines if line.speaker == "airline"]
        return replies[-1] if replies else ""

    @cached_property
    def latest(self) -> FinishedCall | None:
        """Return the last tool call of this turn, if it is the last thing that happened and no handoff."""
        if not self.done or self.done[-1].name.startswith(HANDOFF_PREFIX):
            return None
        return self.done[-1]

    @property
    def handoffs_made(self) -> tuple[str, ...]:
        """Name this turn's handoffs, in order."""
        return tuple(done.name for done in self.done if done.name.startswith(HANDOFF_PREFIX))

    def was_called(self, name: str) -> bool:
        """Check whether a tool or handoff was called in this turn."""
        return any(done.name == name for done in self.done)

    def latest_result(self, *names: str) -> FinishedCall | None:
        """Return the last call of one of these tools that did what it was asked, in this turn or before."""
        return next(
            (done for done in reversed((*self.done_before, *self.done)) if done.name in names and done.is_ok), None
        )

    @property
    def answer_by(self) -> str:
        """Return by when a person answers the customer's ticket, as a tool told it; empty where none did."""
        opened = self.latest_result("escalate_to_human")
        return str(opened.output.get("answer_by", "")) if opened else ""

    @cached_property
    def turned_down(self) -> tuple[tuple[str, int], ...]:
        """Name the kinds of offers that the customer turned down, each with how many messages had been said by then."""
        found, said = [], 0
        for line in self.lines:
            said += line.speaker == "customer"
            if line.speaker == "airline" and LEFT_AS_IT_WAS in line.text:
                made = [done for done in self.done_before if _kind_quoted(done) and done.turn < said]
                found.append((_kind_quoted(made[-1]) if made else "", said))
        return tuple(found)

    @property
    def open_offer(self) -> OpenQuote | None:
        """Return the offer that waits for an answer; one that the customer turned down waits for none."""
        made = max((done.turn for done in self.done_before if _kind_quoted(done)), default=0)
        return None if any(said > made for _, said in self.turned_down) else self.facts.quote

    def can(self, name: str) -> bool:
        """Check whether a tool or handoff is there to be called."""
        return name in self.callable_names


def _kind_quoted(done: FinishedCall) -> str:
    """Return the kind of offer that a call made; empty for any other call."""
    quote = done.output.get("quote")
    return str(quote.get("kind", "")) if done.is_ok and isinstance(quote, dict) else ""


def read_situation(instructions: str, items: list[dict[str, Any]], callable_names: frozenset[str]) -> Situation:
    """Read instructions and input items; tolerant of what other models or agents add to either."""
    found = _AGENT.search(instructions)
    written = _FACTS.search(instructions)
    facts = KnownFacts.model_validate_json(written["json"]) if written else KnownFacts()
    newest = max((index for index, item in enumerate(items) if item.get("role") == "user"), default=-1)
    outputs = {str(item.get("call_id")): item for item in items if item.get("type") == "function_call_output"}
    return Situation(
        agent=found["agent"] if found else "",
        airline=(found["airline"] or found["other"]).strip() if found else "the airline",
        facts=facts,
        lines=tuple(line for item in items if (line := _line_of(item)) is not None),
        done_before=_calls_in(items, range(newest + 1), outputs),
        done=_calls_in(items, range(newest + 1, len(items)), outputs),
        callable_names=callable_names,
    )


def _line_of(item: dict[str, Any]) -> Utterance | None:
    role = item.get("role")
    if role not in {"user", "assistant"}:
        return None
    content = item.get("content")
    if isinstance(content, list):
        parts = [str(part.get("text", "")) for part in content if isinstance(part, dict)]
        content = "\n".join(part for part in parts if part)
    return Utterance("customer" if role == "user" else "airline", str(content or ""))


def _calls_in(
    items: list[dict[str, Any]], places: range, outputs: dict[str, dict[str, Any]]
) -> tuple[FinishedCall, ...]:
    said = list(accumulate(item.get("role") == "user" for item in items))
    return tuple(
        FinishedCall(
            str(items[place].get("name", "")),
            _object_in(items[place].get("arguments")),
            _object_in(outputs[str(items[place].get("call_id"))].get("output")),
            said[place],
        )
        for place in places
        if items[place].get("type") == "function_call" and str(items[place].get("call_id")) in outputs
    )


def _object_in(written: object) -> dict[str, Any]:
    try:
        value = json.loads(str(written or "{}"))
    except json.JSONDecodeError:
        return {"text": str(written)}  # a tool of another server may answer in prose
    return value if isinstance(value, dict) else {"text": str(written)}
