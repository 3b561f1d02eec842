"""A reply in another language than English is told from an English one, also a short one and one full of names."""

from __future__ import annotations

import pytest

from worker.guardrails import language
from worker.guardrails.language import is_english


@pytest.mark.parametrize(
    "text",
    [
        "Bonne nouvelle : j'ai remboursé intégralement votre billet.",
        "He cambiado su asiento al 7F y le hemos reembolsado 200 $.",
        "Gern geschehen! Ich wünsche Ihnen eine angenehme Reise.",
        "Il tuo posto è ora accanto al finestrino.",
        "Uw stoel is gewijzigd naar 7F.",
        "Спасибо, приятного полёта!",
        "您的座位已更改。",
        "You are welcome. Je vous souhaite un excellent voyage avec nous.",
    ],
)
def test_another_language_is_noticed(text: str) -> None:
    assert not is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "You're welcome, Kowalczyk.",
        "On LF118 on 2026-03-07: Ada Okafor in 14C.",
        "Thank you, Nguyễn. May I have it?",
        "Sorry, no aisle seat.",
        "Done.",
        "MIA to DFW, economy, $173",
        "Your flight goes to São Paulo.",
        "You wrote: \u201cJe voudrais changer mon siège, s'il vous plaît\u201d. What shall I do?",
        "6A, window, no charge",
    ],
)
def test_english_passes(text: str) -> None:
    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "A second checked bag costs $50, and a bag over 70 lbs travels as cargo.",
        "Done: Ada Okafor now has window seat 7F on flight LF118 on 2026-12-04 at no extra charge.",
        "You're welcome. Have a good trip!",
        "I'm here if anything else comes up.",
    ],
)
def test_plain_english_needs_no_judge(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "load_judge", lambda: pytest.fail("the judge was loaded"))

    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "Su vuelo sale a las ocho, y as\u00ed lo tiene en la reserva.",
        "On zmieni\u0142 rezerwacj\u0119 na sobot\u0119, we czwartek nie ma miejsc.",
        "Zboruri are compania noastr\u0103 \u00een fiecare zi, iar locul este liber.",
        "Jeg kan finde en anden plads til dig, s\u00e5 du kan sidde ved vinduet.",
    ],
)
def test_words_that_languages_share_do_not_make_english(text: str) -> None:
    assert not is_english(text)
