"""Answer in fixed words with what this turn's tools did or found, where a model's own words may not go out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runtime.encoding import parse_json
from worker.guardrails.outputs import gather_items
from worker.pipeline import notices

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext


def word_tool_facts(turn: TurnContext, items: Sequence[Any]) -> str | None:
    """Return the turn's facts as a reply, in the tools' own words; None when its tools gave none that say enough.

    A change that is made comes first, then the ticket; without either what the articles say and the offer that was made
    in this turn, else why the last tool refused.
    """
    answers = [answer for told in gather_items(items).told_now if (answer := _read(told))]
    done = [*_changes(turn, answers), *_ticket(turn)]
    parts = done or [*_passage(answers), *_offer(turn)] or [*_refusal(answers)]
    return "\n\n".join(parts) or None


def _read(told: str) -> Mapping[str, Any]:
    try:
        read = parse_json(told)
    except ValueError:
        return {}  # a documentation server's text, which is not ours to quote
    return read if isinstance(read, dict) else {}


def _changes(turn: TurnContext, answers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what was changed; a turn stages one change at most, and its tool told it as `summary`."""
    if turn.effects:
        told = [str(answer["summary"]) for answer in answers if answer.get("ok") and "summary" in answer]
        yield from (notices.done(summary) for summary in told[-1:])


def _ticket(turn: TurnContext) -> Iterator[str]:
    if turn.escalation is not None:
        yield notices.beyond_reach(turn.ticket_id, turn.escalation.answer_by or turn.answer_by)


def _offer(turn: TurnContext) -> Iterator[str]:
    quote = turn.airline.quote
    if quote is not None and quote.made_in_turn == turn.airline.turn_count:
        yield notices.offer(str(quote.details.get("summary", "")))


def _passage(answers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    found = [result for answer in answers for result in answer.get("results") or ()]
    for best in found[:1]:
        yield notices.published(str(best.get("text", "")), str(best.get("article", "")), str(best.get("section", "")))


def _refusal(answers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    refused = [
        answer for answer in answers[-1:] if answer.get("ok") is False and answer.get("refusal") != "bad_arguments"
    ]
    yield from (str(answer["message"]) for answer in refused if answer.get("message"))
