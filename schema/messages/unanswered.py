"""Say of a message that the bot must not answer it, and why: a key of its metadata, written by gateways."""

from __future__ import annotations

from typing import Final, Literal, get_args

UNANSWERED_KEY: Final = "fte.unanswered"
"""Metadata key by which a gateway says why a message is not to be answered: a SilentReason or a PersonReason."""

SilentReason = Literal["automatic_reply", "bulk_mail", "bounce", "mail_loop", "spam", "repeated", "over_budget"]
"""Nobody answers: the message is recorded and counted, and an event tells of it."""

PersonReason = Literal["unreadable", "no_sender", "reply_budget"]
"""The bot is silent, and a ticket tells a person."""

SILENT_REASONS: Final[tuple[str, ...]] = get_args(SilentReason)
PERSON_REASONS: Final[tuple[str, ...]] = get_args(PersonReason)
