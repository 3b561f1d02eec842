from __future__ import annotations

import pytest

from producer.channels.email.identity import is_verified
from producer.channels.email.mail_reading import read_mail
from producer.channels.email.mailboxes import read_addresses
from tests.unit.mail_cases import mail

MX = "mx.air.example"
PASS = f"Authentication-Results: {MX}; spf=pass smtp.mailfrom=x; dmarc=pass (p=reject) header.from=customer.example"
RECEIVED = "Received: from out.customer.example by mx.air.example; Sun, 3 May 2026 10:12:00 +0200"

VERIFIED = {
    "dmarc passed": mail(PASS, RECEIVED),
    "folded": mail(PASS.replace("; dmarc", ";\n dmarc"), RECEIVED),
    "a version": mail(PASS.replace(f"{MX};", f"{MX} 1;"), RECEIVED),
    "method version": mail(PASS.replace("dmarc=", "dmarc/1="), RECEIVED),
    "capitals": mail(PASS.replace("dmarc=pass", "DMARC=Pass").replace(MX, MX.upper()), RECEIVED),
    "comments": mail(PASS.replace("dmarc=pass", "(a;b) dmarc (x) = pass"), RECEIVED).replace(
        b"dmarc (x) =", b"dmarc ="
    ),
    "quoted domain": mail(PASS.replace("header.from=customer.example", 'header.from="customer.example"'), RECEIVED),
    "two fields of ours": mail(f"Authentication-Results: {MX}; dkim=pass header.d=customer.example", PASS, RECEIVED),
    "another server's beside it": mail(PASS, "Authentication-Results: other.example; dmarc=fail", RECEIVED),
    "international domain": mail(
        PASS.replace("customer.example", "xn--bcher-kva.example"), RECEIVED, From="Ada <a@bücher.example>"
    ),
    "a quoted name": mail(PASS, RECEIVED, From='"Okafor, Ada" <ada@customer.example>'),
    "a comma that nobody quoted": mail(PASS, RECEIVED, From="Okafor, Ada <ada@customer.example>"),
    "no Received at all": mail(PASS),
    "an address alone": mail(PASS, From="ada@customer.example"),
    "Reply-To elsewhere": mail(PASS, "Reply-To: x@evil.example"),
}


@pytest.mark.parametrize("name", VERIFIED)
def test_dmarc_passed_at_our_own_server_verifies_the_sender(name: str) -> None:
    assert is_verified(read_mail(VERIFIED[name]), MX)


FORGED = {
    "no results": mail(),
    "below a Received": mail(RECEIVED, PASS),
    "another server's": mail(PASS.replace(MX, "mx.evil.example"), RECEIVED),
    "a server that begins alike": mail(PASS.replace(MX, f"{MX}.evil.example"), RECEIVED),
    "a server that ends alike": mail(PASS.replace(MX, f"evil.{MX}"), RECEIVED),
    "our name in a comment": mail(PASS.replace(MX, f"evil.example ({MX})"), RECEIVED),
    "dmarc failed": mail(PASS.replace("dmarc=pass", "dmarc=fail"), RECEIVED),
    "dmarc none": mail(PASS.replace("dmarc=pass", "dmarc=none"), RECEIVED),
    "dmarc bestguesspass": mail(PASS.replace("dmarc=pass", "dmarc=bestguesspass"), RECEIVED),
    "another domain": mail(PASS.replace("header.from=customer.example", "header.from=evil.example"), RECEIVED),
    "a domain above": mail(PASS.replace("header.from=customer.example", "header.from=example"), RECEIVED),
    "a subdomain": mail(PASS, RECEIVED, From="ada@mail.customer.example"),
    "no domain told": mail(PASS.replace(" header.from=customer.example", ""), RECEIVED),
    "two domains told": mail(PASS + " header.from=evil.example", RECEIVED),
    "passed and failed": mail(PASS, PASS.replace("dmarc=pass", "dmarc=fail"), RECEIVED),
    "passed twice": mail(PASS, PASS, RECEIVED),
    "pass in a comment": mail(PASS.replace("dmarc=pass (p=reject)", "dmarc=fail (dmarc=pass)"), RECEIVED),
    "pass in quotes": mail(PASS.replace("dmarc=pass", 'x="; dmarc=pass"'), RECEIVED),
    "dkim alone": mail(f"Authentication-Results: {MX}; dkim=pass header.d=customer.example", RECEIVED),
    "spf alone": mail(f"Authentication-Results: {MX}; spf=pass smtp.mailfrom=customer.example", RECEIVED),
    "arc alone": mail(f"Authentication-Results: {MX}; arc=pass header.from=customer.example", RECEIVED),
    "ARC's own field": mail(PASS.replace("Authentication-Results", "ARC-Authentication-Results"), RECEIVED),
    "two From fields": mail(PASS, "From: evil@evil.example", RECEIVED),
    "two addresses": mail(PASS, RECEIVED, From="ada@customer.example, evil@evil.example"),
    "a group": mail(PASS, RECEIVED, From="friends: ada@customer.example;"),
    "an empty group": mail(PASS, RECEIVED, From="undisclosed:;"),
    "an address in the name": mail(PASS, RECEIVED, From='"ada@customer.example" <evil@evil.example>'),
    "two pairs of brackets": mail(PASS, RECEIVED, From="<ada@customer.example> <evil@evil.example>"),
    "brackets without an end": mail(PASS, RECEIVED, From="Ada <ada@customer.example"),
    "quotes without an end": mail(PASS, RECEIVED, From='"Ada <ada@customer.example>'),
    "a comment between": mail(PASS, RECEIVED, From="ada@evil.example(ada)@customer.example"),
    "a look-alike domain": mail(PASS, RECEIVED, From="ada@customеr.example"),  # with a Cyrillic letter
    "no From": mail(PASS, RECEIVED, From=""),
    "an empty address": mail(PASS, RECEIVED, From="Ada <>"),
    "a domain in brackets": mail(PASS, RECEIVED, From="ada@[127.0.0.1]"),
    "over a list": mail(PASS, "List-Id: <l.example>", RECEIVED),
    "to a list": mail(PASS, "List-Post: <mailto:l@l.example>", RECEIVED),
    "injected by a folded Subject": mail(RECEIVED, Subject="x\n Authentication-Results: y"),
    "injected by a lone CR": mail(RECEIVED, Subject="x").replace(b"Subject: x", b"Subject: x\r" + PASS.encode()),
    "an encoded word": mail(
        RECEIVED, "Subject: =?utf-8?q?x=0D=0AAuthentication-Results:_mx.air.example=3B_dmarc=3Dpass?="
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_nothing_else_verifies_a_sender(name: str) -> None:
    assert not is_verified(read_mail(FORGED[name]), MX)


def test_without_a_configured_name_nobody_is_verified() -> None:
    assert not is_verified(read_mail(VERIFIED["dmarc passed"]), None)
    assert not is_verified(read_mail(VERIFIED["dmarc passed"]), "")


def test_results_below_the_fields_of_our_own_servers_count_where_that_is_set() -> None:
    below = read_mail(mail(RECEIVED, PASS))
    further = read_mail(mail(RECEIVED, RECEIVED, PASS))

    assert is_verified(below, MX, own_hops=1)
    assert not is_verified(further, MX, own_hops=1)


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("a@b.example", ["a@b.example"]),
        ("A <a@b.example>, B <b@b.example>", ["a@b.example", "b@b.example"]),
        ('"x, y" <a@b.example>', ["a@b.example"]),
        ("x (a comment, with a comma) <a@b.example>", ["a@b.example"]),
        ("(nested (comments)) a@b.example", ["a@b.example"]),
        ("a@b.example (unclosed", ["a@b.example"]),
        ("A.B@B.EXAMPLE", ["A.B@b.example"]),
        ("a b@b.example", [None]),
        ("a@b@c.example", [None]),
        ("@b.example", [None]),
        ("a@", [None]),
        ("a@b.example\u202e", [None]),
        ('"a b"@b.example', [None]),
        ("x" * 65 + "@b.example", [None]),
        ("<a@b.example>x<c@d.example>", [None]),
        ("a\\@b.example", [None]),
        ("", []),
        (",,,", []),
        ("just a name", [None]),
        ("group: a@b.example, c@d.example;", [None, None]),
    ],
)
def test_addresses_are_read_for_sure_or_not_at_all(value: str, addresses: list[str | None]) -> None:
    assert [found.address if found else None for found in read_addresses(value)] == addresses
