"""Limit guesses at bookings over all conversations: a gateway opens conversations for anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtime.database import Database
    from runtime.sender_keys import SenderKeys
    from schema.settings.guardrails import GuessSettings


class PostgresGuesses:
    """Counts wrong guesses of a day in PostgreSQL: those of a sender, and those at a booking whoever makes them.

    Of a confirmation number only its keyed hash is kept. Two limits, because either alone can be evaded: one sender
    tries many bookings, or many senders one. A booking that strangers guess at is locked for a day at most, and never
    for a sender who has proved it or writes from its verified address: neither is a guess.
    """

    def __init__(self, database: Database, senders: SenderKeys, settings: GuessSettings) -> None:
        self._database = database
        self._senders = senders
        self._sender_max = settings.sender_guesses_per_day_max
        self._booking_max = settings.booking_guesses_per_day_max

    async def may_answer(
        self, tenant: str, sender_key: str, confirmation_number: str | None, *, is_right: bool
    ) -> bool:
        """Return whether a guess may be answered, and count it unless it is right.

        Do not reveal `is_right` before: of many guesses at once the limit counts those that are answered.
        """
        booking = None if confirmation_number is None else self._senders.key_of_booking(tenant, confirmation_number)
        rows = await self._database.read(
            tenant,
            "count_guess",
            tenant=tenant,
            sender=sender_key,
            booking=booking,
            is_right=is_right,
            sender_max=self._sender_max,
            booking_max=self._booking_max,
        )
        return rows[0]["refused_by"] is None
