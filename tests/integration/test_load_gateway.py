"""The load generator's HTTP client sends together what comes while its requests are under way."""

from __future__ import annotations

import asyncio

from ops.lab.load.http_gateway import REQUESTS_MAX, GatewayAccess, HttpGateway, TryLater
from producer.gateway.metrics import REQUESTS
from runtime.database import Database
from schema.messages.inbound import Inbound
from schema.messages.receipt import Receipt
from schema.settings import Settings
from tests.integration.http_gateway import make_key, message, serve_here


def _inbound(message_id: str, conversation: str, tenant: str) -> Inbound:
    return Inbound.model_validate(message(message_id, conversation, tenant=tenant))


def _requests(route: str, status: int) -> int:
    labels = {"method": "POST", "route": route, "status": str(status)}
    samples = [sample for metric in REQUESTS.collect() for sample in metric.samples]
    return int(sum(one.value for one in samples if one.labels == labels and one.name.endswith("_total")))


async def test_a_burst_goes_in_few_requests_and_a_message_alone_in_one_of_its_own(
    settings: Settings, database: Database, tenant: str
) -> None:
    alone_before, together_before = _requests("/v1/messages", 202), _requests("/v1/messages/batch", 200)
    async with serve_here(settings) as here:
        access = GatewayAccess(here.url, await make_key(database, tenant), "load")
        async with HttpGateway(access, follows=False) as gateway:
            burst = [_inbound(f"m{number}", f"c{number}", tenant) for number in range(60)]
            receipts = await asyncio.gather(*map(gateway.send, burst))
            later = await gateway.send(_inbound("m0", "c0", tenant))

    assert [receipt.message_id for receipt in receipts] == [one.message_id for one in burst]
    assert {receipt.status for receipt in receipts} == {"accepted"}
    assert later == receipts[0].model_copy(update={"status": "duplicate"})
    alone = _requests("/v1/messages", 202) - alone_before
    together = _requests("/v1/messages/batch", 200) - together_before
    assert together >= 1
    assert alone + together <= 2 * REQUESTS_MAX


async def test_of_a_batch_only_what_is_refused_for_now_is_to_be_sent_again(
    settings: Settings, database: Database, tenant: str
) -> None:
    small = settings.model_copy(update={"mailbox_messages_max": 1})
    async with serve_here(small) as here:
        access = GatewayAccess(here.url, await make_key(database, tenant), "load")
        async with HttpGateway(access, follows=False) as gateway:
            burst = [_inbound(f"m{number}", "full" if number % 2 else f"c{number}", tenant) for number in range(40)]
            outcomes = await asyncio.gather(*map(gateway.send, burst), return_exceptions=True)

    refused = [outcome for outcome in outcomes if not isinstance(outcome, Receipt)]
    assert len(refused) == 19
    assert {type(outcome) for outcome in refused} == {TryLater}
