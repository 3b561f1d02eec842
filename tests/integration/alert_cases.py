"""What makes each alert fire and what does not: series as promtool writes them, one value a minute."""

from __future__ import annotations

from typing import Final, NamedTuple


class AlertCase(NamedTuple):
    """Series under which an alert fires at `minutes`, and others under which it is quiet then."""

    firing: dict[str, str]
    quiet: dict[str, str]
    minutes: int = 30


def gauge(series: str, firing: str, quiet: str, minutes: int = 30) -> AlertCase:
    """Return the case of one gauge: two constant values, or whatever promtool reads."""
    return AlertCase({series: f"{firing}x400"}, {series: f"{quiet}x400"}, minutes)


def counters(name: str, *labels: str, firing: str, quiet: str = "0+0", minutes: int = 30) -> AlertCase:
    """Return the case of one counter: by how much it grows a minute."""
    series = f"{name}{{{','.join(labels)}}}"
    return AlertCase({series: f"{firing}x400"}, {series: f"{quiet}x400"}, minutes)


def shares(part: str, rest: str) -> AlertCase:
    """Return the case of two counters of which the first has too large a share, or hardly any."""
    return AlertCase({part: "0+50x400", rest: "0+10x400"}, {part: "0+0x400", rest: "0+100x400"})


def quantile(name: str, labels: str, slow: str, fast: str) -> AlertCase:
    """Return the case of a histogram whose observations fall all between two bounds, or all below the lower one."""
    low, high = f'{name}_bucket{{{labels}le="{fast}"}}', f'{name}_bucket{{{labels}le="{slow}"}}'
    every = f'{name}_bucket{{{labels}le="+Inf"}}'
    return AlertCase(
        {low: "0+0x400", high: "0+60x400", every: "0+60x400"}, {low: "0+60x400", high: "0+60x400", every: "0+60x400"}
    )


CASES: Final[dict[str, AlertCase]] = {
    "FteOldestReady": gauge("fte_oldest_ready_seconds", "31+0", "30+0"),
    "FteNoWorkers": gauge('fte_workers{state="working"}', "0+0", "1+0"),
    "FteTurnWaitSlow": quantile("fte_turn_wait_seconds", "", "30", "10"),
    "FteSlotsFull": AlertCase(
        {"fte_slots_used": "91+0x400", "fte_slots_total": "100+0x400"},
        {"fte_slots_used": "90+0x400", "fte_slots_total": "100+0x400"},
    ),
    "FteStepSlow": quantile("fte_step_seconds", 'step="act",', "30", "10"),
    "FteOldestUnpublished": gauge("fte_oldest_unpublished_seconds", "61+0", "60+0"),
    "FteNotCollected": gauge('fte_oldest_uncollected_seconds{kind="reply:sms",group="g"}', "61+0", "60+0"),
    "FteDeliveriesFail": shares(
        'fte_deliveries_total{channel="webhook",outcome="refused"}',
        'fte_deliveries_total{channel="webhook",outcome="delivered"}',
    ),
    "FteDeliveriesLate": gauge('fte_oldest_delivery_due_seconds{channel="sms"}', "301+0", "300+0"),
    "FteChannelStopped": gauge('fte_channel_accounts_stopped{channel="sms"}', "1+0", "0+0"),
    "FteGatewayErrors": shares('fte_gateway_requests_total{status="503"}', 'fte_gateway_requests_total{status="202"}'),
    "FteTicketOverdue": gauge("fte_oldest_overdue_ticket_seconds", "1+0", "0+0"),
    "FteConservationGap": gauge("fte_conservation_gap", "1+0", "0+0"),
    "FteVerifyViolations": gauge('fte_verify_violations{check="turn"}', "1+0", "0+0"),
    "FteVerifyOld": gauge("fte_verify_age_seconds", "172801+60", "100+0", minutes=90),
    "FteDeadLetters": counters("fte_dead_letters_total", 'reason="attempts"', firing="0+1", quiet="5+0"),
    "FteTurnsFenced": counters("fte_turns_fenced_total", firing="0+6", quiet="0+4"),
    "FteRedisLost": counters("fte_rescue_restored_total", firing="0+1", quiet="7+0"),
    "FteSilence": counters("fte_watchdog_silences_total", firing="0+1", quiet="7+0"),
    "FteModelThrottled": AlertCase(
        {
            'fte_model_calls_total{model="m",result="throttled"}': "0+6x400",
            'fte_model_calls_total{model="m",result="ok"}': "0+94x400",
        },
        {
            'fte_model_calls_total{model="m",result="throttled"}': "0+5x400",
            'fte_model_calls_total{model="m",result="ok"}': "0+95x400",
        },
    ),
    "FteCircuitOpen": gauge('fte_circuit_open{model="m"}', "1+0", "0+0"),
    "FteDegraded": AlertCase(
        {"fte_degraded_turns_total": "0+11x400", "fte_turns_total": "0+100x400"},
        {"fte_degraded_turns_total": "0+10x400", "fte_turns_total": "0+100x400"},
    ),
    "FteTargetDown": gauge('up{job="fte",instance="a:1"}', "0+0", "1+0"),
    "FteNothingExported": AlertCase({"fte_workers": "1+0x400"}, {"fte_oldest_ready_seconds": "0+0x400"}),
    "FteCollectFailed": counters("fte_collect_failed_total", 'metric="waiting"', firing="0+1", quiet="9+0"),
    "FteServerAway": gauge('fte_server_away{server="redis"}', "1+0", "0+0"),
    "FteWorkersDie": counters("fte_lease_takeovers_total", firing="0+1", quiet="9+0"),
    "FteBugs": counters("fte_attempts_failed_total", 'class="bug"', firing="0+1", quiet="9+0"),
    "FteLoopLag": quantile("fte_loop_lag_seconds", 'instance="a:1",', "0.5", "0.25"),
    "FteLoopFailing": gauge('fte_loop_failures_in_a_row{loop="sweep",instance="a:1"}', "5+0", "4+0"),
    "FteLoopStale": AlertCase(
        {
            'fte_loop_last_success_timestamp_seconds{loop="sweep"}': "0+0x400",
            'fte_loop_interval_seconds{loop="sweep"}': "1+0x400",
        },
        {
            'fte_loop_last_success_timestamp_seconds{loop="sweep"}': "0+60x400",
            'fte_loop_interval_seconds{loop="sweep"}': "1+0x400",
        },
    ),
    "FteSpansDropped": counters("fte_spans_dropped_total", 'where="queue"', firing="0+1", quiet="9+0"),
    "FtePoolWaiting": gauge('fte_database_pool_waiting{instance="a:1"}', "1+0", "0+0"),
    "FteConnectionsFull": gauge("fte_postgresql_connections_share", "0.86+0", "0.85+0"),
    "FteRedisMemory": gauge("fte_redis_memory_share", "0.86+0", "0.85+0"),
    "FteTwoReleases": AlertCase(
        {
            'fte_build_info{release="1",migration="1"}': "1+0x400",
            'fte_build_info{release="2",migration="1"}': "1+0x400",
        },
        {
            'fte_build_info{release="1",migration="1",instance="a"}': "1+0x400",
            'fte_build_info{release="1",migration="1",instance="b"}': "1+0x400",
        },
        minutes=370,
    ),
}
