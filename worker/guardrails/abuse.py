"""Tell abuse from anger: threats, hate, slurs, sexual harassment, degrading insults, heavy profanity aimed at people.

Local and deterministic. Three things make a word abusive: what it is, whom it is aimed at, and who says it. "Your agent
called me an idiot" holds the word and is a complaint; "would it kill you to answer" holds the verb and is an idiom.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from runtime.patterns import load_patterns
from worker.guardrails.letters import LEET, without_accents

AbuseReason = Literal["none", "threat", "hate", "slur", "harassment", "insult", "profanity"]


@dataclass(frozen=True)
class AbuseVerdict:
    """Whether a message is abusive, how sure that is (0 to 1), and of what kind it is."""

    is_abusive: bool
    confidence: float
    reason: AbuseReason


_CLASSES: tuple[tuple[AbuseReason, float, str], ...] = (
    ("threat", 0.95, "threat"),
    ("hate", 0.9, "hate"),
    ("slur", 0.9, "slur"),
    ("harassment", 0.85, "harassing"),
    ("insult", 0.85, "insulting"),
    ("profanity", 0.8, "profanity"),
)
"""The gravest first: reason, confidence, and the section of `abuse.patterns` that detects it."""

_HATEFUL = AbuseVerdict(is_abusive=True, confidence=0.75, reason="hate")
_CALM = AbuseVerdict(is_abusive=False, confidence=0.9, reason="none")


def assess_abuse(text: str) -> AbuseVerdict:
    """Judge one normalised, masked message of a customer."""
    spoken = _undisguise(text)
    for reason, confidence, section in _CLASSES:
        if _is_said(spoken, _word(section)):
            return AbuseVerdict(is_abusive=True, confidence=confidence, reason=reason)
    return _HATEFUL if _hates_a_group(spoken) else _CALM


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
    re.compile(r"\bn[*i1!][*g]{2}[*e3a][*r]?s?\b"): "nigger",
}


def _undisguise(text: str) -> str:
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
    written = " ".join(_patterns()[section] for section in sections)
    words = re.findall(r"([a-z]+)\(\?:e\?s\)\?", written)
    return frozenset(form for word in words for form in (word, word + "s") if len(word) >= _RESPELLED_LETTERS_MIN)


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
    if len(core) < _RESPELLED_LETTERS_MIN or not core.isalpha() or core in _words_in("respelled"):
        return word
    found = _swapped().get(_letters_of(core)) or _misspellings().get(core)
    return word if found is None else found + word[len(core) :]


_REACH_CHARACTERS = 60


def _is_said(spoken: str, pattern: re.Pattern[str]) -> bool:
    """Check whether a pattern is met by the customer's own words: not told, quoted, denied or objected to."""
    match = pattern.search(spoken)
    while match is not None:
        before = spoken[max(0, match.start() - _REACH_CHARACTERS) : match.start()]
        clause = re.split(r"[.!?;]", before)[-1]
        is_others = _OTHERS_WORDS.match(spoken, match.end()) is not None
        if not is_others and not any(excuse.search(clause) for excuse in _excuses()):
            return True
        match = pattern.search(spoken, match.start() + 1)
    return False


_OTHERS_WORDS = re.compile(
    r" (?:[a-z]+ ){0,2},? ?(?:(?:is|was) (?:what|not how|how|not what) |who says? |(?:some|people|they|many) say |"
    r"(?:he|she|they|your [a-z]+|the [a-z]+|one [a-z]+) (?:said|told|yelled|shouted|screamed|replied|wrote) )"
)
"""Matches what follows words that somebody else said."""


def _hates_a_group(spoken: str) -> bool:
    """Check whether a message names a group and something hateful, and neither speaks for the group nor of our matters.

    Hate has more grammars than rules; away from an airline's business, a group beside one of these words is enough.
    """
    return all(_word(section).search(spoken) for section in ("group", "hateful")) and not any(
        _word(section).search(spoken) for section in ("fair", "our_matter")
    )


@cache
def _word(section: str) -> re.Pattern[str]:
    return re.compile(rf"(?<= ){_patterns()[section]}(?= )")


@cache
def _patterns() -> Mapping[str, str]:
    return load_patterns("worker.guardrails", "abuse.patterns")


@cache
def _excuses() -> tuple[re.Pattern[str], ...]:
    """Build the patterns of words right before a match that take it back, with the words that may stand between."""
    known = _patterns()
    return (
        re.compile(rf"\b{known['reported']}\b(?: [a-z0-9,]+){{0,7}} $"),
        re.compile(rf"(?<!if you )(?<!if u )(?<!if they )\b{known['denied']}\b(?: [a-z0-9,]+){{0,3}} $"),
        re.compile(rf"\b{known['about_myself']}(?: {known['softener']})* $"),
        re.compile(rf"\b{known['about_mine']} $"),
    )
