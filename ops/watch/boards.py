"""Lay down the dashboards, all but that of the service: models and money, people, one process."""

from __future__ import annotations

from typing import Final

from ops.watch.panels import RATE, THIS, Board, Panel, Query, increase, quantiles, rate
from ops.watch.service_board import SERVICE

MODELS: Final = Board(
    "models",
    "fte: models and money",
    (
        (
            "Calls",
            (
                Panel(
                    "Requests by result",
                    "ok, throttled (429), timeout, unavailable, denied, unusable, refused, busy (our limits).",
                    "ops",
                    (rate("fte_model_calls_total", "model", "result"),),
                    columns=12,
                ),
                Panel(
                    "Share throttled",
                    "Part of a model's requests that it answered with 429.",
                    "percentunit",
                    (
                        Query(
                            f'sum by (model) (rate(fte_model_calls_total{{result="throttled"}}[{RATE}]))'
                            f" / sum by (model) (rate(fte_model_calls_total[{RATE}]))",
                            "{{model}}",
                        ),
                    ),
                    columns=12,
                ),
                Panel(
                    "Call",
                    "99th percentile of a finished call, waits and retries included.",
                    "s",
                    quantiles("fte_model_seconds", "model"),
                ),
                Panel(
                    "Wait for room",
                    "How long requests waited for a place at the provider.",
                    "s",
                    quantiles("fte_model_wait_seconds"),
                ),
                Panel(
                    "Away",
                    "Models left alone because they failed, and turns that the embedded model answered instead.",
                    "short",
                    (Query("max by (model) (fte_circuit_open)", "{{model}}"), increase("fte_degraded_turns_total")),
                ),
            ),
        ),
        (
            "Money",
            (
                Panel(
                    "Tokens a second",
                    "By model and direction; cached ones are part of the input.",
                    "short",
                    (rate("fte_model_tokens_total", "model", "direction"),),
                ),
                Panel(
                    "USD an hour",
                    "By tenant, at the present rate.",
                    "currencyUSD",
                    (Query(f"3600 * sum by (tenant) (rate(fte_model_cost_usd_total[{RATE}]))", "{{tenant}}"),),
                ),
                Panel(
                    "USD a message",
                    "Cost of models for each message done.",
                    "currencyUSD",
                    (
                        Query(
                            f"sum(rate(fte_model_cost_usd_total[{RATE}])) / sum(rate(fte_messages_done_total[{RATE}]))",
                            "all",
                        ),
                    ),
                ),
            ),
        ),
    ),
)

PEOPLE: Final = Board(
    "people",
    "fte: people",
    (
        (
            "Tickets",
            (
                Panel(
                    "Open tickets",
                    "By category and priority.",
                    "short",
                    (Query("max by (category, priority) (fte_tickets_open)", "{{category}} {{priority}}"),),
                    columns=12,
                    stacked=True,
                ),
                Panel(
                    "Oldest overdue ticket",
                    "For how long it has been overdue; 0: none is.",
                    "s",
                    (Query("max(fte_oldest_overdue_ticket_seconds)"),),
                    columns=12,
                ),
                Panel(
                    "New tickets",
                    "That turns opened, by category.",
                    "ops",
                    (rate("fte_escalations_total", "category"),),
                    columns=12,
                ),
                Panel(
                    "New tickets by tenant",
                    "That turns opened.",
                    "ops",
                    (rate("fte_escalations_total", "tenant"),),
                    columns=12,
                ),
            ),
        ),
    ),
)

PROCESS: Final = Board(
    "process",
    "fte: one process",
    (
        (
            "The process",
            (
                Panel(
                    "Processor",
                    "Cores in use.",
                    "short",
                    (Query(f"rate(process_cpu_seconds_total{{{THIS}}}[{RATE}])", "{{instance}}"),),
                ),
                Panel(
                    "Memory", "Resident.", "bytes", (Query(f"process_resident_memory_bytes{{{THIS}}}", "{{instance}}"),)
                ),
                Panel(
                    "Event loop",
                    "How late it wakes a sleeper: 99th percentile.",
                    "s",
                    quantiles("fte_loop_lag_seconds", "instance", f"{{{THIS}}}"),
                ),
                Panel(
                    "Slots", "In use by this worker.", "short", (Query(f"fte_slots_used{{{THIS}}}", "{{instance}}"),)
                ),
                Panel(
                    "Connections to PostgreSQL",
                    "Of the process's pool.",
                    "short",
                    (Query(f"sum by (state) (fte_database_connections{{{THIS}}})", "{{state}}"),),
                ),
                Panel(
                    "Waiting for a connection",
                    "Statements that wait for one of the pool's.",
                    "short",
                    (Query(f"fte_database_pool_waiting{{{THIS}}}", "{{instance}}"),),
                ),
            ),
        ),
        (
            "Supervised loops",
            (
                Panel(
                    "Time since success",
                    "Of loops that are this process's to run.",
                    "s",
                    (Query(f"time() - fte_loop_last_success_timestamp_seconds{{{THIS}}}", "{{loop}}"),),
                ),
                Panel(
                    "Intervals late",
                    "Time since success, in intervals of the loop.",
                    "short",
                    (
                        Query(
                            f"(time() - fte_loop_last_success_timestamp_seconds{{{THIS}}})"
                            f" / fte_loop_interval_seconds{{{THIS}}}",
                            "{{loop}}",
                        ),
                    ),
                ),
                Panel("Rounds", "Rounds a second.", "ops", (rate("fte_loop_runs_total", "loop", where=f"{{{THIS}}}"),)),
                Panel(
                    "Failures",
                    "Rounds that failed, a second.",
                    "ops",
                    (rate("fte_loop_failures_total", "loop", where=f"{{{THIS}}}"),),
                ),
                Panel(
                    "Failures in a row",
                    "Since the last success.",
                    "short",
                    (Query(f"fte_loop_failures_in_a_row{{{THIS}}}", "{{loop}}"),),
                ),
                Panel(
                    "Spans dropped",
                    "That reached no sink.",
                    "ops",
                    (rate("fte_spans_dropped_total", "where", where=f"{{{THIS}}}"),),
                ),
            ),
        ),
        (
            "The deployment",
            (
                Panel(
                    "Releases",
                    "Processes by release and the migration that they need.",
                    "short",
                    (Query("count by (release, migration) (fte_build_info)", "{{release}} {{migration}}"),),
                ),
                Panel("Who repairs for all", "Exactly one worker.", "short", (Query("fte_leader", "{{instance}}"),)),
                Panel(
                    "How full the servers are",
                    "PostgreSQL's connections and Redis's memory.",
                    "percentunit",
                    (
                        Query("max(fte_postgresql_connections_share)", "PostgreSQL connections"),
                        Query("max(fte_redis_memory_share)", "Redis memory"),
                    ),
                ),
                Panel(
                    "Reading takes",
                    "Of the exporter, by group of facts.",
                    "s",
                    (Query("max by (facts) (fte_collect_seconds)", "{{facts}}"),),
                ),
            ),
        ),
    ),
    by_instance="fte_build_info",
)

BOARDS: Final = (SERVICE, MODELS, PEOPLE, PROCESS)
