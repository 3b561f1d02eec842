"""Order workers to pause, to go on, or to finish and stop; each obeys when it next announces itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from ops.watch.facts import WorkerSeen, read_workers
from schema.errors import FteError
from schema.keys import worker_order_key

if TYPE_CHECKING:
    from redis.asyncio import Redis

Order = Literal["pause", "resume", "drain"]

KEEP_SECONDS: Final = 60
"""How long an order waits for its worker; a worker that obeys it keeps it for as long as it lives."""


class UnknownWorker(FteError):
    """No worker of that name has announced itself lately."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"no worker {name!r}; there are {', '.join(known) or 'none'} (fte workers list)")


async def order_workers(client: Redis, names: list[str], order: Order) -> list[WorkerSeen]:
    """Give an order to workers, or to all that are there when no name is given; return those that it went to.

    Raises UnknownWorker, and then none has the order; and what Redis raises.
    """
    there = {worker.name: worker for worker in await read_workers(client)}
    for name in names:
        if name not in there:
            raise UnknownWorker(name, sorted(there))
    chosen = [there[name] for name in names] if names else list(there.values())
    async with client.pipeline(transaction=False) as pipe:
        for worker in chosen:
            key = worker_order_key(worker.name)
            if order == "resume":
                pipe.delete(key)
            else:
                pipe.set(key, order, ex=KEEP_SECONDS)
        await pipe.execute()
    return chosen
