"""Import a folder of articles into a tenant's knowledge base."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.audit.acts import Act, By, parameters_of
from ops.knowledge.articles import Article, read_articles
from schema.errors import UnknownTenant
from schema.resources import load_query

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Slugs of the articles that an import touched; sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    not_in_folder: tuple[str, ...]
    """Left as they are: the tenant has them, and the folder does not."""


def import_articles(
    connection: psycopg.Connection[Any],
    tenant: str,
    folder: Path,
    *,
    by: By,
    prune: bool = False,
    dry_run: bool = False,
) -> ImportReport:
    """Import a folder's articles into a tenant, all of them or none; only what changed is written.

    `prune` removes the tenant's articles that the folder does not have; `dry_run` writes nothing and returns what would
    change. Raises UnknownTenant, and InvalidArticle, also for a folder without articles: it is more likely the wrong
    one than meant.
    """
    articles = {article.slug: article for article in read_articles(folder)}
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('fte.tenant', %s, true)", [tenant])
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('fte articles ' || %s))", [tenant])
        cursor.execute(load_query("list_articles").encode())
        report = _compare(dict(_pairs(cursor.fetchall())), articles, prune=prune)
        if not dry_run:
            cursor.execute("SELECT FROM tenant WHERE tenant_id = %s", [tenant])
            if cursor.fetchone() is None:
                raise UnknownTenant(tenant)
            for slug in (*report.removed, *report.changed):
                cursor.execute(load_query("remove_article").encode(), {"slug": slug})
            for slug in (*report.added, *report.changed):
                cursor.execute(load_query("add_article").encode(), _parameters(articles[slug]))
            touched = {"added": report.added, "changed": report.changed, "removed": report.removed}
            if any(touched.values()):
                act = parameters_of(tenant, by, Act("articles.imported", tenant, after=touched))
                cursor.execute(load_query("record_act").encode(), act)
    return report


def _compare(present: dict[str, str], articles: dict[str, Article], *, prune: bool) -> ImportReport:
    shared = present.keys() & articles.keys()
    changed = {slug for slug in shared if present[slug] != articles[slug].content_hash}
    gone = tuple(sorted(present.keys() - articles.keys()))
    return ImportReport(
        added=tuple(sorted(articles.keys() - present.keys())),
        changed=tuple(sorted(changed)),
        removed=gone if prune else (),
        unchanged=tuple(sorted(shared - changed)),
        not_in_folder=() if prune else gone,
    )


def _parameters(article: Article) -> dict[str, Any]:
    return {
        "slug": article.slug,
        "title": article.title,
        "keywords": ", ".join(article.keywords),
        "unanswered": "\n".join(article.unanswered),
        "updated_on": article.updated_on,
        "content_hash": article.content_hash,
        "headings": [heading for heading, _ in article.sections],
        "bodies": [body for _, body in article.sections],
        "asked": ["\n".join(article.asked.get(heading, ())) for heading, _ in article.sections],
    }


def _pairs(rows: list[Any]) -> list[tuple[str, str]]:
    # Commands read rows as dictionaries, a plain connection as tuples.
    return [(row["slug"], row["content_hash"]) if isinstance(row, dict) else (row[0], row[1]) for row in rows]
