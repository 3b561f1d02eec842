from __future__ import annotations

from collections import Counter

import pytest

from schema.ids import ConversationKey
from schema.keys import (
    agenda_key,
    escalations_stream,
    events_stream,
    mailbox_keys,
    parse_entry_id,
    partition_of,
    published_key,
    replies_stream,
)

PARTITIONS = 16
KEYS = [ConversationKey("default", f"case-{number}") for number in range(2_000)]


def hash_tag(key: str) -> str:
    """Read what Redis Cluster places a key by."""
    return key[key.index("{") + 1 : key.index("}")]


def test_all_keys_of_a_conversation_are_placed_together() -> None:
    for key in KEYS[:100]:
        assert {hash_tag(name) for name in mailbox_keys(key, PARTITIONS)} == {f"p{partition_of(key, PARTITIONS):02d}"}


def test_a_conversations_agenda_is_its_partitions_agenda() -> None:
    for key in KEYS[:100]:
        assert mailbox_keys(key, PARTITIONS).agenda == agenda_key(partition_of(key, PARTITIONS))


def test_conversations_spread_over_all_partitions() -> None:
    counts = Counter(partition_of(key, PARTITIONS) for key in KEYS)

    assert set(counts) == set(range(PARTITIONS))
    assert max(counts.values()) < 2 * len(KEYS) / PARTITIONS


def test_a_conversations_partition_never_changes_between_releases() -> None:
    assert [partition_of(key, PARTITIONS) for key in KEYS[:6]] == [1, 7, 13, 11, 8, 14]


def test_no_two_conversations_share_a_key() -> None:
    keys = [ConversationKey("a", "b-c"), ConversationKey("a-b", "c"), ConversationKey("a", "b")]
    names = [name for key in keys for name in mailbox_keys(key, 1)[:3]]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("tenant", ["default", "other"])
def test_what_a_publish_touches_is_placed_together(tenant: str) -> None:
    names = [
        published_key(ConversationKey(tenant, "case-1")),
        replies_stream(tenant, "email"),
        escalations_stream(tenant),
        events_stream(tenant),
    ]

    assert {hash_tag(name) for name in names} == {tenant}
    assert len(set(names)) == len(names)


def test_entry_ids_sort_by_their_numbers_and_not_as_text() -> None:
    ids = ["10-11", "1769860800000-0", "9-0", "10-2", "10-0"]

    assert sorted(ids, key=parse_entry_id) == ["9-0", "10-0", "10-2", "10-11", "1769860800000-0"]
    with pytest.raises(ValueError, match="invalid literal"):
        parse_entry_id("$")
