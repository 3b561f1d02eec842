"""Read the fields of a form as bytes, within limits of their own: `multipart/form-data` and `x-www-form-urlencoded`.

Starlette refuses a field over 1 MiB, and decodes each as UTF-8, else as Latin-1 without a word: a raw mail needs
neither.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from producer.channels.email.header_fields import read_content_type, read_disposition, read_fields

PARTS_MAX: Final = 100
_PART_HEADER_BYTES_MAX: Final = 4_096
_FIELD_NAME: Final = re.compile(r'\bname="([^"]{1,100})"|\bname=([^\s;"]{1,100})')


class UnreadableForm(ValueError):
    """Raised for a body that is no form, or has too many parts."""


def read_form(body: bytes, content_type: str) -> dict[str, bytes]:
    """Return the fields of a form by name, as their bytes; files are left out, and of a name twice the first stays.

    Raises UnreadableForm.
    """
    kind = read_content_type(content_type)
    if str(kind) == "application/x-www-form-urlencoded":
        return _read_pairs(body)
    if str(kind) != "multipart/form-data" or kind.boundary is None:
        raise UnreadableForm("the body is no form")
    return _read_parts(body, kind.boundary)


def _read_pairs(body: bytes) -> dict[str, bytes]:
    if body.count(b"&") >= PARTS_MAX:
        raise UnreadableForm(f"more than {PARTS_MAX} fields")
    fields: dict[str, bytes] = {}
    for pair in body.split(b"&"):
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        fields.setdefault(unquote_to_bytes(name).decode("utf-8", "replace"), unquote_to_bytes(value))
    return fields


def _read_parts(body: bytes, boundary: bytes) -> dict[str, bytes]:
    delimiter = b"--" + boundary
    if not body.startswith((delimiter, b"\r\n" + delimiter)) or body.count(b"\r\n" + delimiter) > PARTS_MAX + 1:
        raise UnreadableForm(f"the body does not begin with a part, or has more than {PARTS_MAX}")
    fields: dict[str, bytes] = {}
    for part in (b"\r\n" + body if body.startswith(delimiter) else body).split(b"\r\n" + delimiter)[1:]:
        if part.startswith(b"--"):
            return fields
        block, _, value = part.partition(b"\r\n\r\n")
        if len(block) > _PART_HEADER_BYTES_MAX:
            raise UnreadableForm(f"a part's header has {len(block)} bytes, at most {_PART_HEADER_BYTES_MAX} are read")
        head = read_fields(block.strip().replace(b"\r\n", b"\n"))
        disposition = head.first("content-disposition")
        name = _FIELD_NAME.search(re.sub(r'\bfilename\*?=("[^"]*"|[^;]*)', "", disposition))
        if name is not None and not read_disposition(disposition)[1]:
            fields.setdefault(name[1] or name[2], value)
    raise UnreadableForm("the body has no end")
