from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from producer.sending.acceptance import Acceptance, SealedMessage
from schema.errors import ServerUnreachable
from schema.messages.inbound import Inbound
from schema.messages.receipt import Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime.database import Database, Row


class ScriptedDatabase:
    """Stand in for PostgreSQL: fail as scripted, then accept everything, or know everything already."""

    address = "db:5432/fte"
    is_fenced = False

    def __init__(self, *failures: Exception, status: str = "accepted") -> None:
        self.failures = list(failures)
        self.calls: list[list[tuple[str, str]]] = []
        self._status = status

    @staticmethod
    def scope_of(tenant: str) -> dict[str, Any]:
        return {"tenant": tenant, "proof": ""}

    async def run_all(self, _: str, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> list[list[Row]]:
        accepts = [values for query, values in statements if query == "accept_messages"]
        self.calls.append(
            [pair for values in accepts for pair in zip(values["conversations"], values["message_ids"], strict=True)]
        )
        if self.failures:
            raise self.failures.pop(0)
        return [
            [
                {"status": self._status, "at_conversation": conversation, "at_position": 1, "waiting": 0}
                for conversation in values.get("conversations", ())
            ]
            for _, values in statements
        ]


def messages(*names: str) -> list[SealedMessage]:
    """Make one message for each `conversation/message`."""
    return [
        SealedMessage(
            Inbound(
                message_id=name, tenant="t", conversation=name.partition("/")[0], channel="chat", sender="s", text="hi"
            ),
            payload="sealed",
            sender_key="s",
        )
        for name in names
    ]


def acceptance(database: ScriptedDatabase, seconds_max: float = 5) -> Acceptance:
    return Acceptance(cast("Database", database), waiting_max=10, seconds_max=seconds_max)


async def test_conversations_are_locked_in_one_order_and_each_keeps_its_own() -> None:
    database = ScriptedDatabase()

    answers = await acceptance(database).accept(messages("b/2", "a/9", "b/1", "a/3"))

    assert database.calls == [[("a", "a/9"), ("a", "a/3"), ("b", "b/2"), ("b", "b/1")]]
    assert [answer.message_id for answer in answers if isinstance(answer, Receipt)] == ["b/2", "a/9", "b/1", "a/3"]


@pytest.mark.parametrize("conflict", [errors.LockNotAvailable, errors.DeadlockDetected, errors.QueryCanceled])
async def test_a_conflict_is_settled_conversation_by_conversation_and_retried(conflict: type[Exception]) -> None:
    database = ScriptedDatabase(conflict(), conflict())

    answers = await acceptance(database).accept(messages("a/1", "b/1", "a/2"))

    assert all(isinstance(answer, Receipt) for answer in answers)
    together, *apart = database.calls
    assert len(together) == 3
    assert sorted(apart) == [[("a", "a/1"), ("a", "a/2")]] * 2 + [[("b", "b/1")]]


async def test_no_letters_ask_nothing() -> None:
    database = ScriptedDatabase()

    assert await acceptance(database).accept([]) == []
    assert database.calls == []


@pytest.mark.parametrize(
    ("failure", "status"),
    [(psycopg.OperationalError("server closed the connection"), "accepted"), (PoolTimeout(), "duplicate")],
)
async def test_a_duplicate_counts_as_accepted_only_when_an_earlier_try_may_have_made_it(
    failure: Exception, status: str
) -> None:
    database = ScriptedDatabase(failure, status="duplicate")

    answers = await acceptance(database).accept(messages("a/1"))

    assert [answer.status for answer in answers if isinstance(answer, Receipt)] == [status]


async def test_a_closed_pool_is_not_waited_for() -> None:
    with pytest.raises(PoolClosed):
        await acceptance(ScriptedDatabase(PoolClosed())).accept(messages("a/1"))


async def test_a_wrong_statement_is_not_retried() -> None:
    database = ScriptedDatabase(errors.UndefinedFunction("no accept_message"))

    with pytest.raises(errors.UndefinedFunction):
        await acceptance(database).accept(messages("a/1", "b/1"))

    assert len(database.calls) == 1


async def test_giving_up_names_the_address_the_setting_and_the_last_reason() -> None:
    away = [psycopg.OperationalError("connection refused\nmore")] * 50

    answers = await acceptance(ScriptedDatabase(*away), seconds_max=0.3).accept(messages("a/1", "b/1"))

    assert [type(answer) for answer in answers] == [ServerUnreachable] * 2
    assert str(answers[0]) == (
        "PostgreSQL at db:5432/fte is unreachable (no answer within 0.3 s, connection refused); "
        "start it or change FTE_DATABASE_URL"
    )
