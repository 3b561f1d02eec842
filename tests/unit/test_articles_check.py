"""What an editor of articles is told to mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.knowledge.articles import Article, InvalidArticle, parse_article, read_articles
from ops.knowledge.checking import PHRASINGS_MIN, ArticleProblem, check_articles
from ops.seed import ARTICLES_FOLDER

KITES = """---
title: Kites
keywords: [{keywords}]
asked:
  Long ones:
{asked}
unanswered:
{unanswered}
---

## Long ones

A kite longer than 3 ft goes into the hold.
"""
WAYS = (
    "how do i bring a {}",
    "{} fee",
    "where do i pack a {}",
    "is a {} ok",
    "may a {} fly",
    "big {}",
    "a {} and me",
    "{}",
)


def ways(what: str) -> tuple[str, ...]:
    return tuple(way.format(what) for way in WAYS)


def article(
    name: str = "kites",
    asked: tuple[str, ...] = ways("kite"),
    unanswered: tuple[str, ...] = ("who repairs kites",),
    keywords: str = "kite",
) -> Article:
    text = KITES.format(
        keywords=keywords,
        asked="\n".join(f"    - {one}" for one in asked),
        unanswered="\n".join(f"  - {one}" for one in unanswered),
    )
    return parse_article(Path(f"{name}.md"), Path(f"{name}.md"), text)


def test_articles_that_ship_have_nothing_to_mend() -> None:
    assert check_articles(read_articles(ARTICLES_FOLDER)) == []


def test_an_article_with_all_that_it_needs_has_nothing_to_mend() -> None:
    assert check_articles([article()]) == []


def test_a_section_that_lacks_phrasings_is_named() -> None:
    found = check_articles([article(asked=("a kite",))])

    assert found == [ArticleProblem("few phrasings", "kites", "Long ones", f"1, at least {PHRASINGS_MIN}")]


def test_two_sections_that_claim_one_phrasing_are_named_once() -> None:
    one, other = article(), article("poles", (*ways("ski pole"), "How do I bring a kite?"), keywords="kite")

    found = check_articles([one, other])

    assert [(problem.flaw, problem.slug) for problem in found] == [("collision", "kites")]
    assert "How do I bring a kite?" in found[0].detail


def test_a_question_that_is_both_asked_and_unanswered_is_named() -> None:
    found = check_articles([article(unanswered=("May a kite fly?",))])

    assert [(problem.flaw, problem.section) for problem in found] == [("answered and unanswered", "Long ones")]


@pytest.mark.parametrize(
    ("keywords", "named"), [("balloon", "'balloon'"), ("hold kites", None), ("hot air balloon", "'hot air balloon'")]
)
def test_a_keyword_that_no_text_speaks_of_is_named(keywords: str, named: str | None) -> None:
    found = check_articles([article(keywords=keywords)])

    assert [problem.detail for problem in found] == ([named] if named else [])


@pytest.mark.parametrize(
    ("front", "key", "line"),
    [
        ("title: A\nkeywords: [a]\ntitle: B", "title", 4),
        ("title: A\nasked:\n  Long:\n    - a\n  Short:\n    - b\n  Long:\n    - c", "Long", 8),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_its_line(front: str, key: str, line: int) -> None:
    path = Path("a.md")

    with pytest.raises(InvalidArticle, match=rf"line {line}: its front matter names '{key}' a second time"):
        parse_article(path, path, f"---\n{front}\n---\n\n## Long\n\nText.\n")
