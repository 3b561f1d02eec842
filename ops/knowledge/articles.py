"""Parse articles: Markdown, YAML front matter (title, keywords, updated, asked, unanswered) and `##` sections."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import frontmatter
import yaml
from frontmatter.default_handlers import YAMLHandler

from schema.errors import FteError

SECTION_CHARACTERS_MAX = 1_500
"""Length from which a section is cut between paragraphs: a passage is quoted whole, and a model reads three."""

PHRASING_CHARACTERS_MAX = 300
PHRASINGS_MAX = 100
"""Phrasings of one section, and questions that one article leaves unanswered."""

_READ = "2 "
"""What is read of a file, as part of its hash: a release that reads more of it imports it again."""

_NOT_IN_A_SLUG = re.compile(r"[^a-z0-9]+")
_TITLE = re.compile(r"\A\s*#[ \t]+(.+)$", re.MULTILINE)
_HEADING = re.compile(r"^##[ \t]+(.+)$", re.MULTILINE)


class InvalidArticle(FteError):
    """A folder of articles that cannot be imported: names the file and what is wrong with it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}; nothing was imported")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Article:
    """One article; sections are heading and text, in the order published, never empty."""

    slug: str
    title: str
    keywords: tuple[str, ...]
    updated_on: date | None
    sections: tuple[tuple[str, str], ...]
    content_hash: str
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """How customers ask for a section, by its heading."""
    unanswered: tuple[str, ...] = ()
    """Questions that are near the article, and that neither it nor any other answers."""


def read_articles(folder: Path) -> list[Article]:
    """Read every `*.md` of a folder and of the folders in it, by path; raises InvalidArticle.

    An article's slug is its path without the ending: `fees/pets.md` is `fees-pets`.
    """
    if not folder.is_dir():
        raise InvalidArticle(folder, "no such folder")
    articles: dict[str, Article] = {}
    for path in sorted(folder.rglob("*.md")):
        article = parse_article(path, path.relative_to(folder), _read(path))
        if article.slug in articles:
            raise InvalidArticle(path, f"another file has the slug {article.slug!r} too")
        articles[article.slug] = article
    if not articles:
        raise InvalidArticle(folder, "no *.md file in this folder")
    return list(articles.values())


def parse_article(path: Path, relative: Path, text: str) -> Article:
    """Parse one article; `path` is for the error, `relative` gives the slug. Raises InvalidArticle."""
    try:
        post = frontmatter.loads(text, handler=_FrontMatter())
    except _TwiceNamed as error:
        raise InvalidArticle(path, f"line {error.line}: its front matter names {error.key!r} a second time") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 2}" if mark is not None else ""
        raise InvalidArticle(path, f"its front matter is not YAML{line}") from None
    heading = _TITLE.search(post.content)
    body = post.content[heading.end() :] if heading else post.content
    title = post.metadata.get("title") or (heading[1].strip() if heading else None)
    if not isinstance(title, str):
        raise InvalidArticle(path, "it needs a title: in its front matter, or as a first line # Title")
    slug = _NOT_IN_A_SLUG.sub("-", relative.with_suffix("").as_posix().lower()).strip("-")
    if not slug:
        raise InvalidArticle(path, "its name has none of a-z and 0-9 to call it by")
    sections = _cut_sections(path, title, body)
    return Article(
        slug=slug,
        title=title,
        keywords=_keywords(path, post.metadata),
        updated_on=_updated(path, post.metadata),
        sections=sections,
        content_hash=hashlib.sha256(f"{_READ}{text}".encode()).hexdigest(),
        asked=_asked(path, post.metadata, {heading for heading, _ in sections}),
        unanswered=_phrasings(path, "unanswered", post.metadata.get("unanswered")),
    )


class _TwiceNamed(yaml.YAMLError):
    """Say which key stands twice in one mapping, and on which line of the file the second time."""

    def __init__(self, key: str, line: int) -> None:
        super().__init__(key)
        self.key, self.line = key, line


class _StrictLoader(yaml.SafeLoader):
    """Loads YAML as SafeLoader does, but no mapping with a key twice: of two lists the first would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as in the class above
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:  # lines count from the hyphens above: the loader is given their line end as well
                raise _TwiceNamed(str(key.value), key.start_mark.line + 1)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _FrontMatter(YAMLHandler):
    def load(self, fm: str, **_kwargs: object) -> Any:
        return yaml.load(fm, _StrictLoader)  # noqa: S506 - a SafeLoader


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidArticle(path, f"it is not UTF-8 (byte {error.start})") from None
    if "\0" in text:
        raise InvalidArticle(path, "it holds a NUL character")
    return text


def _keywords(path: Path, front: dict[str, Any]) -> tuple[str, ...]:
    keywords = front.get("keywords") or []
    if not isinstance(keywords, list) or not all(isinstance(keyword, str | int) for keyword in keywords):
        raise InvalidArticle(path, "keywords in its front matter must be a list of words: [bags, luggage]")
    return tuple(str(keyword) for keyword in keywords)


def _asked(path: Path, front: dict[str, Any], headings: set[str]) -> dict[str, tuple[str, ...]]:
    asked = front.get("asked") or {}
    if not isinstance(asked, dict):
        raise InvalidArticle(path, "asked in its front matter must give each section's heading a list of questions")
    for heading in asked:
        if heading not in headings:
            raise InvalidArticle(path, f"asked in its front matter names a section {heading!r} that it does not have")
    return {heading: _phrasings(path, f"asked of {heading!r}", listed) for heading, listed in asked.items()}


def _phrasings(path: Path, where: str, listed: object) -> tuple[str, ...]:
    """Read a list of questions, each brought onto one line."""
    listed = [] if listed is None else listed
    if not isinstance(listed, list) or not all(isinstance(one, str) and one.strip() for one in listed):
        raise InvalidArticle(path, f"{where} in its front matter must be a list of questions")
    if len(listed) > PHRASINGS_MAX:
        raise InvalidArticle(path, f"{where} in its front matter has {len(listed)} questions, at most {PHRASINGS_MAX}")
    phrasings = tuple(" ".join(one.split()) for one in listed)
    for one in phrasings:
        if len(one) > PHRASING_CHARACTERS_MAX:
            raise InvalidArticle(
                path, f"{where} has a question of {len(one)} characters, at most {PHRASING_CHARACTERS_MAX}"
            )
    return phrasings


def _updated(path: Path, front: dict[str, Any]) -> date | None:
    updated = front.get("updated")
    if updated is not None and type(updated) is not date:
        raise InvalidArticle(path, "updated in its front matter must be a date: 2026-01-31")
    return updated


def _cut_sections(path: Path, title: str, text: str) -> tuple[tuple[str, str], ...]:
    before, *rest = _HEADING.split(text)
    sections = [(title, _unwrap(before.strip()))] if before.strip() else []
    for heading, body in zip(rest[::2], rest[1::2], strict=True):
        if not body.strip():
            raise InvalidArticle(path, f"its section {heading.strip()!r} is empty")
        sections.append((heading.strip(), _unwrap(body.strip())))
    if not sections:
        raise InvalidArticle(path, "it has no text")
    return tuple((heading, part) for heading, body in sections for part in _cut_long(body))


def _unwrap(text: str) -> str:
    # A file's lines end where the editor's do; in a text message they would look broken. Paragraphs and lists stay.
    return re.sub(r"(?<!\n)\n(?![\n*#|-])", " ", text)


def _cut_long(body: str) -> list[str]:
    """Cut between paragraphs, each part beginning with the last paragraph of the one before, as long as it fits."""
    parts: list[str] = []
    part = ""
    for paragraph in body.split("\n\n"):
        joined = f"{part}\n\n{paragraph}" if part else paragraph
        if len(joined) <= SECTION_CHARACTERS_MAX or not part:
            part = joined
            continue
        parts.append(part)
        overlap = part.rsplit("\n\n", 1)[-1]
        carried = f"{overlap}\n\n{paragraph}"
        part = carried if overlap != part and len(carried) <= SECTION_CHARACTERS_MAX else paragraph
    return [*parts, part]
