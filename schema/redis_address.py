"""Read an address of Redis that names Sentinels: which ask for, of which primary, and with which credentials."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

SENTINEL_SCHEMES = ("redis+sentinel", "rediss+sentinel")
SENTINEL_PORT = 26_379
SENTINEL_PARAMETERS = ("primary", "sentinel_username", "sentinel_password")
"""Parameters of an address that names Sentinels, besides those of TLS."""

_ADDRESS = re.compile(
    r"(?P<scheme>rediss?)\+sentinel://(?:(?P<login>[^/?#]*)@)?(?P<hosts>[^@/?#]+)(?:/(?P<database>[0-9]*))?(?:\?(?P<query>[^#]*))?"
)
_HOST = re.compile(r"(?:\[(?P<literal>[0-9A-Fa-f:.]+)\]|(?P<name>[^\s:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
_PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """The Sentinels that know where a primary is, and how to log in to them and to it."""

    primary: str
    """The name by which the Sentinels know it."""
    sentinels: tuple[tuple[str, int], ...]
    database: int
    login: dict[str, str] = field(repr=False)
    """`username` and `password` for Redis, as far as the address has them."""
    sentinel_login: dict[str, str] = field(repr=False)
    """The same for the Sentinels."""
    tls: dict[str, Any] | None
    """The client's `ssl_…` options for Redis and Sentinels; None: no TLS."""


def is_sentinel_url(url: str) -> bool:
    """Check whether an address is of the kind that names Sentinels."""
    return url.startswith(tuple(f"{scheme}://" for scheme in SENTINEL_SCHEMES))


def read_sentinel_url(url: str) -> SentinelAddress | None:
    """Read `redis+sentinel://user:password@host:port,host:port/0?primary=name`; None for any other address.

    With `rediss+sentinel://` Redis and Sentinels are spoken to over TLS. Raises ValueError, whose text quotes nothing
    of the address.
    """
    if not is_sentinel_url(url):
        return None
    found = _ADDRESS.fullmatch(url)
    if found is None:
        raise ValueError("not an address")
    parameters = dict(parse_qsl(found["query"] or "", keep_blank_values=True))
    if not parameters.get("primary"):
        raise ValueError("it does not say which primary the Sentinels are asked for, such as ?primary=mymaster")
    username, _, password = (found["login"] or "").partition(":")
    of_sentinels = [parameters.get(f"sentinel_{name}", "") for name in ("username", "password")]
    return SentinelAddress(
        primary=parameters["primary"],
        sentinels=tuple(map(_read_host, found["hosts"].split(","))),
        database=int(found["database"] or 0),
        login=_login(unquote(username), unquote(password)),
        sentinel_login=_login(*of_sentinels),
        tls=_tls(parameters) if found["scheme"] == "rediss" else None,
    )


def _read_host(text: str) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    if found is None:
        raise ValueError("one of its Sentinels is no host:port")
    port = int(found["port"] or SENTINEL_PORT)
    if not 0 < port <= _PORT_MAX:
        raise ValueError("a Sentinel's port is no number from 1 to 65535")
    return found["literal"] or found["name"], port


def _login(username: str, password: str) -> dict[str, str]:
    return {name: value for name, value in (("username", username), ("password", password)) if value}


def _tls(parameters: dict[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {name: value for name, value in parameters.items() if name.startswith("ssl_")}
    # kombu would verify no certificate where it is not told to.
    options.setdefault("ssl_cert_reqs", "required")
    if "ssl_check_hostname" in options:
        options["ssl_check_hostname"] = options["ssl_check_hostname"] == "true"
    return options
