"""Answer policy questions from the airline's articles."""

from collections.abc import Sequence

from agents import FileSearchTool, FunctionTool
from agents.tool_context import ToolContext

from worker.conversation.context import TurnContext
from worker.conversation.effects import Passage
from worker.tools.airline_tool import airline_tool
from worker.tools.results import give

PASSAGES_MAX = 3


@airline_tool
async def faq_lookup(context: ToolContext[TurnContext], question: str, about: str | None = None) -> str:
    """Search the airline's published articles; the only source of policy.

    Args:
        question: In the customer's words, without greetings and names.
        about: The question before it, if this one makes no sense without ("and in the hold?"); else null.

    """
    turn = context.context
    passages: Sequence[Passage] = turn.looked_up.passages
    if not turn.looked_up.answers(question, about or ""):
        passages = await turn.knowledge.search(turn.key.tenant, question, PASSAGES_MAX, about or "")
    if not passages:
        return give(turn, found=False)
    results = [
        {
            "id": f"P{number}",
            "article": one.article,
            "section": one.section,
            "text": one.text,
            "rank": round(one.rank, 2),
        }
        for number, one in enumerate(passages, start=1)
    ]
    return give(turn, found=True, results=results)


def hosted_search(vector_store_ids: Sequence[str]) -> list[FileSearchTool]:
    """Return OpenAI's search of the vector stores, which runs where the model does; none without stores."""
    if not vector_store_ids:
        return []
    return [FileSearchTool(vector_store_ids=list(vector_store_ids), max_num_results=PASSAGES_MAX)]


KNOWLEDGE_TOOLS: tuple[FunctionTool, ...] = (faq_lookup,)
