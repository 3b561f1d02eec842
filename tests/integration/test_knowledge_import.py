from __future__ import annotations

import hashlib
import shutil
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ops.knowledge.articles import SECTION_CHARACTERS_MAX, InvalidArticle, read_articles
from ops.knowledge.importing import import_articles
from ops.seed import ARTICLES_FOLDER
from runtime.database import connect
from schema.errors import UnknownTenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

    from runtime.database import Row
    from schema.settings import Settings

ARTICLE = """---
title: Umbrellas
keywords: [rain]
updated: 2026-01-15
---

## Long ones

They go into
the hold.

- one
- two

## Short ones

On board.
"""


@pytest.fixture
def connection(settings: Settings) -> Iterator[psycopg.Connection[Row]]:
    assert settings.database_url is not None
    with connect(settings.database_url) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "articles"
    shutil.copytree(ARTICLES_FOLDER, made)
    return made


def stored(connection: psycopg.Connection[Row], tenant: str) -> list[Row]:
    return connection.execute(
        "SELECT a.*, s.section_number, s.heading, s.body FROM article a JOIN article_section s USING (tenant_id, slug) "
        "WHERE tenant_id = %s ORDER BY slug, section_number",
        [tenant],
    ).fetchall()


def test_the_articles_that_ship_cover_what_an_airline_is_asked() -> None:
    articles = {article.slug: article for article in read_articles(ARTICLES_FOLDER)}

    text = {slug: " ".join(body for _, body in article.sections) for slug, article in articles.items()}
    assert len(articles) >= 30
    assert "A checked bag over 50 lbs costs $50." in text["baggage"]
    assert "1A to 30F" in text["seating"]
    assert "$35 extra" in text["seating"]
    assert "free up to 24 hours before the flight. After that, a $50 change fee" in text["cancellation"]
    assert "rebooked within a year without a change fee" in text["refunds"]
    assert "No vaccination is required" in text["health"]
    assert "Masks are optional" in text["health"]


def test_an_import_twice_changes_nothing(connection: psycopg.Connection[Row], tenant: str, folder: Path) -> None:
    count = len(list(folder.glob("*.md")))

    first = import_articles(connection, tenant, folder, by="a test")
    before = stored(connection, tenant)
    second = import_articles(connection, tenant, folder, by="a test")

    assert (len(first.added), len(first.unchanged)) == (count, 0)
    assert (len(second.added), second.changed, len(second.unchanged)) == (0, (), count)
    assert stored(connection, tenant) == before != []


def test_an_import_adds_replaces_and_when_told_to_removes(
    connection: psycopg.Connection[Row], tenant: str, folder: Path
) -> None:
    import_articles(connection, tenant, folder, by="a test")
    before = {(row["slug"], row["section_number"]): row for row in stored(connection, tenant)}
    (folder / "umbrellas.md").write_text(ARTICLE)
    (folder / "pets.md").unlink()
    wifi = folder / "wifi.md"
    wifi.write_text(wifi.read_text().replace("costs $8", "costs $9"))

    kept = import_articles(connection, tenant, folder, by="a test")
    slugs_kept = {row["slug"] for row in stored(connection, tenant)}
    pruned = import_articles(connection, tenant, folder, prune=True, by="a test")

    after = {(row["slug"], row["section_number"]): row for row in stored(connection, tenant)}
    assert (kept.added, kept.changed, kept.removed, kept.not_in_folder) == (("umbrellas",), ("wifi",), (), ("pets",))
    assert "pets" in slugs_kept
    assert (pruned.added, pruned.changed, pruned.removed) == ((), (), ("pets",))
    assert {slug for slug, _ in before} - {slug for slug, _ in after} == {"pets"}
    assert "costs $9" in after["wifi", 1]["body"]
    assert after["baggage", 1] == before["baggage", 1]


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    connection: psycopg.Connection[Row], tenant: str, folder: Path
) -> None:
    import_articles(connection, tenant, folder, by="a test")
    before = stored(connection, tenant)
    (folder / "umbrellas.md").write_text(ARTICLE)
    (folder / "pets.md").unlink()

    report = import_articles(connection, tenant, folder, prune=True, dry_run=True, by="a test")

    assert (report.added, report.removed) == (("umbrellas",), ("pets",))
    assert stored(connection, tenant) == before


def test_plain_markdown_in_folders_is_an_article_too(tmp_path: Path) -> None:
    (tmp_path / "fees").mkdir()
    (tmp_path / "fees" / "Kite Surf.md").write_text("# Kites\n\nThey cost $20.\n\n## Two kites\n\n$30.\n")

    (article,) = read_articles(tmp_path)

    assert (article.slug, article.title, article.keywords) == ("fees-kite-surf", "Kites", ())
    assert article.sections == (("Kites", "They cost $20."), ("Two kites", "$30."))


def test_a_long_section_is_cut_between_paragraphs_and_none_of_it_is_lost(tmp_path: Path) -> None:
    paragraphs = [f"Paragraph {number} " + "says something about kites. " * 12 for number in range(12)]
    (tmp_path / "kites.md").write_text("# Kites\n\n## All of it\n\n" + "\n\n".join(paragraphs))

    (article,) = read_articles(tmp_path)

    assert len(article.sections) > 1
    assert {heading for heading, _ in article.sections} == {"All of it"}
    assert all(len(body) <= SECTION_CHARACTERS_MAX for _, body in article.sections)
    assert all(any(paragraph.strip() in body for _, body in article.sections) for paragraph in paragraphs)
    parts = [body.split("\n\n") for _, body in article.sections]
    assert all(before[-1] == after[0] for before, after in pairwise(parts))


ASKED = """asked:
  Long ones:
    - can i take a long
      umbrella
    - "umbrella: how long?"
unanswered:
  - who repairs umbrellas
"""


def test_phrasings_are_imported_with_their_sections(
    connection: psycopg.Connection[Row], tenant: str, tmp_path: Path
) -> None:
    (tmp_path / "umbrellas.md").write_text(ARTICLE.replace("updated:", f"{ASKED}updated:"))

    import_articles(connection, tenant, tmp_path, by="a test")

    rows = connection.execute(
        "SELECT s.heading, s.asked, a.unanswered FROM article_section s JOIN article a USING (tenant_id, slug)"
        " WHERE tenant_id = %s ORDER BY section_number",
        [tenant],
    ).fetchall()
    assert [tuple(row.values()) for row in rows] == [
        ("Long ones", "can i take a long umbrella\numbrella: how long?", "who repairs umbrellas"),
        ("Short ones", "", "who repairs umbrellas"),
    ]


def test_articles_of_a_release_that_read_less_of_them_are_imported_again(
    connection: psycopg.Connection[Row], tenant: str, folder: Path
) -> None:
    import_articles(connection, tenant, folder, by="a test")
    pets = (folder / "pets.md").read_bytes()
    connection.execute(
        "UPDATE article SET content_hash = %s WHERE tenant_id = %s AND slug = 'pets'",
        [hashlib.sha256(pets).hexdigest(), tenant],  # as the release before phrasings wrote it
    )

    report = import_articles(connection, tenant, folder, by="a test")

    assert report.changed == ("pets",)


def test_articles_of_a_tenant_that_does_not_exist_are_refused(
    connection: psycopg.Connection[Row], folder: Path
) -> None:
    with pytest.raises(UnknownTenant):
        import_articles(connection, "nobody-here", folder, by="a test")


def test_lines_of_a_paragraph_are_joined_and_lists_stay(
    connection: psycopg.Connection[Row], tenant: str, tmp_path: Path
) -> None:
    (tmp_path / "umbrellas.md").write_text(ARTICLE)

    import_articles(connection, tenant, tmp_path, by="a test")

    assert [(row["heading"], row["body"]) for row in stored(connection, tenant)] == [
        ("Long ones", "They go into the hold.\n\n- one\n- two"),
        ("Short ones", "On board."),
    ]


def test_an_import_leaves_other_tenants_alone(
    connection: psycopg.Connection[Row], tenant: str, other_tenant: str, folder: Path, tmp_path: Path
) -> None:
    import_articles(connection, other_tenant, folder, by="a test")
    before = stored(connection, other_tenant)
    own = tmp_path / "own"
    own.mkdir()
    (own / "umbrellas.md").write_text(ARTICLE)

    import_articles(connection, tenant, own, by="a test")

    assert stored(connection, other_tenant) == before
    assert {row["slug"] for row in stored(connection, tenant)} == {"umbrellas"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("keywords: [rain]", "keywords: [rain"), "is not YAML at line"),
        (("title: Umbrellas", "title: 7"), "needs a title"),
        (("title: Umbrellas\n", ""), "needs a title"),
        (("updated: 2026-01-15", "updated: yesterday"), "must be a date"),
        (("keywords: [rain]", "keywords: rain"), "must be a list of words"),
        (("On board.", ""), "'Short ones' is empty"),
        (("updated:", "asked: [how]\nupdated:"), "must give each section's heading a list"),
        (("updated:", "asked: {Wide ones: [how]}\nupdated:"), "names a section 'Wide ones' that it does not have"),
        (("updated:", "asked: {Long ones: how}\nupdated:"), "asked of 'Long ones' in its front matter must be a list"),
        (("updated:", f"unanswered: [{'x' * 301}]\nupdated:"), "a question of 301 characters, at most 300"),
        (("updated:", f"unanswered: [{', '.join('x' * 101)}]\nupdated:"), "has 101 questions, at most 100"),
        (("On board.", "On \0 board."), "NUL"),
    ],
)
def test_an_article_that_breaks_the_form_is_refused_and_nothing_is_imported(
    connection: psycopg.Connection[Row], tenant: str, folder: Path, change: tuple[str, str], reason: str
) -> None:
    (folder / "umbrellas.md").write_text(ARTICLE.replace(*change))

    with pytest.raises(InvalidArticle, match=reason) as refused:
        import_articles(connection, tenant, folder, by="a test")

    assert refused.value.path == folder / "umbrellas.md"
    assert stored(connection, tenant) == []


def test_two_files_with_one_slug_are_refused(folder: Path) -> None:
    (folder / "a b.md").write_text(ARTICLE)
    (folder / "a-b.md").write_text(ARTICLE)

    with pytest.raises(InvalidArticle, match="another file has the slug 'a-b' too"):
        read_articles(folder)


def test_a_folder_without_articles_removes_nothing(
    connection: psycopg.Connection[Row], tenant: str, folder: Path, tmp_path: Path
) -> None:
    import_articles(connection, tenant, folder, by="a test")
    empty = tmp_path / "empty"
    empty.mkdir()

    with pytest.raises(InvalidArticle, match=r"no \*\.md file"):
        import_articles(connection, tenant, empty, by="a test")

    assert stored(connection, tenant) != []
