"""Faults of the simulated provider: by share of all requests, or scripted for the next ones."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ops.lab.llm_sim.asked import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.lab.llm_sim.asked import Asked

FaultKind = Literal[
    "429",
    "500",
    "503",
    "hang",
    "cut",
    "slow",
    "malformed",
    "page",
    "error_inside",
    "empty",
    "malformed_arguments",
    "unknown_tool",
    "refusal",
]
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)

SCRIPTED_REQUESTS_MAX = 10_000
SECONDS_MAX = 3_600.0

_SHARE = re.compile(r"(?P<kind>\w+)=(?P<share>0?\.\d+|0|1(?:\.0+)?)(?::(?P<seconds>\d{1,4}(?:\.\d+)?))?")
_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ProviderFault:
    """One fault; `seconds` are those of Retry-After for 429 and 503, and of the delay for slow."""

    kind: FaultKind
    seconds: float = _SECONDS


@dataclass(frozen=True, slots=True)
class FaultShare:
    """A fault, and its share of all requests, 0 to 1."""

    fault: ProviderFault
    share: float


class ScriptStep(BaseModel):
    """The fault of the next requests; `none` lets them through, whatever the shares are."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind | Literal["none"]
    requests: int = Field(default=1, ge=1, le=SCRIPTED_REQUESTS_MAX)
    seconds: float = Field(default=_SECONDS, ge=0, le=SECONDS_MAX)


_SCRIPT: TypeAdapter[list[ScriptStep]] = TypeAdapter(list[ScriptStep])


def read_share(text: str) -> FaultShare:
    """Parse KIND=SHARE or KIND=SHARE:SECONDS, such as 429=0.05:2; raises ValueError."""
    found = _SHARE.fullmatch(text.strip())
    if found is None or found["kind"] not in FAULT_KINDS:
        raise ValueError(f"{text!r} is not KIND=SHARE[:SECONDS] with a share from 0 to 1 and {'|'.join(FAULT_KINDS)}")
    kind: Any = found["kind"]
    return FaultShare(ProviderFault(kind, float(found["seconds"] or _SECONDS)), float(found["share"]))


def read_script(body: Any) -> list[ScriptStep]:
    """Parse the body of POST /faults: one step or a list; raises ValueError."""
    return _SCRIPT.validate_python(body if isinstance(body, list) else [body])


class Faults:
    """Chooses the fault of each request, or none: the script's next one, else one by the shares."""

    def __init__(self, shares: Sequence[FaultShare] = ()) -> None:
        """Take shares that add up to at most 1; raises ValueError."""
        total = sum(share.share for share in shares)
        if total > 1:
            raise ValueError(f"the shares of faults add up to {total:g}, more than all requests")
        self._shares = tuple(shares)
        self._script: deque[ProviderFault | None] = deque()

    @property
    def scripted(self) -> int:
        """Return the number of requests left in the script."""
        return len(self._script)

    def script(self, steps: Sequence[ScriptStep]) -> None:
        """Add to the script; raises ValueError when it would be longer than SCRIPTED_REQUESTS_MAX."""
        added = [
            None if s.kind == "none" else ProviderFault(s.kind, s.seconds) for s in steps for _ in range(s.requests)
        ]
        if len(self._script) + len(added) > SCRIPTED_REQUESTS_MAX:
            raise ValueError(f"a script speaks for at most {SCRIPTED_REQUESTS_MAX} requests")
        self._script.extend(added)

    def clear(self) -> None:
        """Empty the script; the shares stay."""
        self._script.clear()

    def next(self, drawn: float) -> ProviderFault | None:
        """Return the fault of the next request; `drawn` is a random number, evenly from 0 to 1."""
        if self._script:
            return self._script.popleft()
        for share in self._shares:
            if drawn < share.share:
                return share.fault
            drawn -= share.share
        return None


BODIES: Mapping[FaultKind, tuple[str, str]] = {
    "malformed": ("application/json", '{"id": "x", "object": "'),
    "page": ("text/html", "<!doctype html><title>Down for maintenance</title>"),
    "error_inside": ("application/json", '{"error": {"message": "Provider returned error", "code": 502}}'),
}
"""Bodies that come with status 200 and are no answer, by fault: content type and text."""


def spoil(output: Output, kind: FaultKind, asked: Asked) -> Output:
    """Return a wrong answer where the fault lies in the answer itself; any other fault leaves it as it is.

    Arguments are cut off in the middle: those of the call that was decided, else of one of the tools.
    """
    if kind == "empty":
        return Output("text", "\u200b")
    if kind == "refusal":
        return Output("refusal", "I'm sorry, but I cannot help with that.")
    if kind == "unknown_tool":
        return Output("call", "{}", "look_up_the_weather")
    if kind == "malformed_arguments" and asked.callable_names:
        plain = sorted(asked.callable_names, key=lambda name: (name.startswith("transfer_to_"), name))
        name = output.name if output.kind == "call" else plain[0]
        return Output("call", '{"question": "how many', name)
    return output
