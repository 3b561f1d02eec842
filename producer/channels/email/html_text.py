"""Write a reply's text as HTML: paragraphs, line breaks, and the links that stand in the text."""

from __future__ import annotations

import re
from html import escape
from typing import Final

_LINK: Final = re.compile(r"https?://[^\s<>\"'\u00ab\u00bb\u201c\u201d]{1,1000}")
_AFTER_LINK: Final = ".,;:!?)]}"
_GAP: Final = re.compile(r"\n[ \t]*\n\s*")


def write_html(text: str) -> str:
    """Return a document that shows a text: escaped, with links to the addresses that stand in it and to no other."""
    paragraphs = [f"<p>{_write_lines(each)}</p>\n" for each in _GAP.split(text.strip()) if each]
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head>\n<body dir="auto">\n'
        + "".join(paragraphs)
        + "</body></html>\n"
    )


def _write_lines(paragraph: str) -> str:
    return "<br>\n".join(_write_links(line) for line in paragraph.split("\n"))


def _write_links(line: str) -> str:
    written = []
    end = 0
    for found in _LINK.finditer(line):
        link = found[0].rstrip(_AFTER_LINK)
        written += [escape(line[end : found.start()]), f'<a href="{escape(link)}">{escape(link)}</a>']
        end = found.start() + len(link)
    return "".join(written) + escape(line[end:])
