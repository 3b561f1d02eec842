"""No webhook goes to anything that is inside, however its address is spelled or wrapped."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.delivery.vetting import AddressRefused, Endpoint, UnsafeUrl, check_addresses, is_public, read_endpoint

INSIDE = [
    "0.0.0.0",  # noqa: S104 - not bound to
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "169.254.170.2",
    "168.63.129.16",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::169.254.169.254",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:0:808:808::f7f7:f7f7",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2002:808:808::",
    "2620:4f:8000::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]

OUTSIDE = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "198.17.255.255",
    "198.20.0.1",
    "223.255.255.254",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "2001:4860:4860::8888",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_inside_or_reserved_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_ordinary_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_no_way_to_wrap_an_address_makes_it_public(address: IPv4Address) -> None:
    number = int(address)
    wrapped = {
        "mapped": 0xFFFF << 32 | number,
        "compatible": number,
        "nat64": 0x64FF9B << 96 | number,
        "6to4": 0x2002 << 112 | number << 80,
        "teredo server": 0x20010000 << 96 | number << 64,
        "teredo client": 0x20010000 << 96 | (number ^ 0xFFFFFFFF),
    }

    for way, value in wrapped.items():
        assert not is_public(IPv6Address(value)) or is_public(address), way


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.0.0.1./",
        "https://8.8.8.8/",
        "https://134744072/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]:8443/",
        "https://[fe80::1%25eth0]/",
        "https://１２７.0.0.1/",
        "https://①②⑦.⓪.⓪.①/",
        "https://127。0。0。1/",
        "https://user@hook.example/",
        "https://user:pass@hook.example/",
        "https://hook.example@10.0.0.1/",
        "https://hook.example\\@10.0.0.1/",
        "https://hook.example/#fragment",
        "https://hook.example/ path",
        "https://hook.example/\r\nhost: x",
        "https://hook.example:99999/",
        "https:///path",
        "https://",
        "https://a..b/",
        "https://-x-.exa mple/",
        "https://.example/",
        "ftp://hook.example/",
        "file:///etc/passwd",
        "gopher://hook.example/",
        "//hook.example/",
        "hook.example",
        "",
        "https://hook.example/" + "x" * 2_000,
        "https://" + "a" * 64 + ".example/",
    ],
)
def test_a_url_that_is_not_plainly_a_named_host_over_http_is_refused(url: str) -> None:
    with pytest.raises(UnsafeUrl):
        read_endpoint(url)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://Hook.Example", "https://hook.example/"),
        ("https://hook.example./x", "https://hook.example/x"),
        ("https://hook.example:443/x?y=1&z=%20", "https://hook.example/x?y=1&z=%20"),
        ("https://hook.example:8443/", "https://hook.example:8443/"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://1.example/", "https://1.example/"),
        ("http://localhost:8080/hook", "http://localhost:8080/hook"),
    ],
)
def test_a_url_is_normalised(url: str, normal: str) -> None:
    assert read_endpoint(url).url == normal


HTTPS = Endpoint("https", "hook.example", 443, "/")
LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
DESK = [ip_network("10.1.2.0/24")]


@pytest.mark.parametrize(
    ("endpoint", "addresses", "networks"),
    [
        (HTTPS, [], []),
        (HTTPS, ["10.1.2.3"], []),
        (HTTPS, ["8.8.8.8", "10.1.2.3"], []),
        (HTTPS, ["10.1.3.3"], DESK),
        (HTTPS, ["127.0.0.1"], DESK),
        (HTTPS, ["fe80::1%eth0"], []),
        (Endpoint("https", "hook.example", 22, "/"), ["8.8.8.8"], []),
        (Endpoint("http", "hook.example", 80, "/"), ["8.8.8.8"], []),
        (Endpoint("http", "hook.example", 80, "/"), ["10.1.2.3"], DESK),
        (Endpoint("http", "localhost", 8080, "/"), ["127.0.0.1"], []),
        (Endpoint("http", "localhost", 8080, "/"), ["127.0.0.1", "8.8.8.8"], LOOPBACK),
    ],
)
def test_a_name_that_leads_anywhere_it_must_not_is_refused(
    endpoint: Endpoint, addresses: list[str], networks: list[object]
) -> None:
    with pytest.raises(AddressRefused, match="FTE_WEBHOOK_NETWORKS"):
        check_addresses(endpoint, addresses, networks)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("endpoint", "addresses", "networks"),
    [
        (HTTPS, ["8.8.8.8", "2606:4700:4700::1111"], []),
        (HTTPS, ["10.1.2.3"], DESK),
        (HTTPS, ["::ffff:10.1.2.3"], DESK),
        (Endpoint("https", "desk.example", 9443, "/"), ["10.1.2.3"], DESK),
        (Endpoint("http", "localhost", 8080, "/"), ["127.0.0.1", "::1"], LOOPBACK),
    ],
)
def test_a_name_that_leads_where_it_may_is_accepted(
    endpoint: Endpoint, addresses: list[str], networks: list[object]
) -> None:
    check_addresses(endpoint, addresses, networks)  # type: ignore[arg-type]
