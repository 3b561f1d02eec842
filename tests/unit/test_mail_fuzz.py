"""Read every nasty mail of the tables, and mails that are made out of them by cutting, joining and changing bytes."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.lab.mail_costs import COSTLY, read_as_doors_do
from producer.channels.email.automatic_mail import find_sign
from producer.channels.email.mail_reading import Mail, read_mail
from producer.channels.email.raw_mail import OverLimit
from tests.unit import test_mail_quotations as quotations
from tests.unit.mail_cases import ARRIVAL, html_mail, mail, text_mail
from tests.unit.test_mail_automatic import ANSWERED, NEVER
from tests.unit.test_mail_identity import FORGED, VERIFIED
from tests.unit.test_mail_limits import AT_THE_LIMIT, OVER
from tests.unit.test_mail_reading import SAID


def parameters_of(test: Any, name: str) -> list[Any]:
    """Give the values of a parameter that a test is run with."""
    marks = [mark for mark in test.pytestmark if mark.name == "parametrize"]
    names = (
        [each.strip() for each in marks[0].args[0].split(",")]
        if isinstance(marks[0].args[0], str)
        else marks[0].args[0]
    )
    values = [getattr(case, "values", case) for case in marks[0].args[1]]
    return [value[list(names).index(name)] if len(names) > 1 else value for value in values]


def corpus() -> list[bytes]:
    """Give every mail of the tables."""
    from tests.unit import test_mail_reading as reading  # noqa: PLC0415 - its tables are named alike

    small = [
        *(raw for _, _, raw in NEVER),
        *ANSWERED.values(),
        *VERIFIED.values(),
        *FORGED.values(),
        *(mail(body=text) for text in quotations.TOP_POSTED.values()),
        *(mail(body=text) for text, _ in quotations.KEPT.values()),
        *(html_mail(html) for html in quotations.MARKED.values()),
        *(text_mail(text, charset, "base64") for charset, text in SAID.items()),
        *parameters_of(reading.test_a_wrong_charset_is_seen_through, "raw"),
        *parameters_of(reading.test_what_a_mail_says_is_found_in_any_structure, "raw"),
        *map(html_mail, parameters_of(reading.test_html_is_read_as_its_reader_sees_it, "html")),
    ]
    return [raw for raw in small if len(raw) < 20_000]


CORPUS = corpus()
LARGE = [*OVER.values(), *AT_THE_LIMIT.values(), *(make() for make in COSTLY.values())]


def test_the_corpus_has_hundreds_of_mails_and_each_is_read_or_refused_for_a_limit() -> None:
    assert len(set(CORPUS)) + len(LARGE) >= 400

    for raw in [*CORPUS, *LARGE]:
        read_as_doors_do(raw)


def read(raw: bytes) -> Mail | None:
    try:
        return read_mail(raw)
    except OverLimit:
        return None


changes = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 40),
        st.binary(max_size=12)
        | st.sampled_from([b"\n\n", b"\n--edge\n", b"\x00", b"\r", b"\xff", b'"', b"(", b"<", b"=?utf-8?q?"]),
    ),
    max_size=6,
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(CORPUS), st.sampled_from(CORPUS), st.floats(0, 1), changes)
def test_no_mail_made_of_others_makes_reading_fail(
    one: bytes, other: bytes, cut: float, changed: list[tuple[float, int, bytes]]
) -> None:
    raw = bytearray(one[: int(len(one) * cut)] + other[int(len(other) * (1 - cut)) :] if changed else one)
    for at, length, put in changed:
        place = int(at * len(raw))
        raw[place : place + length] = put

    read_as_doors_do(bytes(raw))


signs = st.sampled_from([raw for _, _, raw in NEVER if b"\n\n" in raw])


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(signs, st.sampled_from(CORPUS), st.booleans())
def test_a_machines_mail_is_never_answered_whatever_body_it_has(sign: bytes, other: bytes, has_crlf: bool) -> None:  # noqa: FBT001 - Hypothesis passes it
    head = sign.partition(b"\n\n")[0]
    raw = head + b"\n\n" + other.partition(b"\n\n")[2]
    found = read(raw.replace(b"\n", b"\r\n") if has_crlf else raw)

    assert found is None or find_sign(found, ARRIVAL) is not None


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    signs,
    st.lists(
        st.sampled_from(["X-Mailer: x", "Received: from a by b", "MIME-Version: 1.0", "Thread-Topic: x"]), max_size=8
    ),
    st.randoms(),
)
def test_a_machines_mail_is_never_answered_in_whatever_order_its_fields_stand(
    sign: bytes, more: list[str], random: Any
) -> None:
    lines = [*sign.partition(b"\n\n")[0].split(b"\n"), *(line.encode() for line in more)]
    random.shuffle(lines)
    found = read(b"\n".join(lines) + b"\n\nHello\n")

    assert found is not None
    assert find_sign(found, ARRIVAL) is not None
