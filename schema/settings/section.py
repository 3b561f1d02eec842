"""Define what every section of the settings has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One section of the settings: the fields that some parts of the code need together, immutable once read.

    A section that derives from another needs its fields too: a part that is given it reads both. Each field stands in
    one section alone. A part is given the narrowest section that has what it reads; mypy holds it to that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def split_at_commas(value: object) -> object:
    """Split a list as environment variables give it, `one, two`; a value that is no text stays as it is."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
