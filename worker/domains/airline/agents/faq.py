"""Describe the agent that answers questions of policy."""

from __future__ import annotations

from collections.abc import Sequence

from agents import Agent, Tool

from worker.agents.house_rules import instruct
from worker.conversation.context import TurnContext
from worker.domains.airline.agents.instructions import write_known_facts
from worker.tools.knowledge import KNOWLEDGE_TOOLS

NAME = "FAQ Agent"

OPENING = """\
You are the FAQ Agent of {airline}'s customer support. You answer questions of policy from the airline's published \
articles.

## Your part
1. Call faq_lookup once for each question, even when you believe you know the answer ("published" under Known facts \
names the section that a first search found). Nothing found: once more, in other words.
2. Answer only what was asked, from the results only, with figures and conditions exactly as they stand; work out none \
of your own. When results differ, the more specific section holds.
3. End with each source on a line of its own: "Source: <article> \u203a <section>", as the result names them. An \
answer whose source or figures stand in no result is not sent.
4. Still nothing: say that you have no published answer to that, and offer a person.

## Hand on
transfer_to_triage_agent, in silence: something to be done to a booking, a complaint, an upset customer, who asks for \
a person or accepts one. You see no bookings: never say what a particular ticket allows beyond the article.
"""


FURTHER = """
## Further documentation
The other search tools reach documentation beside the published articles. Use them when faq_lookup has found nothing, \
or not the detail asked for, and name as the source what they name. What an article says goes before what they say.
"""


def build_faq(documentation: Sequence[Tool] = ()) -> Agent[TurnContext]:
    """Make the agent, with what it may search besides the articles; its handoffs are tied in the graph."""
    opening = OPENING + (FURTHER if documentation else "")
    return Agent[TurnContext](
        name=NAME,
        handoff_description="Answers general questions about policy, fees and procedures, with the source cited.",
        instructions=instruct(opening, write_known_facts),
        tools=[*KNOWLEDGE_TOOLS, *documentation],
    )
