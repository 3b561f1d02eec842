"""What each role may do at the desk, tried as every role on every operation; and what a key needs over HTTP."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from ops.console.desk import desk_router
from ops.desk import acts, people
from ops.desk.approvals import list_approvals
from ops.desk.desk import Desk
from ops.desk.inbox import list_inbox, look_at
from ops.desk.replying import LastSeen, reply
from ops.desk.roles import OPERATIONS, ROLES, NotAllowed, NotAtDesk, Operation, Role, Who
from ops.desk.tickets import open_ticket
from schema.errors import FteError
from schema.ids import ConversationKey
from schema.settings import Settings
from tests.integration.desk_scene import DESK_ROUTES, MACHINE, add_person, desk_beside
from tests.integration.http_gateway import Here, make_key, serve_here
from tests.integration.worker_harness import Harness, MakeHarness

SOON: Final = timedelta(hours=1)

Do = Callable[[Desk, Who, ConversationKey], Awaitable[Any]]
OPERATE: Final[dict[Operation, Do]] = {
    "list": lambda desk, who, key: list_inbox(desk, key.tenant, who),
    "read": look_at,
    "claim": acts.claim,
    "renew": acts.renew,
    "take_over": acts.take_over,
    "reply": lambda desk, who, key: reply(desk, who, key, "hi", seen=LastSeen(0, 0)),
    "note": lambda desk, who, key: acts.note(desk, who, key, "look at the booking"),
    "reassign": acts.reassign,
    "snooze": lambda desk, who, key: acts.snooze(desk, who, key, until=datetime.now(UTC) + SOON),
    "resolve": acts.resolve,
    "hand_back": acts.hand_back,
    "reopen": acts.reopen,
    "open_ticket": lambda desk, who, key: open_ticket(desk, who, key.tenant, f"T-{key.conversation}", reason="a look"),
    "override": lambda desk, who, key: acts.take_over(desk, who, ConversationKey(key.tenant, "held")),
    "decide": lambda desk, who, key: list_approvals(desk, key.tenant, who),
    "list_people": lambda desk, who, key: people.list_people(desk.database, key.tenant, who),
    "set_people": lambda desk, who, key: people.set_person(desk.database, key.tenant, who, person="New", role="agent"),
}
"""A call of each operation."""

_DESK: Final = frozenset(OPERATIONS) - {"override", "decide", "list_people", "set_people"}
ALLOWED: Final[dict[Role, frozenset[Operation]]] = {
    "viewer": frozenset({"list"}),
    "agent": _DESK,
    "supervisor": _DESK | {"override", "decide", "list_people"},
    "operator": frozenset({"list", "list_people"}),
    "analyst": frozenset({"list"}),
    "admin": frozenset(OPERATIONS),
}
"""As docs/desk.md says it."""


@pytest.fixture
async def harness(worker: MakeHarness) -> Harness:
    """Give two conversations with tickets: one that waits, and one that somebody has."""
    made = await worker()
    desk = desk_beside(made)
    holder = await add_person(made.database, made.tenant, "Holder")
    for conversation in ("c", "held"):
        await made.accept(conversation, "hello")
        await made.drain(conversation)
        await made.query(
            "INSERT INTO ticket (tenant_id, ticket_id, conversation_id, category, priority, answer_by)"
            " VALUES (%s, %s, %s, 'abuse', 'high', now()) RETURNING 1",
            made.tenant,
            f"T-{conversation}",
            conversation,
        )
    await acts.claim(desk, holder, made.key("held"))
    return made


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_allows_its_operations_and_no_other(harness: Harness, role: Role) -> None:
    desk = desk_beside(harness)
    who = await add_person(harness.database, harness.tenant, "Pat", role)

    refused = set()
    for operation in OPERATIONS:
        try:
            await OPERATE[operation](desk, who, harness.key("c"))
        except NotAllowed:
            refused.add(operation)
        except FteError:
            if operation == "override":  # told who has it, as anybody without the right
                refused.add(operation)

    assert set(OPERATIONS) - refused == ALLOWED[role]


async def test_who_is_refused_leaves_no_trace_in_the_conversation(harness: Harness) -> None:
    desk = desk_beside(harness)
    vic = await add_person(harness.database, harness.tenant, "Vic", "viewer")
    before = await harness.query("SELECT * FROM conversation ORDER BY conversation_id")

    for operation in OPERATIONS:
        if operation != "list":
            with pytest.raises(FteError):
                await OPERATE[operation](desk, vic, harness.key("c"))

    assert await harness.query("SELECT * FROM conversation ORDER BY conversation_id") == before


async def test_who_is_not_listed_may_nothing_and_a_role_that_was_taken_away_counts_at_once(harness: Harness) -> None:
    desk = desk_beside(harness)
    dana = await add_person(harness.database, harness.tenant, "Dana")
    await acts.claim(desk, dana, harness.key("c"))
    await people.remove_person(harness.database, harness.tenant, MACHINE, person="Dana")

    for who in (dana, Who("Stranger")):
        for operation in OPERATIONS:
            with pytest.raises(NotAtDesk):
                await OPERATE[operation](desk, who, harness.key("c"))


NAMES: Final = {"conversation": "c", "ticket": "T-c", "approval": "ap_" + "0" * 24, "person": "Holder"}


@pytest.fixture(scope="module")
async def gateway(settings: Settings) -> AsyncIterator[Here]:
    async with serve_here(settings, routers=[desk_router(settings)]) as here:
        yield here


@pytest.mark.parametrize(
    ("method", "path", "body"), DESK_ROUTES, ids=lambda value: value if isinstance(value, str) else ""
)
async def test_a_route_needs_a_key_with_the_scope_and_a_person_at_the_desk(
    gateway: Here, harness: Harness, other_tenant: str, method: str, path: str, body: Any
) -> None:
    database, tenant = harness.database, harness.tenant
    keys = {
        "none": None,
        "wrong scope": await make_key(
            database, tenant, "messages:write", "outbound:read", "conversations:read", "admin", person="Holder"
        ),
        "no person": await make_key(database, tenant, "desk"),
        "not at the desk": await make_key(database, tenant, "desk", person="Stranger"),
        "another tenant's": await make_key(database, other_tenant, "desk", person="Holder"),
    }
    before = await harness.query("SELECT * FROM conversation ORDER BY conversation_id")

    answers = {}
    for name, key in keys.items():
        async with gateway.client(key) as client:
            answers[name] = (await client.request(method, path.format(**NAMES), json=body)).status_code

    assert answers == dict.fromkeys(keys, 403) | {"none": 401}
    assert await harness.query("SELECT * FROM conversation ORDER BY conversation_id") == before


async def test_every_route_of_the_desk_stands_in_the_table(gateway: Here, harness: Harness) -> None:
    async with gateway.client(await make_key(harness.database, harness.tenant)) as client:
        document = (await client.get("/v1/openapi.json")).json()
    served = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        if path.startswith("/v1/desk/")
        for method in operations
    }

    assert served == {(method, path) for method, path, _ in DESK_ROUTES}


@pytest.fixture
async def dana(gateway: Here, harness: Harness) -> AsyncIterator[Any]:
    await add_person(harness.database, harness.tenant, "Dana")
    async with gateway.client(await make_key(harness.database, harness.tenant, "desk", person="Dana")) as client:
        yield client


@pytest.fixture
async def holder(gateway: Here, harness: Harness) -> AsyncIterator[Any]:
    async with gateway.client(await make_key(harness.database, harness.tenant, "desk", person="Holder")) as client:
        yield client


AT: Final = "/v1/desk/conversations/c"


async def test_the_inbox_is_read_in_pages_and_a_claim_lost_names_who_has_it(dana: Any, holder: Any) -> None:
    listed = (await dana.get("/v1/desk/inbox", params={"limit": 1})).json()
    rest = (await dana.get("/v1/desk/inbox", params={"after": listed["next_after"]})).json()
    wrong = await dana.get("/v1/desk/inbox", params={"after": "nonsense"})
    claimed = await dana.post(f"{AT}/claim")
    late = await holder.post(f"{AT}/claim")
    opened = await dana.post("/v1/desk/tickets/T-c/open", json={"reason": "a look"})

    assert [[entry["conversation"] for entry in page["entries"]] for page in (listed, rest)] == [["c"], ["held"]]
    assert (rest["next_after"], wrong.status_code) == (None, 422)
    assert (claimed.status_code, claimed.json()["claimed_by"]) == (200, "Dana")
    assert late.status_code == 409
    assert "Dana has conversation c" in late.json()["detail"]
    assert opened.status_code == 404  # a ticket whose words went out nowhere


async def test_a_reply_over_http_is_refused_with_what_is_new_and_sent_once(dana: Any, harness: Harness) -> None:
    await dana.post(f"{AT}/claim")
    await harness.accept("c", "are you there?")
    standing = (await dana.get(AT)).json()["standing"]
    stale = {"text": "yes", "desk_version": standing["desk_version"], "seen_position": 1, "request_id": "r1"}

    refused = await dana.post(f"{AT}/reply", json=stale)
    sent = [await dana.post(f"{AT}/reply", json={**stale, "seen_position": 2}) for _ in range(2)]

    assert (refused.status_code, [item["text"] for item in refused.json()["news"]]) == (409, ["are you there?"])
    assert [answer.status_code for answer in sent] == [202, 202]
    assert [answer.json()["sequence"] for answer in sent] == [2, 2]
    assert [answer.json()["is_new"] for answer in sent] == [True, False]


async def test_everything_done_over_http_is_in_the_history_in_order(dana: Any, holder: Any) -> None:
    """It goes through the login of HTTP processes, which has few rights and one tenant."""
    until = (datetime.now(UTC) + SOON).isoformat()
    steps = [
        (dana, "claim", None),
        (dana, "renew", None),
        (dana, "note", {"text": "she is kind"}),
        (dana, "snooze", {"until": until, "reason": "waits for the hotel"}),
        (dana, "reassign", {"to": "Holder"}),
        (holder, "hand-back", {"line": "she knows the fee"}),
        (holder, "take-over", {}),
        (holder, "resolve", {"reason": "done"}),
        (holder, "reopen", {}),
    ]

    answers = [await client.post(f"{AT}/{act}", json=body) for client, act, body in steps]
    history = (await dana.get(AT)).json()["history"]

    assert [answer.status_code for answer in answers] == [200] * len(steps), [answer.text for answer in answers]
    done = [act.replace("-", "_") for _, act, _ in steps if act != "renew"]
    assert [act["act"] for act in history] == ["escalate", *done]
    assert all(act["from_state"] == before["to_state"] for before, act in itertools.pairwise(history))
    assert [act["note"] for act in history if act["act"] == "note"] == ["she is kind"]


async def test_an_admin_sets_and_removes_people_over_http(gateway: Here, harness: Harness) -> None:
    database, tenant = harness.database, harness.tenant
    await add_person(database, tenant, "Ada", "admin")
    async with gateway.client(await make_key(database, tenant, "desk", person="Ada")) as ada:
        made = await ada.put("/v1/desk/people/Neu", json={"role": "viewer"})
        listed = (await ada.get("/v1/desk/people")).json()
        removed = [(await ada.delete("/v1/desk/people/Neu")).status_code for _ in range(2)]

    assert (made.status_code, removed) == (204, [204, 403])
    roles = {person["person"]: person["role"] for person in listed}
    assert roles == {"Ada": "admin", "Holder": "agent", "Neu": "viewer"}
