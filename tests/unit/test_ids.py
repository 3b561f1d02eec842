from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.ids import (
    CONVERSATION_PATTERN,
    TENANT_PATTERN,
    ConversationKey,
    event_id_of,
    new_token,
    reply_id_of,
    ticket_id_of,
    trace_id_of,
)
from schema.messages.escalation import Escalation
from schema.messages.event import Event
from schema.messages.reply import Reply
from schema.messages.wire import WireModel

KEY = ConversationKey("default", "case-1")

tenants = st.from_regex(TENANT_PATTERN, fullmatch=True).filter(lambda text: not text.endswith("\n"))
conversations = st.from_regex(CONVERSATION_PATTERN, fullmatch=True).filter(lambda text: not text.endswith("\n"))


@given(tenants, conversations)
def test_a_key_reads_back_as_it_was_written(tenant: str, conversation: str) -> None:
    key = ConversationKey(tenant, conversation)

    assert ConversationKey.parse(str(key)) == key


@pytest.mark.parametrize("text", ["", "default", ":case", "default:", "a:b:c", "a:b\n", "*:b", "a:{b}", "a b:c", "é:c"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a conversation key"):
        ConversationKey.parse(text)


def test_a_trace_id_has_the_form_the_agents_sdk_demands() -> None:
    assert re.fullmatch(r"trace_[0-9a-f]{32}", trace_id_of(KEY))


def test_a_ticket_number_can_be_read_aloud() -> None:
    assert re.fullmatch(r"T-[2-9A-HJKMNP-TV-Z]{10}", ticket_id_of(KEY, 1))


@pytest.mark.parametrize("derive", [reply_id_of, ticket_id_of, event_id_of])
def test_an_id_is_derived_from_all_it_stands_for(derive: object) -> None:
    assert callable(derive)
    others = [ConversationKey("default", "case-2"), ConversationKey("other", "case-1")]
    made = [derive(KEY, 1), derive(KEY, 2), *(derive(other, 1) for other in others)]

    assert derive(KEY, 1) == made[0]
    assert len(set(made)) == len(made)


def test_ids_of_different_kinds_never_meet() -> None:
    assert len({derive(KEY, 1) for derive in (reply_id_of, ticket_id_of, event_id_of)} | {trace_id_of(KEY)}) == 4


def test_every_id_fits_the_field_that_carries_it() -> None:
    limits: list[tuple[str, type[WireModel], str]] = [
        (reply_id_of(KEY, 1), Reply, "reply_id"),
        (ticket_id_of(KEY, 1), Escalation, "ticket_id"),
        (event_id_of(KEY, 1), Event, "event_id"),
        (trace_id_of(KEY), Reply, "trace_id"),
    ]

    for made, model, field in limits:
        limit = next(rule.max_length for rule in model.model_fields[field].metadata if hasattr(rule, "max_length"))
        assert len(made) <= limit


def test_no_two_tokens_are_alike() -> None:
    assert len({new_token() for _ in range(1_000)}) == 1_000
