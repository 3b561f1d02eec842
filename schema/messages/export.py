"""Export the wire models as JSON Schema, for those who write gateways in other languages.

`python -m schema.messages.export` remakes `schema/json/`.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from pydantic.alias_generators import to_snake

from schema.messages.envelope import Envelope
from schema.messages.escalation import Escalation
from schema.messages.event import Event
from schema.messages.inbound import Inbound
from schema.messages.receipt import Receipt
from schema.messages.reply import Reply
from schema.messages.webhook import Webhook
from schema.messages.wire import WireModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"

WIRE_MODELS: tuple[type[WireModel], ...] = (Inbound, Envelope, Receipt, Reply, Escalation, Event, Webhook)
"""Every model whose JSON Schema is exported."""


def export_schemas() -> dict[str, str]:
    """Return each model's JSON Schema as text, by file name."""
    return {f"{to_snake(model.__name__)}.schema.json": _write(model) for model in WIRE_MODELS}


def schema_folder() -> Path:
    """Return the folder that holds the exported files."""
    return Path(str(files("schema"))) / "json"


def main() -> None:
    """Write every model's file, and remove the files that belong to no model any more."""
    folder = schema_folder()
    folder.mkdir(exist_ok=True)
    exported = export_schemas()
    for path in folder.glob("*.schema.json"):
        if path.name not in exported:
            path.unlink()
    for name, text in exported.items():
        (folder / name).write_text(text, encoding="utf-8")


def _write(model: type[WireModel]) -> str:
    schema = {"$schema": DIALECT, **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
