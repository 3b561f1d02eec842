"""Read people's names as they type them."""

from __future__ import annotations

import unicodedata


def letters_of(name: str) -> str:
    """Return a name's letters alone: without accents, case, hyphens and spaces, which keyboards add or leave out."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in decomposed if character.isalpha())
