"""Say no in a way that programs and customers understand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Say no: a code for programs, a sentence for the customer. `counts`: the policy refuses, or the facts do.

    The others only say that a step comes first, and are no reason to call a human.
    """

    code: str
    message: str
    counts: bool = True
