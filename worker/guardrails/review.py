"""Review an agent's reply before the turn ends, and note the verdict; a rejected one is written again once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import Agent, RunContextWrapper

from runtime.telemetry.tracing import measure
from worker.guardrails.grounds import Grounds, OpenOffer
from worker.guardrails.outputs import REMEDIES, Breach, find_breach, gather_items, last_replies
from worker.guardrails.verdicts import note_verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents import TResponseInputItem

    from worker.conversation.context import Quote, TurnContext

_FACTS_FOLLOW = "## Known facts"


async def review(
    turn: TurnContext, agent: Agent[TurnContext], items: Sequence[Any], reply: str, *, may_repeat: bool = False
) -> Breach | None:
    """Return what is wrong with a reply; `items` are the conversation's, this turn's tool answers among them.

    `may_repeat`: whether a reply may be that of the turn before, as a benchmark's model gives it.
    """
    instructions = await agent.get_system_prompt(RunContextWrapper(turn)) or ""
    written, told = gather_items(items)
    offered = _offer_of(turn.airline.quote)
    if offered is not None:
        told.append(offered.summary)
    told.extend(turn.prompt_lines)
    tickets = {turn.airline.ticket_id, turn.ticket_id if turn.escalation else None} - {None}
    with measure("guardrail", "output") as span:
        breach = find_breach(
            reply,
            Grounds(
                written=written,
                told=told,
                vault=turn.vault.entries,
                changes=frozenset({effect.query for effect in turn.effects} | set(turn.airline.changes_made)),
                tickets=frozenset(str(ticket) for ticket in tickets),
                claims=turn.vocabulary.claims,
                instructions=instructions.partition(_FACTS_FOLLOW)[0],
                staged=frozenset(effect.query for effect in turn.effects),
                offered=offered,
                said=[] if may_repeat else last_replies(items),
            ),
        )
        span.attributes.update(tripped=breach is not None, reason=breach or "none")
    note_verdict(turn, "output", tripped=breach is not None, confidence=1.0, reason=breach or "none")
    return breach


def _offer_of(quote: Quote | None) -> OpenOffer | None:
    if quote is None:
        return None
    return OpenOffer(str(quote.details.get("summary", "")), str(quote.details.get("query", "")), abs(quote.price_usd))


def ask_to_rewrite(breach: Breach) -> TResponseInputItem:
    """Write the note that sends a reply back to the agent that wrote it."""
    return {
        "role": "system",
        "content": (
            f"Your reply was not sent: {REMEDIES[breach]}. Write it again so that this is mended. Say what tools have "
            "given you, and only that; where a person is needed, call the tool or handoff that brings one in. Do not "
            "mention this note."
        ),
    }


def without_draft(items: Sequence[Any]) -> list[Any]:
    """Drop the reply that was sent back from a session's items, with the reasoning that belongs to it."""
    kept = list(items)
    while kept and (kept[-1].get("role") == "assistant" or kept[-1].get("type") == "reasoning"):
        kept.pop()
    return kept
