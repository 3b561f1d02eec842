from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

import schema.messages.export
from schema.messages.export import WIRE_MODELS, export_schemas, schema_folder
from schema.messages.inbound import Inbound
from tests.unit.test_messages import BREAKS, FITS, MESSAGE

# What `send` checks beyond the schema: valid Unicode, not only white space, the clock. And Python's `$` is the one that
# matches before a line feed, where JSON Schema's does not.
BEYOND_THE_SCHEMA = [case for case in BREAKS if case[0] == "sent_at" or str(case[1]).endswith(("\n", "\t", "\ud83d"))]


def test_the_files_are_what_the_models_say() -> None:
    on_file = {path.name: path.read_text(encoding="utf-8") for path in schema_folder().iterdir()}

    assert on_file == export_schemas(), "run `python -m schema.messages.export` and commit the result"


@pytest.mark.parametrize("name", sorted(export_schemas()))
def test_every_exported_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(export_schemas()[name]))


def test_every_wire_model_is_exported() -> None:
    titles = {json.loads(text)["title"] for text in export_schemas().values()}

    assert titles == {model.__name__ for model in WIRE_MODELS}


def test_an_example_message_is_valid_by_the_exported_schema() -> None:
    _validator().validate(Inbound.model_validate(MESSAGE | {"sent_at": datetime.now(UTC)}).model_dump(mode="json"))


@pytest.mark.parametrize(("field", "value"), [case for case in FITS if not isinstance(case[1], datetime)])
def test_a_value_at_its_limit_fits_the_exported_schema(field: str, value: Any) -> None:
    _validator().validate(MESSAGE | {field: value})


@pytest.mark.parametrize(("field", "value"), [case for case in BREAKS if case not in BEYOND_THE_SCHEMA])
def test_a_value_beyond_its_limit_breaks_the_exported_schema(field: str, value: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        _validator().validate(MESSAGE | {field: value})


def test_remaking_the_folder_removes_what_no_model_has(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema.messages.export, "schema_folder", lambda: tmp_path / "json")
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "gone.schema.json").write_text("{}")

    schema.messages.export.main()

    assert {path.name for path in (tmp_path / "json").iterdir()} == set(export_schemas())


def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        json.loads(export_schemas()["inbound.schema.json"]), format_checker=jsonschema.FormatChecker()
    )
