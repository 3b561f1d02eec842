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
    """Hand the conversation to a human support agent and open a ticket. Call it once.

    Args:
        category: Why a person is needed; emergency where somebody may be in danger.
        reason: One sentence: what the customer needs from a person.
        summary: What the person should know so that the customer repeats nothing: the wish, what was found out, what
            was tried. Leave placeholders such as [PHONE_1] as they are.
        priority: urgent for safety, threats, medical needs and travel within a day; high for anger, bereavement,
            disability and money at stake; normal otherwise.

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
