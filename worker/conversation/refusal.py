"""A refusal, with a code for programs and a sentence for customers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal: a code for programs, a sentence for the customer. `counts`: the policy refuses, or the facts do.

    One that does not count only says that a step comes first, and is no reason to call a human.
    """

    code: str
    message: str
    counts: bool = True
