"""Which errors say that a server can do nothing at this time, and that no message is to blame."""

from __future__ import annotations

import pytest
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout
from redis.exceptions import NoPermissionError, ResponseError
from structlog.testing import capture_logs

from runtime.outage import POSTGRESQL_AWAY, Outage, is_redis_away
from worker.pipeline.failure import classify_failure

AWAY = {
    "the connection": ("08000", "08003", "08006"),
    "read-only, or ended by a time limit of the server's": ("25006", "25P03", "25P04"),
    "rolled back for another transaction's sake": ("40001", "40P01"),
    "no disk, memory or connection left": ("53000", "53100", "53200", "53300", "53400"),
    "a lock that is held for too long": ("55P03",),
    "shutting down, starting, cancelled": ("57000", "57014", "57P01", "57P02", "57P03", "57P04", "57P05"),
    "the system beneath it": ("58000", "58030"),
}
OURS = {
    "values": ("21000", "22001", "22007", "22P02", "23505"),
    "transactions that we begin or end wrongly": ("25001", "25P01", "25P02"),
    "statements": ("0A000", "26000", "42601", "42703", "42883", "42P01", "42P05"),
    "rights": ("42501",),
    "a fault of the server's": ("XX000", "XX001"),
}


@pytest.mark.parametrize("state", [state for states in AWAY.values() for state in states])
def test_a_state_that_passes_costs_a_message_no_attempt(state: str) -> None:
    error = errors.lookup(state)("as PostgreSQL words it")

    assert isinstance(error, POSTGRESQL_AWAY)
    assert classify_failure(error) == "outage"


@pytest.mark.parametrize("state", [state for states in OURS.values() for state in states])
def test_a_state_that_stays_counts_as_an_attempt(state: str) -> None:
    error = errors.lookup(state)("as PostgreSQL words it")

    assert classify_failure(error) == "bug"


@pytest.mark.parametrize(
    "text",
    [
        "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
        "MISCONF Redis is configured to save RDB snapshots",
        "NOREPLICAS Not enough good replicas to write.",
        "Error running script (call to f_1): @user_script:3: @user_script: 3: -READONLY You can't write",
    ],
)
def test_a_redis_that_takes_no_writes_now_is_away(text: str) -> None:
    assert is_redis_away(ResponseError(text))


@pytest.mark.parametrize(
    "error", [ResponseError("WRONGTYPE Operation against a key"), NoPermissionError("no permissions to run 'info'")]
)
def test_a_redis_that_refuses_for_good_is_not_away(error: Exception) -> None:
    assert not is_redis_away(error)


def test_a_pool_that_this_process_closed_is_no_outage() -> None:
    outage = Outage("postgresql", "localhost")

    with capture_logs() as logs:
        outage.begins(PoolClosed("the pool is already closed"))
        outage.begins(PoolTimeout("no connection after 5 s"))

    assert [(line["event"], line["error"]) for line in logs] == [("postgresql.unreachable", "PoolTimeout")]
