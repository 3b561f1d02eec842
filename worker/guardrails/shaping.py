"""Bring a model's text into the form a channel can show: no insides of the model, no markup, nothing invisible.

What a customer gets is plain text on every channel; an e-mail is sent as plain text, too. Lists keep their lines, each
item behind a hyphen or its number.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
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
_HARMONY_FINAL: Final = re.compile(r"<\|channel\|>\s*final\s*(?:<\|constrain\|>\w+)?<\|message\|>(?P<text>.*)", re.DOTALL)
_TEMPLATE: Final = re.compile(
    r"</?s>|<\|[a-z_]{2,30}\|?>|\[/?INST\]|<<SYS>>|<(?:start|end)_of_turn>|<\uff5c[^\uff5c]{1,40}\uff5c>", re.IGNORECASE
)
_TURN: Final = re.compile(
    r"^[ \t]*(?:\*\*)?(?:customer|user|human|assistant|agent|client|passenger|support)(?:\*\*)?[ \t]*:(?:\*\*)?[ \t]*(?=\S)",
    re.IGNORECASE | re.MULTILINE,
)
_OWN_TURN: Final = re.compile(r"\A\s*(?:\*\*)?(?:assistant|agent|support|answer|reply|response)(?:\*\*)?\s*:(?:\*\*)?[ \t]+", re.IGNORECASE)
_ANSWER_KEYS: Final = frozenset({"answer", "reply", "response", "text", "message", "content", "output", "final_answer"})
_FENCED: Final = re.compile(r"\A\s*```(?:json|text|markdown)?\s*\n(?P<inside>.*?)\n?\s*```\s*\Z", re.DOTALL)
_ACTIVE: Final = re.compile(
    r"<(?P<tag>script|style|iframe|object|svg|form|video|audio|template)\b.*?(?:</(?P=tag)\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
_MARKUP: Final = re.compile(
    r"\*\*|__|(?<!\w)[*_](?=\w)|^\s{0,3}(?:#{1,6} |[*+\u2022] |> |```|~~~|\|.*\|)|`|\]\(|</?[a-z][^<>]*>|&[#a-z]\w*;|~~",
    re.IGNORECASE | re.MULTILINE,
)
_PICTOGRAM: Final = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55\ufe0f\u200d\u20e3]+"
)
_SENTENCE_END: Final = frozenset(".!?)\u201d\"")


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
    return text[-1:] in _SENTENCE_END or "\n" in text and "source:" in text.lower().rsplit("\n", 1)[-1]


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
    lines: list[str] = []
    lists: list[int | None] = []
    marker = ""
    row: list[str] = []
    is_row = False
    for token in tokens:
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            lists.append(int(token.attrGet("start") or 1) if token.type == "ordered_list_open" else None)
        elif token.type == "list_item_open":
            number = lists[-1]
            marker = "  " * (len(lists) - 1) + ("- " if number is None else f"{number}. ")
            lists[-1] = None if number is None else number + 1
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            lists.pop()
            if not lists:
                yield "\n".join(lines)
                lines = []
        elif token.type == "tr_open":
            row, is_row = [], True
        elif token.type == "tr_close":
            lines.append(", ".join(cell for cell in row if cell))
            is_row = False
        elif token.type == "table_close":
            yield "\n".join(lines)
            lines = []
        elif token.type in {"inline", "fence", "code_block"}:
            written = _inline(token.children or ()) if token.type == "inline" else token.content.rstrip("\n")
            if is_row:
                row.append(written)
            elif lists:
                lines.append(f"{marker}{written}")
                marker = "  " * len(lists)
            elif written.strip():
                yield written
    if lines:
        yield "\n".join(lines)


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
