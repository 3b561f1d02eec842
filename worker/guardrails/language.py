"""Tell English from other languages, also in short replies; py3langid judges, and what it cannot judge is English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from runtime.patterns import load_patterns
from worker.guardrails.sentences import sentences_of

_LANGUAGES: Final = (
    "en",
    "fr",
    "es",
    "de",
    "it",
    "pt",
    "nl",
    "sv",
    "da",
    "no",
    "fi",
    "pl",
    "cs",
    "tr",
    "ro",
    "hu",
    "id",
)
"""Latin alphabets in which a model may slip; other alphabets are told by their letters."""

_WORDS_MIN: Final = 3
"""Words from which the judge is asked: of fewer it knows nothing."""

_SURE: Final = 0.9
_ENGLISH_MAX: Final = 0.05
_SURE_OF_FEW: Final = 0.99
_FEW_WORDS: Final = 5
_FOREIGN_LETTERS_MIN: Final = 4
_ENGLISH_WORDS_MIN: Final = 2
"""Of these words in one sentence, from which it is English without asking the judge, which takes longer."""

_QUOTED: Final = re.compile(r"[\u201c\"][^\u201d\"]*[\u201d\"]")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")


def is_english(text: str, written: Sequence[str] = ()) -> bool:
    """Check every sentence of a text; names, quotations and what the customer wrote may be of any language."""
    own = {word.lower() for one in written for word in _WORD.findall(one)}
    return all(_is_english(one, own) for one in sentences_of(_QUOTED.sub(" ", text)))


@cache
def load_judge() -> LanguageIdentifier:
    """Load the judge once for the process, which takes a second; of its 139 languages ours alone stay in memory."""
    whole = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    whole.set_languages(list(_LANGUAGES))
    return LanguageIdentifier(
        whole.nb_ptc,
        whole.nb_pc,
        whole.nb_classes,
        whole.tk_nextmove,
        whole.tk_output,
        norm_probs=True,
        tk_row=whole.tk_row,
    )


def _is_english(sentence: str, own: set[str]) -> bool:
    words = _WORD.findall(sentence)
    if sum(not _is_latin(letter) for word in words for letter in word) >= _FOREIGN_LETTERS_MIN:
        return False
    plain = [word for at, word in enumerate(words) if (at == 0 or not word[0].isupper()) and word.lower() not in own]
    if len(plain) < _WORDS_MIN:
        return True
    if len({word.lower() for word in plain} & _english_words()) >= _ENGLISH_WORDS_MIN:
        return True
    ranked = dict(load_judge().rank(" ".join(plain)))
    best = max(ranked, key=lambda language: float(ranked[language]))
    sure = _SURE if len(plain) >= _FEW_WORDS else _SURE_OF_FEW
    return best == "en" or float(ranked[best]) < sure or float(ranked["en"]) > _ENGLISH_MAX


@cache
def _english_words() -> frozenset[str]:
    return frozenset(re.findall(r"[a-z']+", load_patterns("worker.guardrails", "claims.patterns")["english"]))


@cache
def _is_latin(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith(("LATIN", "MODIFIER"))
