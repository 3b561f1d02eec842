"""Audit a chaos run: compare what was accepted, published and asked of models with the records in PostgreSQL.

Shares no code with the worker. The three logs are written outside of the product: the ledger by the sender, the
outbound log by the consumer, the call log by the simulated provider.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from runtime.database import connect
from runtime.encoding import parse_json
from schema.resources import load_query

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from runtime.database import Row

_SHOWN_MAX = 3
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All records of one run: the three logs, and rows from PostgreSQL."""

    ledger: Sequence[Row]
    outbound: Sequence[Row]
    raw: Sequence[Row]
    calls: Sequence[Row]
    inbox: Sequence[Row]
    turns: Sequence[Row]
    outbox: Sequence[Row]
    changes: Sequence[Row]
    reservations: Sequence[Row]
    moments: Sequence[float]
    """Epoch seconds at which something was broken or came back: from then on conversations have to move."""
    consumers_killed: Collection[int] = ()
    """Process ids: each may have died between passing an entry on and acknowledging it."""
    redis_forgets: bool = False
    """Whether Redis lost consumers' acknowledgements."""


@dataclass(slots=True)
class Findings:
    """Counts of an audit; the first four are zero in a product that keeps its promises."""

    messages: int = 0
    """Accepted."""
    lost: int = 0
    """Accepted, and without an outcome in PostgreSQL or without a reply."""
    duplicated: int = 0
    """Messages for which a consumer got two replies, or one twice, and those that had two turns."""
    out_of_order: int = 0
    """Turns and replies that are not in the order of acceptance, and gaps in a conversation's replies."""
    effects_doubled: int = 0
    """Changes of bookings, tickets and versions that do not match one to one what customers were told."""
    changes: int = 0
    """Changes of bookings that the run made: those that could have been doubled."""
    dead: int = 0
    """Messages parked as dead letters: answered, and escalated to a human."""
    raw_duplicates: int = 0
    """Entries that were in a stream twice and that consumers skipped by their id."""
    handed_again: int = 0
    """Entries passed on a second time under their old id, because the consumer died before it acknowledged them."""
    asked_again: int = 0
    """Answers of the provider that no turn recorded: the cost of crashes."""
    broken_off: int = 0
    """Calls of the provider whose caller was gone before the answer, besides those that were made to fail."""
    moved_again_seconds: float = 0.0
    """Longest time from a fault until a conversation that had something waiting then had its next turn.

    For a message whose worker was killed several times, the time is divided by the number of deaths.
    """
    slowest_seconds: float = 0.0
    """Longest time from a message's acceptance to its commit."""
    examples: list[str] = field(default_factory=list)
    """Some of the violations, in words."""

    @property
    def is_good(self) -> bool:
        """Check whether every promise was kept."""
        return not (self.lost or self.duplicated or self.out_of_order or self.effects_doubled)


def read_log(path: Path, after_bytes: int = 0) -> list[Row]:
    """Read the facts of a log of JSON lines from a byte offset on."""
    with path.open("rb") as stream:
        stream.seek(after_bytes)
        return [parse_json(line) for line in stream]


def read_database(database_url: str, run: str) -> dict[str, list[Row]]:
    """Read the records of a run from PostgreSQL."""
    prefix = {"prefix": f"{run}-"}
    with connect(database_url) as connection:
        return {
            name: connection.execute(load_query(f"audit_{name}"), prefix).fetchall()
            for name in ("inbox", "turns", "outbox", "changes", "reservations")
        }


def audit(evidence: Evidence) -> Findings:
    """Check what became of every message of a run."""
    findings = Findings(messages=len({line["message_id"] for line in evidence.ledger}))
    evidence = replace(evidence, outbound=_pass_over_repeats(evidence, findings))
    _audit_outcomes(evidence, findings)
    _audit_order(evidence, findings)
    _audit_effects(evidence, findings)
    kept = sum(turn["calls"] for turn in evidence.turns)
    findings.asked_again = sum(call["status"] == _OK for call in evidence.calls) - kept
    findings.broken_off = sum(call["status"] == 0 and call["fault"] is None for call in evidence.calls)
    seen = Counter(line["id"] for line in evidence.raw)
    findings.raw_duplicates = sum(times - 1 for times in seen.values())
    findings.moved_again_seconds, findings.slowest_seconds = _measure(evidence)
    return findings


def _pass_over_repeats(evidence: Evidence, findings: Findings) -> list[Row]:
    """Return passed-on entries without the repeats that a consumer's death excuses.

    Excused is a repeat of the very last entry of a stream that a killed consumer passed on; any other one stays, and
    counts as doubled. Where Redis forgets what was acknowledged, and consumers die as well, that is each entry which a
    killed one passed on: only the channel behind it can still know it by its id.
    """
    last = {(line["by"], line["stream"]): line["id"] for line in evidence.outbound}
    once: list[Row] = []
    handed_by: dict[str, int] = {}
    for line in evidence.outbound:
        before = handed_by.get(line["id"])
        died = before in evidence.consumers_killed and before != line["by"]
        if died and (evidence.redis_forgets or last[before, line["stream"]] == line["id"]):
            findings.handed_again += 1
        else:
            once.append(line)
        handed_by[line["id"]] = line["by"]
    return once


def _audit_outcomes(evidence: Evidence, findings: Findings) -> None:
    """Check that every accepted message has one outcome, one turn and one reply, and nothing else was sent."""
    states = {row["message_id"]: row["state"] for row in evidence.inbox}
    turns = Counter(message for turn in evidence.turns for message in turn["message_ids"])
    replies = [line for line in evidence.outbound if line["kind"] == "reply"]
    answers = Counter(message for line in replies for message in line["in_reply_to"])
    accepted = {line["message_id"] for line in evidence.ledger}
    findings.dead = sum(state == "dead" for state in states.values())
    lost = [m for m in accepted if states.get(m) not in {"answered", "dead"} or not answers[m]]
    # A message whose receipt was lost is accepted all the same, and the same promises hold for it.
    lost += [m for m, state in states.items() if m not in accepted and (state == "accepted" or not answers[m])]
    doubled = {m for m in {*answers, *turns} if answers[m] > 1 or turns[m] > 1}
    doubled |= {m for m in answers if m not in states}  # a reply to a message that was never accepted
    findings.lost, findings.duplicated = len(lost), len(doubled)
    _tell(findings, "lost", (f"{m}: {states.get(m, 'not in the inbox')}, {answers[m]} replies" for m in sorted(lost)))
    _tell(findings, "duplicated", (f"{m}: {turns[m]} turns, {answers[m]} replies" for m in sorted(doubled)))


def _audit_order(evidence: Evidence, findings: Findings) -> None:
    """Check that turns and replies follow acceptance, and that a conversation's replies are numbered without a gap."""
    positions = {row["message_id"]: row["position"] for row in evidence.inbox}
    wrong = [
        f"{line['message_id']}: accepted at {line['position']}, now at {positions[line['message_id']]}"
        for line in evidence.ledger
        if line["message_id"] in positions and line["position"] != positions[line["message_id"]]
    ]
    turned: dict[str, int] = defaultdict(int)
    for turn in evidence.turns:
        for message in turn["message_ids"]:
            if positions.get(message) != turned[turn["conversation_id"]] + 1:
                wrong.append(f"{message}: its turn came after position {turned[turn['conversation_id']]}")
            turned[turn["conversation_id"]] += 1
    replied: dict[str, int] = defaultdict(int)
    last_position: dict[str, int] = defaultdict(int)
    for line in evidence.outbound:
        if line["kind"] != "reply":
            continue
        name = line["conversation"]
        place = max((positions.get(message, 0) for message in line["in_reply_to"]), default=0)
        if line["sequence"] != replied[name] + 1 or place < last_position[name]:
            wrong.append(f"{name}: reply {line['sequence']} came after {replied[name]}")
        replied[name], last_position[name] = line["sequence"], place
    findings.out_of_order = len(wrong)
    _tell(findings, "out of order", wrong)


def _audit_effects(evidence: Evidence, findings: Findings) -> None:
    """Check that each change told to a customer is one row and one version, and that each ticket goes out once."""
    told = Counter(line["conversation"] for line in evidence.outbound if line["reports_change"])
    made = {row["conversation_id"]: row["changes"] for row in evidence.changes}
    findings.changes = sum(made.values())
    wrong = [
        f"{name}: {made.get(name, 0)} changes of a booking, {told[name]} told"
        for name in sorted({*told, *made})
        if made.get(name, 0) != told[name]
    ]
    wrong += [
        f"reservation {row['reservation_id']}: version {row['version']}, {row['changes']} changes"
        for row in evidence.reservations
    ]
    tickets = Counter(line["id"] for line in evidence.outbound if line["kind"] == "escalation")
    due = {row["entry_id"] for row in evidence.outbox if row["kind"] == "escalation"}
    wrong += [f"ticket {t}: {tickets[t]} times out" for t in sorted(due | {*tickets}) if tickets[t] != 1]
    findings.effects_doubled = len(wrong)
    _tell(findings, "effects", wrong)


def _measure(evidence: Evidence) -> tuple[float, float]:
    """Return how long conversations stood still after a fault, and how long a message took, at most, in seconds."""
    accepted = {row["message_id"]: row["accepted_at"].timestamp() for row in evidence.inbox}
    steps = [
        (turn["conversation_id"], accepted[message], turn["committed_at"].timestamp(), max(1, turn["attempts"] - 1))
        for turn in evidence.turns
        for message in turn["message_ids"]
        if message in accepted
    ]
    longest = 0.0
    for moment in evidence.moments:
        moved: dict[str, tuple[float, int]] = {}
        for conversation, accepted_at, committed_at, deaths in steps:
            if accepted_at <= moment < committed_at:
                moved[conversation] = min((committed_at, deaths), moved.get(conversation, (committed_at, deaths)))
        longest = max([longest, *((at - moment) / deaths for at, deaths in moved.values())])
    return longest, max((committed_at - accepted_at for _, accepted_at, committed_at, _ in steps), default=0.0)


def _tell(findings: Findings, kind: str, lines: Iterable[Any]) -> None:
    for number, line in enumerate(lines):
        if number < _SHOWN_MAX:
            findings.examples.append(f"{kind}: {line}")
