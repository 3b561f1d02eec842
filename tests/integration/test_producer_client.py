from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from producer.sending import backlog, client
from producer.sending.client import AsyncProducer, Producer
from runtime.database import EVERY_TENANT, Database, connect
from runtime.startup import check_deployment
from schema.errors import InvalidMessage, InvalidSettings, MailboxFull, Overloaded, ServerUnreachable, UnknownTenant
from schema.messages.inbound import Inbound
from schema.messages.receipt import Receipt
from tests.integration.producing import SECRET_TEXT, SENDER, bells, inbox, message, positions
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from redis.asyncio import Redis

    from runtime.sealing import Sealer
    from schema.settings import Settings


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[AsyncProducer]:
    async with AsyncProducer(settings) as opened:
        yield opened


async def test_a_receipt_means_the_message_is_in_inbox_and_mailbox_and_a_bell_has_rung(
    producer: AsyncProducer, settings: Settings, redis: Redis, tenant: str
) -> None:
    receipt = await producer.send(message(tenant))

    assert receipt == Receipt(status="accepted", message_id="c-1/1", tenant=tenant, conversation="c-1", position=1)
    assert [(row["message_id"], row["state"]) for row in inbox(settings, tenant)] == [("c-1/1", "accepted")]
    assert await positions(redis, settings, tenant) == [1]
    assert await bells(redis, tenant) == ["c-1"]


@pytest.mark.parametrize("form", ["dict", "bytes", "text", "model"])
async def test_send_takes_a_message_in_each_form(producer: AsyncProducer, tenant: str, form: str) -> None:
    model = Inbound.model_validate(message(tenant))
    given = {
        "dict": message(tenant),
        "bytes": model.model_dump_json().encode(),
        "text": model.model_dump_json(),
        "model": model,
    }[form]

    receipt = await producer.send(given)  # type: ignore[arg-type] # one of them

    assert receipt.status == "accepted"


@pytest.mark.parametrize("key", ["fte.model_latency_ms", "fte.anything"])
async def test_reserved_metadata_is_refused_with_the_key_and_the_way_out_except_in_a_load_test(
    producer: AsyncProducer, settings: Settings, tenant: str, key: str
) -> None:
    reserved = message(tenant, metadata={key: "60000"})

    with pytest.raises(InvalidMessage, match=rf"metadata: '{key}' is reserved.*FTE_LOAD_TESTS=true"):
        await producer.send(reserved)
    assert inbox(settings, tenant) == []

    vouched = await producer.send(message(tenant, metadata={"fte.sender_verified": "true", "ftep": "1"}))
    async with AsyncProducer(settings.model_copy(update={"load_tests": True})) as load_test:
        tested = await load_test.send(message(tenant, 2, metadata={key: "1"}))
    assert (vouched.status, tested.status) == ("accepted", "accepted")


async def test_the_inbox_knows_whose_a_message_is_and_the_conversation_who_it_began_with(
    producer: AsyncProducer, settings: Settings, database: Database, sealer: Sealer, tenant: str
) -> None:
    await producer.send(message(tenant, 1))
    await producer.send(message(tenant, 2, sender=f"Ada <{SENDER.upper()}>"))
    await producer.send(message(tenant, 3, sender="eve@example.com"))

    with connect(settings.database_url or "") as connection:
        statement = "SELECT sender_key FROM inbox WHERE tenant_id = %s ORDER BY position"
        found = [row["sender_key"] for row in connection.execute(statement, [tenant])]
        statement = "SELECT first_sender_key FROM conversation WHERE tenant_id = %s"
        began = connection.execute(statement, [tenant]).fetchone()
    senders = await check_deployment(database, sealer)
    ada, eve = (senders.key_of(tenant, "email", sender) for sender in (SENDER, "eve@example.com"))
    assert found == [ada, ada, eve]
    assert began == {"first_sender_key": ada}


async def test_text_and_sender_are_sealed_wherever_they_are_stored(
    producer: AsyncProducer, settings: Settings, redis: Redis, sealer: Sealer, tenant: str
) -> None:
    await producer.send(message(tenant))

    payload = inbox(settings, tenant)[0]["payload"]
    stored = [payload.encode(), *[await redis.dump(key) or b"" for key in await redis.keys(f"*{tenant}*")]]
    assert len(stored) >= 2
    assert not [found for found in stored if SECRET_TEXT.encode() in found or SENDER.encode() in found]
    assert Inbound.model_validate_json(sealer.open(payload)).text == SECRET_TEXT


async def test_a_message_sent_twice_is_accepted_once_and_gets_the_same_position(
    producer: AsyncProducer, settings: Settings, redis: Redis, tenant: str
) -> None:
    first = await producer.send(message(tenant))
    await producer.send(message(tenant, 2))

    again = await producer.send(message(tenant, text="other words"))

    assert (again.status, again.position) == ("duplicate", first.position)
    assert await positions(redis, settings, tenant) == [1, 2]


async def test_a_message_id_used_in_another_conversation_gets_the_receipt_of_the_first(
    producer: AsyncProducer, settings: Settings, redis: Redis, tenant: str
) -> None:
    await producer.send(message(tenant, message_id="same"))

    again = await producer.send(message(tenant, message_id="same", conversation="c-2"))

    assert (again.status, again.conversation) == ("duplicate", "c-1")
    assert await positions(redis, settings, tenant, "c-2") == []


async def test_the_same_message_id_of_two_tenants_is_two_messages(
    producer: AsyncProducer, tenant: str, other_tenant: str
) -> None:
    receipts = [await producer.send(message(of)) for of in (tenant, other_tenant)]

    assert [receipt.status for receipt in receipts] == ["accepted", "accepted"]


async def test_one_bell_is_rung_for_several_messages_of_a_conversation(
    producer: AsyncProducer, redis: Redis, tenant: str
) -> None:
    await producer.send_many([message(tenant, number) for number in range(1, 6)])
    await producer.send(message(tenant, 6))
    await producer.send(message(tenant, 1, conversation="c-2"))

    assert await bells(redis, tenant) == ["c-1", "c-2"]


async def test_send_many_keeps_each_conversations_order_across_batches(
    producer: AsyncProducer, settings: Settings, redis: Redis, tenant: str
) -> None:
    sent = [message(tenant, number // 3, conversation=f"c-{number % 3}") for number in range(1_200)]

    outcomes = await producer.send_many(sent)

    assert [outcome.position for outcome in outcomes if isinstance(outcome, Receipt)] == [
        number // 3 + 1 for number in range(1_200)
    ]
    for conversation in ("c-0", "c-1", "c-2"):
        assert await positions(redis, settings, tenant, conversation) == list(range(1, 401))


async def test_a_refused_message_does_not_spoil_the_others(
    producer: AsyncProducer, settings: Settings, redis: Redis, tenant: str
) -> None:
    outcomes = await producer.send_many(
        [
            message(tenant, 1),
            message(tenant, 2, text=" "),
            message("nobody", 3),
            message(tenant, 1),
            b"{",
            message(tenant, 4),
        ]
    )

    kinds = [outcome.status if isinstance(outcome, Receipt) else type(outcome).__name__ for outcome in outcomes]
    assert kinds == ["accepted", "InvalidMessage", "UnknownTenant", "duplicate", "InvalidMessage", "accepted"]
    assert await positions(redis, settings, tenant) == [1, 2]


async def test_send_raises_what_send_many_gives(producer: AsyncProducer, tenant: str) -> None:
    with pytest.raises(InvalidMessage, match="channel: 'fax'"):
        await producer.send(message(tenant, channel="fax"))
    with pytest.raises(UnknownTenant, match="no tenant 'nobody'"):
        await producer.send(message("nobody"))


async def test_a_full_mailbox_refuses_what_follows_so_that_nothing_overtakes(settings: Settings, tenant: str) -> None:
    small = settings.model_copy(update={"mailbox_messages_max": 2})
    async with AsyncProducer(small) as producer:
        outcomes = await producer.send_many(
            [*(message(tenant, number) for number in range(1, 5)), message(tenant, 1, conversation="c-2")]
        )

        with pytest.raises(MailboxFull) as full:
            await producer.send(message(tenant, 5))

    assert [isinstance(outcome, Receipt) for outcome in outcomes] == [True, True, False, False, True]
    assert (full.value.waiting, full.value.waiting_max, full.value.retry_after_seconds) == (2, 2, 30)


async def test_a_backlog_that_is_full_refuses_until_it_is_worked_off(
    settings: Settings, database: Database, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "LOOK_SECONDS", 0.05)
    rows = await database.read(EVERY_TENANT, "count_backlog", messages_max=1_000_000)
    room = sum(row["waiting"] for row in rows) + 2
    small = settings.model_copy(update={"backlog_messages_max": room})
    async with AsyncProducer(small) as producer:
        outcomes = await producer.send_many([message(tenant, n, conversation=f"c-{n}") for n in range(1, 4)])
        with pytest.raises(Overloaded) as refused:
            await producer.send(message(tenant, 4, conversation="c-4"))

        with connect(settings.database_url or "") as connection:
            connection.execute(
                "UPDATE inbox SET state = 'answered', finished_at = now(), payload = NULL WHERE tenant_id = %s",
                [tenant],
            )

        async def is_accepted() -> bool:
            answers = await producer.send_many([message(tenant, 5, conversation="c-5")])
            return isinstance(answers[0], Receipt)

        await eventually(is_accepted)

    assert [type(outcome) for outcome in outcomes] == [Receipt, Receipt, Overloaded]
    assert refused.value.waiting == refused.value.waiting_max == room
    assert refused.value.retry_after_seconds == 10


async def test_a_mailbox_that_has_room_again_meanwhile_stays_closed_to_the_rest_of_a_call(
    settings: Settings, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "BATCH_MESSAGES_MAX", 2)

    def messages() -> Iterator[dict[str, Any]]:
        yield message(tenant, 1)
        yield message(tenant, 2)
        with connect(settings.database_url or "") as connection:
            connection.execute("UPDATE conversation SET done_position = 1 WHERE tenant_id = %s", [tenant])
        yield message(tenant, 3)

    async with AsyncProducer(settings.model_copy(update={"mailbox_messages_max": 1})) as producer:
        outcomes = await producer.send_many(messages())

    assert [type(outcome) for outcome in outcomes] == [Receipt, MailboxFull, MailboxFull]


async def test_closing_waits_for_a_send_whose_caller_gave_up(settings: Settings, tenant: str) -> None:
    async with AsyncProducer(settings) as producer:
        sending = asyncio.create_task(producer.send(message(tenant)))
        await asyncio.sleep(0)
        sending.cancel()

    assert [row["state"] for row in inbox(settings, tenant)] == ["accepted"]


async def test_many_sends_at_once_leave_no_gap_and_no_double_position(
    producer: AsyncProducer, settings: Settings, redis: Redis, tenant: str
) -> None:
    sends = [producer.send(message(tenant, number)) for number in range(200)]

    receipts = await asyncio.gather(*sends)

    assert sorted(receipt.position for receipt in receipts) == list(range(1, 201))
    assert await positions(redis, settings, tenant) == list(range(1, 201))


async def test_senders_with_the_same_conversations_at_once_all_get_receipts(
    producer: AsyncProducer, settings: Settings, tenant: str
) -> None:
    names = [f"c-{number}" for number in range(40)]
    async with AsyncProducer(settings) as other:
        batches = [
            sender.send_many([message(tenant, batch, conversation=name) for name in order])
            for batch, (sender, order) in enumerate([(producer, names), (other, names[::-1])] * 5)
        ]

        outcomes = await asyncio.gather(*batches)

    assert all(isinstance(outcome, Receipt) for batch in outcomes for outcome in batch)
    assert [row["position"] for row in inbox(settings, tenant)] == list(range(1, 11)) * 40


async def test_a_server_that_forgot_the_scripts_is_taught_them_again(
    producer: AsyncProducer, settings: Settings, redis: Redis, tenant: str
) -> None:
    await producer.send(message(tenant, 1))
    await redis.script_flush()

    await producer.send_many([message(tenant, number) for number in (2, 3)])

    assert await positions(redis, settings, tenant) == [1, 2, 3]


async def test_a_producer_with_another_key_does_not_start(settings: Settings) -> None:
    other = settings.model_copy(update={"vault_keys": [SecretStr(Fernet.generate_key().decode())]})

    with pytest.raises(InvalidSettings, match="give every process the same keys"):
        async with AsyncProducer(other):
            pass


@pytest.mark.parametrize(("field", "server"), [("database_url", "PostgreSQL"), ("redis_url", "Redis")])
async def test_a_producer_does_not_start_without_its_servers(settings: Settings, field: str, server: str) -> None:
    url = {"database_url": "postgresql://127.0.0.1:9/fte", "redis_url": "redis://127.0.0.1:9"}[field]

    with pytest.raises(ServerUnreachable, match=f"{server} at 127.0.0.1:9.*change FTE_{field.upper()}"):
        async with AsyncProducer(settings.model_copy(update={field: url})):
            pass


async def test_a_producer_that_is_not_open_says_how_to_open_it(settings: Settings, tenant: str) -> None:
    with pytest.raises(RuntimeError, match="async with AsyncProducer"):
        await AsyncProducer(settings).send(message(tenant))
    with pytest.raises(RuntimeError, match=r"with Producer\(settings\)"):
        Producer(settings).send(message(tenant))


def test_the_synchronous_producer_sends_from_many_threads(settings: Settings, tenant: str) -> None:
    with Producer(settings) as producer, ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda number: producer.send(message(tenant, number)), range(80)))
        outcomes = producer.send_many([message(tenant, 80), {}])

    assert sorted(receipt.position for receipt in receipts) == list(range(1, 81))
    assert [type(outcome) for outcome in outcomes] == [Receipt, InvalidMessage]
