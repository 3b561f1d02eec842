from __future__ import annotations

import asyncio

import pytest

from runtime.fresh_cache import FreshCache


class Source:
    """Counts look-ups; an answer takes as long as somebody holds it back."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 0.0
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def look_up(self, key: str) -> str:
        self.asked.append(key)
        await self.goes_on.wait()
        if key == "wrong":
            raise LookupError(key)
        return f"{key} at {self.now:g}"

    def cache(self, entries_max: int = 10) -> FreshCache[str, str]:
        return FreshCache(self.look_up, seconds_max=4, entries_max=entries_max, clock=lambda: self.now)


async def test_an_answer_holds_until_it_is_old() -> None:
    source = Source()
    cache = source.cache()

    answers = []
    for source.now in (0, 3.9, 4, 7.9):
        answers.append(await cache.get("a"))

    assert answers == ["a at 0", "a at 0", "a at 4", "a at 4"]


async def test_age_counts_from_when_the_look_up_began() -> None:
    source = Source()
    cache = source.cache()
    source.goes_on.clear()

    slow = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    source.now = 3
    source.goes_on.set()
    await slow
    source.now = 4.5

    assert not cache.has("a")


async def test_callers_at_the_same_time_share_one_look_up_also_when_the_first_gives_up() -> None:
    source = Source()
    cache = source.cache()
    source.goes_on.clear()

    callers = [asyncio.create_task(cache.get("a")) for _ in range(5)]
    await asyncio.sleep(0)
    callers[0].cancel()
    await asyncio.sleep(0)
    source.goes_on.set()
    answers = await asyncio.gather(*callers[1:])

    assert source.asked == ["a"]
    assert answers == ["a at 0"] * 4


async def test_an_error_goes_to_every_caller_and_is_not_kept() -> None:
    source = Source()
    cache = source.cache()

    both = await asyncio.gather(cache.get("wrong"), cache.get("wrong"), return_exceptions=True)
    with pytest.raises(LookupError):
        await cache.get("wrong")

    assert [type(error) for error in both] == [LookupError, LookupError]
    assert source.asked == ["wrong", "wrong"]


async def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    source = Source()
    cache = source.cache(entries_max=2)

    for key in ("a", "b", "a", "c"):
        await cache.get(key)

    assert [cache.has(key) for key in "abc"] == [True, False, True]
