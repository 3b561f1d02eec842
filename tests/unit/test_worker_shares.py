from __future__ import annotations

from schema.ids import ConversationKey
from worker.process.tenant_slots import Shares


def key(tenant: str, number: int) -> ConversationKey:
    return ConversationKey(tenant, f"c-{number}")


def shares_of_two_tenants() -> Shares:
    shares = Shares(concurrency=4, share_max=0.5)
    shares.tenants = 2
    return shares


def test_a_tenant_gets_no_more_than_its_share_and_another_gets_its_own() -> None:
    shares = shares_of_two_tenants()

    busy = [shares.take(key("busy", number)) for number in range(5)]
    other = [shares.take(key("other", number)) for number in range(2)]

    assert busy == [True, True, False, False, False]
    assert other == [True, True]


def test_a_tenant_that_is_alone_gets_everything() -> None:
    shares = Shares(concurrency=4, share_max=0.5)

    assert all(shares.take(key("only", number)) for number in range(4))


def test_what_was_put_off_comes_in_the_order_it_came_and_once() -> None:
    shares = shares_of_two_tenants()
    for number in (0, 1, 2, 3, 2):
        shares.take(key("busy", number))

    assert shares.give_back("busy") == key("busy", 2)
    assert shares.give_back("busy") == key("busy", 3)
    assert shares.take(key("busy", 4))
    assert shares.give_back("busy") is None


def test_a_share_is_never_less_than_one() -> None:
    shares = Shares(concurrency=1, share_max=0.1)
    shares.tenants = 2

    assert shares.take(key("busy", 1))
    assert not shares.take(key("busy", 2))
