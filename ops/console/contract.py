"""The HTTP interface as a checked-in OpenAPI document: clients in other languages go by it.

`python -m ops.console.contract` remakes `docs/openapi.json`.
"""

from __future__ import annotations

import json
from pathlib import Path

from ops.console.desk import desk_router
from ops.console.tenants import tenants_router
from producer.gateway.app import create_app
from schema.settings.gateway import GatewaySettings


def contract_text() -> str:
    """Return the document of what `fte gateway` serves, as the file has it."""
    document = create_app(GatewaySettings(), routers=[tenants_router(), desk_router()]).openapi()
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def contract_path() -> Path:
    """Return the path of the checked-in file."""
    return Path(__file__).parents[2] / "docs" / "openapi.json"


if __name__ == "__main__":
    contract_path().write_text(contract_text(), encoding="utf-8")
