"""Every shape of a message that was ever on the wire: what was recorded once is read for ever.

`tests/corpus/messages.jsonl` only grows. A model that gets a field gets one more line here; no line is changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import BaseModel, ValidationError

from runtime.sealing import Sealer
from schema.ids import ConversationKey
from schema.messages.escalation import Escalation
from schema.messages.export import WIRE_MODELS
from schema.messages.inbound import Inbound
from worker.mailbox.mailbox import Head
from worker.pipeline.hydrate import open_message

CORPUS = Path(__file__).parents[1] / "corpus" / "messages.jsonl"
RECORDED: list[dict[str, Any]] = [json.loads(line) for line in CORPUS.read_text().splitlines()]
MODELS = {model.__name__: model for model in WIRE_MODELS}


@pytest.mark.parametrize("entry", RECORDED, ids=range(len(RECORDED)))
def test_a_recorded_message_is_read_with_all_it_says(entry: dict[str, Any]) -> None:
    read = MODELS[entry["model"]].model_validate_json(json.dumps(entry["shape"]))

    assert json.loads(read.model_dump_json(exclude_unset=True)) == entry["shape"]


@pytest.mark.parametrize("model", WIRE_MODELS, ids=lambda model: model.__name__)
def test_every_field_of_a_model_is_in_a_recorded_message(model: type[BaseModel]) -> None:
    recorded = [entry["shape"] for entry in RECORDED if entry["model"] == model.__name__]

    assert set().union(*recorded) == set(model.model_fields)


@pytest.mark.parametrize("entry", RECORDED, ids=range(len(RECORDED)))
def test_a_message_of_the_next_release_is_read_by_this_one(entry: dict[str, Any]) -> None:
    said = json.dumps({**entry["shape"], "said_by_the_next_release": {"more": 1}})

    read = MODELS[entry["model"]].model_validate_json(said, extra="ignore")

    assert json.loads(read.model_dump_json(exclude_unset=True)) == entry["shape"]


def test_a_briefing_of_the_next_release_is_read_by_this_one() -> None:
    entry = next(entry["shape"] for entry in RECORDED if "briefing" in entry["shape"])
    said = {**entry, "briefing": {**entry["briefing"], "mood": "grim"}}

    assert Escalation.model_validate_json(json.dumps(said)) == Escalation.model_validate_json(json.dumps(entry))


def test_a_gateway_that_misspells_a_field_is_told() -> None:
    with pytest.raises(ValidationError, match="extra"):
        Inbound.model_validate({**RECORDED[0]["shape"], "sendr": "x"})


def test_a_version_of_the_future_is_not_guessed_at() -> None:
    with pytest.raises(ValidationError, match="version"):
        Inbound.model_validate({**RECORDED[0]["shape"], "version": 2})


def test_a_worker_opens_what_a_producer_of_the_next_release_sealed() -> None:
    sealer = Sealer([Fernet.generate_key().decode()])
    inbound = {**RECORDED[0]["shape"], "said_by_the_next_release": 1}
    envelope = {
        "version": 1,
        "position": 1,
        "message_id": inbound["message_id"],
        "payload": sealer.seal(json.dumps(inbound)),
        "said_by_the_next_release": 1,
    }

    message = open_message(sealer, ConversationKey("default", "c-1"), Head(json.dumps(envelope).encode(), 1))

    assert message.inbound.text == "Hello"
