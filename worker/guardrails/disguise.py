"""Undo what hides a word from rules: digits for letters, stars, spaced and stretched letters, look-alikes.

The rules and the learned judges read the same words, so a disguise is undone in one place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from runtime.patterns import load_words
from worker.guardrails.letters import LEET, without_accents

_CACHED_TEXTS_MAX = 256
"""Texts remembered: the guardrails of a turn read the same one, and a turn that starts over reads it again."""

_LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u0456\u043e\u0440\u0441\u0443\u0445\u0455\u0458\u043a\u043c\u0442\u043d\u0432\u0501\u051b\u0475\u0431\u0261\u03b1\u03b5\u03b9\u03bf\u03c1\u03c5\u03ba\u03bd\u03c4\u03c7\u0131\u026a\u0142\u00f8\u0111",
    "aeiopcyxsjkmthbdqvbgaeiopukvtxiilod",
)
"""Letters of other alphabets that look like ours: Cyrillic, Greek, and Latin ones without a plain form."""
_BETWEEN = re.compile(r"(?<=[a-z])[\u00b7\u2022\u30fb~^`\u00b4|\\/](?=[a-z])")
"""Marks that people put between the letters of a word that is not to be found."""
_SPACED = re.compile(r"(?<![^\W_])[^\W\d_][\s.\-_*|/]{1,2}(?:[^\W_][\s.\-_*|/]{1,2}){2,}[^\W_](?![^\W_])")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_WORD = re.compile(r"[^\s]+")
_STARRED = {
    re.compile(r"(?<!\w)@ss(?=holes?\b|hats?\b|\b)"): "ass",
    re.compile(r"\bf[*#@u\-_.]{1,3}c?k"): "fuck",
    re.compile(r"\b(?:f uc?k|fuc k|fu ck)(?=(?:ing|in|er|ers|ed|s)?\b)"): "fuck",
    re.compile(r"\bf\*+\b"): "fuck",
    re.compile(r"\bs[*#@\-_]{1,2}t\b"): "shit",
    re.compile(r"\bb[*#@\-_]{1,2}t?ch"): "bitch",
    re.compile(r"\ba[*#@$\-_]{2}(?=holes?\b|\b)"): "ass",
    re.compile(r"\bc[*#@\-_]nts?\b"): "cunt",
    re.compile(r"\bk[ .\-_*]y[ .\-_*]s\b"): "kys",
    re.compile(r"\b(?:bi+[ao]+tch|be+yo+tch|b1atch)"): "bitch",
    re.compile(r"(?<=er)z+\b|(?<=ot)z+\b|(?<=on)z+\b|(?<=rd)z+\b|(?<=nt)z+\b|(?<=le)z+\b"): "s",
    re.compile(r"\b(?:fuk+|fck+|fvc?k+|phuck|phuk|fuq|fuc|fcuk)(?=(?:ing|in|er|ers|ed|s)?\b)"): "fuck",
    re.compile(r"\b(?:eff(?=(?:in|ing)?\b)|f-(?=(?:ing|in|er|ers|ed|off|you)\b))"): "fuck",
    re.compile(r"\bmoth(?:er|a|er+)[ -]?f[*#@u\-_.]{1,3}c?k(?:er|a)(?=s?\b)"): "motherfucker",
    re.compile(r"\bs[|/\\]l?[|/\\]?u[|/\\]t\b"): "slut",
    re.compile(r"\by\.?o\.?u\.(?= )"): "you",
    re.compile(r"\bd1e\b"): "die",
    re.compile(r"\ba-holes?\b"): "asshole",
    re.compile(r"\bbtch(?=(?:es|s)?\b)"): "bitch",
    re.compile(r"\bf[ck]+n+g?\b"): "fucking",
    re.compile(r"\bdmb\b"): "dumb",
    re.compile(r"\bcnt(?=s?\b)"): "cunt",
    re.compile(r"\bmf(?:er)?(?=s?\b)(?!\.)"): "motherfucker",
    re.compile(r"\bfk(?= (?:you|u|off|ya)\b)"): "fuck",
    re.compile(r"\bn[*i1!][*g]{2}[*e3a][*r]?s?\b"): "nigger",
}


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def undisguise(text: str) -> str:
    """Undo what hides a word: capitals, digits for letters, stars, spaces between letters, stretched vowels.

    Returns words and single sentence marks separated by blanks; apostrophes are dropped, so that "you're" is "youre".
    """
    lowered = without_accents(text.lower().translate(_LOOK_ALIKES).replace("\u2019", "'"))
    lowered = _BETWEEN.sub("", lowered)
    lowered = _SPACED.sub(_join_letters, lowered)
    for pattern, plain in _STARRED.items():
        lowered = pattern.sub(plain, lowered)
    words = [_respell(_undo_leet(_fill_stars(word))) for word in _WORD.findall(lowered)]
    joined = re.sub(r"'", "", " ".join(words))
    joined = re.sub(r"([.!?;,:])[.!?;,:]*", r" \1 ", joined)
    joined = re.sub(r"[^a-z0-9.!?;,: ]", " ", joined)
    return " " + re.sub(r"\s+", " ", _STRETCHED.sub(r"\1", joined)).strip() + " "


def _join_letters(match: re.Match[str]) -> str:
    """Join spaced letters; a leading "a" or "i" may be a word of its own, so both readings are returned."""
    joined = re.sub(r"[\s.\-_*|/]", "", match[0])
    return f"{joined} {joined[0]} {joined[1:]}" if joined[0] in "ai" else joined


def _undo_leet(word: str) -> str:
    core = word.rstrip("!?.,;:")
    if not re.search(r"[a-z]", core) or not re.search(r"[0-9@$!|]", core) or core.startswith("@"):
        return word
    return core.translate(LEET) + word[len(core) :]


_STARS = re.compile(r"[a-z]+[*#]+[a-z]*")
_STARRED_SECTIONS = ("strong_insult", "slur", "gendered", "respelled")
_RESPELLED_LETTERS_MIN = 5


@cache
def _words_in(*sections: str) -> frozenset[str]:
    """Return the words of the sections, and their plurals."""
    known = load_words("worker.guardrails", "abuse.patterns")
    words = (word for section in sections for word in known[section])
    return frozenset(word for word in words if len(word) >= _RESPELLED_LETTERS_MIN and word.isalpha())


@cache
def _misspellings() -> Mapping[str, str]:
    """Map each respelled word without one inner letter ("idots") to the whole word."""
    return {
        word[:at] + word[at + 1 :]: word
        for word in _words_in("respelled")
        if len(word) > _RESPELLED_LETTERS_MIN
        for at in range(1, len(word) - 1)
    }


@cache
def _swapped() -> Mapping[str, str]:
    """Map the sorted letters of each respelled word, its first one first, to the word: "wmoen" finds "women"."""
    return {_letters_of(word): word for word in _words_in("respelled")}


def _letters_of(word: str) -> str:
    return word[0] + "".join(sorted(word[1:]))


def _fill_stars(word: str) -> str:
    """Restore the starred letters of a word that is on our lists: "basta*d"."""
    core = word.rstrip("!?.,;:")
    if not _STARS.fullmatch(core):
        return word
    hidden = re.compile(re.sub(r"[*#]", "[a-z]", core))
    found = next((known for known in sorted(_words_in(*_STARRED_SECTIONS)) if hidden.fullmatch(known)), core)
    return found + word[len(core) :]


def _respell(word: str) -> str:
    core = word.rstrip("!?.,;:")
    joined = core.replace("-", "")
    if joined != core and joined in _words_in(*_STARRED_SECTIONS, "weak_insult"):
        return joined + word[len(core) :]
    if len(core) < _RESPELLED_LETTERS_MIN or not core.isalpha() or core in _words_in("respelled"):
        return word
    found = _swapped().get(_letters_of(core)) or _misspellings().get(core)
    return word if found is None else found + word[len(core) :]
