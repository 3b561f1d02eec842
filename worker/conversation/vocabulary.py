"""Words of a domain that guardrails judge by: claims that need a deed, and whose matter a message is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

EmergencyKind = Literal["poisoning", "medical", "self_harm", "security", "violence", "trafficking", "lost_child"]


@dataclass(frozen=True, eq=False)
class Claims:
    """Kinds of claims that a reply may make, and what has to stand behind each.

    `patterns` maps a kind to a regular expression over one sentence (lower case, straight apostrophes, single blanks).
    `backed_by` maps a kind to the queries of effects that stand behind it; `policy_nouns` names the kinds that are
    policy when a tool spoke of the same thing, and the words by which it does.
    """

    patterns: Mapping[str, str]
    backed_by: Mapping[str, frozenset[str]]
    policy_nouns: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words of one domain, handed to guardrails that serve any domain.

    `other_trade` matches what is surely not this domain's matter, unless `ours` matches as well (both read lower case
    with single blanks). `emergency_advice` is what a customer is told in an emergency of each kind;
    `{emergency_number}` and `{crisis_line}` in it are filled in.
    """

    claims: Claims
    other_trade: str
    ours: str
    emergency_advice: Mapping[EmergencyKind, str]
