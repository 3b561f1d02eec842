from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.api_keys import checksum_of, hash_of, id_of, make_key

SECRETS = st.text(string.ascii_letters + string.digits, min_size=43, max_size=43)


def test_the_checksum_is_the_published_one() -> None:
    assert checksum_of("A" * 30) == "0uCPlr"  # the vector of GitHub's format: CRC-32 in base 62, padded to six


def test_a_made_key_is_well_formed_and_hashed_as_a_whole() -> None:
    key = make_key()

    assert id_of(key.text) == key.key_id
    assert key.key_hash == hash_of(key.text)
    assert len(key.text) == len("fte_") + 12 + 1 + 43 + 6


def test_no_two_keys_are_alike() -> None:
    made = [make_key() for _ in range(1_000)]

    assert len({key.key_id for key in made}) == len({key.key_hash for key in made}) == 1_000


@given(SECRETS, st.integers(0, 42), st.sampled_from(string.ascii_letters + string.digits))
def test_one_mistyped_character_is_known_without_asking_anybody(secret: str, at: int, typed: str) -> None:
    mistyped = secret[:at] + typed + secret[at + 1 :]

    assert (id_of(f"fte_{'a' * 12}_{mistyped}{checksum_of(secret)}") is None) == (mistyped != secret)


@pytest.mark.parametrize(
    "presented",
    [
        "",
        "fte_",
        "Bearer fte_" + "a" * 12,
        f"fte_{'a' * 12}_{'A' * 43}{checksum_of('A' * 43)}\n",
        f"FTE_{'a' * 12}_{'A' * 43}{checksum_of('A' * 43)}",
        f"fte_{'a' * 11}_{'A' * 43}{checksum_of('A' * 43)}",
        f"fte_{'ä' * 12}_{'A' * 43}{checksum_of('A' * 43)}",
        "fte_" + "\0" * 62,
    ],
)
def test_what_is_no_key_has_no_id(presented: str) -> None:
    assert id_of(presented) is None
