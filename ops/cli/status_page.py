"""Lay out a deployment's status for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ops.cli.switches_page import with_banner
from ops.terminal import safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from ops.watch.facts import WorkerSeen
    from ops.watch.status import Status, Unfinished
    from ops.watch.top import Top

LATE_SECONDS = 30.0
"""From when something that waits is shown in red, as the alert has it."""

VERIFY_LATE_SECONDS = 2 * 86_400.0


def span(seconds: float) -> str:
    """Format a length of time in its two largest units, such as `1.2 s`, `3 min 20 s` or `2 d 4 h`."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    for unit, length, below, smaller in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= length:
            whole, rest = divmod(int(seconds), length)
            return f"{whole} {unit} {rest // smaller} {below}"
    raise AssertionError("a minute is at least one of these")


def status_page(status: Status) -> RenderableType:
    """Return the whole status as one screen."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for server in status.servers:
        if server.answers_ms is None:
            facts.add_row(server.name, safe_text(f"does not answer at {server.address}: {server.problem}", "bold red"))
        else:
            facts.add_row(server.name, safe_text(f"{server.about}, answers in {server.answers_ms} ms"))
    _add_flow(facts, status)
    _add_waiting(facts, status)
    if status.backlog is not None:
        _add_backlog(facts, status.backlog)
    facts.add_row("verified", _verified(status))
    parts: list[RenderableType] = [facts, Text()]
    if status.workers:
        parts.append(workers_table(status.workers))
    else:
        parts.append(Text("no worker has announced itself lately", "bold red"))
    parts += [safe_text(problem, "bold red") for problem in status.problems]
    return with_banner(status.switches or [], Group(*parts))


def _add_flow(facts: Table, status: Status) -> None:
    flow = status.flow
    if flow is not None:
        said = f"{flow.accepted} messages accepted, {flow.messages} done in {flow.turns} turns"
        said += f" ({flow.tickets} tickets, {flow.dead} dead)"
        facts.add_row(f"last {flow.seconds} s", said)


def _add_waiting(facts: Table, status: Status) -> None:
    waiting = status.waiting
    if waiting is None:
        return
    said = Text(f"{waiting.messages:,} messages in {waiting.conversations:,} conversations")
    for state in ("ready", "leased", "parked"):
        if waiting.count(state):
            oldest = waiting.oldest_seconds(state)
            style = "bold red" if state == "ready" and oldest > LATE_SECONDS else ""
            said.append(f"; {waiting.count(state):,} {state}, oldest {span(oldest)}", style)
    facts.add_row("waiting", said)


def _add_backlog(facts: Table, backlog: Unfinished) -> None:
    late = "bold red" if backlog.unpublished_seconds > LATE_SECONDS else ""
    said = f"{backlog.unpublished:,} rows" + (f", oldest {span(backlog.unpublished_seconds)}" if late else "")
    facts.add_row("unpublished", Text(said, late))
    for lag in backlog.lags:
        if lag.entries:
            style = "bold red" if lag.seconds > 2 * LATE_SECONDS else ""
            text = f"{lag.kind}: {lag.group} lacks {lag.entries:,}, oldest {span(lag.seconds)}"
            facts.add_row("uncollected", safe_text(text, style))
    facts.add_row("dead letters", Text(f"{backlog.dead_letters:,} kept", "red" if backlog.dead_letters else ""))
    overdue = f", overdue by {span(backlog.overdue_seconds)}" if backlog.overdue_seconds else ""
    facts.add_row("tickets", Text(f"{backlog.tickets:,} open{overdue}", "red" if overdue else ""))


def _verified(status: Status) -> Text:
    if status.verified is None:
        return Text("not known when: run fte verify", "yellow")
    broken = {check: count for check, count in status.verified.violations.items() if count}
    when = f"{span(status.verified.seconds_ago)} ago, "
    if broken:
        found = ", ".join(f"{count} of {check}" for check, count in broken.items())
        return Text(f"{when}violations: {found}", "bold red")
    return Text(f"{when}no violation", "yellow" if status.verified.seconds_ago > VERIFY_LATE_SECONDS else "")


def workers_table(workers: Sequence[WorkerSeen]) -> Table:
    """Return a table of workers, one a line."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("worker", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("slots", "waiting", "up", "metrics"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("release", "model"):
        table.add_column(name, no_wrap=True)
    for worker in workers:
        leads = " *" if worker.is_leader else ""
        table.add_row(
            safe_text(worker.name + leads),
            safe_text(worker.state, "" if worker.state == "working" else "yellow"),
            f"{worker.slots_used} of {worker.slots_total}",
            str(worker.slots_waiting),
            span(worker.up_seconds),
            str(worker.metrics_port or ""),
            safe_text(f"{worker.release} ({worker.migration})"),
            safe_text(worker.model),
        )
    return table


def top_page(top: Top) -> RenderableType:
    """Return the conversations that wait longest and the busiest ones."""
    oldest = Table(box=None, pad_edge=False, header_style="dim", title="waiting longest", title_justify="left")
    for name in ("tenant", "conversation", "state"):
        oldest.add_column(name, no_wrap=True)
    for name in ("messages", "waits", "due in"):
        oldest.add_column(name, justify="right", no_wrap=True)
    for head in top.oldest:
        due = span(head.due_in_seconds) if head.state == "parked" else ""
        oldest.add_row(
            safe_text(head.tenant),
            safe_text(head.conversation),
            head.state,
            f"{head.messages:,}",
            span(head.seconds),
            due,
        )
    title = f"most turns within {span(top.seconds)}"
    busiest = Table(box=None, pad_edge=False, header_style="dim", title=title, title_justify="left")
    for name in ("tenant", "conversation", "owner", "last outcome"):
        busiest.add_column(name, no_wrap=True)
    for name in ("turns", "messages", "attempts", "agents"):
        busiest.add_column(name, justify="right", no_wrap=True)
    for busy in top.busiest:
        busiest.add_row(
            safe_text(busy.tenant_id),
            safe_text(busy.conversation_id),
            busy.owner,
            busy.last_outcome,
            f"{busy.turns:,}",
            f"{busy.messages:,}",
            f"{busy.attempts:,}",
            span(busy.act_seconds),
        )
    return with_banner(top.switches, Group(oldest, Text(), busiest))
