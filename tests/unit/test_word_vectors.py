from __future__ import annotations

import json
import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest
from threadpoolctl import threadpool_info
from tokenizers import Tokenizer

from ops.knowledge.articles import read_articles
from ops.seed import ARTICLES_FOLDER
from worker.models import word_vectors as module
from worker.models.word_vectors import WordVectorsUnusable, load_word_vectors

if TYPE_CHECKING:
    from pathlib import Path

# Read by the file's parts: length of the header, header, numbers.
ONE_TENSOR = {"embedding": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}}


def write_weights(folder: Path, described: dict[str, object]) -> None:
    header = json.dumps({"__metadata__": {"format": "pt"}, **described}).encode()
    path = folder / "weights" / "l2_supercat_256.safetensors"
    path.parent.mkdir()
    path.write_bytes(len(header).to_bytes(8, "little") + header + np.arange(6, dtype=np.float16).tobytes())


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ModuleSpec("wordllama", None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(module, "find_spec", lambda _name: spec)


def test_texts_that_mean_the_same_are_nearer_than_others() -> None:
    suitcase, luggage, cat = load_word_vectors().embed(["a heavy suitcase", "heavy luggage", "my little cat"])

    assert suitcase @ luggage > suitcase @ cat + 0.2


def test_vectors_have_length_one_and_an_empty_text_has_none() -> None:
    vectors = load_word_vectors().embed(["how many bags", ""])

    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 0])


def test_a_token_that_weighs_nothing_says_nothing() -> None:
    vectors = load_word_vectors()
    weights = np.ones(len(vectors.table), np.float32)
    weights[vectors.tokenize("please")] = 0

    plain, weighed = vectors.embed(["bag"], weights)[0], vectors.embed(["please bag"], weights)[0]

    assert plain @ weighed == pytest.approx(1, abs=1e-5)


def test_texts_are_cut_as_by_the_tokenizer_that_the_vectors_were_made_with() -> None:
    spec = find_spec("wordllama")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    reference = Tokenizer.from_file(f"{spec.submodule_search_locations[0]}/{module._TOKENIZER}")  # noqa: SLF001
    asked = [
        phrasing
        for article in read_articles(ARTICLES_FOLDER)
        for several in article.asked.values()
        for phrasing in several
    ]
    odd = ["", "na\u00efve caf\u00e9 \u4f60\u597d \U0001f642 x_y $5.50 it's", "a" * 50]

    vectors = load_word_vectors()

    assert len(asked) > 1_000
    for text in [*asked, *odd]:
        assert vectors.tokenize(text) == reference.encode(text, add_special_tokens=False).ids, text


def test_loading_imports_no_package_that_configures_the_log_or_asks_a_network() -> None:
    code = (
        "import logging, sys; from worker.models.word_vectors import load_word_vectors; load_word_vectors();"
        "print(len(logging.getLogger().handlers), {'wordllama', 'tokenizers', 'huggingface_hub'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "0 set()"


def test_linear_algebra_stays_on_one_thread() -> None:
    load_word_vectors()

    assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}


def test_vectors_that_are_not_installed_are_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _name: None)

    with pytest.raises(WordVectorsUnusable, match="wordllama is not installed; install"):
        load_word_vectors.__wrapped__()


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        ({"embedding": {**ONE_TENSOR["embedding"], "dtype": "F32"}}, "holds F32, not F16"),
        ({**ONE_TENSOR, "other": ONE_TENSOR["embedding"]}, "cannot be read"),
        (ONE_TENSOR, "cannot be read"),  # there is no tokenizer beside it
    ],
)
def test_files_of_another_kind_are_refused(
    described: dict[str, object], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_weights(tmp_path, described)
    install(tmp_path, monkeypatch)

    with pytest.raises(WordVectorsUnusable, match=reason):
        load_word_vectors.__wrapped__()
