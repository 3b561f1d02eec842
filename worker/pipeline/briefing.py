"""Brief the human who takes a conversation over: what is known, what was tried, how the customer feels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime.encoding import parse_json
from schema.messages.escalation import BRIEFING_CHARACTERS_MAX, BRIEFING_ENTRIES_MAX, Briefing, TranscriptReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from worker.conversation.domain import Domain
    from worker.pipeline.outcome import Answer, OpenedMessage, Snapshot

_HANDED_ON = ("transfer_to_", "escalate_to_human")  # how it came here, not what was tried


def brief(domain: Domain, message: OpenedMessage, snapshot: Snapshot, answer: Answer) -> Briefing:
    """Gather what a human needs beside the summary; masked, as everything that is stored."""
    context = answer.context
    items = [*snapshot.items, *answer.items]
    known = domain.brief(context, _newest_words(answer))
    facts = {name: text[:BRIEFING_CHARACTERS_MAX] for name, text in known.facts.items()}
    return Briefing(
        channel=message.inbound.channel,
        facts=facts,
        passenger_name=facts.get("passenger_name"),
        verified=context.verified,
        confirmation_number=facts.get("confirmation_number"),
        flight_number=facts.get("flight_number"),
        flight_date=facts.get("flight_date"),
        seat_number=facts.get("seat_number"),
        issue_type=context.issue_type,
        changes_made=context.changes_made[-BRIEFING_ENTRIES_MAX:],
        tried=_newest(_tools_in(items)),
        refused=_newest(_refusals_in(items)),
        verdicts=_newest(
            f"{verdict['guardrail']}: {verdict['reason']}" for verdict in answer.verdicts if verdict["tripped"]
        ),
        sentiment="abusive" if _was_abusive(answer) else known.sentiment,
    )


def refer(message: OpenedMessage, snapshot: Snapshot) -> TranscriptReference:
    """Return a reference to the conversation's messages up to this one."""
    last = max(1, snapshot.done_position) if message.stray else message.last_position
    return TranscriptReference(conversation=message.key.conversation, first_position=1, last_position=last)


def _tools_in(items: Sequence[dict[str, Any]]) -> Iterator[str]:
    for item in items:
        name = str(item.get("name", ""))
        if item.get("type") == "function_call" and not name.startswith(_HANDED_ON):
            yield name


def _refusals_in(items: Sequence[dict[str, Any]]) -> Iterator[str]:
    for item in items:
        if item.get("type") != "function_call_output":
            continue
        try:
            output = parse_json(str(item.get("output")))
        except ValueError:
            continue  # a documentation server answers in prose
        if isinstance(output, dict) and output.get("refusal"):
            yield str(output["refusal"])


def _newest(entries: Iterator[str]) -> list[str]:
    """Return each entry once, in the order last seen, the newest when there are too many."""
    last_seen: dict[str, None] = {}
    for entry in entries:
        text = entry[:BRIEFING_CHARACTERS_MAX]  # a model may call a tool by any name
        last_seen.pop(text, None)
        last_seen[text] = None
    return list(last_seen)[-BRIEFING_ENTRIES_MAX:]


def _was_abusive(answer: Answer) -> bool:
    return any(name == "message.abusive" for name, _ in answer.events)


def _newest_words(answer: Answer) -> str | None:
    """Return the customer's newest words; None when they could not be read."""
    said = [str(item.get("content")) for item in answer.items if item.get("role") == "user"]
    return said[-1] if said else None
