"""Build HTML and SVG as a tree, so that whatever text goes in is escaped on the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from ops.terminal import plain

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def node(tag: str, *children: Element | str, **attributes: str | float) -> Element:
    """Return an element; a trailing underscore of an attribute's name is dropped, any other becomes a hyphen.

    Text loses its control characters, and is escaped when the tree is written.
    """
    made = ET.Element(tag, {_attribute(name): _value(value) for name, value in attributes.items()})
    last: Element | None = None
    for child in children:
        if not isinstance(child, str):
            made.append(child)
            last = child
        elif last is None:
            made.text = (made.text or "") + plain(child)
        else:
            last.tail = (last.tail or "") + plain(child)
    return made


def write_page(title: str, style: str, *body: Element) -> str:
    """Return a whole HTML page that loads nothing and runs nothing, and says so to the browser."""
    policy = node("meta", content="default-src 'none'; style-src 'unsafe-inline'")
    policy.set("http-equiv", "Content-Security-Policy")
    head = node(
        "head",
        node("meta", charset="utf-8"),
        policy,
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        node("title", title),
        node("style", style),
    )
    page = node("html", head, node("body", *body), lang="en")
    return "<!doctype html>\n" + ET.tostring(page, encoding="unicode", method="html")


def _attribute(name: str) -> str:
    return name.removesuffix("_").replace("_", "-")


def _value(value: str | float) -> str:
    return plain(value) if isinstance(value, str) else f"{value:.6g}"
