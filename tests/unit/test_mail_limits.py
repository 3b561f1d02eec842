from __future__ import annotations

import time

import pytest

from ops.lab.mail_costs import COSTLY, read_as_doors_do
from producer.channels.email.mail_reading import read_mail
from producer.channels.email.raw_mail import (
    DELIMITERS_MAX,
    DEPTH_MAX,
    FIELD_BYTES_MAX,
    FIELDS_MAX,
    HEADER_BYTES_MAX,
    LINE_BYTES_MAX,
    MAIL_BYTES_MAX,
    PARTS_MAX,
    OverLimit,
    split_mail,
)
from tests.unit.mail_cases import mail, multipart, part

HEADER = b"From: a@b.example\nSubject: s\n"


def nested(levels: int) -> bytes:
    lines = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (at, at) for at in range(levels))
    return HEADER + lines + b"\n" + b"innermost"


OVER = {
    "bytes": HEADER + b"\n" + b"a\n" * (MAIL_BYTES_MAX // 2),
    "lines that may begin a part": HEADER + b"\n" + b"--x\n" * (DELIMITERS_MAX + 2),
    "bytes in a line": HEADER + b"\n" + b"a" * (LINE_BYTES_MAX + 1),
    "bytes of header": HEADER + b"X: y\n" * (HEADER_BYTES_MAX // 5) + b"\nbody",
    "header fields": b"X: y\n" * (FIELDS_MAX + 1) + b"\nbody",
    "parts": multipart("mixed", *[part("x")] * (PARTS_MAX + 1)),
    "levels of parts": nested(DEPTH_MAX + 1),
}


@pytest.mark.parametrize("what", OVER)
def test_a_mail_over_a_limit_is_not_read_and_says_which_limit(what: str) -> None:
    with pytest.raises(OverLimit) as refused:
        read_mail(OVER[what])

    assert refused.value.what == what
    assert refused.value.number > refused.value.maximum


AT_THE_LIMIT = {
    "bytes": HEADER + b"\n" + b"a\n" * ((MAIL_BYTES_MAX - len(HEADER) - 1) // 2),
    "delimiters": HEADER + b"\n" + b"--x\n" * (DELIMITERS_MAX - 1),
    "line": HEADER + b"\n" + b"a" * LINE_BYTES_MAX,
    "fields": HEADER + b"X: y\n" * (FIELDS_MAX - 2) + b"\nbody",
    "parts": multipart("mixed", *[part("x")] * (PARTS_MAX - 1)),
    "levels": nested(DEPTH_MAX),
}


@pytest.mark.parametrize("name", AT_THE_LIMIT)
def test_a_mail_at_a_limit_is_read(name: str) -> None:
    assert read_mail(AT_THE_LIMIT[name]).sender is not None or name == "fields"


def test_a_long_field_is_cut_and_the_mail_read_all_the_same() -> None:
    long = read_mail(mail(Subject="x" * (FIELD_BYTES_MAX * 2)))

    assert len(long.fields.first("subject")) == FIELD_BYTES_MAX
    assert len(long.subject) == 500


@pytest.mark.parametrize("length", [LINE_BYTES_MAX, LINE_BYTES_MAX + 1])
@pytest.mark.parametrize("at", [0, 1, 70, LINE_BYTES_MAX - 1])
def test_a_line_that_is_too_long_is_found_wherever_it_stands(length: int, at: int) -> None:
    raw = HEADER + b"\n" + b"b" * at + b"\n" + b"a" * length + b"\nend\n"

    try:
        split_mail(raw)
        found = False
    except OverLimit:
        found = True

    assert found == (length > LINE_BYTES_MAX)


@pytest.mark.parametrize("name", COSTLY)
def test_what_costs_a_parser_much_costs_hardly_anything(name: str) -> None:
    """The bound is ten times what is promised, for machines that are busy; the lab's command has the figures."""
    raw = COSTLY[name]()
    began = time.process_time()

    read_as_doors_do(raw)

    assert time.process_time() - began < 0.5
