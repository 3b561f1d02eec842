"""Admit: decide, from what hydrate read, what is to become of the message."""

from __future__ import annotations

from typing import Literal

from worker.pipeline.outcome import OpenedMessage, Snapshot

Admission = Literal["act", "done", "repair", "forward", "bury", "stray"]


def admit(message: OpenedMessage, snapshot: Snapshot | None, *, attempts_max: int) -> Admission:
    """Decide what to do with the head of a mailbox.

    act: run the agents · done: it is answered already, only acknowledge · repair: earlier messages are missing from the
    mailbox · forward: a human owns the conversation, stay silent · bury: its attempts are used up, or nobody can read
    it · stray: no such message was ever accepted.

    What is recorded for a human gets as many attempts again: most of what may fail is not called for it.
    """
    if snapshot is None or snapshot.state is None:
        return "stray"
    if snapshot.state != "accepted" or message.position <= snapshot.done_position:
        return "done"
    if message.position > snapshot.done_position + 1:
        return "repair"
    if message.unreadable:
        return "bury"
    if snapshot.owner == "human":
        return "bury" if message.attempts > 2 * attempts_max else "forward"
    return "bury" if message.attempts > attempts_max else "act"
