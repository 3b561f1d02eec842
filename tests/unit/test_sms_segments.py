"""Replies cut into text messages: segments counted as carriers do, nothing lost, no character divided."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.channels.sms.segments import (
    MESSAGE_CHARACTERS_MAX,
    MORE_HINT,
    PARTS_MAX,
    ask_for_more,
    count_segments,
    cut_messages,
    is_gsm,
    plain_text,
)

TEXT = st.text(
    st.one_of(
        st.sampled_from("abc def.!?\n €{}[]~|^\\çÇéñüß’“”–…\u00a0👋🏽👩‍👩‍👧🇩🇪e\u0301\u200b•"),
        st.characters(codec="utf-8"),
    ),
    max_size=3_000,
)


def oracle_segments(text: str) -> int:
    """Count by splitting bytes, as a modem would: septets of GSM 03.38, or UTF-16 code units."""
    basic = (
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
        "abcdefghijklmnopqrstuvwxyzäöñüà"
    )
    try:
        units = [[basic.index(each)] if each in basic else [27, "\f^{}\\[~]|€".index(each)] for each in text]
        alone, each_max = 160, 153
    except ValueError:
        units = [list(each.encode("utf-16-be")[::2]) for each in text]
        alone, each_max = 70, 67
    if sum(map(len, units)) <= alone:
        return 1 if text else 0
    segments: list[int] = [0]
    for unit in units:
        if segments[-1] + len(unit) > each_max:
            segments.append(0)
        segments[-1] += len(unit)
    return len(segments)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 10, 2),
        ("a" * 152 + "€" * 77, 3),  # the pair does not stand in two segments
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("👋" * 35, 1),
        ("👋" * 36, 2),
        ("👋" * 67, 3),  # 33 in each segment of 67 units
        ("ç", 1),
    ],
)
def test_segments_are_counted_as_carriers_do(text: str, segments: int) -> None:
    assert count_segments(text) == segments == oracle_segments(text)


@given(TEXT)
@settings(max_examples=200)
def test_segments_are_counted_as_a_modem_would(text: str) -> None:
    assert count_segments(text) == oracle_segments(text)


@given(TEXT, st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_every_message_fits_and_nothing_but_white_space_is_lost(text: str, segments_each_max: int) -> None:
    messages = cut_messages(text, segments_each_max=segments_each_max)

    bodies = [re.sub(r"^\d+/\d+ ", "", message) for message in messages] if len(messages) > 1 else messages
    for message in messages:
        assert oracle_segments(message) <= max(segments_each_max, 2)
        assert len(message) <= MESSAGE_CHARACTERS_MAX
    if len(messages) < PARTS_MAX:
        assert "".join("".join(bodies).split()) == "".join(plain_text(text).split())
    assert not any("\ud800" <= character <= "\udfff" for message in messages for character in message)


@given(TEXT, st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_a_batch_never_exceeds_its_segments_but_for_a_single_message(text: str, segments_max: int) -> None:
    messages = cut_messages(text, segments_each_max=min(4, segments_max))

    batches = ask_for_more(messages, segments_max=segments_max)

    flat = [message.removesuffix(f"\n{MORE_HINT}") for batch in batches for message in batch]
    assert flat == messages
    for place, batch in enumerate(batches):
        assert batch or not messages
        assert sum(map(oracle_segments, batch)) <= segments_max or len(batch) == 1
        assert bool(batch and batch[-1].endswith(MORE_HINT)) == (place < len(batches) - 1)


def test_messages_are_numbered_and_end_between_sentences() -> None:
    sentence = "A checked bag over 50 lbs costs $50 on every flight of ours. "

    messages = cut_messages(sentence * 20, segments_each_max=2)

    assert [message.split(" ")[0] for message in messages] == [
        f"{n}/{len(messages)}" for n in range(1, len(messages) + 1)
    ]
    assert all(message.endswith("ours.") for message in messages)


@pytest.mark.parametrize("grapheme", ["👩‍👩‍👧", "🇩🇪", "e\u0301", "👋🏽"])
def test_a_grapheme_is_not_divided(grapheme: str) -> None:
    messages = cut_messages(grapheme * 200, segments_each_max=1)

    assert len(messages) > 2
    for message in messages:
        body = re.sub(r"^\d+/\d+ ", "", message)
        assert body.replace(grapheme, "") == ""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("It’s “fine” – really…", 'It\'s "fine" - really...'),
        ("a\u00a0b\u200bc\td", "a bc d"),
        ("• one\r\n• two", "- one\n- two"),
        ("façade", "facade"),
        ("50 €", "50 €"),
        ("a\x00b\x1bc", "abc"),
        ("Grüße", "Grüße"),
    ],
)
def test_what_has_a_plain_twin_does_not_turn_a_message(text: str, plain: str) -> None:
    assert plain_text(text) == plain
    assert is_gsm(plain)


def test_a_short_text_is_one_message_without_a_number() -> None:
    assert cut_messages("Yes, you may.", segments_each_max=4) == ["Yes, you may."]
    assert cut_messages(" \n ", segments_each_max=4) == []


def test_no_reply_is_cut_without_end() -> None:
    messages = cut_messages("word " * 20_000, segments_each_max=1)

    assert len(messages) == PARTS_MAX
    assert messages[-1].endswith("...")
