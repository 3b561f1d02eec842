"""An envelope that comes out of order finds its place without the whole mailbox being read."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from redis.asyncio import Redis

from schema.ids import ConversationKey
from schema.keys import MailboxKeys, mailbox_keys
from schema.messages.envelope import Envelope, encode_envelope
from schema.resources import load_script

ENTRIES = 4_000

COUNTING = """
local decoded, real = 0, cjson
local cjson = {decode = function(text) decoded = decoded + 1; return real.decode(text) end}
"""


def entry(position: int) -> str:
    return encode_envelope(Envelope(position=position, message_id=f"m-{position}", payload="sealed"))


@pytest.fixture
def keys(tenant: str) -> MailboxKeys:
    return mailbox_keys(ConversationKey(tenant, "c"), 16)


async def append(redis: Redis, keys: MailboxKeys, position: int) -> tuple[int, int]:
    """Run the script as it stands, with a decoder that counts; gives the outcome and how many entries it decoded."""
    script = COUNTING + load_script("append").replace("return {outcome, ring}", "return {outcome, ring, decoded}")
    answer: Any = await redis.eval(script, len(keys), *keys, "m", entry(position), position, 1_000)
    return answer[0], answer[2]


async def positions(redis: Redis, keys: MailboxKeys) -> list[int | None]:
    raw: Any = await redis.lrange(keys.mailbox, 0, -1)
    return [Envelope.model_validate_json(one).position if one[:1] == b"{" else None for one in raw]


@pytest.mark.parametrize("position", [1, 3, ENTRIES, ENTRIES + 1, 2 * ENTRIES - 1])
async def test_the_place_is_found_by_a_few_entries_of_a_long_mailbox(
    redis: Redis, keys: MailboxKeys, position: int
) -> None:
    await redis.rpush(keys.mailbox, *[entry(2 * number) for number in range(1, ENTRIES + 1)])

    outcome, decoded = await append(redis, keys, position)

    assert outcome == int(position % 2 == 1)
    assert decoded <= 2 + math.ceil(math.log2(ENTRIES))
    found = [place for place in await positions(redis, keys) if place is not None]
    assert found == sorted({*range(2, 2 * ENTRIES + 1, 2), position})


@pytest.mark.parametrize("seed", range(5))
async def test_entries_in_any_order_with_damaged_ones_between_end_in_order_and_once(
    redis: Redis, keys: MailboxKeys, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's order
    wanted = [chance.randrange(1, 60) for _ in range(120)]

    for number, position in enumerate(wanted):
        await append(redis, keys, position)
        if number % 7 == 0:
            length = await redis.llen(keys.mailbox)
            neighbour: Any = await redis.lindex(keys.mailbox, chance.randrange(length))
            await redis.linsert(keys.mailbox, "AFTER", neighbour, f"torn-{number}")

    found = [position for position in await positions(redis, keys) if position is not None]
    assert found == sorted(set(wanted))


async def test_a_mailbox_of_damaged_entries_alone_takes_what_comes_at_its_end(redis: Redis, keys: MailboxKeys) -> None:
    await redis.rpush(keys.mailbox, "torn", "[]", "{}", '{"position": "no"}')

    assert (await append(redis, keys, 1))[0] == 1
    assert await redis.lindex(keys.mailbox, -1) == entry(1).encode()
