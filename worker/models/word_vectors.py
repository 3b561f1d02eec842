"""Embed texts without a network: static word vectors, taken out of the files of the `wordllama` package.

The package itself is never imported: it configures the process's logging and asks a network for a tokenizer that lies
beside it. Its weights are mapped into memory read-only, so all processes of a machine share one copy of them. Its
tokenizer is read from its vocabulary, in 30 lines: the `tokenizers` library needs 20 MB for the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from threadpoolctl import threadpool_limits

from schema.errors import FteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_PACKAGE = "wordllama"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
_WEIGHTS = "weights/l2_supercat_256.safetensors"
_BLANK: Final = "\u2581"  # what a word begins with, in the vocabulary's pieces
_NO_TOKEN: Final = 1 << 31
WORDS_KEPT_MAX = 10_000
"""Words whose tokens are remembered: the articles have about 3,000, and cutting them is half of building an index."""
_LENGTH_BYTES = 8
"""A safetensors file begins with the length of its JSON header, little-endian; the tensors follow the header."""


class WordVectorsUnusable(FteError):
    """Raised when the word vectors are not installed, or are not the ones that this release reads."""


@dataclass(frozen=True)
class WordVectors:
    """A vocabulary and one vector per token; safe to use from several threads."""

    vocabulary: Mapping[str, int]
    """Token id by piece; of two pieces the one with the lower id was learned first, from more text."""
    table: NDArray[np.float16]
    """Shape (tokens, dimensions)."""

    def tokenize(self, text: str) -> list[int]:
        """Cut a text into token ids, word by word at its blanks; lower-case texts give the most even ids."""
        return [token for word in text.split() for token in self._cut_known(word)]

    @cached_property
    def _cut_known(self) -> Callable[[str], tuple[int, ...]]:
        """Cut a word, or remember how it was cut: texts repeat their words."""
        return lru_cache(maxsize=WORDS_KEPT_MAX)(lambda word: tuple(self._cut(word)))

    def _cut(self, word: str) -> Iterator[int]:
        """Cut a word by byte pair encoding: merge the neighbours whose whole was learned first, while any was."""
        pieces = [_BLANK, *word]
        while True:
            merged = [self.vocabulary.get(left + right, _NO_TOKEN) for left, right in pairwise(pieces)]
            best = min(merged, default=_NO_TOKEN)
            if best == _NO_TOKEN:
                break
            at = merged.index(best)
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
        for piece in pieces:
            if piece in self.vocabulary:
                yield self.vocabulary[piece]
            else:
                yield from (self.vocabulary[f"<0x{byte:02X}>"] for byte in piece.encode())

    def read(self, text: str) -> Vectors:
        """Return the vectors of a text's tokens, in their order; shape (tokens, dimensions)."""
        return self.table[self.tokenize(text)].astype(np.float32)

    def embed(self, texts: Sequence[str], token_weights: Vectors | None = None) -> Vectors:
        """Return one vector of length 1 for each text, the weighted mean of its tokens'; zeros for an empty text.

        `token_weights` has one weight per token of the table; without it all tokens weigh the same. Shape (texts,
        dimensions).
        """
        vectors = np.zeros((len(texts), self.table.shape[1]), np.float32)
        for place, text in enumerate(texts):
            ids = self.tokenize(text)
            if ids:
                rows = self.table[ids].astype(np.float32)
                vectors[place] = rows.sum(0) if token_weights is None else token_weights[ids] @ rows
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, lengths, out=vectors, where=lengths > 0)
        return vectors


@cache
def load_word_vectors() -> WordVectors:
    """Load the vectors, once per process. Raises WordVectorsUnusable.

    From then on numpy's linear algebra stays on the thread that asks for it: a message's products take tenths of a
    millisecond, and threads that wait for each other on busy cores make 15 milliseconds of them.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WordVectorsUnusable(f"the package {_PACKAGE} is not installed; install requirements.lock again")
    folder = Path(spec.submodule_search_locations[0])
    try:
        table = _map_weights(folder / _WEIGHTS)
        vocabulary = _read_vocabulary(folder / _TOKENIZER)
    except (OSError, ValueError, KeyError) as error:
        raise WordVectorsUnusable(f"the word vectors in {folder} cannot be read: {error}") from error
    threadpool_limits(1, user_api="blas")
    if len(vocabulary) > len(table):
        raise WordVectorsUnusable(f"{len(vocabulary)} tokens, and vectors for {len(table)} in {folder}")
    return WordVectors(vocabulary, table)


def _read_vocabulary(path: Path) -> Mapping[str, int]:
    """Read the vocabulary of a tokenizer's file, and not its merges, which follow from it; raises as the next."""
    written = path.read_text(encoding="utf-8")
    found, _ = json.JSONDecoder().raw_decode(written, written.index("{", written.index('"vocab"')))
    return cast("Mapping[str, int]", found)


def _map_weights(path: Path) -> NDArray[np.float16]:
    """Map the one tensor of a safetensors file; raises OSError, ValueError, KeyError for another kind of file."""
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        header: dict[str, Any] = json.loads(file.read(header_bytes))
    ((_, tensor),) = ((name, described) for name, described in header.items() if name != "__metadata__")
    if tensor["dtype"] != "F16":
        raise ValueError(f"{path.name} holds {tensor['dtype']}, not F16")
    offset = _LENGTH_BYTES + header_bytes + tensor["data_offsets"][0]
    return np.memmap(path, np.float16, mode="r", offset=offset, shape=tuple(tensor["shape"]))
