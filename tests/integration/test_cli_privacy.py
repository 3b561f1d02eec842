"""`fte privacy` and `fte audit`, from the words on the command line to what they print."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.test_cli_tenants import Fte, fte

if TYPE_CHECKING:
    from tests.integration.worker_harness import MakeHarness

__all__ = ["fte"]

PERSON = "chat:ada@example.com"


@pytest.fixture
async def written(worker: MakeHarness, tenant: str) -> str:
    """Let a person write in a conversation, and be answered; gives the tenant."""
    harness = await worker()
    await harness.accept("c-1", "I am Ada, hello")
    await harness.drain("c-1")
    await harness.service.publisher.note()
    return tenant


async def run(fte: Fte, *words: str, code: int = 0) -> str:
    """Run a command beside the loop of the test: it has one of its own."""
    return await asyncio.to_thread(fte, *words, code=code)


async def test_a_person_is_exported_held_released_and_erased(fte: Fte, written: str) -> None:
    of = ("--tenant", written, "--as", "olga")

    exported = await run(fte, "privacy", "export", PERSON, *of, "--because", "asked")
    counted = await run(fte, "privacy", "erase", PERSON, *of)
    await run(fte, "privacy", "hold", PERSON, *of, "--because", "a court")
    holds = await run(fte, "privacy", "holds", "--tenant", written)
    await run(fte, "privacy", "erase", PERSON, *of, "--confirm", code=1)
    await run(fte, "privacy", "release", PERSON, *of)
    await run(fte, "privacy", "release", PERSON, *of, code=1)
    erased = await run(fte, "privacy", "erase", PERSON, *of, "--confirm")
    left = await run(fte, "privacy", "export", PERSON, *of)

    assert '"I am Ada, hello"' in exported
    assert "would erase 1 conversations; --confirm does it" in counted
    assert "a court" in holds
    assert "erased 1 conversations" in erased
    assert "ada@example.com" not in erased
    assert left == ""


async def test_the_audit_log_is_listed_verified_and_exported(fte: Fte, written: str) -> None:
    of = ("--tenant", written)
    await run(fte, "takeover", "c-1", *of, "--as", "olga")
    await run(fte, "resolve", "c-1", *of, "--as", "sam")

    listed = await run(fte, "audit", "list", *of)
    by_olga = await run(fte, "audit", "list", *of, "--by", "olga")
    verified = await run(fte, "audit", "verify", *of)
    anchor = verified.rsplit(" ", 1)[1].strip()
    held = await run(fte, "audit", "verify", *of, "--anchor", anchor)
    broken = await run(fte, "audit", "verify", *of, "--anchor", f"1:{'0' * 64}", code=1)
    exported = await run(fte, "audit", "export", *of)

    assert ["conversation.resolved" in text for text in (listed, by_olga)] == [True, False]
    assert "2 entries, whole" in verified
    assert held == verified
    assert broken == ""
    assert len(exported.splitlines()) == 2


def test_a_person_of_no_channel_is_refused_with_the_form(fte: Fte, tenant: Any) -> None:
    told = fte("privacy", "erase", "ada", "--tenant", tenant, code=1)

    assert "a person is CHANNEL:ADDRESS" in told
