"""Addresses of PostgreSQL and Redis: shown without their secrets, and checked for mistakes."""

from __future__ import annotations

from contextlib import suppress
from itertools import zip_longest
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from schema.redis_address import SENTINEL_PARAMETERS, is_sentinel_url, read_sentinel_url

UNREADABLE = "an address that cannot be read"

_REDIS_SCHEMES = ("redis", "rediss")
# Parameters that redis-py and kombu, which both connect to this address, read alike. Any other is read by one of them
# alone, or refused: `protocol`, `client_name`, `health_check_interval` are refused by kombu, `db` is not seen by it.
_REDIS_PARAMETERS: dict[str, tuple[str, ...]] = {
    "ssl_cert_reqs": ("none", "optional", "required"),
    "ssl_check_hostname": ("true", "false"),
    "ssl_ca_certs": (),
    "ssl_ca_path": (),
    "ssl_certfile": (),
    "ssl_keyfile": (),
}
_POSTGRESQL_FORM = "give postgresql://user:password@host:port/database, with %23 for # and so on in the password"
_REDIS_FORM = "give redis://:password@host:port/0 or rediss://…, with %23 for # and so on in the password"
_SENTINEL_FORM = (
    "with Sentinel give redis+sentinel://:password@host:port,host:port/0?primary=mymaster, or rediss+sentinel://…"
)


def address_of(url: str) -> str:
    """Return where a server's URL or libpq connection string leads, without user, password or options; never raises.

    Several hosts of a PostgreSQL, or several Sentinels, stand beside each other: `h1:5432,h2:5432/db`.
    """
    if is_sentinel_url(url):
        return _address_by_sentinels(url)
    if url.startswith(tuple(f"{scheme}://" for scheme in _REDIS_SCHEMES)):
        parts = _split(url)
        return UNREADABLE if parts is None else f"{_place(parts.hostname or 'localhost', _port(parts))}{parts.path}"
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        return UNREADABLE
    hosts = str(given.get("host") or given.get("hostaddr") or "").split(",")
    ports = str(given.get("port") or "").split(",")
    if len(ports) == 1:
        ports *= len(hosts)  # one port is every host's
    places = ",".join(_place(host, port) for host, port in zip_longest(hosts, ports))
    return f"{places}/{given.get('dbname') or ''}".rstrip("/") or "libpq's default"


def _address_by_sentinels(url: str) -> str:
    try:
        read = read_sentinel_url(url)
    except ValueError:
        read = None
    if read is None:
        return UNREADABLE
    return f"{read.primary} of {','.join(_place(host, port) for host, port in read.sentinels)}"


def find_database_url_problem(url: str) -> str | None:
    """Return what is wrong with PostgreSQL's address, quoting nothing of it; None where libpq can read it."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:  # libpq's own words quote the string
        return f"not an address that PostgreSQL's clients read; {_POSTGRESQL_FORM}"
    ports = str(given.get("port") or "").split(",")
    if not all(port == "" or _is_port(port) for port in ports):
        return f"its port is no number from 1 to 65535; {_POSTGRESQL_FORM}"
    return None


def find_redis_url_problem(url: str) -> str | None:
    """Return what is wrong with Redis's address, quoting nothing of it; None where both Redis clients can read it."""
    return _find_sentinel_problem(url) if is_sentinel_url(url) else _find_redis_problem(url)


def _find_redis_problem(url: str) -> str | None:
    parts = _split(url)
    if parts is None or parts.fragment:
        return f"not an address; {_REDIS_FORM}"
    if parts.scheme not in _REDIS_SCHEMES or not url.startswith(f"{parts.scheme}://"):
        return f"it begins neither with redis:// nor with rediss://; {_REDIS_FORM}; {_SENTINEL_FORM}"
    if "," in parts.netloc.rpartition("@")[2]:
        return f"it names several hosts; {_REDIS_FORM}; {_SENTINEL_FORM}"
    if _port(parts) is None and parts.netloc.rpartition("@")[2].rpartition("]")[2].count(":"):
        return f"its port is no number from 1 to 65535; {_REDIS_FORM}"
    if parts.path.strip("/") and not parts.path.strip("/").isdecimal():
        return f"behind the host stands the number of a database, such as /0; {_REDIS_FORM}"
    return _find_parameter_problem(parts)


def _find_sentinel_problem(url: str) -> str | None:
    try:
        read_sentinel_url(url)
    except ValueError as error:
        return f"{error}; {_SENTINEL_FORM}, with %23 for # and so on in the passwords"
    return _find_parameter_problem(urlsplit(url), SENTINEL_PARAMETERS)


def _find_parameter_problem(parts: SplitResult, others: tuple[str, ...] = ()) -> str | None:
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name in others:
            continue
        if name not in _REDIS_PARAMETERS:
            return f"a parameter other than {', '.join((*others, *_REDIS_PARAMETERS))}"
        if not parts.scheme.startswith("rediss"):
            return f"{name} is for rediss://"
        allowed = _REDIS_PARAMETERS[name]
        if allowed and value not in allowed:
            return f"{name} is one of {', '.join(allowed)}"
    return None


def reason_of(error: BaseException, url: str) -> str:
    """Return the first line of a server's or client library's error, without the address it quotes or its password."""
    reason = first_line(error)
    if url and url in str(error):
        return type(error).__name__
    for password in _passwords(url):
        reason = reason.replace(password, "…")
    return reason


def _passwords(url: str) -> list[str]:
    """Return the password as it stands in an address, and decoded."""
    parts = _split(url)
    found = [] if parts is None else [parts.password, unquote(parts.password or "")]
    if parts is not None and is_sentinel_url(url):
        found += [value for name, value in parse_qsl(parts.query) if name == "sentinel_password"]
    with suppress(psycopg.Error):
        found.append(str(conninfo_to_dict(url).get("password") or ""))
    return [password for password in found if password]


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text: servers' errors run over many."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _place(host: str | None, port: str | int | None) -> str:
    shown = f"[{host}]" if host and ":" in host else host or ""
    return f"{shown}:{port}" if port else shown


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port or None
    except ValueError:
        return None


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) <= 65_535  # noqa: PLR2004 - TCP's
