"""Review an agent's reply before the turn ends, and note the verdict; a rejected one is written again once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import Agent, RunContextWrapper

from runtime.telemetry.tracing import measure
from schema.messages.reply import REPLY_CHARACTERS_MAX
from worker.guardrails.grounds import Grounds, OpenOffer
from worker.guardrails.outputs import REMEDIES, Breach, find_breach, gather_items, last_replies
from worker.guardrails.verdicts import note_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agents import TResponseInputItem

    from worker.conversation.context import Quote, TurnContext

_FACTS_FOLLOW = "## Known facts"

_CHARACTERS_MAX: Mapping[str, int] = {"sms": 1_600}
"""Longest reply of a channel that takes less than REPLY_CHARACTERS_MAX: ten parts of 160, where carriers stop."""

SHOWN_MAX = 4
"""Parts of a reply that are named to the model that is to mend it."""


async def review(
    turn: TurnContext, agent: Agent[TurnContext], items: Sequence[Any], reply: str, *, may_repeat: bool = False
) -> Breach | None:
    """Return what is wrong with a reply; `items` are the conversation's, this turn's tool answers among them.

    `may_repeat`: whether a reply may be that of the turn before, as a benchmark's model gives it.
    """
    instructions = await agent.get_system_prompt(RunContextWrapper(turn)) or ""
    with measure("guardrail", "output") as span:
        breach = find_breach(reply, _grounds_of(turn, agent.name, instructions, items, may_repeat=may_repeat))
        reason = breach.kind if breach is not None else "none"
        span.attributes.update(tripped=breach is not None, reason=reason)
    note_verdict(turn, "output", tripped=breach is not None, confidence=1.0, reason=reason)
    return breach


def _grounds_of(turn: TurnContext, agent: str, instructions: str, items: Sequence[Any], *, may_repeat: bool) -> Grounds:
    gathered = gather_items(items)
    offered = _offer_of(turn.airline.quote)
    tickets = {turn.airline.ticket_id, turn.ticket_id if turn.escalation else None} - {None}
    rules, _, facts = instructions.partition(_FACTS_FOLLOW)
    return Grounds(
        written=gathered.written,
        told=[*gathered.told, *([offered.summary] if offered is not None else []), *turn.prompt_lines],
        told_now=gathered.told_now,
        known=f"{facts} {turn.answered_by}" if turn.escalation else facts,
        vault=turn.vault.entries,
        changes=frozenset({effect.query for effect in turn.effects} | set(turn.airline.changes_made)),
        tickets=frozenset(str(ticket) for ticket in tickets),
        claims=turn.vocabulary.claims,
        instructions=rules,
        staged=frozenset(effect.query for effect in turn.effects),
        offered=offered,
        said=[] if may_repeat else last_replies(items),
        agent=agent,
        brand=turn.brand,
        characters_max=characters_max_of(turn.channel),
    )


def characters_max_of(channel: str) -> int:
    """Return how many characters a reply on a channel may have."""
    return _CHARACTERS_MAX.get(channel, REPLY_CHARACTERS_MAX)


def _offer_of(quote: Quote | None) -> OpenOffer | None:
    if quote is None:
        return None
    return OpenOffer(str(quote.details.get("summary", "")), str(quote.details.get("query", "")), abs(quote.price_usd))


def ask_to_rewrite(breach: Breach) -> TResponseInputItem:
    """Write the note that sends a reply back to the agent that wrote it."""
    shown = f" ({'; '.join(breach.shown[:SHOWN_MAX])})" if breach.shown else ""
    return {
        "role": "system",
        "content": (
            f"Your reply was not sent: {REMEDIES[breach.kind]}{shown}. Write it again so that this is mended. Say what "
            "tools have given you, and only that; where a person is needed, call the tool or handoff that brings one "
            "in. Do not mention this note."
        ),
    }


def without_draft(items: Sequence[Any]) -> list[Any]:
    """Drop the reply that was sent back from a session's items, with the reasoning that belongs to it."""
    kept = list(items)
    while kept and (kept[-1].get("role") == "assistant" or kept[-1].get("type") == "reasoning"):
        kept.pop()
    return kept


def with_reply(items: Sequence[Any], reply: str) -> list[Any]:
    """Put the text that goes out in the place of the last reply of a session's items, where it is another."""
    kept = list(items)
    for at in reversed(range(len(kept))):
        if kept[at].get("role") == "assistant":
            if _text_in(kept[at]) != reply:
                kept[at] = {"role": "assistant", "content": reply}
            break
    return kept


def _text_in(item: Any) -> str:
    content = item.get("content")
    return "".join(str(part.get("text", "")) for part in content) if isinstance(content, list) else str(content)
