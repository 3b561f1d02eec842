"""Turn the HTML of a mail into text: what a reader sees, links with their targets, quotations marked as in text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from selectolax.lexbor import LexborHTMLParser

from producer.channels.email.clean_text import clean_text

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

HTML_CHARACTERS_MAX: Final = 400_000
TEXT_CHARACTERS_MAX: Final = 150_000
TAGS_MAX: Final = 3_000
DEPTH_MAX: Final = 120
"""Levels of elements. A parser that keeps to the standard takes 10 s for 57,000: each looks at all around it."""
LINK_CHARACTERS_MAX: Final = 300

QUOTED_BELOW: Final = "\x02"
"""A line of its own before what a mail program marks as the mail that is answered, or as a signature of its own.

A control character, so that no text of a mail holds it.
"""

_DROPPED: Final = frozenset(
    {"script", "style", "head", "title", "template", "noscript", "iframe", "object", "embed", "svg", "math", "form"}
    | {"select", "textarea", "canvas", "audio", "video", "map", "meta", "link", "-comment"}
)
_BLOCKS: Final = frozenset(
    {"p", "div", "br", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr"}
    | {"section", "article", "header", "footer", "address", "center", "dl", "dt", "dd", "body", "fieldset"}
)
_SPACED: Final = frozenset({"p", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "table"})
"""Elements around which there is a blank line."""
_HIDDEN: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)|"
    r"font-size\s*:\s*(?:0(?:\.\d+)?|1(?:\.0+)?px)\s*(?:px|pt|em|%|;|!|$)|max-height\s*:\s*0(?:px)?\s*(?:;|!|$)|"
    r"text-indent\s*:\s*-\d{3,}|(?:left|top)\s*:\s*-\d{3,}"
)
_COLOUR: Final = re.compile(r"(?:^|;)\s*color\s*:\s*([^;!]+)")
_BACKGROUND: Final = re.compile(r"(?:^|;)\s*background(?:-color)?\s*:\s*([^;!]+)")
_QUOTE_CLASSES: Final = frozenset({"gmail_quote", "gmail_quote_container", "yahoo_quoted", "protonmail_quote"})
_BELOW_IDS: Final = ("divrplyfwdmsg", "appendonsend", "mail-editor-reference-message-container", "olk_src_body_section")
_BELOW_CLASSES: Final = frozenset({"moz-cite-prefix", "moz-forward-container", "ms-outlook-mobile-reference-message"})
_SIGNATURE_CLASSES: Final = frozenset({"gmail_signature", "moz-signature", "protonmail_signature_block"})
_TAG: Final = re.compile(r"<(/?)([A-Za-z][^\t\n\f\r />]*+)")
"""Where a tag may begin, and its name. What only looks like one, in a comment or a value, counts as well: what is
counted can be hidden from no parser then, whatever it takes for a comment or a value."""
_ATTRIBUTE: Final = re.compile(
    r"""[\t\n\f\r /]*+(?:=[^\t\n\f\r />=]*+|[^\t\n\f\r />=]++)"""
    r"""(?>[\t\n\f\r ]*=[\t\n\f\r ]*(?:"[^"]*+"?|'[^']*+'?|[^\t\n\f\r >"'][^\t\n\f\r >]*+)?)?+"""
)
"""One attribute as the standard has it: none needs a blank before it, and a sign of equality may begin its name."""
_ATTRIBUTES_MAX: Final = 1_000
"""Attributes of one tag that are counted; with so many a text ends."""
_ATTRIBUTES: Final = re.compile(rf"(?:{_ATTRIBUTE.pattern}){{0,{_ATTRIBUTES_MAX}}}+")
_FORMATTING: Final = frozenset(
    {"b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
"""Elements that a parser opens again, all of them, in each paragraph after one in which they were not closed."""
_COMPARISONS_MAX: Final = 2 * (_ATTRIBUTES_MAX - 1) ** 2
_ATTRIBUTE_CHARACTERS_MAX: Final = 2 * HTML_CHARACTERS_MAX
"""More than a text has where what looks like tags does not overlap."""
_WITHOUT_END: Final = frozenset(
    {"p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "colgroup", "html", "head", "body"}
    | {"br", "hr", "img", "meta", "link", "input", "col", "area", "base", "wbr", "source", "embed", "o:p"}
)
"""Elements whose end nobody needs to write, so that many open ones are no depth."""
_SAID_BEFORE_MAX: Final = 8
"""Pieces of text before a link's end in which its target is looked for."""
_BLANK: Final = re.compile(r"[\s\xa0]+")


def html_to_text(html: str) -> str:
    """Return the text that a reader of the HTML would see.

    A quotation's lines begin with `> `; what mail programs mark as the mail being answered follows a line QUOTED_BELOW.
    Hidden elements, scripts and forms are left out. Of HTML over a limit the beginning is read.
    """
    walk = _Walk()
    body = LexborHTMLParser(_bounded(html[:HTML_CHARACTERS_MAX].replace("\x00", ""))).body
    if body is not None:
        walk.over(body)
    return walk.text()


def _bounded(html: str) -> str:
    """Return HTML up to where it has too many tags, levels or attributes, each of which parsers take amiss.

    Levels are counted by tags alone, and so more than there are. A parser compares each attribute of a tag with all
    others of it: 40,000 take it 7 s. Of 120 fonts that stay open it makes new ones in each of 4,000 paragraphs, 3 s: so
    what only formats becomes a span, which is closed with what it stands in.
    """
    depth = comparisons = characters = last = 0
    read: list[str] = []
    for number, tag in enumerate(_TAG.finditer(html)):
        name = tag[2][:20].lower()
        if name not in _WITHOUT_END:
            depth = max(0, depth - 1) if tag[1] else depth + 1
        section = _ATTRIBUTES.match(html, tag.end())
        if section and section[0]:
            characters += len(section[0])
            attributes = len(_ATTRIBUTE.findall(section[0]))
            comparisons += attributes**2 if attributes < _ATTRIBUTES_MAX else 2 * attributes**2
        is_too_much = comparisons > _COMPARISONS_MAX or characters > _ATTRIBUTE_CHARACTERS_MAX
        if number == TAGS_MAX or depth > DEPTH_MAX or is_too_much:
            return "".join([*read, html[last : tag.start()]])
        if name in _FORMATTING:
            read += [html[last : tag.start(2)], "span"]
            last = tag.end(2)
    return "".join([*read, html[last:]]) if read else html


class _Walk:
    """One way through a document, from its first node to its last, without recursion."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._characters = 0
        self._quotes = 0
        self._preformatted = 0

    def over(self, root: LexborNode) -> None:
        # Each entry opens a node, or closes an element; what is on the list is at most what is still to be read.
        waiting: list[tuple[LexborNode, _Look | None]] = [(root, None)]
        while waiting and self._characters < TEXT_CHARACTERS_MAX:
            node, opened = waiting.pop()
            if opened is not None:
                self._close(opened)
                continue
            following = node.next
            if following is not None and node is not root:
                waiting.append((following, None))
            if node.is_text_node:
                self._say(node.text_content or "")
            elif node.is_element_node:
                look = _Look(node.tag or "", node.attributes)
                if look.is_unseen:
                    continue
                self._open(look)
                waiting.append((node, look))
                if node.first_child is not None:
                    waiting.append((node.first_child, None))

    def text(self) -> str:
        self._break()
        return "\n".join(self._lines)

    def _open(self, look: _Look) -> None:
        tag = look.tag
        if tag in _BLOCKS:
            self._break(spaced=tag in _SPACED)
        if tag == "pre":
            self._preformatted += 1
        elif look.is_quotation:
            self._quotes += 1
        elif look.is_marker:
            self._break()
            self._lines.append(QUOTED_BELOW)
        elif tag == "li":
            self._line.append("- ")
        elif tag in {"td", "th"} and any(map(str.strip, self._line)):
            self._line.append("  ")
        elif tag == "img":
            self._say(look.attributes.get("alt") or "")

    def _close(self, look: _Look) -> None:
        tag = look.tag
        if tag == "a":
            self._link(look.attributes.get("href") or "")
        if tag in _BLOCKS and tag != "br":
            self._break(spaced=tag in _SPACED)
        if tag == "pre":
            self._preformatted -= 1
        elif look.is_quotation:
            self._quotes -= 1

    def _say(self, text: str) -> None:
        text = clean_text(text[:TEXT_CHARACTERS_MAX])
        self._characters += len(text)
        if not self._preformatted:
            blank = not self._line or self._line[-1].endswith(" ")
            text = _BLANK.sub(" ", text)
            self._line.append(text.lstrip(" ") if blank else text)
            return
        first, *others = text.split("\n")
        self._line.append(first)
        for line in others:
            self._break()
            self._line.append(line)

    def _link(self, reference: str) -> None:
        """Write a link's target behind its words, unless they say the same."""
        target = clean_text(reference.strip()[: LINK_CHARACTERS_MAX + 1])
        scheme, _, place = target.partition(":")
        if scheme.lower() not in {"http", "https", "mailto", "tel"} or len(target) > LINK_CHARACTERS_MAX:
            return
        said = "".join(self._line[-_SAID_BEFORE_MAX:]).rstrip().lower()
        bare = place.lstrip("/").rstrip("/").lower()
        if bare and not said.endswith((bare, f"{bare}/", bare.removeprefix("www."))):
            self._line.append(f" ({place if scheme.lower() in {'mailto', 'tel'} else target})")

    def _break(self, *, spaced: bool = False) -> None:
        line = "".join(self._line).rstrip()
        self._line.clear()
        marks = "> " * min(self._quotes, 3)
        if line.strip():
            self._lines.append(marks + line)
        if spaced and self._lines and self._lines[-1].strip("> "):
            self._lines.append(marks.rstrip())


class _Look:
    """How an element looks to a reader, by its tag and attributes alone."""

    __slots__ = ("attributes", "is_marker", "is_quotation", "is_unseen", "tag")

    def __init__(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.is_unseen = tag in _DROPPED
        self.is_quotation = self.is_marker = False
        if not attributes or self.is_unseen:
            return
        classes = set((attributes.get("class") or "").lower()[:500].split())
        name = (attributes.get("id") or "").lower()
        self.is_marker = name.endswith(_BELOW_IDS) or not _BELOW_CLASSES.isdisjoint(classes)
        self.is_unseen = _is_hidden(attributes) or not _SIGNATURE_CLASSES.isdisjoint(classes)
        if tag == "blockquote":
            cites = (attributes.get("type") or "").lower() == "cite"
            self.is_quotation = cites or not _QUOTE_CLASSES.isdisjoint(classes)


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    """Check whether a reader would not see an element: hidden, without size, or in the colour of its ground."""
    if "hidden" in attributes or (attributes.get("aria-hidden") or "").lower() == "true":
        return True
    style = (attributes.get("style") or "").lower()[:2_000]
    if style and _HIDDEN.search(style):
        return True
    colour, background = _COLOUR.search(style), _BACKGROUND.search(style)
    shown = colour[1].strip() if colour else (attributes.get("color") or "").lower()
    if background is not None:
        return bool(shown) and shown == background[1].strip()
    return shown in {"white", "#fff", "#ffffff", "transparent"}
