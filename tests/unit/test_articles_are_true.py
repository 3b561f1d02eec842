"""The published articles and the rules say the same: every number has its rule, or a reason why it has none."""

from __future__ import annotations

import re

import pytest

from ops.knowledge.articles import read_articles
from ops.seed import ARTICLES_FOLDER
from tests.unit.article_statements import POLICY_ONLY, STATEMENTS

TEXTS = {
    article.slug: " ".join(" ".join(text for _, text in article.sections).split())
    for article in read_articles(ARTICLES_FOLDER)
}
NUMBER = re.compile(
    r"\$?\d[\d,.]*(?<![.,])|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twice|dozen|half)\b|"
    r"\bwithin an? \w+|\bone (?:year|guest|child|carry-on|checked|personal|certificate|card|price|booking)\b"
)


def stands_in(slug: str, words: str) -> bool:
    return words in TEXTS[slug]


@pytest.mark.parametrize(
    ("slug", "words", "holds"), STATEMENTS, ids=lambda value: "" if callable(value) else value[:60]
)
def test_what_an_article_says_is_what_the_rule_does(slug: str, words: str, holds: object) -> None:
    assert stands_in(slug, words), f"{slug} no longer says so: give its new words the rule behind them"
    assert callable(holds)
    assert holds(), f"{slug} says so, and the rule does otherwise"


@pytest.mark.parametrize(("slug", "words", "reason"), POLICY_ONLY, ids=lambda value: value[:60])
def test_what_has_no_rule_still_stands_in_its_article(slug: str, words: str, reason: str) -> None:
    assert reason
    assert stands_in(slug, words), f"{slug} no longer says so: give its new words a rule, or the reason for none"


@pytest.mark.parametrize("slug", TEXTS)
def test_every_number_of_an_article_is_accounted_for(slug: str) -> None:
    left = TEXTS[slug]
    known = [words for where, words, _ in (*STATEMENTS, *POLICY_ONLY) if where == slug]
    for words in sorted(known, key=len, reverse=True):
        left = left.replace(words, " … ")

    assert NUMBER.findall(left) == [], left


def test_no_statement_is_about_an_article_that_is_gone() -> None:
    assert {slug for slug, _, _ in (*STATEMENTS, *POLICY_ONLY)} <= set(TEXTS)
