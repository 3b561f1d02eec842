"""Admit: decide, from what hydrate read, what is to become of the message."""

from __future__ import annotations

from typing import Literal

from worker.pipeline.outcome import Letter, Snapshot

Admission = Literal["act", "done", "repair", "forward", "bury", "stray"]


def admit(letter: Letter, snapshot: Snapshot | None, *, attempts_max: int) -> Admission:
    """Say what to do with the head of a mailbox.

    act: run the agents · done: it is answered already, only acknowledge · repair: earlier messages are missing from the
    mailbox · forward: a human owns the conversation, stay silent · bury: its attempts are used up · stray: no such
    message was ever accepted.
    """
    if snapshot is None or snapshot.state is None:
        return "stray"
    if snapshot.state != "accepted" or letter.position <= snapshot.done_position:
        return "done"
    if letter.position > snapshot.done_position + 1:
        return "repair"
    if snapshot.owner == "human":
        return "forward"
    if letter.attempts > attempts_max:
        return "bury"
    return "act"
