"""Words of a domain that guardrails judge by: claims that need a deed, and whose matter a message is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

EmergencyKind = Literal["poisoning", "medical", "self_harm", "security", "violence", "trafficking", "lost_child"]


@dataclass(frozen=True, eq=False)
class Claims:
    """Kinds of claims that a reply may make, and what has to stand behind each.

    `patterns` maps a kind to a regular expression over one sentence (lower case, straight apostrophes, single blanks).
    `backed_by` maps a kind to the queries of effects that stand behind it; `policy_nouns` names the kinds that are
    policy when a tool spoke of the same thing, and the words by which it does. `offers` maps
    a kind of offer to the queries of quotes that may make it. `statuses` maps a kind to what tools'
    answers, or the customer's words, must match where a sentence reports it.
    `values` maps a kind of the domain's own values, such as seats, to what reads them in a text, each in one spelling.
    `policy_agents` name the agents whose statements of policy need a search in the same turn. `names_nobody` are words,
    in lower case, that are written with a capital and name no person.
    """

    patterns: Mapping[str, str]
    backed_by: Mapping[str, frozenset[str]]
    policy_nouns: Mapping[str, tuple[str, ...]]
    offers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Callable[[str], frozenset[str]]] = field(default_factory=dict)
    policy_agents: frozenset[str] = frozenset()
    names_nobody: frozenset[str] = frozenset()


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
