"""Tell what a customer wants done to a booking."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Wish = Literal[
    "seat_change", "seat_status", "booking_status", "cancel", "change_flight", "new_booking", "bags", "name", "upgrade",
    "documents", "check_in", "refund", "extras",
]  # fmt: skip

SEAT_WISHES = frozenset({"seat_change", "seat_status"})
READ_WISHES = frozenset({"seat_status", "booking_status"})

# First match wins, so the narrower wish stands first.
_WISHES: tuple[tuple[Wish, re.Pattern[str]], ...] = tuple(
    (wish, re.compile(rf"\b(?:{pattern})\b"))
    for wish, pattern in (
        ("documents", r"boarding pass|receipts?|invoice|itinerary|e-?ticket|confirmation (?:e-?mail|letter)|resend|ticket number"),
        ("upgrade", r"upgrad\w*|(?:to|in) (?:business|first)(?: class)?"),
        ("name", r"(?:change|correct|fix|wrong|misspell\w*|spell\w*|update)\b.{0,40}\b(?:names?|birth ?days?|date of birth|gender|title)|names?\b.{0,30}\b(?:wrong|misspell\w*|incorrect)"),
        ("bags", r"(?:add|pay for|include|extra|another|check)\b.{0,20}\b(?:bags?|luggage|suitcases?)"),
        ("extras", r"(?:add|order|request|put|attach|include|register|update)\b.{0,40}\b(?:meals?|pets?|dogs?|cats?|infants?|baby|known traveler|ktn|redress|frequent flyer|loyalty|mileage|miles|insurance|passport|passenger|phone number|e-?mail)|special meal|bassinet"),
        ("cancel", r"cancel(?:l?ing|lation)?(?! that\b)|void|call off"),
        ("check_in", r"check(?:ed|ing)?[- ]?(?:me |us )?in"),
        ("seat_status", r"(?:which|what(?:'?s| is)?|check|know|see|tell|show|have|status of)\b.{0,25}\bseats?\b(?! (?:change|to|free|are (?:free|available)|can i))(?: (?:number|assignment|status|is|am|do|did))?|where (?:do|will|am) (?:i|we) sit\w*"),
        ("seat_change", r"seats?|seated|aisle|window|middle|exit row|rows?|legroom|sit(?:ting)? (?:together|next|closer|in)|leg room"),
        ("change_flight", r"(?:chang\w*|mov\w*|switch\w*|reschedul\w*|rebook\w*|postpon\w*|push|delay|extend|shorten|modif\w*|put|get)\b.{0,50}\b(?:flights?(?! reservation| booking)|dates?|return|departure|day|earlier|later|next|tomorrow|morning|evening|standby|week|connection)|standby|stand by|(?:earlier|later|next|another|different) (?:flight|one|date|day)|rebook\w*|reschedul\w*"),
        ("new_booking", r"(?:book|buy|reserve|find|need|want|get|list|show|looking for)\b(?:(?!\b(?:my|our|the|this|chang\w*)\b).){0,40}\b(?:flights?|tickets?|fares?|trip)|flights? (?:from|to|between)|round[- ]trip|one[- ]way|(?:fly|go|going|travel\w*) (?:from|to) [a-z]+|cheapest|fares?"),
        ("refund", r"refund\w*|money back|voucher|credit"),
        ("booking_status", r"on time|status|delayed|gate|what time|when (?:does|do|is|will)|(?:check|see|pull up|look up|find|confirm|details of|about)\b.{0,30}\b(?:flights?|bookings?|reservations?|trip)|confirmed|ticketed|my (?:flight|booking|reservation) details|who is on"),
    )
)  # fmt: skip


def find_wish(text: str) -> Wish | None:
    """Name the wish in one message; None when it holds none."""
    said = text.lower().replace("\u2019", "'")
    return next((wish for wish, pattern in _WISHES if pattern.search(said)), None)


def current_wish(texts: Sequence[str]) -> Wish | None:
    """Name what the customer wants now: the newest message that says so counts."""
    for text in reversed(texts):
        wish = find_wish(text)
        if wish is not None:
            return wish
    return None
