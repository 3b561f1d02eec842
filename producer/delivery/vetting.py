"""Decide which URLs and addresses a webhook may go to, so that nobody can point one at what is inside.

The rules are stricter than `ipaddress.is_global`: that takes the NAT64, 6to4 and IPv4-compatible forms of private
addresses, multicast and some reserved ranges for global ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import idna

from schema.errors import FteError

if TYPE_CHECKING:
    from collections.abc import Sequence

PORTS: Final = frozenset({443, 8443})
"""Ports of receivers that are on the internet; in a network that the operator names, any port will do."""

URL_CHARACTERS_MAX: Final = 2_000

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64: Final = ip_network("64:ff9b::/96")
# Not for receivers, whatever `is_global` says: what stands for an IPv4 address (compatible, local NAT64, Teredo, 6to4
# and its relays), documentation (RFC 9637), SRv6 (RFC 9602), site-local (RFC 3879), benchmarks, ORCHID, discard,
# protocol assignments, AS112, AMT, multicast and everything above it.
_DENIED: Final = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "168.63.129.16/32",  # the cloud's own services, at a global address
        "192.0.0.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "224.0.0.0/3",
        "::/8",
        "100::/8",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/9",
        "ff00::/8",
    )
)
_BLANK: Final = re.compile(r"[\x00-\x20\x7f]")
_UNESCAPED: Final = "/?%:@!$&'()*+,;=~-._"  # RFC 3986, 3.4; and what is escaped already
_NUMBER: Final = re.compile(r"\d+|0[xX][0-9A-Fa-f]*")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


class UnsafeUrl(FteError):
    """A URL that no webhook is sent to; the text says why and what would do."""


class AddressRefused(FteError):
    """A receiver whose name leads to an address that no webhook is sent to."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host} {reason}; a private receiver's network must stand in FTE_WEBHOOK_NETWORKS")


@dataclass(frozen=True)
class Endpoint:
    """A receiver's URL in parts, normalised: `host` is ASCII in lower case without a trailing dot."""

    scheme: str
    host: str
    port: int
    path: str
    """Path and query, escaped."""

    @property
    def url(self) -> str:
        """Return the URL, with its port only where it is not the scheme's own."""
        default = {"https": 443, "http": 80}[self.scheme]
        port = "" if self.port == default else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path}"


def read_endpoint(url: str) -> Endpoint:
    """Parse a receiver's URL; raises UnsafeUrl for one that could lead anywhere but to a named host by HTTP.

    Refused are other schemes, user names and passwords, fragments, and addresses in any spelling instead of a name.
    """
    if len(url) > URL_CHARACTERS_MAX or _BLANK.search(url):
        raise UnsafeUrl(f"a URL of at most {URL_CHARACTERS_MAX} characters without blanks is needed")
    try:
        parts = urlsplit(url)
        port, name = parts.port, parts.hostname
    except ValueError as error:
        raise UnsafeUrl(f"not a URL: {error}") from None
    if parts.scheme not in {"https", "http"} or not name:
        raise UnsafeUrl("only https://<host>/<path> will do")
    if "@" in parts.netloc or "\\" in url or "#" in url:
        raise UnsafeUrl("a URL with a user name, a backslash or a fragment will not do")
    path = quote(parts.path or "/", safe=_UNESCAPED)
    query = "?" + quote(parts.query, safe=_UNESCAPED) if parts.query else ""
    default = 443 if parts.scheme == "https" else 80
    return Endpoint(parts.scheme, read_host(name), default if port is None else port, path + query)


def read_host(name: str) -> str:
    """Return a host's name in ASCII, lower case, without a trailing dot; raises UnsafeUrl for an address.

    What ends in a number is an address to some resolver: 127.1, 2130706433, 0x7f.1, full-width digits
    (WHATWG URL, "ends in a number").
    """
    try:
        ascii_name = idna.encode(name, uts46=True, transitional=False).decode() if not name.isascii() else name.lower()
    except idna.IDNAError as error:
        raise UnsafeUrl(f"not a host's name: {error}") from None
    ascii_name = ascii_name.removesuffix(".")
    labels = ascii_name.split(".")
    if ":" in ascii_name or _NUMBER.fullmatch(labels[-1]):
        raise UnsafeUrl("a host's name is needed, not an address")
    if len(ascii_name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):  # noqa: PLR2004 - RFC 1035, 2.3.4
        raise UnsafeUrl("not a host's name")
    return ascii_name


def check_addresses(endpoint: Endpoint, addresses: Sequence[str], networks: Sequence[Network]) -> None:
    """Check every address that a receiver's name led to; raises AddressRefused unless a webhook may go to each.

    An address will do when it is on the internet, or in one of the `networks` that the operator named. Without
    encryption only loopback will do.
    """
    if not addresses:
        raise AddressRefused(endpoint.host, "has no address")
    for text in addresses:
        address = unwrap(ip_address(text.partition("%")[0]))
        is_named = any(address in network for network in networks if network.version == address.version)
        if endpoint.scheme != "https" and not (is_named and address.is_loopback):
            raise AddressRefused(endpoint.host, "is sent to without encryption, and is not on loopback")
        if is_named:
            continue
        if not is_public(address):
            raise AddressRefused(endpoint.host, "leads to a private or reserved address")
        if endpoint.port not in PORTS:
            raise AddressRefused(endpoint.host, f"listens on port {endpoint.port}, and only 443 and 8443 will do")


def is_public(address: Address) -> bool:
    """Check whether an address is an ordinary one on the internet, and so is the one that it carries, if any."""
    plain = unwrap(address)
    denied = (network for network in _DENIED if network.version == plain.version)
    return plain.is_global and not any(plain in network for network in denied)


def unwrap(address: Address) -> Address:
    """Return the IPv4 address that an IPv4-mapped or NAT64 one (RFC 4291, RFC 6052) leads to; any other as it is.

    6to4, Teredo and IPv4-compatible addresses lead to IPv4 as well. They are denied whatever they carry: no receiver
    has needed one for years.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
