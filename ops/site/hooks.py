"""What MkDocs calls while it builds the site: adds the pages that do not lie in `docs/`, and turns links to them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mkdocs.structure.files import File

from ops.site.reference import commands_page, database_page, http_page, settings_page

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT: Final = Path(__file__).parents[2]
BESIDE: Final = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages that lie beside `docs/`, by the name that each has on the site."""

_LINK: Final = re.compile(r"\]\((?!https?://|#|mailto:)([^)\s#]*)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies beside `docs/`, and what is made of the code."""
    pages = {name: _on_the_site((ROOT / source).read_text(encoding="utf-8")) for source, name in BESIDE.items()}
    pages |= {
        "reference/settings.md": settings_page(),
        "reference/commands.md": commands_page(),
        "reference/http.md": http_page(ROOT / "docs/openapi.json"),
        "reference/database.md": database_page(ROOT / "schema/structure.sql"),
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Turn links that lead out of `docs/` into those of the site; what is no page of it is named and not linked."""
    return _LINK.sub(_turned, markdown)


def _on_the_site(text: str) -> str:
    """Return a page beside `docs/` with its links as from within."""
    return re.sub(r"\]\(docs/", "](", text)


def _turned(match: re.Match[str]) -> str:
    target, anchor = match[1], match[2] or ""
    name = target.rpartition("/")[2] if target.startswith("../") else target
    if name in BESIDE:
        return f"]({BESIDE[name]}{anchor})"
    return match[0]
