"""Bring a folder of Markdown articles into a tenant's knowledge base.

An article is a file with TOML front matter between two lines `+++` (title, slug, keywords, updated) and `##` sections.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schema.errors import FteError
from schema.resources import load_query

if TYPE_CHECKING:
    import psycopg

ARTICLES_FOLDER = Path(__file__).parent / "articles"
"""The articles of the sample airline."""

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEYS = {"title": str, "slug": str, "keywords": list, "updated": date}


class InvalidArticle(FteError):
    """Refuse a folder of articles: names the file and what is wrong with it. Nothing was imported."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """Count what an import did to the articles of a tenant."""

    added: int
    changed: int
    removed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Article:
    """Hold one article; sections are heading and text, in the order published, never empty."""

    slug: str
    title: str
    keywords: tuple[str, ...]
    updated_on: date
    sections: tuple[tuple[str, str], ...]
    content_hash: str


def import_articles(connection: psycopg.Connection[Any], tenant: str, folder: Path) -> ImportCounts:
    """Make a tenant's articles those of the folder, all of them or none: adds, replaces what changed, removes the rest.

    Raises InvalidArticle, also for a folder without articles: it is more likely the wrong one than meant.
    """
    articles = {article.slug: article for article in read_articles(folder)}
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('fte.tenant', %s, true)", [tenant])
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('fte articles ' || %s))", [tenant])
        cursor.execute(load_query("list_articles").encode())
        present = dict(_pairs(cursor.fetchall()))
        removed = present.keys() - articles.keys()
        added = articles.keys() - present.keys()
        changed = {slug for slug in present.keys() & articles.keys() if present[slug] != articles[slug].content_hash}
        for slug in sorted(removed | changed):
            cursor.execute(load_query("remove_article").encode(), {"slug": slug})
        for slug in sorted(added | changed):
            cursor.execute(load_query("add_article").encode(), _parameters(articles[slug]))
    return ImportCounts(len(added), len(changed), len(removed), len(articles) - len(added) - len(changed))


def read_articles(folder: Path) -> list[Article]:
    """Read every `*.md` of a folder, by name; raises InvalidArticle."""
    articles: dict[str, Article] = {}
    for path in sorted(folder.glob("*.md")):
        article = parse_article(path, path.read_text(encoding="utf-8"))
        if article.slug in articles:
            raise InvalidArticle(path, f"another file has the slug {article.slug!r} too")
        articles[article.slug] = article
    if not articles:
        raise InvalidArticle(folder, "no *.md file in this folder")
    return list(articles.values())


def parse_article(path: Path, text: str) -> Article:
    """Read one article; `path` is for the error. Raises InvalidArticle."""
    parts = re.split(r"^\+\+\+[ \t]*$", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():  # noqa: PLR2004 - before, between and after the two lines
        raise InvalidArticle(path, "it must begin with front matter between two lines +++")
    front = _read_front(path, parts[1])
    sections = _cut_sections(path, parts[2])
    return Article(
        slug=front["slug"],
        title=front["title"],
        keywords=tuple(front["keywords"]),
        updated_on=front["updated"],
        sections=sections,
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
    )


def _read_front(path: Path, text: str) -> dict[str, Any]:
    try:
        front = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidArticle(path, f"its front matter is not TOML: {error}") from None
    for key, kind in _KEYS.items():
        if not isinstance(front.get(key), kind):
            raise InvalidArticle(path, f"its front matter needs {key}, a {kind.__name__}")
    if unknown := front.keys() - _KEYS.keys():
        raise InvalidArticle(path, f"its front matter has {', '.join(sorted(unknown))}; it takes {', '.join(_KEYS)}")
    if not _SLUG.fullmatch(front["slug"]):
        raise InvalidArticle(path, f"slug {front['slug']!r}: a-z and 0-9 in words joined by -")
    return front


def _cut_sections(path: Path, text: str) -> tuple[tuple[str, str], ...]:
    before, *rest = re.split(r"^##[ \t]+(.+)$", text, flags=re.MULTILINE)
    if before.strip() or not rest:
        raise InvalidArticle(path, "all its text must stand in sections that begin with a line ## Heading")
    sections = tuple((rest[i].strip(), _unwrap(rest[i + 1].strip())) for i in range(0, len(rest), 2))
    for heading, body in sections:
        if not body:
            raise InvalidArticle(path, f"its section {heading!r} is empty")
    return sections


def _unwrap(text: str) -> str:
    # A file's lines end where the editor's do; in a text message they would look broken. Paragraphs and lists stay.
    return re.sub(r"(?<!\n)\n(?![\n*-])", " ", text)


def _parameters(article: Article) -> dict[str, Any]:
    return {
        "slug": article.slug,
        "title": article.title,
        "keywords": ", ".join(article.keywords),
        "updated_on": article.updated_on,
        "content_hash": article.content_hash,
        "headings": [heading for heading, _ in article.sections],
        "bodies": [body for _, body in article.sections],
    }


def _pairs(rows: list[Any]) -> list[tuple[str, str]]:
    # Commands read rows as dictionaries, a plain connection as tuples.
    return [(row["slug"], row["content_hash"]) if isinstance(row, dict) else (row[0], row[1]) for row in rows]
