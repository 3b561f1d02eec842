"""Read labelled sets: JSON lines, one labelled thing each; `docs/evaluation.md` describes every field."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from schema.channels import Channel
from schema.errors import FteError
from worker.conversation.vocabulary import EmergencyKind

OUR_SETS = Path(__file__).with_name("sets")

KINDS = ("pii", "abuse", "emergency", "triage", "faq", "dialogues", "conversations", "replies")

SecretType = Literal["PNR", "PHONE", "CREDIT_CARD", "EMAIL", "SSN", "PASSPORT"]
TriageLabel = Literal["faq", "booking", "escalation", "off_topic"]


class UnreadableSet(FteError):
    """Raised for a line of a file that is no labelled row; tells which, and why."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str


class SecretSpan(BaseModel):
    """Locate one secret in a text, `[start, end)`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    start: int
    end: int
    type: SecretType
    value: str


class PiiRow(_Row):
    """A text and the secrets in it; a text without any is one that must stay as it is."""

    text: str
    spans: list[SecretSpan]
    neg_type: str = ""

    @property
    def is_debatable(self) -> bool:
        """Check whether reasonable people would mask something here although no secret is labelled."""
        return self.neg_type.startswith(("ticket_number", "tracking", "luhn_fail"))

    @model_validator(mode="after")
    def _spans_hold_their_values(self) -> PiiRow:
        for span in self.spans:
            if self.text[span.start : span.end] != span.value:
                raise ValueError(f"[{span.start}, {span.end}) is not {span.value!r}")
        return self


class AbuseRow(_Row):
    """A text, and whether it abuses people."""

    text: str
    abusive: bool
    angry: bool = False
    note: str = ""

    @property
    def is_angry_only(self) -> bool:
        """Check whether this is a customer's complaint, however rude, and no abuse."""
        return not self.abusive and (self.angry or "complaint" in self.note)


class EmergencyRow(_Row):
    """A text, and the kind of emergency it tells of; none for a text that only sounds like one."""

    text: str
    kind: EmergencyKind | None


class TriageRow(_Row):
    """A first message, and where it belongs."""

    text: str
    label: TriageLabel


class FaqRow(_Row):
    """A question, or turns of which the last asks, and where articles answer it; without sources none does."""

    text: str = ""
    turns: list[str] = []
    sources: list[str] = []
    """Sections that may be cited, as a reply cites them: article, a single right-pointing quotation mark, section."""
    must_contain: list[str] = []
    """What a good answer has, each a regular expression; several are several parts of an answer."""
    either: bool = False
    """Whether it is right as well to say that nothing was found: what covers it is only near."""

    @model_validator(mode="after")
    def _asks_something(self) -> FaqRow:
        if not (self.text or self.turns):
            raise ValueError("a question has a text, or turns")
        return self

    @property
    def asked(self) -> list[str]:
        """Return what the customer says, one text a turn."""
        return self.turns or [self.text]


class Surface(BaseModel):
    """A fact as it is written in a dialogue, and in the one spelling it has everywhere else."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    surface: str
    normalized: str


class Expectation(BaseModel):
    """What must and must not happen in a dialogue; turns count from 0."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    goal: str = ""
    routes: list[str] = []
    facts: dict[str, str | Surface] = {}
    known_after_turn: dict[str, int] = {}
    must_not_reask: list[str] = []
    escalate_by_turn: int | None = None
    must_refuse_turns: list[int] = []
    abusive_turns: list[int] = []
    pii_to_mask: list[str] = []


class Dialogue(_Row):
    """What a customer says turn by turn, whatever the answers are."""

    turns: list[str]
    expect: Expectation


class CheckedConversation(_Row):
    """A conversation on the shipped bookings, and what each reply must and must not say, as regular expressions.

    A turn that is a list is a burst: messages that came in a row. Rows without `says` are played for what holds of any
    conversation, that no reply is sent twice.
    """

    kind: str = ""
    channel: Channel = "chat"
    turns: list[str | list[str]]
    says: list[str] = []
    never: list[str] = []


class ToolAnswer(BaseModel):
    """What a tool answered, and whether it did so in the turn of the reply."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    tool: str
    now: bool
    output: str


class LabelledOffer(BaseModel):
    """The offer that waits for a yes when the reply is written."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    summary: str
    query: str
    usd: int


class LabelledTicket(BaseModel):
    """The ticket that the conversation has, and by when a person answers, as the tool gave it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    answer_by: str


class ReplyContext(_Row):
    """What a reply may rest on: who writes, what the customer wrote, what tools answered, offered and changed."""

    agent: str
    written: list[str]
    told: list[ToolAnswer] = []
    offered: LabelledOffer | None = None
    staged: list[str] = []
    ticket: LabelledTicket | None = None
    vault: dict[str, str] = {}


class ReplyRow(_Row):
    """A reply in one of the contexts, and whether it may go out; `becomes`: as what, where it is not sent as it is."""

    context: str
    kind: str
    good: bool
    text: str
    becomes: str = ""


@dataclass(frozen=True)
class LabelledSets:
    """What one folder has, each kind in the order of its files."""

    name: str
    pii: tuple[PiiRow, ...]
    abuse: tuple[AbuseRow, ...]
    emergency: tuple[EmergencyRow, ...]
    triage: tuple[TriageRow, ...]
    faq: tuple[FaqRow, ...]
    dialogues: tuple[Dialogue, ...]
    conversations: tuple[CheckedConversation, ...] = ()
    replies: tuple[ReplyRow, ...] = ()
    tuned_replies: tuple[ReplyRow, ...] = ()
    reply_contexts: tuple[ReplyContext, ...] = ()


def read_sets(folder: Path, name: str) -> LabelledSets:
    """Read every `*.jsonl` of a folder whose name begins with one of KINDS.

    A file `*.tuning.jsonl` is left out, but for replies, whose figures are given apart: what something was tuned on
    says little about it. Raises UnreadableSet when
    there is none, or for the first line that is no row of its kind.
    """
    found = LabelledSets(
        name,
        pii=_read_rows(folder, "pii", PiiRow),
        abuse=_read_rows(folder, "abuse", AbuseRow),
        emergency=_read_rows(folder, "emergency", EmergencyRow),
        triage=_read_rows(folder, "triage", TriageRow),
        faq=_read_rows(folder, "faq", FaqRow),
        dialogues=_read_rows(folder, "dialogues", Dialogue),
        conversations=_read_rows(folder, "conversations", CheckedConversation),
        replies=_read_rows(folder, "replies", ReplyRow),
        tuned_replies=_read_rows(folder, "replies", ReplyRow, tuning=True),
        reply_contexts=_read_rows(folder, "reply_contexts", ReplyContext),
    )
    known = {context.id for context in found.reply_contexts}
    for row in (*found.replies, *found.tuned_replies):
        if row.context not in known:
            raise UnreadableSet(f"{folder}: the reply {row.id} has the context {row.context}, which no line describes")
    if not any(getattr(found, kind) for kind in KINDS):
        raise UnreadableSet(f"{folder} holds no {', '.join(f'{kind}*.jsonl' for kind in KINDS)}")
    return found


_RowType = TypeVar("_RowType", bound=_Row)


def _read_rows(folder: Path, kind: str, row_type: type[_RowType], *, tuning: bool = False) -> tuple[_RowType, ...]:
    rows = []
    for path in sorted(folder.glob(f"{kind}*.jsonl")):
        if path.name.endswith(".tuning.jsonl") is not tuning:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                rows.append(row_type.model_validate_json(line))
            except ValidationError as error:
                detail = error.errors(include_url=False, include_input=False)[0]
                place = ".".join(map(str, detail["loc"]))
                raise UnreadableSet(f"{path}:{number}: {place or 'the line'}: {detail['msg']}") from None
    return tuple(rows)
