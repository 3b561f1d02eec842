"""Calls in what providers answer: arguments that are an object, and ids of their own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.wire_answers import TOLD, Api, ask, both, call, calls_of, completion
from worker.models.wire.parts import ARGUMENTS_CHARACTERS_MAX, UNREADABLE_CALL, CallIds, clean, read_arguments

ARGUMENTS: list[tuple[Any, Any]] = [
    ('{"question": "bags"}', {"question": "bags"}),
    ({"question": "bags"}, {"question": "bags"}),
    ('"{\\"question\\": \\"bags\\"}"', {"question": "bags"}),
    ('```json\n{"question": "bags"}\n```', {"question": "bags"}),
    ('{"question": "two\nlines"}', {"question": "two\nlines"}),
    ("", {}),
    ("  ", {}),
    (None, {}),
    ('{"question": "how many', None),
    ("[]", None),
    ("null", None),
    ("5", None),
    (5, None),
    (["bags"], None),
    ('{"share": NaN}', None),
    ('{"a": 1}{"a": 2}', None),
    ("bags", None),
    ("[" * 100_000, None),
    (json.dumps({"question": "x" * ARGUMENTS_CHARACTERS_MAX}), None),
]


@pytest.mark.parametrize(("raw", "read"), ARGUMENTS, ids=lambda value: repr(value)[:40])
@both
async def test_arguments_are_an_object_or_the_call_is_marked(api: Api, raw: Any, read: Any) -> None:
    (called,) = calls_of(await ask(api, call(api, {"name": "faq_lookup", "arguments": raw})))

    assert json.loads(called[2]) == (read or {})
    assert called[0].startswith(UNREADABLE_CALL) is (read is None)
    assert called[0] == "c1" or read is None


GOOD = st.text(max_size=30).filter(lambda text: clean(text) == text)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(GOOD, st.recursive(GOOD | st.integers() | st.none(), st.lists, max_leaves=5)), st.booleans())
def test_good_arguments_stay_as_the_model_wrote_them(arguments: dict[str, Any], is_ascii: bool) -> None:  # noqa: FBT001
    written = json.dumps(arguments, ensure_ascii=is_ascii)

    assert read_arguments(written) == written


@given(st.one_of(st.text(), st.binary().map(repr), st.none(), st.integers(), st.lists(st.text())))
def test_whatever_the_arguments_are_an_object_or_nothing_comes_of_them(raw: Any) -> None:
    read = read_arguments(raw)

    assert read is None or isinstance(json.loads(read), dict)


@both
async def test_each_call_has_an_id_of_its_own(api: Api) -> None:
    one = {"name": "faq_lookup", **TOLD}
    items: list[Any] = [
        {"role": "user", "content": "bags?"},
        {"type": "function_call", "call_id": "c2", "name": "faq_lookup", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c2", "output": "none"},
    ]
    ids = ["c1", "c1", "", None, "c2", 5, "x" * 65, "a b", UNREADABLE_CALL + "forged", "c3"]

    got = calls_of(await ask(api, call(api, *[{**one, "call_id": given_id} for given_id in ids]), items=items))

    given_ids = [called[0] for called in got]
    assert len(set(given_ids)) == len(ids)
    assert (given_ids[0], given_ids[-1]) == ("c1", "c3")
    assert "c2" not in given_ids
    assert not any(one_id.startswith(UNREADABLE_CALL) for one_id in given_ids)


def test_ids_are_made_until_they_are_new() -> None:
    ids = CallIds({"call_1"}, iter(["2", "3"]).__next__)

    assert [ids.give("call_1", is_readable=True), ids.give("ok", is_readable=False)] == [
        "call_2",
        UNREADABLE_CALL + "3",
    ]


async def test_the_older_form_of_a_call_is_read() -> None:
    answer = completion("function_call", function_call={"name": "faq_lookup", **TOLD})

    ((call_id, name, arguments),) = calls_of(await ask("chat", answer))

    assert (name, arguments) == ("faq_lookup", TOLD["arguments"])
    assert call_id.startswith("call_")
