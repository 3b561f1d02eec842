"""Tell an English word from random letters, without a word list: by which letters follow each other."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

_FOLLOWERS = {
    "a": "bcdefghijklmnprstuvwxyz",
    "b": "abceijlmorstuy",
    "c": "acehiklorstuy",
    "d": "abcdegijlmnoprsuvwy",
    "e": "abcdefghijklmnopqrstuvwxyz",
    "f": "aefilorstuy",
    "g": "aeghilmnorsuy",
    "h": "aeilmnorstuy",
    "i": "abcdefgklmnopqrstuvxz",
    "j": "aeiou",
    "k": "aegilnosuy",
    "l": "abcdefiklmnoprstuvwy",
    "m": "abeimnopsuy",
    "n": "abcdefghijklnopqstuvyz",
    "o": "abcdefghiklmnoprstuvwxyz",
    "p": "aehiloprstuy",
    "q": "u",
    "r": "abcdefgiklmnoprstuvwy",
    "s": "abcefhiklmnopqstuwy",
    "t": "acefhilmnorstuwyz",
    "u": "abcdefgiklmnoprstvxyz",
    "v": "aeio",
    "w": "aehilnorsy",
    "x": "aceiptuy",
    "y": "abcdeilmnoprstwz",
    "z": "aeioyz",
}
"""The letters that follow each letter within English words often enough to be no accident."""

_CONSONANTS = re.compile(r"[^aeiouy]{5}")
_STRETCHED = re.compile(r"(.)\1\1")


def without_accents(text: str) -> str:
    """Return a text without marks on its letters: "é" is "e"."""
    if text.isascii():
        return text
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def looks_like_a_word(letters: str) -> bool:
    """Check whether letters could be an English word; of six random ones about one in ten could."""
    lowered = letters.lower()
    return (
        re.search(r"[aeiouy]", lowered) is not None and _CONSONANTS.search(lowered) is None and not _odd_pairs(lowered)
    )


def is_strange(letters: str) -> bool:
    """Check whether letters are so unlike a word that no typing error explains them, nor an outcry (argh)."""
    lowered = letters.lower()
    return _odd_pairs(lowered) > 1 and _STRETCHED.search(lowered) is None


LEET = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "9": "g", "@": "a", "$": "s", "!": "i", "|": "i"}
)
"""Digits and signs that stand for letters in words that are not to be found."""

_KEYBOARD_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def is_keyboard_mash(letters: str) -> bool:
    """Check whether letters were hit and not drawn: all of one row of the keyboard, or one half twice (sdfsdf).

    Of six drawn by lot one in two hundred is.
    """
    lowered = letters.lower()
    half = len(lowered) // 2
    return any(set(lowered) <= set(row) for row in _KEYBOARD_ROWS) or lowered[:half] == lowered[half:]


def _odd_pairs(lowered: str) -> int:
    return sum(right not in _FOLLOWERS.get(left, "") for left, right in pairwise(lowered))
