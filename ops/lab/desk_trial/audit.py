"""Hold what PostgreSQL, a consumer and the people's ledgers say after a trial of the desk against what it promises."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from psycopg import IsolationLevel

from schema.resources import load_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runtime.database import Database, Row

REPLYING: Final = ("answered", "refused", "escalated")

_READ_ACTS: Final = "SELECT * FROM desk_act ORDER BY conversation_id, number"
_READ_REPLIES: Final = (
    "SELECT conversation_id, ordinal, sequence, entry_id, by_person, withdrawn_at, created_at FROM outbox"
    " WHERE kind = 'reply' ORDER BY conversation_id, ordinal"
)
_READ_TURNS: Final = "SELECT conversation_id, number, outcome FROM turn ORDER BY conversation_id, number"
_READ_CONVERSATIONS: Final = "SELECT conversation_id, desk_state, owner, claimed_by, desk_version FROM conversation"
_READ_TICKETS: Final = "SELECT ticket_id, conversation_id, closed_at, closed_by, closed_because FROM ticket"

COLLECTED_SECONDS: Final = 1.0
"""How much later a consumer may note what it was given: its process shares the machine with all others."""


@dataclass
class TrialCounts:
    """What happened, and every broken promise in words."""

    acts: int = 0
    claims: int = 0
    claims_lost: int = 0
    lapsed: int = 0
    bot_replies: int = 0
    hand_replies: int = 0
    withdrawn: int = 0
    tickets: int = 0
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TrialRecords:
    """What a trial left behind: the tables' rows, what a consumer collected, what people noted."""

    acts: dict[str, list[Row]]
    turns: dict[str, list[Row]]
    replies: list[Row]
    conversations: dict[str, Row]
    tickets: list[Row]
    collected: list[Mapping[str, Any]]
    """id, conversation, sequence, text, at: in the order in which they were given."""
    noted: list[Mapping[str, Any]]


async def read_records(
    database: Database, tenant: str, collected: list[Mapping[str, Any]], noted: list[Mapping[str, Any]]
) -> TrialRecords:
    """Read the tables of the trial's tenant as they stood at one moment: lapses and reminders go on meanwhile."""
    connection = await database.connect_apart()
    async with connection:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.execute(load_query("set_tenant"), database.scope_of(tenant))

        async def read(statement: str) -> list[Row]:
            return await (await connection.execute(statement.encode())).fetchall()

        return TrialRecords(
            acts=_grouped(await read(_READ_ACTS)),
            turns=_grouped(await read(_READ_TURNS)),
            replies=await read(_READ_REPLIES),
            conversations={row["conversation_id"]: row for row in await read(_READ_CONVERSATIONS)},
            tickets=await read(_READ_TICKETS),
            collected=collected,
            noted=noted,
        )


def audit(records: TrialRecords) -> TrialCounts:
    """Count what happened and find every broken promise."""
    counts = TrialCounts(
        acts=sum(map(len, records.acts.values())),
        claims=sum(note["what"] == "claimed" for note in records.noted),
        claims_lost=sum(note.get("reason") == "HeldByAnother" for note in records.noted),
        lapsed=sum(act["act"] == "lapse" for acts in records.acts.values() for act in acts),
        bot_replies=sum(reply["by_person"] is None for reply in records.replies),
        hand_replies=sum(reply["by_person"] is not None for reply in records.replies),
        withdrawn=sum(reply["withdrawn_at"] is not None for reply in records.replies),
        tickets=len(records.tickets),
    )
    for conversation, acts in records.acts.items():
        counts.broken += _check_history(conversation, acts, records.conversations[conversation])
        counts.broken += _check_silence(conversation, acts, records.turns.get(conversation, []))
    counts.broken += _check_replies(records)
    counts.broken += _check_claims(records)
    counts.broken += _check_tickets(records)
    return counts


def _check_history(conversation: str, acts: list[Row], row: Row) -> Iterable[str]:
    """Check that each act begins where the one before ended, and that a person acted only in what they had."""
    if [act["number"] for act in acts] != list(range(1, row["desk_version"] + 1)):
        yield f"{conversation}: its history has gaps"
    for before, act in pairwise(acts):
        if (before["to_state"], before["to_person"]) != (act["from_state"], act["from_person"]):
            yield f"{conversation}: act {act['number']} does not begin where {before['number']} ended"
    for act in acts:
        if act["act"] in {"reply", "snooze"} and act["by_person"] != act["from_person"]:
            yield f"{conversation}: {act['by_person']} did {act['act']} in what {act['from_person']} had"
    last = acts[-1]
    if (last["to_state"], last["to_person"]) != (row["desk_state"], row["claimed_by"]):
        yield f"{conversation}: its history ends elsewhere than it stands"


def _check_silence(conversation: str, acts: list[Row], turns: list[Row]) -> Iterable[str]:
    """Check by versions that no turn replied between a person's taking and the bot's having it again."""
    owner, since, spans = "bot", 0, []
    for act in acts:
        now = "human" if act["to_state"] == "human" or (act["to_state"] == "waiting" and owner == "human") else "bot"
        if now != owner:
            if owner == "human":
                spans.append((since, act["version"]))
            owner, since = now, act["version"]
    if owner == "human":
        spans.append((since, 2**62))
    for turn in turns:
        if turn["outcome"] in REPLYING and any(taken < turn["number"] < given for taken, given in spans):
            yield f"{conversation}: the bot replied in turn {turn['number']}, while a person had it"


def _check_replies(records: TrialRecords) -> Iterable[str]:
    """Check that what was withdrawn never left, and everything else left once, in order."""
    given = Counter(entry["id"] for entry in records.collected)
    for reply in records.replies:
        times = given[reply["entry_id"]]
        wanted = 0 if reply["withdrawn_at"] is not None else 1
        if times != wanted:
            whose = reply["by_person"] or "the bot"
            yield f"{reply['conversation_id']}: reply {reply['sequence']} of {whose} left {times} times, not {wanted}"
    newest: dict[str, int] = defaultdict(int)
    for entry in records.collected:
        if entry["sequence"] <= newest[entry["conversation"]]:
            yield f"{entry['conversation']}: reply {entry['sequence']} left after {newest[entry['conversation']]}"
        newest[entry["conversation"]] = entry["sequence"]
    texts = Counter(entry["text"] for entry in records.collected)
    for note in records.noted:
        if note["what"] == "replied" and texts[f"by hand {note['request']}"] != 1:
            times = texts[f"by hand {note['request']}"]
            yield f"{note['conversation']}: what {note['who']} was told is on its way left {times} times"
    for text, times in texts.items():
        if text.startswith("by hand ") and times > 1:
            yield f"{text} left {times} times"


def _check_claims(records: TrialRecords) -> Iterable[str]:
    """Check that after a claim was answered no reply left that the bot had written before it."""
    bots = {reply["entry_id"]: reply for reply in records.replies if reply["by_person"] is None}
    taken = {
        (conversation, act["number"]): act["version"]
        for conversation, acts in records.acts.items()
        for act in acts
        if act["to_state"] == "human"
    }
    turns = {(name, turn["number"]) for name, rows in records.turns.items() for turn in rows}
    by_conversation: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in records.collected:
        if entry["id"] in bots:
            by_conversation[entry["conversation"]].append(entry)
    for note in records.noted:
        if note["what"] != "claimed" or (note["conversation"], note["version"]) not in taken or not turns:
            continue
        for entry in by_conversation[note["conversation"]]:
            written = bots[entry["id"]]["created_at"].timestamp()
            if written < note["at"] and entry["at"] > note["at"] + COLLECTED_SECONDS:
                late = entry["at"] - note["at"]
                reply = f"{entry['conversation']}: reply {entry['sequence']}"
                yield f"{reply} left {late:.1f} s after {note['who']}'s claim"


def _check_tickets(records: TrialRecords) -> Iterable[str]:
    """Check that each ticket's history has its opening and, where it is closed, who closed it and how."""
    for ticket in records.tickets:
        acts = records.acts.get(ticket["conversation_id"], [])
        opened = [act for act in acts if act["act"] == "escalate" and act["ticket_id"] == ticket["ticket_id"]]
        if len(opened) != 1:
            yield f"{ticket['ticket_id']}: its opening stands {len(opened)} times in its history"
        ends = [
            act
            for act in acts
            if act["act"] in {"resolve", "hand_back"} and opened and act["number"] > opened[0]["number"]
        ]
        if (ticket["closed_at"] is not None) != bool(ends):
            yield f"{ticket['ticket_id']}: whether it is closed, its history does not say"
        elif ends and ticket["closed_by"] != ends[0]["by_person"]:
            yield f"{ticket['ticket_id']}: closed by {ticket['closed_by']}, says the ticket, and not its history"


def _grouped(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["conversation_id"]].append(row)
    return dict(found)
