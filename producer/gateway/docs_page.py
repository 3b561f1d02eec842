"""The page that shows the API's description, from files of this package: works offline and under a strict policy."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Response

_ASSETS: Final = files("producer.gateway") / "assets"
_MEDIA_TYPES: Final = {"js": "text/javascript", "css": "text/css"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>fte</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""

router = APIRouter(prefix="/v1", include_in_schema=False)


@router.get("/docs")
async def show_docs() -> Response:
    """Return the page."""
    return Response(_PAGE, headers={"Content-Security-Policy": _POLICY}, media_type="text/html")


@router.get("/docs/{name}")
async def read_asset(
    name: Annotated[Literal["swagger-ui.css", "swagger-ui-bundle.js", "start.js"], Path()],
) -> Response:
    """Return one of the page's files."""
    content = (_ASSETS / name).read_bytes()
    media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
    return Response(content, headers={"Cache-Control": "public, max-age=3600"}, media_type=media_type)
