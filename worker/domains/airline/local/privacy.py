"""Answer questions for what is never kept."""

from __future__ import annotations

import re

from worker.domains.airline.local.situation import Situation

_CARD_QUESTION = re.compile(r"\b(?:what|which|whose|show|tell|repeat|do you have)\b.{0,30}\bcard\b", re.IGNORECASE)


def asks_about_card(situation: Situation) -> bool:
    """Check whether a customer whose card number was taken out of an earlier message asks for it."""
    earlier = " ".join(situation.customer_texts[:-1])
    return not situation.done and "[CARD_NUMBER]" in earlier and _CARD_QUESTION.search(situation.message) is not None
