"""Declare the metrics of a deployment as a whole, which one process exports for all."""

from __future__ import annotations

from typing import Final

from runtime.telemetry.metrics import MetricSpec

OLDEST_READY: Final = MetricSpec(
    "fte_oldest_ready_seconds",
    "gauge",
    "Age of the oldest unanswered message whose conversation a worker might take, and none has",
)
OLDEST_PARKED: Final = MetricSpec(
    "fte_oldest_parked_seconds",
    "gauge",
    "Age of the oldest unanswered message whose conversation is put off after a failure",
)
OLDEST_LEASED: Final = MetricSpec(
    "fte_oldest_leased_seconds", "gauge", "Age of the oldest unanswered message whose conversation a worker has"
)
CONVERSATIONS: Final = MetricSpec(
    "fte_conversations", "gauge", "Conversations with unanswered messages: ready, leased, parked", ("state",)
)
WAITING: Final = MetricSpec("fte_messages_waiting", "gauge", "Messages accepted and not answered yet")
OLDEST_UNPUBLISHED: Final = MetricSpec(
    "fte_oldest_unpublished_seconds", "gauge", "Age of the oldest committed reply, escalation or event not published"
)
UNPUBLISHED: Final = MetricSpec("fte_outbox_unpublished", "gauge", "Rows committed and not published yet")
STREAM_LAG: Final = MetricSpec(
    "fte_stream_lag",
    "gauge",
    "Entries that a group of consumers has not collected, 10,000 of each tenant counted at most",
    ("kind", "group"),
)
OLDEST_UNCOLLECTED: Final = MetricSpec(
    "fte_oldest_uncollected_seconds",
    "gauge",
    "How long ago the oldest entry was published that a group of consumers has not collected",
    ("kind", "group"),
)
DEAD_LETTERS_HELD: Final = MetricSpec(
    "fte_dead_letters", "gauge", "Dead letters by what became of them: kept, redriven, dropped", ("state",)
)
TICKETS: Final = MetricSpec("fte_tickets_open", "gauge", "Tickets that are open", ("category", "priority"))
OLDEST_OVERDUE: Final = MetricSpec(
    "fte_oldest_overdue_ticket_seconds",
    "gauge",
    "How long the oldest open ticket has been overdue; 0: none is",
)
CONSERVATION_GAP: Final = MetricSpec(
    "fte_conservation_gap",
    "gauge",
    "Accepted messages less those waiting, answered, dead and erased: 0, or some are missing",
)
DELIVERIES_DUE: Final = MetricSpec(
    "fte_deliveries_due", "gauge", "Webhooks, and replies of a channel, that are due to be sent now", ("channel",)
)
OLDEST_DELIVERY: Final = MetricSpec(
    "fte_oldest_delivery_due_seconds", "gauge", "For how long the oldest of them has been due", ("channel",)
)
ACCOUNTS_STOPPED: Final = MetricSpec(
    "fte_channel_accounts_stopped", "gauge", "Accounts of a channel by which nothing is sent or taken", ("channel",)
)
VIOLATIONS: Final = MetricSpec(
    "fte_verify_violations", "gauge", "Broken promises that the last fte verify of all tenants found", ("check",)
)
VERIFY_AGE: Final = MetricSpec("fte_verify_age_seconds", "gauge", "How long ago fte verify last looked at all tenants")
WORKERS: Final = MetricSpec("fte_workers", "gauge", "Workers that have announced themselves lately", ("state",))
SWITCH_OFF: Final = MetricSpec(
    "fte_switch_off",
    "gauge",
    "Switches that operators have turned off, of all tenants, by what they switch; turns: pauses",
    ("kind",),
)
CONNECTIONS_SHARE: Final = MetricSpec(
    "fte_postgresql_connections_share", "gauge", "Part of PostgreSQL's connections for plain roles that is taken"
)
REDIS_MEMORY_SHARE: Final = MetricSpec(
    "fte_redis_memory_share", "gauge", "Part of Redis's maxmemory that is used; absent without a limit"
)
COLLECT_SECONDS: Final = MetricSpec(
    "fte_collect_seconds", "gauge", "How long the last reading of a group of facts took", ("facts",)
)
OF_THE_DEPLOYMENT: Final = (
    OLDEST_READY,
    OLDEST_PARKED,
    OLDEST_LEASED,
    CONVERSATIONS,
    WAITING,
    OLDEST_UNPUBLISHED,
    UNPUBLISHED,
    STREAM_LAG,
    OLDEST_UNCOLLECTED,
    DEAD_LETTERS_HELD,
    TICKETS,
    OLDEST_OVERDUE,
    CONSERVATION_GAP,
    DELIVERIES_DUE,
    OLDEST_DELIVERY,
    ACCOUNTS_STOPPED,
    VIOLATIONS,
    VERIFY_AGE,
    WORKERS,
    SWITCH_OFF,
    CONNECTIONS_SHARE,
    REDIS_MEMORY_SHARE,
    COLLECT_SECONDS,
)
