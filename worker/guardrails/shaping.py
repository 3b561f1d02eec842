"""Bring a model's text into the form a channel can show: no insides of the model, no markup, nothing invisible.

What a customer gets is plain text on every channel; an e-mail is sent as plain text, too. Lists keep their lines, each
item behind a hyphen or its number.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

from runtime.encoding import parse_json
from worker.guardrails.pii import without_hidden

if TYPE_CHECKING:
    from markdown_it.token import Token

_THOUGHT: Final = re.compile(
    r"<(?P<tag>think|thinking|thought|reasoning|reflection|scratchpad|analysis)>.*?(?:</(?P=tag)>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_THOUGHT_UNOPENED: Final = re.compile(
    r"\A.*</(?:think|thinking|thought|reasoning|reflection|scratchpad|analysis)>", re.IGNORECASE | re.DOTALL
)
_HARMONY_FINAL: Final = re.compile(
    r"<\|channel\|>\s*final\s*(?:<\|constrain\|>\w+)?<\|message\|>(?P<text>.*)", re.DOTALL
)
_TEMPLATE: Final = re.compile(
    r"</?s>|<\|[a-z_]{2,30}\|?>|\[/?INST\]|<<SYS>>|<(?:start|end)_of_turn>|<\uff5c[^\uff5c]{1,40}\uff5c>", re.IGNORECASE
)
_TURN: Final = re.compile(
    r"^[ \t]*(?:\*\*)?(?:customer|user|human|assistant|agent|client|passenger|support)(?:\*\*)?[ \t]*:"
    r"(?:\*\*)?[ \t]*(?=\S)",
    re.IGNORECASE | re.MULTILINE,
)
_OWN_TURN: Final = re.compile(
    r"\A\s*(?:\*\*)?(?:assistant|agent|support|answer|reply|response)(?:\*\*)?\s*:(?:\*\*)?[ \t]+", re.IGNORECASE
)
_ANSWER_KEYS: Final = frozenset({"answer", "reply", "response", "text", "message", "content", "output", "final_answer"})
_FENCED: Final = re.compile(r"\A\s*```(?:json|text|markdown)?\s*\n(?P<inside>.*?)\n?\s*```\s*\Z", re.DOTALL)
_ACTIVE: Final = re.compile(
    r"<(?P<tag>script|style|iframe|object|svg|form|video|audio|template)\b.*?(?:</(?P=tag)\s*>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_MARKUP: Final = re.compile(
    r"\*\*|__|(?<!\w)[*_](?=\w)|^\s{0,3}(?:#{1,6} |[*+\u2022] |> |```|~~~|\|.*\|)|`|\]\(|</?[a-z][^<>]*>|"
    r"&[#a-z]\w*;|~~",
    re.IGNORECASE | re.MULTILINE,
)
_PICTOGRAM: Final = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55\ufe0f\u200d\u20e3]+")
_SENTENCE_END: Final = frozenset('.!?)\u201d"')


def shape_reply(text: str) -> str:
    """Return what of a model's text is meant for the customer, as plain text; empty where nothing is.

    Text that is plain already comes back as it is, but for blanks at its ends.
    """
    kept = without_hidden(_of_channel(text.replace("\r\n", "\n")))
    kept = _THOUGHT_UNOPENED.sub("", _THOUGHT.sub("", kept)).strip()
    kept = _without_own_turn(_before_template(kept))
    kept = _before_invented_turns(kept)
    kept = _out_of_json(kept)
    return _tidy(_without_markup(kept))


def _of_channel(text: str) -> str:
    """Return the final part of a text that is written in channels."""
    final = _HARMONY_FINAL.search(text)
    return final["text"] if final else text


def _before_template(text: str) -> str:
    """Cut a text at a chat template's mark, where a whole reply stands before it."""
    mark = _TEMPLATE.search(text)
    if mark is None:
        return text
    before = text[: mark.start()].strip()
    rest = text[mark.end() :].strip()
    if before:
        return before if _is_whole(before) else text
    return rest if rest and not _TEMPLATE.search(rest) and _is_whole(rest) else text


def _before_invented_turns(text: str) -> str:
    """Cut a text where the model goes on as the customer, if a whole reply stands before it."""
    turn = _TURN.search(text)
    if turn is None or not text[: turn.start()].strip():
        return text
    before = text[: turn.start()].strip()
    return before if _is_whole(before) else text


def _without_own_turn(text: str) -> str:
    return _OWN_TURN.sub("", text, count=1) if len(_TURN.findall(text)) <= 1 else text


def _out_of_json(text: str) -> str:
    """Take the answer out of an object that holds nothing else but one."""
    fenced = _FENCED.match(text)
    inside = fenced["inside"].strip() if fenced else text
    if not (inside.startswith("{") and inside.endswith("}")):
        return inside if fenced and not inside.startswith(("{", "[")) else text
    try:
        read = parse_json(inside)
    except ValueError:
        return text
    texts = [value for key, value in read.items() if key.lower() in _ANSWER_KEYS and isinstance(value, str)]
    return texts[0].strip() if len(texts) == 1 else text


def _is_whole(text: str) -> bool:
    return text[-1:] in _SENTENCE_END or "\nsource:" in text.lower()


def _without_markup(text: str) -> str:
    text = _PICTOGRAM.sub("", _ACTIVE.sub("", html.unescape(text)))
    if _MARKUP.search(text) is None:
        return text
    return "\n\n".join(_render(_parser().parse(text)))


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _render(tokens: Iterable[Token]) -> Iterator[str]:
    """Give each block of Markdown as plain text; the items of a list, and the rows of a table, are lines of one."""
    block = _Block()
    for token in tokens:
        place = token.type.removesuffix("_open").removesuffix("_close")
        if token.nesting > 0:
            block.open(place, token)
        elif token.nesting < 0:
            block.close(place)
        elif token.type == "inline":
            block.write(_inline(token.children or ()))
        elif token.type in {"fence", "code_block"}:
            block.write(token.content.rstrip("\n"))
        if not block.is_open and block.lines:
            yield "\n".join(block.lines)
            block.lines = []


@dataclass
class _Block:
    """The block of Markdown that is being read: its lines so far, and the lists or the table row it is in."""

    lines: list[str] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)
    """The next number of each list that is open, the innermost last; None: its items have hyphens."""
    cells: list[str] | None = None
    marker: str = ""
    in_table: bool = False

    @property
    def is_open(self) -> bool:
        """Return whether more lines may follow."""
        return bool(self.numbers) or self.in_table

    def open(self, place: str, token: Token) -> None:
        """Enter a list, an item, a table or a row."""
        if place == "ordered_list":
            self.numbers.append(int(token.attrGet("start") or 1))
        elif place == "bullet_list":
            self.numbers.append(None)
        elif place == "list_item":
            number = self.numbers[-1]
            self.marker = "  " * (len(self.numbers) - 1) + ("- " if number is None else f"{number}. ")
            self.numbers[-1] = None if number is None else number + 1
        elif place == "table":
            self.in_table = True
        elif place == "tr":
            self.cells = []

    def close(self, place: str) -> None:
        """Leave a list, a table or a row; a row's cells become a line."""
        if place in {"ordered_list", "bullet_list"}:
            self.numbers.pop()
            self.marker = "  " * len(self.numbers)
        elif place == "table":
            self.in_table = False
        elif place == "tr" and self.cells is not None:
            self.lines.append(", ".join(cell for cell in self.cells if cell))
            self.cells = None

    def write(self, text: str) -> None:
        """Add a paragraph's text, as a cell in a table; the first one of an item stands behind its hyphen or number."""
        if self.cells is not None:
            self.cells.append(text)
        elif text.strip():
            self.lines.append(f"{self.marker}{text}")
            self.marker = "  " * len(self.numbers)


def _inline(tokens: Iterable[Token]) -> str:
    """Give a line's text: what is emphasised as it is, a link as its words and its address, no picture and no tag."""
    parts: list[str] = []
    link = ""
    for token in tokens:
        if token.type in {"text", "code_inline"}:
            parts.append(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            parts.append("\n")
        elif token.type == "link_open":
            link = str(token.attrGet("href") or "")
        elif token.type == "link_close":
            parts.append("" if not link or link.removeprefix("mailto:") in parts[-1:] else f" ({link})")
            link = ""
    return "".join(parts)


def _tidy(text: str) -> str:
    """Close up what was taken out: blanks at line ends, empty lines in a row."""
    lines = [line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
