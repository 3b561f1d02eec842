"""Test the pattern files' reader, and that every shipped file can be read."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from runtime.patterns import load_patterns, load_words

SHIPPED = [
    ("worker.guardrails", "abuse.patterns"),
    ("worker.guardrails", "emergency.patterns"),
    ("worker.guardrails", "families.patterns"),
    ("worker.guardrails", "promises.patterns"),
    ("worker.guardrails", "insides.patterns"),
    ("worker.guardrails", "claims.patterns"),
    ("worker.domains.airline", "claims.patterns"),
    ("worker.domains.airline", "relevance.patterns"),
    ("worker.guardrails", "relevance.patterns"),
    ("worker.domains.airline.local.reading", "clauses.patterns"),
    ("worker.domains.airline.local.reading", "cues.patterns"),
    ("worker.domains.airline.local.reading", "meta.patterns"),
    ("worker.domains.airline.local.reading", "names.patterns"),
    ("worker.domains.airline.local.reading", "own_questions.patterns"),
    ("worker.domains.airline.rules", "consent.patterns"),
    ("worker.domains.airline.rules", "mail.patterns"),
    ("worker.domains.airline.local.reading", "seats.patterns"),
    ("worker.domains.airline.local.reading", "slots.patterns"),
    ("worker.domains.airline.local.reading", "wishes.patterns"),
]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "pattern_samples"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pattern_samples", raising=False)
    load_patterns.cache_clear()
    load_words.cache_clear()
    return folder


def test_words_get_plurals_and_sections_refer_to_earlier_ones(package: Path) -> None:
    (package / "a.patterns").write_text(
        "# a comment\n[pet*]\ncat fox guinea_pig\n\n[owner]\nhas {pet} | owns \\d{1,2} {pet}\nno pet\n"
    )

    found = load_patterns("pattern_samples", "a.patterns")

    owner = re.compile(found["owner"])
    assert list(found) == ["pet", "owner"]
    assert all(owner.fullmatch(text) for text in ("has cats", "has foxes", "owns 12 guinea pigs", "no pet"))
    assert not any(owner.fullmatch(text) for text in ("has dogs", "owns 123 cats", "a comment"))


def test_words_marked_as_verbs_come_in_all_their_forms(package: Path) -> None:
    (package / "w.patterns").write_text("[harm*]\nstab+ hope+ carry+ knife\n[other]\nno word\n")

    found = load_words("pattern_samples", "w.patterns")

    assert list(found) == ["harm"]
    assert {"stabs", "stabbed", "stabbing", "hopes", "hoped", "hoping", "carried", "carries", "knifes"} <= {
        *found["harm"]
    }
    assert "knifed" not in found["harm"]


def test_words_of_one_or_two_letters_have_no_plural(package: Path) -> None:
    (package / "s.patterns").write_text("[you*]\nu ya want_to\n[mine*]\nmy i our\n[short*]\nu i\n")

    patterns, words = load_patterns("pattern_samples", "s.patterns"), load_words("pattern_samples", "s.patterns")

    assert words["you"] == ("u", "ya", "want to")
    assert [text for text in ("u", "us", "want to", "want toes") if re.fullmatch(patterns["you"], text)] == [
        "u",
        "want to",
    ]
    assert [text for text in ("i", "is", "my", "our", "ours") if re.fullmatch(patterns["mine"], text)] == [
        "i",
        "my",
        "our",
        "ours",
    ]
    assert re.fullmatch(patterns["short"], "us") is None


def test_the_fuller_of_two_alternatives_is_taken(package: Path) -> None:
    (package / "b.patterns").write_text("[x]\nten\nten to one\n")

    match = re.match(load_patterns("pattern_samples", "b.patterns")["x"], "ten to one")

    assert match is not None
    assert match[0] == "ten to one"


def test_a_line_outside_a_section_is_an_error(package: Path) -> None:
    (package / "c.patterns").write_text("stray\n[x]\ny\n")

    with pytest.raises(ValueError, match=r"c\.patterns:1"):
        load_patterns("pattern_samples", "c.patterns")


def test_a_reference_to_nothing_is_an_error(package: Path) -> None:
    (package / "d.patterns").write_text("[x]\n{later}\n[later]\ny\n")

    with pytest.raises(KeyError, match="later"):
        load_patterns("pattern_samples", "d.patterns")


@pytest.mark.parametrize(("package_name", "file"), SHIPPED)
def test_every_shipped_section_compiles_and_none_matches_nothing(package_name: str, file: str) -> None:
    for name, pattern in load_patterns(package_name, file).items():
        compiled = re.compile(pattern)

        assert compiled.fullmatch("") is None or name in {"emphasis", "fillers"}, name
