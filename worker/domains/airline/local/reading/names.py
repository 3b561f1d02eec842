"""Find the names that a message may give for its passenger, the likeliest first; a look-up decides which it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from runtime.patterns import load_patterns
from worker.domains.airline.rules.own_words import split_own_words

NAME_WORDS_MAX = 5
_LETTERS_MIN = 2
NAMES_MAX = 4
"""Candidates that a message gives: whoever writes more words than that tells no name."""

_CODE = r"\[CONFIRMATION_NUMBER_\d+\]"
# Bounded, as all that is repeated here: a message may repeat anything ten thousand times.
_WORD = r"[^\W\d_][^\W\d_'.\-]{0,40}(?:['.\-][^\W\d_]{1,40}){0,20}\.?"
_RUN = rf"(?P<name>{_WORD}(?:[ \t]+{_WORD}){{0,{NAME_WORDS_MAX}}})"
_LINK = r"(?:\s+(?:is|was|would be|should be|reads)\b|'s\b|\s*[:=,\-]+)?\s*"

_SURNAME_TOLD = re.compile(
    rf"\b(?:last|sur|family|maiden)[ -]?name(?: (?:on|of|for|under) (?:the|my|this|that) \w+)?"
    rf"(?: (?:begins|starts) with (?:an? )?\w\b)?{_LINK}{_RUN}",
    re.IGNORECASE,
)
_TOLD = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:name|names)(?: (?:on|of|for|under) (?:the|my|this|that) \w+)?{_LINK}{_RUN}",
        rf"\b(?:under|in)(?: the)? (?:name|surname)(?: of)?{_LINK}{_RUN}",
        rf"\b(?:booked|booking|reservation|ticket|it'?s|its|is|it is|was) (?:is |was )?under\s+{_RUN}",
        rf"\b(?:passenger|travell?er)(?: name)?{_LINK}{_RUN}",
        rf"\b(?:call me|(?:is|am|are) called|here is|here's)\s+{_RUN}",
    )
)
_RELATION = re.compile(
    r"\b(?i:my) (?i:husband|wife|partner|son|daughter|mother|father|mum|mom|dad|sister|brother|friend|colleague),? "
    r"(?P<name>[A-Z][^\W\d_'.\-]+(?: [A-Z][^\W\d_'.\-]+)+)"
)
_INTRODUCED = re.compile(rf"\b(?:[Ii]'?m|[Ii] am|[Tt]his is|[Ii]t'?s|[Ii]t is|[Ww]e are|[Ii]ts|IT IS|THIS IS)\s+{_RUN}")
_REVERSED = re.compile(r"\b(?P<surname>[A-Z][A-Za-z'\-]+)\s*/\s*(?P<given>[A-Z][A-Za-z]+(?: [A-Z][A-Za-z]*)?)(?![\w/])")
_SPELT = re.compile(r"(?<![\w'])(?:[^\W\d_][\- .,]+){3,}[^\W\d_](?![\w'])")
_SURNAME_SPELT = re.compile(
    rf"\b(?:last|sur|family|maiden)[ -]?name\b[^\n]{{0,30}}?(?P<spelt>{_SPELT.pattern})", re.IGNORECASE
)
_BEFORE_CODE = re.compile(rf"(?<!\w){_RUN}\s*(?:[,;:/()\-]\s*|\band\s+|\bwith\s+){{0,4}}(?={_CODE})", re.IGNORECASE)
_AFTER_CODE = re.compile(
    rf"{_CODE}\s*(?:[,;:/()\-.]\s*|\band\s+){{0,4}}{_RUN}(?=(?P<rest>(?:,\s*[^\W\d_]+)?\W*))", re.IGNORECASE
)
_FILLERS = re.compile(
    r"^(?:(?:hi|hello|hey|sure|yes|ok|okay|oh|sorry|well|it'?s|its|it is|of course|thanks|and|so|here|under|that'?s|"
    r"that is|that would be|it would be|this is|i'?m|i am|my name'?s?|name'?s?|surname|last name|is|typo|oops|ups|"
    r"my bad|misspelled|misspelt|mistyped|correction|i meant?|(?:it )?should be)\b[\s,.:!;-]*)+",
    re.IGNORECASE,
)
_SIGNED = re.compile(
    r"\b(?:thanks|thank you|regards|wishes|cheers|sincerely)[,!.]?\s+"
    r"(?P<name>[A-Z][^\W\d_'.\-]+(?:[ -](?:[A-Z]\.? )?[A-Z][^\W\d_'.\-]+){0,2})\W*$"
)
_SPELLING = re.compile(
    r"\s*,?\s*\b(?:with (?:an?|two|one|double)|as in|like (?:in )?the|spel(?:t|led)|double|that'?s|written)\b.*$",
    re.IGNORECASE,
)
_NOT_SAID_IN_WORDS = re.compile(_CODE + r"|[^\w\s,.'/\-]", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """A name that a message gives: in the order it is looked up by, and whether it was told as one."""

    text: str
    is_told: bool = True
    """False for what only stands where a name may stand: good for a try, and never asked about as if it were given."""


@cache
def _words(section: str) -> re.Pattern[str]:
    return re.compile(load_patterns("worker.domains.airline.local.reading", "names.patterns")[section], re.IGNORECASE)


def _is(word: str, section: str) -> bool:
    return _words(section).fullmatch(word) is not None


def find_names(text: str, *, asked: bool = False) -> tuple[Name, ...]:
    """Return the names that a message may tell, the likeliest first; `asked` says that one had just been asked for.

    Only then does a bare word count as a name that was told.
    """
    own = split_own_words(text)
    found: dict[str, Name] = {}
    for name in _candidates(own.text, own.signature, asked=asked):
        known = found.get(name.text.lower())
        if known is None or (name.is_told and not known.is_told):
            found.setdefault(name.text.lower(), name)
    told = sorted(found.values(), key=lambda name: not name.is_told)
    return tuple(told[:NAMES_MAX])


def find_name(text: str, *, asked: bool) -> str | None:
    """Return the likeliest name that was told; None when none was."""
    return next((name.text for name in find_names(text, asked=asked) if name.is_told), None)


def _candidates(own: str, signature: str, *, asked: bool) -> Iterator[Name]:
    yield from (_joined(match["spelt"]) for match in _SURNAME_SPELT.finditer(own))
    for match in _SURNAME_TOLD.finditer(own):
        yield from _named(match["name"], is_surname=True)
    for match in _REVERSED.finditer(own):
        given = " ".join(word for word in match["given"].split() if not _is(word, "title"))
        yield Name(f"{given} {match['surname']}".strip())
    if asked:
        yield from (_joined(match[0]) for match in _SPELT.finditer(own))
    yield from _named_by(_TOLD, own)
    for match in _INTRODUCED.finditer(own):
        yield from _introduced(match["name"], own[match.end() :], asked=asked)
    yield from _beside_code(own)
    yield from _named_by((_RELATION,), own)
    if asked or re.search(_CODE, own):
        yield from _alone(own, asked=asked)
    yield from _named_by((_SIGNED,), own)
    for line in signature.splitlines():
        yield from _named(line.partition(",")[0])
    yield from _guesses(own)


def _joined(spelt: str) -> Name:
    return Name(re.sub(r"[^\w]", "", spelt))


def _named_by(patterns: Sequence[re.Pattern[str]], own: str) -> Iterator[Name]:
    for pattern in patterns:
        for match in pattern.finditer(own):
            yield from _named(match["name"])


def _named(words: str, *, is_surname: bool = False) -> Iterator[Name]:
    name = clean_name(words, is_surname=is_surname)
    if name is not None:
        yield Name(name)


def _introduced(words: str, rest: str, *, asked: bool) -> Iterator[Name]:
    """Read what follows "I'm" or "it's": a name has a capital, or was asked for and nothing follows it."""
    name = clean_name(words)
    if name is None:
        return
    ends_here = len(words.split()) == len(name.split()) and not re.match(r"\s*[\w\[]", rest)
    capitals = sum(word[0].isupper() for word in name.split())
    beside_code = re.match(rf"[\s,;.]*(?:and |with )?(?:my )?(?:\w+ ){{0,2}}(?:is )?{_CODE}", rest) is not None
    if capitals or (asked and ends_here) or beside_code:
        yield Name(name if capitals in {0, len(name.split())} or ends_here or beside_code else _capitalised(name))


def _capitalised(name: str) -> str:
    """Keep a name up to its last word with a capital."""
    kept = name.split()
    while kept and not kept[-1][0].isupper():
        kept.pop()
    return " ".join(kept)


def _beside_code(own: str) -> Iterator[Name]:
    for match in _BEFORE_CODE.finditer(own):
        name = _name_at_end(match["name"])
        if name is not None:
            yield Name(name)
        elif _is(match["name"], "word_and_name") and match["name"][0].isupper() and _begins_clause(own, match.start()):
            yield Name(match["name"], is_told=False)
    for match in _AFTER_CODE.finditer(own):
        name = clean_name(match["name"])
        if name is None:
            if _is_word_for_surname(match["name"], own[match.end() :]):
                yield Name(match["name"], is_told=False)
            continue
        whole = len(name.split()) == len(re.sub(r"\b(?:please|pls|thanks|thank you)\b", "", match["name"]).split())
        yield Name(name, is_told=whole or name[0].isupper())
        given = re.fullmatch(r",\s*([^\W\d_]+)\W*", match["rest"])
        if given is not None and clean_name(given[1]):
            yield Name(f"{given[1]} {name}")


def _is_word_for_surname(word: str, rest: str) -> bool:
    """Check whether a word that is a surname as well ("Price") has a capital, and nothing of its sentence follows."""
    ends = re.match(r"[ \t]*(?:[.,;!\n]|$)", rest) is not None
    return ends and word[0].isupper() and _is(word, "word_and_name")


def _begins_clause(text: str, at: int) -> bool:
    before = text[:at].rstrip()
    return not before or before[-1] in ".,;:!?" or text[at - 1] == "\n"


def _name_at_end(words: str) -> str | None:
    """Return the name that a run of words ends with."""
    kept: list[str] = []
    for word in reversed(words.split()):
        bare = word.strip(".,'-")
        if not bare or (_is(bare, "no_name") and not (_is(bare, "word_and_name") and bare[0].isupper() and kept)):
            break
        if word.endswith((".", ",")) and kept and not (len(bare) == 1 or _is(bare, "title") or _is(bare, "particle")):
            break
        kept.insert(0, word)
    return clean_name(" ".join(kept[-NAME_WORDS_MAX:])) if kept else None


def _alone(own: str, *, asked: bool) -> Iterator[Name]:
    """Return a name that a line consists of, or that one begins with before a comma."""
    for line in own.splitlines():
        if "?" in line or re.search(r"\d", re.sub(_CODE, " ", line)):
            continue
        said = _FILLERS.sub("", _NOT_SAID_IN_WORDS.sub(" ", line).strip())
        said = _SPELLING.sub("", said) if asked else said
        parts = [part.strip() for part in said.split(",") if part.strip()]
        if not parts:
            continue
        name = clean_name(parts[0], is_surname=asked)
        words = re.sub(r"\b(?:please|pls|plz|thanks|thank you|here|thx)\b", "", parts[0], flags=re.IGNORECASE).split()
        if name is None or len(name.split()) < sum(not _is(word.strip(".,"), "title") for word in words):
            continue
        yield Name(name)
        if len(parts) > 1 and clean_name(parts[1]) and len(parts[1].split()) == 1:
            yield Name(f"{clean_name(parts[1])} {name}")


def clean_name(words: str, *, is_surname: bool = False) -> str | None:
    """Cut a run of words where it stops being a name, its titles dropped; None when nothing is left.

    A surname that is also a word (Do, Will, Good) is taken where a surname is told, with a capital, standing alone.
    """
    kept: list[str] = []
    run = words.split()
    for at, word in enumerate(run):
        bare = word.strip(".,'-\"")
        if _SPELT.fullmatch(bare):
            bare = bare.replace("-", "")
        if not bare:
            break
        if _is(bare, "title"):
            continue
        is_word = _is(bare, "no_name")
        stands_alone = is_surname and at == len(run) - 1 and bare[0].isupper() and _is(bare, "word_and_name")
        follows_given = bool(kept) and bare[0].isupper() and kept[0][0].isupper() and _is(bare, "word_and_name")
        if is_word and not stands_alone and not follows_given:
            break
        kept.append(bare)
        if word.endswith(".") and len(bare) > 1 and not _is(bare, "particle"):
            break
    while kept and (_is(kept[-1], "particle") and len(kept) > 1 and not kept[-1][0].isupper()):
        kept.pop()
    if len("".join(kept)) < _LETTERS_MIN or all(_is(word, "particle") for word in kept):
        return None
    return " ".join(kept)


_USER_ID = re.compile(r"\b([a-z]{2,})_([a-z]{2,})_\d{2,}\b", re.IGNORECASE)
_CAPITALISED = r"[A-Z\u00c0-\u00de][^\W\d_'.\-]*(?:['.\-][^\W\d_]+)*"
_SENTENCE_OF_NAME = re.compile(
    rf"(?:^|(?<=[.!?])\s+|\n)\W*(?P<name>{_CAPITALISED}(?: {_CAPITALISED})?)(?=[.!]\s|[.!]?\W*$)"
)
_TRAVELLERS = re.compile(rf"\b(?:for|of)(?: both| passengers?| travell?ers?)? (?P<name>{_CAPITALISED} {_CAPITALISED})")


def _guesses(text: str) -> Iterator[Name]:
    """Return names that stand in a message without being stated.

    They are a user id's, a traveller's beside a wish, or a sentence of their own beside a number.
    """
    user_id = _USER_ID.search(text)
    if user_id is not None:
        yield Name(f"{user_id[1]} {user_id[2]}".title(), is_told=False)
    traveller = _TRAVELLERS.search(text)
    name = clean_name(traveller["name"]) if traveller is not None else None
    if name is not None:
        yield Name(name, is_told=False)
    for match in _SENTENCE_OF_NAME.finditer(text) if re.search(_CODE, text) else ():
        if clean_name(match["name"]) == match["name"]:
            yield Name(match["name"], is_told=False)
