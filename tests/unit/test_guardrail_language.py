"""A reply in another language than English is told from an English one, also a short one and one full of names."""

from __future__ import annotations

import pytest

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
