"""Lay down the dashboard of the service: what comes in, what goes out, what went wrong."""

from __future__ import annotations

from typing import Final

from ops.watch.panels import Board, Panel, Query, increase, now, quantiles, rate

SERVICE: Final = Board(
    "service",
    "fte: service",
    (
        (
            "Now",
            (
                now(
                    "Oldest ready",
                    "How long the oldest message has waited for a worker.",
                    "s",
                    "max(fte_oldest_ready_seconds)",
                ),
                now("Waiting", "Messages accepted and not answered yet.", "short", "max(fte_messages_waiting)"),
                now(
                    "Oldest unpublished",
                    "How long the oldest committed reply has not been published.",
                    "s",
                    "max(fte_oldest_unpublished_seconds)",
                ),
                now("Conservation gap", "Accepted messages that are nowhere: 0.", "short", "max(fte_conservation_gap)"),
                now("Workers", "Workers that take up messages.", "short", 'max(fte_workers{state="working"})'),
                now(
                    "Dead letters kept",
                    "Letters that nobody has looked after.",
                    "short",
                    'max(fte_dead_letters{state="kept"})',
                ),
            ),
        ),
        (
            "Messages",
            (
                Panel(
                    "Messages done",
                    "Messages that turns have brought to their outcome, by channel.",
                    "ops",
                    (rate("fte_messages_done_total", "channel"),),
                    stacked=True,
                ),
                Panel(
                    "Turns by outcome", "Turns committed.", "ops", (rate("fte_turns_total", "outcome"),), stacked=True
                ),
                Panel(
                    "Conversations",
                    "With unanswered messages, by state.",
                    "short",
                    (Query("max by (state) (fte_conversations)", "{{state}}"),),
                    stacked=True,
                ),
                Panel(
                    "Oldest by state",
                    "Ready: nobody has it. Leased: a turn takes long. Parked: attempts fail.",
                    "s",
                    (
                        Query("max(fte_oldest_ready_seconds)", "ready"),
                        Query("max(fte_oldest_leased_seconds)", "leased"),
                        Query("max(fte_oldest_parked_seconds)", "parked"),
                    ),
                ),
                Panel(
                    "Wait for a turn", "From acceptance to the first attempt.", "s", quantiles("fte_turn_wait_seconds")
                ),
                Panel(
                    "Turn",
                    "From the begin of an attempt to its commit, by outcome.",
                    "s",
                    quantiles("fte_turn_seconds", "outcome"),
                ),
                Panel("Steps", "99th percentile of each step of a turn.", "s", quantiles("fte_step_seconds", "step")),
                Panel(
                    "Slots",
                    "Conversations under way, and how many may be.",
                    "short",
                    (
                        Query("sum(fte_slots_used)", "used"),
                        Query("sum(fte_slots_total)", "total"),
                        Query("sum(fte_slots_waiting)", "waiting for one"),
                    ),
                ),
                Panel(
                    "Switched off",
                    "What operators have switched off, by kind; turns: work is paused.",
                    "short",
                    (Query("max by (kind) (fte_switch_off)", "{{kind}}"),),
                ),
                Panel(
                    "Workers", "By state.", "short", (Query("max by (state) (fte_workers)", "{{state}}"),), stacked=True
                ),
            ),
        ),
        (
            "What went wrong",
            (
                Panel(
                    "Failed attempts",
                    "By class; busy and outage cost no attempt.",
                    "short",
                    (increase("fte_attempts_failed_total", "class"),),
                ),
                Panel(
                    "Parked",
                    "Messages put off to a later attempt.",
                    "short",
                    (increase("fte_turns_parked_total", "class"),),
                ),
                Panel(
                    "Thrown away or done again",
                    "Fences held, bursts grew, leases were lost, workers died or stopped.",
                    "short",
                    (
                        increase("fte_turns_fenced_total"),
                        increase("fte_turns_overtaken_total"),
                        increase("fte_turns_given_back_total"),
                        increase("fte_leases_lost_total"),
                        increase("fte_lease_takeovers_total"),
                    ),
                ),
                Panel(
                    "Rescue",
                    "What had to be taken up, put back or published by another worker.",
                    "short",
                    (
                        increase("fte_rescue_taken_up_total"),
                        increase("fte_rescue_restored_total"),
                        increase("fte_rescue_published_total"),
                        increase("fte_watchdog_silences_total"),
                    ),
                ),
                Panel(
                    "Dead letters",
                    "Given up in the last five minutes, and all by what became of them.",
                    "short",
                    (
                        increase("fte_dead_letters_total", "reason"),
                        Query("max by (state) (fte_dead_letters)", "{{state}}"),
                    ),
                ),
                Panel(
                    "Verification",
                    "Violations of the last fte verify, by check.",
                    "short",
                    (Query("max by (check) (fte_verify_violations)", "{{check}}"),),
                ),
                Panel(
                    "Age of the last verification",
                    "Since fte verify looked at every tenant.",
                    "s",
                    (Query("max(fte_verify_age_seconds)"),),
                ),
                Panel(
                    "Readings that failed",
                    "What is missing above because it could not be read.",
                    "short",
                    (increase("fte_collect_failed_total", "metric"),),
                ),
                Panel(
                    "Servers away",
                    "As seen by any process.",
                    "short",
                    (Query("max by (server) (fte_server_away)", "{{server}}"),),
                ),
            ),
        ),
        (
            "Out",
            (
                Panel(
                    "Not published yet",
                    "Rows of the outbox.",
                    "short",
                    (Query("max(fte_outbox_unpublished)"),),
                ),
                Panel(
                    "Not collected yet",
                    "Entries that a group of consumers lacks.",
                    "short",
                    (Query("max by (kind, group) (fte_stream_lag)", "{{kind}} {{group}}"),),
                ),
                Panel(
                    "Oldest not collected",
                    "By group of consumers.",
                    "s",
                    (Query("max by (kind, group) (fte_oldest_uncollected_seconds)", "{{kind}} {{group}}"),),
                ),
                Panel(
                    "Deliveries",
                    "Attempts to deliver, by channel and outcome.",
                    "ops",
                    (rate("fte_deliveries_total", "channel", "outcome"),),
                ),
                Panel(
                    "Attempt to deliver",
                    "99th percentile by channel.",
                    "s",
                    quantiles("fte_delivery_seconds", "channel"),
                ),
                Panel(
                    "Deliveries due",
                    "Webhooks, and replies of a channel, that are due now.",
                    "short",
                    (Query("max by (channel) (fte_deliveries_due)", "{{channel}}"),),
                ),
                Panel(
                    "Oldest due delivery",
                    "For how long it has been due.",
                    "s",
                    (Query("max by (channel) (fte_oldest_delivery_due_seconds)", "{{channel}}"),),
                ),
                Panel(
                    "Stopped accounts",
                    "Accounts of channels by which nothing is sent or taken.",
                    "short",
                    (Query("max by (channel) (fte_channel_accounts_stopped)", "{{channel}}"),),
                ),
            ),
        ),
        (
            "Gateway",
            (
                Panel("Requests", "By status.", "reqps", (rate("fte_gateway_requests_total", "status"),), stacked=True),
                Panel(
                    "Time to answer",
                    "99th percentile by route; long polls wait on purpose.",
                    "s",
                    quantiles("fte_gateway_request_seconds", "route"),
                ),
                Panel(
                    "Streams",
                    "Streams and long polls that are open.",
                    "short",
                    (Query("sum(fte_gateway_streams_open)"),),
                ),
            ),
        ),
    ),
)
