"""The commands `fte kb …`: import, list, search and embed the knowledge base's articles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.options import Json, Tenant, Who, user_name

if TYPE_CHECKING:
    from ops.knowledge.importing import ImportReport
    from schema.settings import Settings
    from schema.settings.deployment import DeploymentSettings
    from worker.conversation.effects import Passage

kb = typer.Typer(help="The articles that answers come from.", no_args_is_help=True)


@kb.command("import")
def import_folder(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Markdown files, also in folders within.")],
    *,
    prune: Annotated[bool, typer.Option("--prune", help="Remove the articles that the folder does not have.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Import a folder of Markdown articles; only what changed is written, all of it or nothing."""
    from dataclasses import asdict

    from ops.cli.servers import find_servers
    from ops.knowledge.importing import import_articles
    from ops.terminal import print_line
    from runtime.database import connect
    from runtime.encoding import dump_json

    settings = find_servers()
    with connect(settings.database_url or "") as connection:
        report = import_articles(connection, tenant, folder, by=user_name(who), prune=prune, dry_run=dry_run)
    embedded = _embed(settings, tenant) if settings.embedding_model and not dry_run else 0
    if as_json:
        print_line(dump_json({**asdict(report), "embedded": embedded}))
        return
    _show(report, dry_run=dry_run, embedded=embedded)


@kb.command("list")
def list_articles(tenant: Tenant = "default", as_json: Json = False) -> None:
    """List the articles."""
    import asyncio

    from rich.table import Table

    from ops.cli.servers import find_servers
    from ops.terminal import open_console, print_line, safe_text
    from runtime.encoding import dump_json

    rows = asyncio.run(_read_articles(find_servers(), tenant))
    if as_json:
        for row in rows:
            print_line(dump_json({**row, "updated_on": row["updated_on"] and row["updated_on"].isoformat()}))
        return
    table = Table("article", "title", "sections", "updated", box=None, pad_edge=False, header_style="dim")
    for row in rows:
        table.add_row(row["slug"], safe_text(row["title"]), str(row["sections"]), str(row["updated_on"] or ""))
    open_console().print(table)


@kb.command("search")
def search(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="As a customer would ask it.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=20, metavar="N", help="Passages at most.")] = 3,
    tenant: Tenant = "default",
) -> None:
    """Show what agents find for a question: by the index, by the embedding model where one is set, and both merged."""
    import asyncio

    from ops.cli.servers import find_servers
    from ops.terminal import open_console, safe_text

    console = open_console()
    for way, passages in asyncio.run(_search(find_servers(), tenant, question, limit)):
        console.print(way, style="bold")
        if not passages:
            console.print("  nothing; the customer is told so and offered a person", style="dim")
        for passage in passages:
            console.print(
                safe_text(f"  {passage.rank:7.3f}  {passage.article} \u203a {passage.section}"), soft_wrap=True
            )


@kb.command("check")
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Markdown files, also in folders within.")],
    as_json: Json = False,
) -> None:
    """Name what customers would not find, or find by mistake; exits with 1 when there is something to mend.

    Sections that lack phrasings, phrasings that collide, keywords that no text speaks of. Reads the files alone.
    """
    from dataclasses import asdict

    from ops.knowledge.articles import read_articles
    from ops.knowledge.checking import check_articles
    from ops.terminal import open_console, print_line, safe_text
    from runtime.encoding import dump_json

    articles = read_articles(folder)
    problems = check_articles(articles)
    if as_json:
        for problem in problems:
            print_line(dump_json(asdict(problem)))
    else:
        console = open_console()
        for problem in problems:
            place = f"{problem.slug} \u203a {problem.section}" if problem.section else problem.slug
            console.print(safe_text(f"{problem.flaw}: {place}: {problem.detail}"), soft_wrap=True)
        console.print(f"{len(articles)} articles checked, {len(problems)} things to mend", markup=False)
    if problems:
        raise typer.Exit(1)


@kb.command("embed")
def embed(tenant: Tenant = "default") -> None:
    """Embed the sections that lack an embedding of FTE_EMBEDDING_MODEL, so that they are found by their meaning."""
    from ops.cli.servers import find_servers
    from ops.terminal import open_console

    settings = find_servers()
    made = _embed(settings, tenant)
    open_console().print(f"{made} sections embedded with {settings.embedding_model}", markup=False)


def _show(report: ImportReport, *, dry_run: bool, embedded: int) -> None:
    from ops.terminal import open_console

    console = open_console()
    for sign, slugs in (("+", report.added), ("~", report.changed), ("-", report.removed)):
        for slug in slugs:
            console.print(f"{sign} {slug}", markup=False)
    done = f"{len(report.added)} added, {len(report.changed)} changed, {len(report.removed)} removed"
    console.print(f"{'would be: ' if dry_run else ''}{done}, {len(report.unchanged)} unchanged", markup=False)
    if report.not_in_folder:
        console.print(
            f"{len(report.not_in_folder)} more are kept that this folder does not have (--prune removes them)"
        )
    if embedded:
        console.print(f"{embedded} sections embedded")


def _embed(settings: Settings, tenant: str) -> int:
    import asyncio

    from rich.progress import Progress

    async def run() -> int:
        from ops.cli.reading import open_database
        from ops.knowledge.embedding import embed_sections
        from schema.errors import InvalidSettings
        from worker.models.embeddings import build_embedder

        embedder = build_embedder(settings)
        if embedder is None:
            raise InvalidSettings(["FTE_EMBEDDING_MODEL is not set: openai:<model>"])
        async with open_database(settings) as database:
            with Progress(transient=True) as bar:
                task = bar.add_task("embedding", total=None)
                try:
                    return await embed_sections(
                        database, embedder, tenant, lambda count: bar.update(task, advance=count)
                    )
                finally:
                    await embedder.aclose()

    return asyncio.run(run())


async def _read_articles(settings: DeploymentSettings, tenant: str) -> list[dict[str, Any]]:
    from ops.cli.reading import open_database

    async with open_database(settings) as database:
        return await database.read(tenant, "list_articles")


async def _search(settings: Settings, tenant: str, question: str, limit: int) -> list[tuple[str, list[Passage]]]:
    from ops.cli.reading import open_database
    from worker.models.embeddings import build_embedder
    from worker.store.knowledge import PostgresKnowledge

    embedder = build_embedder(settings)
    async with open_database(settings) as database:
        knowledge = PostgresKnowledge(database, embedder, settings.embedding_similarity_min)
        if embedder is None:
            return [("by the index", await knowledge.search(tenant, question, limit))]
        try:
            return [
                ("by the index", await knowledge.search_index(tenant, question, limit)),
                ("by the embedding model", await knowledge.search_meaning(tenant, question, limit)),
                ("merged", await knowledge.search(tenant, question, limit)),
            ]
        finally:
            await embedder.aclose()
