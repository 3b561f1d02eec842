"""Limits of what is answered: what is over one, by how much, and what people's habits leave untouched."""

from __future__ import annotations

import pytest

from producer.channels.reply_budget import (
    CountKind,
    MessageCount,
    is_echo,
    is_telling,
    judge_budget,
    limits_of_mails,
    limits_of_texts,
)
from schema.settings.answers import MailAnswerSettings, SmsAnswerSettings

MAILS = limits_of_mails(MailAnswerSettings(mail_sender_hour_max=3, mail_domain_day_max=5, mail_repeats_hour_max=2))
TEXTS = limits_of_texts(SmsAnswerSettings(sms_sender_hour_max=3, sms_sender_day_max=5, sms_repeats_hour_max=2))


@pytest.mark.parametrize(
    ("sender", "text", "reason"),
    [
        ((3, 3), 1, None),
        ((4, 4), 1, "reply_budget"),
        ((5, 5), 1, "over_budget"),
        ((2, 6), 1, "reply_budget"),
        ((2, 7), 1, "over_budget"),
        ((3, 3), 2, None),
        ((3, 3), 3, "reply_budget"),
        ((3, 3), 4, "repeated"),
        ((4, 4), 4, "over_budget"),
    ],
)
def test_the_first_over_a_limit_is_told_to_a_person_and_those_after_it_are_silent(
    sender: tuple[int, int], text: int, reason: str | None
) -> None:
    counts: dict[CountKind, MessageCount] = {"sender": MessageCount(*sender), "text": MessageCount(text, text)}

    assert judge_budget(counts, TEXTS) == reason


def test_a_kind_that_does_not_count_for_a_message_is_no_limit_for_it() -> None:
    counts: dict[CountKind, MessageCount] = {"sender": MessageCount(1, 1)}

    assert judge_budget(counts, MAILS) is None
    assert judge_budget(counts | {"domain": MessageCount(1, 6)}, MAILS) == "reply_budget"


@pytest.mark.parametrize("text", ["yes", "Yes!", "ok, thank you", "STOP", "no no no no", ""])
def test_what_people_say_again_and_again_tells_nothing(text: str) -> None:
    assert not is_telling(text)
    assert not is_echo(text, [text])


def test_an_echo_is_known_by_its_words_alone() -> None:
    said = "A checked bag over 50 lbs costs \u201c$50\u201d \u2013 that\u2019s all."

    assert is_echo('a checked bag over 50 lbs costs "$50" - that\'s ALL', [said])
    assert not is_echo("A checked bag over 50 lbs costs $60, that is all", [said])
