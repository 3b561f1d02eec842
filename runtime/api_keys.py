"""Verify the API keys of HTTP clients: `fte_<id>_<secret><checksum>`, of which only the SHA-256 is stored."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
import time
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from runtime.database import EVERY_TENANT
from runtime.fresh_cache import FreshCache
from runtime.outage import POSTGRESQL_AWAY
from runtime.server_addresses import first_line
from schema.errors import FteError, ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.database import Database

SCOPES: Final = ("messages:write", "outbound:read", "conversations:read", "desk", "admin")
"""What a key may be for; `admin` is for the settings and keys of its own tenant."""

OPERATOR: Final = EVERY_TENANT
"""The tenant of an operator's key, which administers all of them."""

VIEW_SECONDS_MAX = 4.5
"""How long an answer about a key holds: below the five seconds within which a revoked one stops everywhere."""

KEYS_MAX = 10_000
"""Keys, right and wrong, that a process remembers."""

WRONG_KEYS_MAX = 10
"""Wrong keys that an address may present in a row before it has to wait."""

WRONG_KEY_SECONDS = 6.0
"""After how long it may present another."""

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH: Final = 12
_SECRET_LENGTH: Final = 43  # 62 ** 43 > 2 ** 256
_CHECKSUM_LENGTH: Final = 6
_KEY: Final = re.compile(rf"fte_([0-9A-Za-z]{{{_ID_LENGTH}}})_([0-9A-Za-z]{{{_SECRET_LENGTH}}})([0-9A-Za-z]{{6}})")
_IPV6_NETWORK_BITS: Final = 64  # one customer's network: its addresses are as good as one

_log = structlog.get_logger("fte.api_keys")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class KeyRefused(FteError):
    """A key that may not be used: unknown, wrong, expired, revoked, or not from this address.

    The text is the same for all of them, so that it tells nothing about a key to whoever tries some; `reason` is for
    the log.
    """

    def __init__(self, reason: str, key_id: str | None = None) -> None:
        super().__init__("this API key is not accepted; check it, or ask whoever manages your keys for a new one")
        self.reason = reason
        self.key_id = key_id
        """The id of the key as it was presented; it is no secret."""


class AddressSlowed(FteError):
    """An address that presented too many wrong keys, and when it may present another."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many wrong API keys came from this address; present another in {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a key speaks for, and what it may do."""

    key_id: str
    tenant: str
    """The one tenant that the key is for; OPERATOR: a key that administers all of them, and does nothing else."""
    scopes: frozenset[str]
    person: str | None
    """The name under which the key's actions go on record; None: the key's id will do."""


class GeneratedKey(NamedTuple):
    """A key as it is made; the text is shown once, to whoever asked for it."""

    key_id: str
    text: str
    key_hash: bytes


@dataclass(frozen=True, slots=True)
class _Found:
    """What PostgreSQL said of a key."""

    principal: Principal | None
    reason: str
    """Why the key may not be used; empty where it may."""
    addresses: tuple[Network, ...] = ()
    until: datetime | None = None


def make_key() -> GeneratedKey:
    """Make a key of 256 random bits."""
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    text = f"fte_{key_id}_{secret}{checksum_of(secret)}"
    return GeneratedKey(key_id, text, hash_of(text))


def checksum_of(secret: str) -> str:
    """Return the checksum that ends a key: CRC-32 in base 62. By it a mistyped key is known without asking anybody."""
    number = zlib.crc32(secret.encode())
    digits = []
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def hash_of(text: str) -> bytes:
    """Return what is stored of a key."""
    return hashlib.sha256(text.encode()).digest()


def id_of(presented: str) -> str | None:
    """Return the id of a well-formed key; None for anything else, also where the checksum is wrong."""
    match = _KEY.fullmatch(presented)
    return match[1] if match is not None and checksum_of(match[2]) == match[3] else None


class ApiKeys:
    """Verifies keys for one process, on its event loop, with few questions to PostgreSQL.

    What PostgreSQL said of a key holds for VIEW_SECONDS_MAX, whether it is right or wrong. An address that presents
    wrong keys is slowed down; a key that was right before is verified from there all the same, so that one mistaken
    client does not lock out others behind the same address.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._found: FreshCache[tuple[str, bytes], _Found] = FreshCache(
            self._look_up, seconds_max=VIEW_SECONDS_MAX, entries_max=KEYS_MAX, clock=clock
        )
        self._right: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self._brake = _Brake(clock)

    async def verify(self, presented: str, address: str) -> Principal:
        """Return whom a key speaks for that came from an address (IPv4 or IPv6, of the client and not of a proxy).

        Raises KeyRefused; AddressSlowed; ServerUnreachable while PostgreSQL is away and the key is not known here.
        """
        key_id = id_of(presented)
        handle = (key_id or "", hash_of(presented))
        if handle not in self._right:
            self._brake.check(address)
        found = _Found(None, "malformed") if key_id is None else await self._found.get(handle)
        reason = found.reason or _find_refusal(found, address)
        if reason or found.principal is None:
            self._right.pop(handle, None)
            self._brake.count(address)
            _log.info("api_key.refused", key_id=key_id, reason=reason)
            raise KeyRefused(reason, key_id)
        self._remember(handle)
        return found.principal

    def _remember(self, handle: tuple[str, bytes]) -> None:
        self._right[handle] = None
        self._right.move_to_end(handle)
        if len(self._right) > KEYS_MAX:
            self._right.popitem(last=False)

    async def _look_up(self, handle: tuple[str, bytes]) -> _Found:
        key_id, key_hash = handle
        try:
            rows = await self._database.read("", "find_api_key", key_id=key_id, key_hash=key_hash)
        except POSTGRESQL_AWAY as error:
            raise ServerUnreachable(
                "PostgreSQL", self._database.address, "FTE_DATABASE_URL", first_line(error)
            ) from None
        if not rows:
            return _Found(None, "unknown")
        row = rows[0]
        if row["refused_because"] is not None:
            return _Found(None, row["refused_because"])
        tenant = row["of_tenant"] or OPERATOR
        if row["proof"] is not None:
            self._database.keep_proof(tenant, row["proof"])
        principal = Principal(key_id, tenant, frozenset(row["may"]), row["as_person"])
        return _Found(principal, "", tuple(row["from_addresses"]), row["until"])


def _find_refusal(found: _Found, address: str) -> str:
    """Find why a right key may not be used now and from here; empty where it may."""
    if found.until is not None and found.until <= datetime.now(UTC):
        return "expired"
    if not found.addresses:
        return ""
    try:
        place = _plain(address)
    except ValueError:
        return "address"
    return "" if any(place in network for network in found.addresses) else "address"


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an address; an IPv4 one that is written as IPv6 is the IPv4 one. Raises ValueError."""
    place = ipaddress.ip_address(address)
    return getattr(place, "ipv4_mapped", None) or place


class _Brake:
    """Counts wrong keys by address, and says who has to wait.

    Each wrong key moves the time at which the address is free of blame by WRONG_KEY_SECONDS; who is WRONG_KEYS_MAX
    of them ahead of the clock waits (the generic cell rate algorithm).
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._free_at: OrderedDict[str, float] = OrderedDict()

    def check(self, address: str) -> None:
        """Raise AddressSlowed for an address that has to wait."""
        ahead = self._free_at.get(_network_of(address), 0.0) - self._clock()
        wait = ahead - (WRONG_KEYS_MAX - 1) * WRONG_KEY_SECONDS
        if wait > 0:
            raise AddressSlowed(ceil(wait))

    def count(self, address: str) -> None:
        """Count one wrong key."""
        place = _network_of(address)
        self._free_at[place] = max(self._free_at.get(place, 0.0), self._clock()) + WRONG_KEY_SECONDS
        self._free_at.move_to_end(place)
        if len(self._free_at) > KEYS_MAX:
            self._free_at.popitem(last=False)


def _network_of(address: str) -> str:
    """Return what is slowed as one: an IPv4 address, or the network of an IPv6 one."""
    try:
        place = _plain(address)
    except ValueError:
        return address
    if place.version == 4:  # noqa: PLR2004 - the protocol's number
        return str(place)
    return str(ipaddress.ip_network((place, _IPV6_NETWORK_BITS), strict=False))
