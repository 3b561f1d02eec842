"""Note that the deployment was verified, for who watches it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from runtime.encoding import dump_json
from schema.keys import VERIFIED_KEY

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from ops.verify.finding import Report

CHECKS: Final = (
    "agenda",
    "conservation",
    "dead letter",
    "group",
    "lease",
    "ledger",
    "lost",
    "mailbox",
    "name",
    "publishing",
    "reply",
    "sequence",
    "turn",
)
"""The checks of a verification, so that one that found nothing is told as 0 and not left out."""


async def note_verified(client: Redis, report: Report) -> None:
    """Note in Redis that every tenant was verified now, and how many violations of each check were found.

    Raises what Redis raises. Should Redis lose the note, nobody knows until the next verification.
    """
    found = Counter(finding.check for finding in report.findings)
    seconds, _ = await client.time()
    violations = {check: found[check] for check in sorted({*CHECKS, *found})}
    await client.set(VERIFIED_KEY, dump_json({"at": seconds, "violations": violations}))
