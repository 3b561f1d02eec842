"""Lay out a trace for the terminal: a tree, with each line's duration at the right and its place in its turn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from ops.desk.trace import Step, TracedAttempt, TracedTurn
from ops.terminal import clock, plain

if TYPE_CHECKING:
    from ops.desk.trace import ConversationTrace, Totals

_BAR_COLUMNS = 20
_BAR_FROM_COLUMNS = 96
_DURATION_COLUMNS = 10
_GAP_SHARE_MIN = 0.05
_GAP_MS_MIN = 5.0
_PAUSE_SECONDS_MIN = 1.0

# Upper limit in milliseconds, divisor, format.
_UNITS = (
    (9.95, 1, "{:.1f} ms"),
    (999.5, 1, "{:.0f} ms"),
    (59_950, 1_000, "{:.1f} s"),
    (3_570_000, 60_000, "{:.0f} min"),
    (float("inf"), 3_600_000, "{:.1f} h"),
)
_SPENT = {
    "queue": "waiting",
    "hydrate": "hydrate",
    "guard": "guard",
    "act": "act",
    "model": "models in it",
    "tool": "tools in it",
    "commit": "commit",
    "publish": "publish",
}
_ADMISSIONS = {"done": " found it answered already", "repair": " put earlier messages back first"}
_NAMES = {"queue": "waited", "mcp": "tools of", "handoff": "handoff →"}
_STYLES = {
    "agent": "green",
    "model": "cyan",
    "tool": "blue",
    "handoff": "magenta",
    "event": "yellow",
    "dropped": "yellow",
}
_OUTCOME_STYLES = {
    "answered": "green",
    "escalated": "yellow",
    "refused": "yellow",
    "forwarded": "yellow",
    "ignored": "yellow",
    "dead": "red",
}


class TimedLine:
    """A line of text with a duration at the right edge, and, where there is room, a bar between.

    `span` is its beginning and end within its turn, as fractions of it.
    """

    def __init__(self, text: Text, milliseconds: float | None = None, span: tuple[float, float] | None = None) -> None:
        self.text = text
        self.milliseconds = milliseconds
        self.span = span

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the line in the width that the tree leaves."""
        text = self.text.copy()
        if self.milliseconds is None:
            text.truncate(options.max_width, overflow="ellipsis")
            yield text
            return
        bar = _bar(self.span) if console.width >= _BAR_FROM_COLUMNS else Text()
        room = options.max_width - _DURATION_COLUMNS - bar.cell_len
        text.truncate(room - 1, overflow="ellipsis")
        leader = Text(" " + "·" * max(0, room - text.cell_len - 1), "bright_black")
        yield Text.assemble(text, leader, bar, Text(duration(self.milliseconds).rjust(_DURATION_COLUMNS)))


def duration(milliseconds: float) -> str:
    """Format a duration with two or three digits, in a suitable unit."""
    unit, form = next((unit, form) for below, unit, form in _UNITS if milliseconds < below)
    return form.format(milliseconds / unit)


def page_of(trace: ConversationTrace) -> RenderableType:
    """Return the page of a trace: the tree of turns and other events, and the totals."""
    head = Text.assemble((plain(trace.conversation), "bold"), (f"  {trace.tenant}  {trace.trace_id}", "dim"))
    tree = Tree(TimedLine(head), guide_style="bright_black")
    before: datetime | None = None
    entries: list[TracedTurn | Step] = [*trace.turns, *trace.events]
    for entry in sorted(entries, key=_begins):
        if before is not None and (_begins(entry) - before).total_seconds() >= _PAUSE_SECONDS_MIN:
            pause = (_begins(entry) - before) / timedelta(milliseconds=1)
            tree.add(TimedLine(Text(f"{duration(pause)} of silence", "bright_black italic")))
        if isinstance(entry, Step):
            tree.add(TimedLine(Text.assemble((entry.name, "yellow"), (f"  {clock(entry.started_at)}", "dim"))))
            before = entry.ended_at
        else:
            _add_turn(tree, entry)
            before = entry.committed_at
    return Group(tree, Text(), _summary(trace.totals))


def _begins(entry: TracedTurn | Step) -> datetime:
    return entry.started_at if isinstance(entry, Step) else entry.accepted_at


def _add_turn(tree: Tree, turn: TracedTurn) -> None:
    if not turn.attempts:
        told = " · waiting" if turn.state == "accepted" else " · no trace"
        told = f" · answered with message {turn.answered_with}" if turn.answered_with else told
        tree.add(TimedLine(Text.assemble(_turn_title(turn), (told, "dim"))))
        return
    ended = max(_ends(attempt) for attempt in turn.attempts)
    whole = (ended - turn.accepted_at) / timedelta(milliseconds=1)
    branch = tree.add(TimedLine(_turn_title(turn), whole, (0.0, 1.0)))
    whole_ones = [attempt.state in {"done", "committed"} for attempt in turn.attempts]
    for attempt in turn.attempts:
        under = branch
        if whole_ones != [True] or "resumed_steps" in attempt.attributes:
            under = branch.add(TimedLine(_attempt_title(attempt), attempt.milliseconds, _share(attempt, turn, whole)))
        _add_steps(under, attempt.steps, attempt.started_at, turn, whole)


def _ends(attempt: TracedAttempt) -> datetime:
    return attempt.started_at + timedelta(milliseconds=attempt.milliseconds)


def _turn_title(turn: TracedTurn) -> Text:
    leads = turn.number is not None and turn.answered_with is None
    title = Text(f"turn {turn.number}" if leads else f"message {turn.position}", "bold")
    if turn.outcome and leads:
        title.append(f" {turn.outcome}", _OUTCOME_STYLES.get(turn.outcome, ""))
    if turn.agent and leads:
        title.append(f" by {turn.agent}", "not bold")
    return title.append(f"  {clock(turn.accepted_at)}", "not bold dim")


def _attempt_title(attempt: TracedAttempt) -> Text:
    told = {
        "done": _ADMISSIONS.get(attempt.attributes.get("admission", ""), ""),
        "committed": " committed: its last spans are not there",
        "failed": f" failed: {attempt.error}",
        "unfinished": " under way, or its worker died just now",
        "cut off": " cut off: its worker died or lost it",
        "recorded": " from the turn's record: its spans are gone",
    }[attempt.state]
    title = Text.assemble((f"attempt {attempt.number}", "bold"), (told, "dim" if attempt.state == "done" else "yellow"))
    resumed = attempt.attributes.get("resumed_steps")
    if resumed:
        title.append(f" resumed after {resumed} recorded step{'s' if resumed > 1 else ''}", "cyan")
    return title


def _add_steps(branch: Tree, steps: list[Step], begins: datetime, turn: TracedTurn, whole: float) -> None:
    reached = begins
    for step in steps:
        missing = (step.started_at - reached) / timedelta(milliseconds=1)
        if step.kind != "queue" and missing >= max(_GAP_MS_MIN, whole * _GAP_SHARE_MIN):
            gap = Step("gap", "", reached, missing)
            branch.add(TimedLine(Text("between", "bright_black italic"), missing, _share(gap, turn, whole)))
        timed = step.kind not in {"event", "dropped"}
        share = _share(step, turn, whole) if timed else None
        row = TimedLine(_step_title(step), step.milliseconds if timed else None, share)
        _add_steps(branch.add(row), step.steps, step.started_at, turn, whole)
        reached = max(reached, step.ended_at) if step.kind != "queue" else reached


def _step_title(step: Step) -> Text:
    found, style = step.attributes, _STYLES.get(step.kind, "")
    if step.kind == "dropped":
        return Text(f"{found.get('spans', 0)} spans of this turn were dropped: nobody took them in time", style)
    name = plain(str(found.get("model", "")) if step.kind == "model" else step.name)
    title = Text.assemble((_NAMES.get(step.kind, step.kind), style), f" {name}".rstrip())
    for told, how in _details(step):
        title.append(f" {told}", how)
    if step.error and not found.get("tripped"):
        title.append(f" ✗ {step.error}", "red")
    return title


def _details(step: Step) -> Iterator[tuple[str, str]]:
    """Yield the details of a step besides its name, each with its style."""
    found = step.attributes
    if "input_tokens" in found:
        yield f"{found['input_tokens']} → {found['output_tokens']} tokens", "dim"
    if "tripped" in found:
        yield ("tripped", "yellow") if found["tripped"] else ("passed", "dim")
    if "outcome" in found:
        yield found["outcome"].replace("_", " "), "cyan"
    if found.get("replayed"):
        yield "replayed", "cyan"
    if found.get("degraded"):
        yield "in the provider's place", "yellow"
    if found.get("retries"):
        yield f"retried {found['retries']}×", "yellow"


def _share(step: Step | TracedAttempt, turn: TracedTurn, whole: float) -> tuple[float, float]:
    begins = (step.started_at - turn.accepted_at) / timedelta(milliseconds=1)
    return begins / (whole or 1.0), (begins + step.milliseconds) / (whole or 1.0)


def _bar(span: tuple[float, float] | None) -> Text:
    """Draw a bar over a fraction of the turn; a step of any length shows."""
    if span is None:
        return Text(" " * (_BAR_COLUMNS + 1))
    first = min(_BAR_COLUMNS - 1, max(0, int(span[0] * _BAR_COLUMNS)))
    last = min(_BAR_COLUMNS, max(first + 1, round(span[1] * _BAR_COLUMNS)))
    return Text.assemble(" ", " " * first, ("━" * (last - first), "cyan"), " " * (_BAR_COLUMNS - last))


def _summary(totals: Totals) -> RenderableType:
    counted = [
        _count(totals.turns, "turn") + (f" in {totals.attempts} attempts" if totals.attempts > totals.turns else ""),
        _count(totals.model_calls, "model call"),
        f"{totals.input_tokens:,} → {totals.output_tokens:,} tokens",
        _count(totals.tool_calls, "tool call"),
        _count(totals.handoffs, "handoff"),
        *([f"{totals.replayed_calls} replayed"] if totals.replayed_calls else []),
    ]
    took = totals.milliseconds
    spent = [f"{name} {duration(took[kind])}" for kind, name in _SPENT.items() if kind in took]
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    table.add_row("total", ", ".join(counted))
    table.add_row("time", ", ".join(spent))
    if totals.spans_dropped:
        told = f"{totals.spans_dropped} spans were dropped: look for spans.dropped in the workers' logs"
        table.add_row("", Text(told, "yellow"))
    return table


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
