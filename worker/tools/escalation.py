"""Hand a conversation to the airline's people."""

from agents import FunctionTool
from agents.tool_context import ToolContext

from schema.messages.escalation import SUMMARY_CHARACTERS_MAX, EscalationCategory, Priority
from worker.conversation.context import EscalationRequest, TurnContext, call_human
from worker.tools.airline_tool import airline_tool
from worker.tools.results import give

REASON_CHARACTERS_MAX = 1_000


@airline_tool
async def escalate_to_human(
    context: ToolContext[TurnContext], category: EscalationCategory, reason: str, summary: str, priority: Priority
) -> str:
    """Hand the conversation to a person and open a ticket. Call it once.

    Args:
        category: Why a person is needed.
        reason: What the customer needs from a person, in one sentence.
        summary: What spares the customer from telling it again: who they are, what happened, what they want, what was
            tried and refused, what matters to them.
        priority: urgent for safety, threats, medical needs, travel within a day; high for anger, bereavement,
            disability, money at stake.

    """
    turn = context.context
    call_human(
        turn,
        EscalationRequest(category, reason[:REASON_CHARACTERS_MAX], summary[:SUMMARY_CHARACTERS_MAX], priority),
    )
    return give(turn, **ticket_of(turn))


def ticket_of(turn: TurnContext) -> dict[str, str]:
    """Return what a customer is told of the ticket that this turn opens: its number, and when a person answers."""
    return {"ticket_id": turn.ticket_id, "answer_by": turn.answered_by}


ESCALATION_TOOLS: tuple[FunctionTool, ...] = (escalate_to_human,)
