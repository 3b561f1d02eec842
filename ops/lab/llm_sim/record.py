"""Record each request of the simulator: a line in a log for an auditor, and totals."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from runtime.encoding import dump_json

if TYPE_CHECKING:
    from typing import TextIO

    from ops.lab.llm_sim.asked import Asked, Output
    from ops.lab.llm_sim.faults import ProviderFault


class Request:
    """One request; `status` 0: its client was gone, or its connection cut, before the answer."""

    def __init__(self, number: int, api: str) -> None:
        self.number = number
        self.api = api
        self.fault: ProviderFault | None = None
        self.asked: Asked | None = None
        self.output: Output | None = None
        self.status = 0
        self._at = time.time()
        self._started = time.perf_counter()

    def as_line(self) -> dict[str, Any]:
        """Return the request as a log line, with the text's hash and size in place of the text."""
        answered = self.output if self.status == 200 else None  # noqa: PLR2004 - HTTP's OK
        return {
            "number": self.number,
            "at": round(self._at, 3),
            "milliseconds": round((time.perf_counter() - self._started) * 1_000, 1),
            "api": self.api,
            "model": self.asked.model if self.asked else None,
            "input_hash": self.asked.input_hash if self.asked else None,
            "status": self.status,
            "fault": self.fault.kind if self.fault else None,
            "answer": (answered.name or answered.kind) if answered else None,
            "input_tokens": self.asked.tokens if self.asked and answered else 0,
            "output_tokens": answered.tokens if answered else 0,
        }


class Record:
    """Numbers requests as they come, and logs each when it ends."""

    def __init__(self, log: TextIO | None = None) -> None:
        self._log = log
        self._begun = 0
        self._under_way = 0
        self._under_way_most = 0
        self._statuses: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()

    def begin(self, api: str) -> Request:
        """Start a request and return it."""
        self._begun += 1
        self._under_way += 1
        self._under_way_most = max(self._under_way_most, self._under_way)
        return Request(self._begun, api)

    def end(self, request: Request) -> None:
        """Log a finished request, flushed: a reader of the log sees every request that has ended."""
        self._under_way -= 1
        line = request.as_line()
        self._statuses[str(request.status)] += 1
        if request.fault is not None:
            self._faults[request.fault.kind] += 1
        self._tokens.update(input=line["input_tokens"], output=line["output_tokens"])
        if self._log is not None:
            self._log.write(dump_json(line) + "\n")
            self._log.flush()

    def sums(self) -> dict[str, Any]:
        """Return totals of all requests so far."""
        return {
            "requests": self._begun,
            "under_way": self._under_way,
            "under_way_most": self._under_way_most,
            "statuses": dict(self._statuses),
            "faults": dict(self._faults),
            "input_tokens": self._tokens["input"],
            "output_tokens": self._tokens["output"],
        }
