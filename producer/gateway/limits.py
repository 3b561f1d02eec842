"""Limit what a key and its tenant may ask for: messages and new conversations a minute, streams open at once.

Counted in Redis for all processes, by its clock. While Redis is away each process counts for itself, with the same
limits: so a deployment of n processes then allows n times as much, and never nothing and never all.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from redis.exceptions import RedisError

from producer.gateway.problems import Refused
from producer.sending.batching import Batching
from runtime.outage import Outage, is_redis_away
from runtime.server_addresses import address_of
from schema.ids import new_token
from schema.keys import allowance_key, open_streams_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from redis.commands.core import AsyncScript

    from runtime.api_keys import Principal
    from runtime.redis import Scripts
    from schema.settings.gateway import GatewaySettings
    from schema.tenants import TenantLimits

WINDOW_SECONDS: Final = 60
HOLD_SECONDS: Final = 40.0
"""How long a stream counts as open after it was last held; a process that died holds nothing for longer."""
RENEW_SECONDS: Final = 15.0
ASKING_MAX: Final = 2
ASKED_TOGETHER_MAX: Final = 100
_HOLDERS_MAX: Final = 10_000
_WHOLE_TENANT: Final = "*"

_Call = tuple["AsyncScript", list[str], list[int]]

_log = structlog.get_logger("fte.gateway")


@dataclass(frozen=True, slots=True)
class Allowance:
    """One limit, what a request takes of it, and whose it is: a key's id, or `*` for all of its tenant's keys."""

    name: str
    holder: str
    quota: int
    cost: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left of one limit; `reset_seconds` until it is whole again."""

    allowance: Allowance
    left: int
    reset_seconds: int


class Limits:
    """Takes allowances for requests, from Redis or, while that is away, from this process's own count."""

    def __init__(
        self, scripts: Scripts, settings: GatewaySettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._scripts = scripts
        self._outage = Outage("redis", address_of(settings.redis_url or ""))
        self._share = settings.gateway_key_share_max
        self._local = _LocalAllowances(clock)
        self._open: dict[str, set[str]] = {}
        self._asking: Batching[_Call, Any] = Batching(self._ask, in_flight_max=ASKING_MAX, items_max=ASKED_TOGETHER_MAX)

    async def take(
        self, principal: Principal, limits: TenantLimits, *, messages: int, conversations: int
    ) -> list[Balance]:
        """Take allowance for messages and for conversations that they begin; all or nothing.

        Raises Refused with Retry-After, naming the limit that is used up.
        """
        allowances = [
            Allowance(name, holder, quota, cost)
            for name, whole, cost in (
                ("messages", limits.messages_per_minute, messages),
                ("conversations", limits.new_conversations_per_minute, conversations),
            )
            for holder, quota in (
                (principal.key_id, max(1, math.floor(whole * self._share))),
                (_WHOLE_TENANT, whole),
            )
        ]
        taken, wait_seconds, balances = await self._take(principal.tenant, allowances)
        if not taken:
            raise _used_up(balances, wait_seconds)
        return balances

    @asynccontextmanager
    async def stream(self, principal: Principal, limits: TenantLimits) -> AsyncIterator[HeldStream]:
        """Hold one of the streams that may be open at once, until the end of the block; raises Refused."""
        quotas = {principal.key_id: max(1, math.floor(limits.streams * self._share)), _WHOLE_TENANT: limits.streams}
        held = HeldStream(self, principal.tenant, quotas)
        await held.hold()
        try:
            yield held
        finally:
            await held.release()

    async def _take(self, tenant: str, allowances: Sequence[Allowance]) -> tuple[bool, int, list[Balance]]:
        window_ms = WINDOW_SECONDS * 1_000
        keys = [allowance_key(tenant, one.name, one.holder) for one in allowances]
        values = [value for one in allowances for value in (one.quota, window_ms, one.cost)]
        answer: Any = await self._asking.submit((self._scripts.take_allowance, keys, values))
        if isinstance(answer, Exception):
            if not (isinstance(answer, OSError) or is_redis_away(answer)):
                raise answer
            self._outage.begins(answer, limits="counted by each process for itself")
            return self._local.take(tenant, allowances)
        self._outage.ends()
        taken, wait_ms, left = answer
        balances = [
            Balance(one, max(0, int(many)), math.ceil(int(ms) / 1_000))
            for one, (many, ms) in zip(allowances, left, strict=True)
        ]
        return bool(taken), math.ceil(int(wait_ms) / 1_000), balances

    async def _ask(self, calls: Sequence[_Call]) -> list[Any]:
        """Run scripts in one round trip; an error stands for the answer of each."""
        try:
            return await self._scripts.run_each(calls)
        except (RedisError, OSError) as error:
            return [error] * len(calls)

    async def close(self) -> None:
        """Wait for what is under way."""
        await self._asking.finish()

    async def hold(self, tenant: str, stream_id: str, quotas: dict[str, int]) -> str | None:
        """Hold a stream, or go on holding it; return the holder whose limit is reached, or None."""
        keys = [open_streams_key(tenant, holder) for holder in quotas]
        try:
            answer: Any = await self._scripts.hold_stream(
                keys=keys, args=[stream_id, round(HOLD_SECONDS * 1_000), *quotas.values()]
            )
            reached = list(quotas)[int(answer[1]) - 1] if not answer[0] else None
            self._outage.ends()
        except (RedisError, OSError) as error:
            self._outage.begins(error, limits="counted by each process for itself")
            full = (
                holder
                for key, holder in zip(keys, quotas, strict=True)
                if self._is_full(key, stream_id, quotas[holder])
            )
            reached = next(full, None)
        if reached is None:
            for key in keys:
                self._open.setdefault(key, set()).add(stream_id)
        return reached

    async def release(self, tenant: str, stream_id: str, quotas: dict[str, int]) -> None:
        """Give a stream back; while Redis is away it counts there until it expires."""
        keys = [open_streams_key(tenant, holder) for holder in quotas]
        for key in keys:
            self._open.get(key, set()).discard(stream_id)
            if not self._open.get(key):
                self._open.pop(key, None)
        try:
            client: Any = self._scripts.client
            async with client.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.zrem(key, stream_id)
                await pipe.execute()
        except (RedisError, OSError) as error:
            self._outage.begins(error, limits="counted by each process for itself")

    def _is_full(self, key: str, stream_id: str, quota: int) -> bool:
        held = self._open.get(key, set())
        return stream_id not in held and len(held) >= quota


class HeldStream:
    """One open stream, counted against its key and its tenant."""

    def __init__(self, limits: Limits, tenant: str, quotas: dict[str, int]) -> None:
        self._limits = limits
        self._tenant = tenant
        self._quotas = quotas
        self._id = new_token()
        self._renew_at = 0.0

    async def hold(self) -> None:
        """Hold the stream, or go on holding it once that is due; raises Refused when too many are open."""
        if time.monotonic() < self._renew_at:
            return
        reached = await self._limits.hold(self._tenant, self._id, self._quotas)
        if reached is not None:
            whose = "this tenant's keys have" if reached == _WHOLE_TENANT else "this key has"
            raise Refused(
                "too-many-streams",
                f"{whose} {self._quotas[reached]} streams open, which is the limit; close one, or read several kinds "
                "over fewer connections",
                headers={"Retry-After": "15"},
            )
        self._renew_at = time.monotonic() + RENEW_SECONDS

    async def release(self) -> None:
        """Give the stream back."""
        await self._limits.release(self._tenant, self._id, self._quotas)


class _LocalAllowances:
    """The count of one process, by its own clock: what `take_allowance.lua` does, for one process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._arrivals: OrderedDict[str, float] = OrderedDict()

    def take(self, tenant: str, allowances: Sequence[Allowance]) -> tuple[bool, int, list[Balance]]:
        now = self._clock()
        wait = 0.0
        arrivals = []
        for one in allowances:
            before = max(now, self._arrivals.get(allowance_key(tenant, one.name, one.holder), now))
            arrival = before + one.cost * WINDOW_SECONDS / one.quota
            arrivals.append((before, arrival))
            if one.cost:
                wait = max(wait, arrival - WINDOW_SECONDS - now)
        taken = wait <= 0
        balances = []
        for one, (before, arrival) in zip(allowances, arrivals, strict=True):
            at = arrival if taken else before
            if taken and one.cost:
                self._keep(allowance_key(tenant, one.name, one.holder), at)
            left = math.floor((now + WINDOW_SECONDS - at) * one.quota / WINDOW_SECONDS + 1e-6)
            balances.append(Balance(one, max(0, left), math.ceil(at - now)))
        return taken, math.ceil(wait), balances

    def _keep(self, key: str, arrival: float) -> None:
        self._arrivals[key] = arrival
        self._arrivals.move_to_end(key)
        if len(self._arrivals) > _HOLDERS_MAX:
            self._arrivals.popitem(last=False)


def headers_of(balances: Sequence[Balance]) -> dict[str, str]:
    """Return the RateLimit fields of a response: for each limit that holder whose balance is the smaller.

    They are those of draft-ietf-httpapi-ratelimit-headers-11.
    """
    tightest: dict[str, Balance] = {}
    for balance in balances:
        known = tightest.get(balance.allowance.name)
        if known is None or balance.left < known.left:
            tightest[balance.allowance.name] = balance
    return {
        "RateLimit-Policy": ", ".join(
            f'"{name}";q={balance.allowance.quota};w={WINDOW_SECONDS}' for name, balance in tightest.items()
        ),
        "RateLimit": ", ".join(
            f'"{name}";r={balance.left};t={balance.reset_seconds}' for name, balance in tightest.items()
        ),
    }


def _used_up(balances: Sequence[Balance], wait_seconds: int) -> Refused:
    short = [one for one in balances if one.allowance.cost > one.left]
    tightest = min(short or balances, key=lambda one: one.left)
    allowance = tightest.allowance
    whose = "all keys of the tenant together" if allowance.holder == _WHOLE_TENANT else "this key"
    what = "messages" if allowance.name == "messages" else "new conversations"
    seconds = max(1, wait_seconds)
    if allowance.cost > allowance.quota:
        way_out = f"send at most {allowance.quota} at once"
    else:
        way_out = f"send the same request again in {seconds} s, or ask the operator for a higher limit"
    return Refused(
        "rate-limited",
        f"{allowance.cost} {what} asked for, {tightest.left} are left of {allowance.quota} a minute for {whose}; "
        f"{way_out}",
        headers={"Retry-After": str(seconds), **headers_of(balances)},
    )
