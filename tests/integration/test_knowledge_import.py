from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from ops.runtime.database import connect
from ops.seed import ARTICLES_FOLDER, ImportCounts, InvalidArticle, import_articles
from ops.seed.knowledge import read_articles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

    from ops.runtime.database import Row
    from schema.settings import Settings

ARTICLE = """+++
title = "Umbrellas"
slug = "umbrellas"
keywords = ["rain"]
updated = 2026-01-15
+++

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

    first = import_articles(connection, tenant, folder)
    before = stored(connection, tenant)
    second = import_articles(connection, tenant, folder)

    assert first == ImportCounts(added=count, changed=0, removed=0, unchanged=0)
    assert second == ImportCounts(added=0, changed=0, removed=0, unchanged=count)
    assert stored(connection, tenant) == before != []


def test_an_import_adds_replaces_and_removes_what_the_folder_says(
    connection: psycopg.Connection[Row], tenant: str, folder: Path
) -> None:
    import_articles(connection, tenant, folder)
    before = {(row["slug"], row["section_number"]): row for row in stored(connection, tenant)}
    (folder / "umbrellas.md").write_text(ARTICLE)
    (folder / "pets.md").unlink()
    wifi = folder / "wifi.md"
    wifi.write_text(wifi.read_text().replace("costs $8", "costs $9"))

    counts = import_articles(connection, tenant, folder)

    after = {(row["slug"], row["section_number"]): row for row in stored(connection, tenant)}
    assert counts == ImportCounts(added=1, changed=1, removed=1, unchanged=len(list(folder.glob("*.md"))) - 2)
    assert {slug for slug, _ in after} - {slug for slug, _ in before} == {"umbrellas"}
    assert {slug for slug, _ in before} - {slug for slug, _ in after} == {"pets"}
    assert "costs $9" in after["wifi", 1]["body"]
    assert after["baggage", 1] == before["baggage", 1]


def test_lines_of_a_paragraph_are_joined_and_lists_stay(
    connection: psycopg.Connection[Row], tenant: str, tmp_path: Path
) -> None:
    (tmp_path / "umbrellas.md").write_text(ARTICLE)

    import_articles(connection, tenant, tmp_path)

    assert [(row["heading"], row["body"]) for row in stored(connection, tenant)] == [
        ("Long ones", "They go into the hold.\n\n- one\n- two"),
        ("Short ones", "On board."),
    ]


def test_an_import_leaves_other_tenants_alone(
    connection: psycopg.Connection[Row], tenant: str, other_tenant: str, folder: Path, tmp_path: Path
) -> None:
    import_articles(connection, other_tenant, folder)
    before = stored(connection, other_tenant)
    (tmp_path / "umbrellas.md").write_text(ARTICLE)

    import_articles(connection, tenant, tmp_path)

    assert stored(connection, other_tenant) == before
    assert {row["slug"] for row in stored(connection, tenant)} == {"umbrellas"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("+++\ntitle", "title"), "must begin with front matter"),
        (("title =", "title"), "is not TOML"),
        (('title = "Umbrellas"\n', ""), "needs title, a str"),
        (("updated = 2026-01-15", 'updated = "yesterday"'), "needs updated, a date"),
        (('slug = "umbrellas"', 'slug = "Umbrellas!"'), "in words joined by -"),
        (("keywords =", "author = 1\nkeywords ="), "has author"),
        (("## Long ones", "Long ones"), "must stand in sections"),
        (("On board.", ""), "'Short ones' is empty"),
    ],
)
def test_an_article_that_breaks_the_form_is_refused_and_nothing_is_imported(
    connection: psycopg.Connection[Row], tenant: str, folder: Path, change: tuple[str, str], reason: str
) -> None:
    (folder / "umbrellas.md").write_text(ARTICLE.replace(*change))

    with pytest.raises(InvalidArticle, match=reason) as refused:
        import_articles(connection, tenant, folder)

    assert refused.value.path == folder / "umbrellas.md"
    assert stored(connection, tenant) == []


def test_two_files_with_one_slug_are_refused(folder: Path) -> None:
    (folder / "a.md").write_text(ARTICLE)
    (folder / "b.md").write_text(ARTICLE)

    with pytest.raises(InvalidArticle, match="another file has the slug 'umbrellas' too"):
        read_articles(folder)


def test_a_folder_without_articles_removes_nothing(
    connection: psycopg.Connection[Row], tenant: str, folder: Path, tmp_path: Path
) -> None:
    import_articles(connection, tenant, folder)
    empty = tmp_path / "empty"
    empty.mkdir()

    with pytest.raises(InvalidArticle, match=r"no \*\.md file"):
        import_articles(connection, tenant, empty)

    assert stored(connection, tenant) != []
