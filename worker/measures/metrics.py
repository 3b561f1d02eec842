"""Count what a worker does, for Prometheus; every part of a worker is handed the same `WorkerMetrics`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from runtime.telemetry.metrics import SECONDS, WAIT_SECONDS, BoundedLabel, Metrics, MetricSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

MODELS_MAX: Final = 32
"""Models that one process's metrics tell apart."""

TURN_WAIT: Final = MetricSpec(
    "fte_turn_wait_seconds",
    "histogram",
    "From a message's acceptance to its first attempt, without the pause of a burst and without retries",
    buckets=WAIT_SECONDS,
)
TURN_SECONDS: Final = MetricSpec(
    "fte_turn_seconds", "histogram", "From the begin of an attempt to its commit", ("outcome",), SECONDS
)
STEP_SECONDS: Final = MetricSpec(
    "fte_step_seconds", "histogram", "One step of a turn that committed", ("step",), SECONDS
)
TURNS: Final = MetricSpec("fte_turns_total", "counter", "Turns committed", ("tenant", "channel", "outcome"))
ANSWERED: Final = MetricSpec(
    "fte_messages_done_total", "counter", "Messages that turns have brought to their outcome", ("tenant", "channel")
)
ESCALATIONS: Final = MetricSpec(
    "fte_escalations_total", "counter", "Tickets that turns opened for people", ("tenant", "category")
)
DEAD_LETTERS: Final = MetricSpec("fte_dead_letters_total", "counter", "Messages given up as dead letters", ("reason",))
DEGRADED: Final = MetricSpec(
    "fte_degraded_turns_total", "counter", "Turns in which the embedded model stood in for the provider"
)
OVERTAKEN: Final = MetricSpec(
    "fte_turns_overtaken_total", "counter", "Turns that started over because a message came meanwhile"
)
FENCED: Final = MetricSpec(
    "fte_turns_fenced_total", "counter", "Turns whose work was thrown away because the conversation had moved on"
)
FAILED: Final = MetricSpec("fte_attempts_failed_total", "counter", "Attempts that failed, by class", ("class",))
PARKED: Final = MetricSpec(
    "fte_turns_parked_total", "counter", "Messages put off to a later attempt, by the class of the failure", ("class",)
)
GIVEN_BACK: Final = MetricSpec(
    "fte_turns_given_back_total", "counter", "Turns given back unfinished because the worker stops"
)
LEASES_LOST: Final = MetricSpec("fte_leases_lost_total", "counter", "Leases that became another worker's")
TAKEOVERS: Final = MetricSpec(
    "fte_lease_takeovers_total",
    "counter",
    "Messages taken up from a worker that died or stood still during its attempt",
)
TAKEN_UP: Final = MetricSpec(
    "fte_rescue_taken_up_total", "counter", "Conversations that were overdue: a bell was lost, or a retry came due"
)
RESTORED: Final = MetricSpec(
    "fte_rescue_restored_total", "counter", "Messages put back into mailboxes that Redis had lost"
)
PUBLISHED_LATE: Final = MetricSpec(
    "fte_rescue_published_total", "counter", "Outbox rows published in place of a worker that died"
)
MODEL_CALLS: Final = MetricSpec(
    "fte_model_calls_total", "counter", "Requests to models, by how they ended", ("model", "result")
)
MODEL_SECONDS: Final = MetricSpec(
    "fte_model_seconds",
    "histogram",
    "One finished call of a model, its waits and retries included",
    ("model",),
    SECONDS,
)
MODEL_WAIT: Final = MetricSpec(
    "fte_model_wait_seconds", "histogram", "How long a request waited for room at the provider", buckets=SECONDS
)
MODEL_TOKENS: Final = MetricSpec(
    "fte_model_tokens_total",
    "counter",
    "Tokens of finished calls; cached ones are part of the input",
    ("model", "direction"),
)
MODEL_COST: Final = MetricSpec(
    "fte_model_cost_usd_total", "counter", "Cost of finished calls by FTE_MODEL_PRICES", ("model", "tenant")
)
CIRCUIT_OPEN: Final = MetricSpec(
    "fte_circuit_open", "gauge", "1 while a model is left alone because it failed, for any purpose", ("model",)
)
SLOTS_USED: Final = MetricSpec("fte_slots_used", "gauge", "Conversations under way")
SLOTS_TOTAL: Final = MetricSpec("fte_slots_total", "gauge", "Conversations that may be under way at once")
SLOTS_WAITING: Final = MetricSpec("fte_slots_waiting", "gauge", "Conversations that wait for a slot of this worker")
LEADER: Final = MetricSpec("fte_leader", "gauge", "1 in the worker that repairs for all")
SILENCES: Final = MetricSpec(
    "fte_watchdog_silences_total", "counter", "Times that conversations were long overdue although slots were free"
)
SPANS_DROPPED: Final = MetricSpec("fte_spans_dropped_total", "counter", "Spans that reached no sink", ("where",))

OF_A_WORKER: Final = (
    TURN_WAIT,
    TURN_SECONDS,
    STEP_SECONDS,
    TURNS,
    ANSWERED,
    ESCALATIONS,
    DEAD_LETTERS,
    DEGRADED,
    OVERTAKEN,
    FENCED,
    FAILED,
    PARKED,
    GIVEN_BACK,
    LEASES_LOST,
    TAKEOVERS,
    TAKEN_UP,
    RESTORED,
    PUBLISHED_LATE,
    MODEL_CALLS,
    MODEL_SECONDS,
    MODEL_WAIT,
    MODEL_TOKENS,
    MODEL_COST,
    CIRCUIT_OPEN,
    SLOTS_USED,
    SLOTS_TOTAL,
    SLOTS_WAITING,
    LEADER,
    SILENCES,
    SPANS_DROPPED,
)

_STEPS: Final = ("hydrate", "guard", "act", "commit")

Burial = Literal["attempts", "unreadable", "stray"]
"""Why a message became a dead letter: its attempts are used up, nobody can read it, or it was never accepted."""


@dataclass(frozen=True, slots=True)
class CommittedTurn:
    """What is counted of a turn that committed."""

    tenant: str
    channel: str
    outcome: str
    messages: int
    seconds: float
    """From the begin of the attempt to the commit."""
    waited_seconds: float | None
    """From the acceptance to the first attempt; None: this was not the first."""
    step_milliseconds: Mapping[str, float]
    """By `<step>_ms`, as in the turn's record."""
    escalation: str | None
    """Category of the ticket that it opened."""
    burial: Burial | None
    is_degraded: bool


class WorkerMetrics(Metrics):
    """The metrics of one worker; cheap enough for every turn, and called on the event loop alone."""

    def __init__(self, *, tenants_max: int = 50) -> None:
        super().__init__()
        self._tenants = BoundedLabel(tenants_max)
        self._models = BoundedLabel(MODELS_MAX)
        self._turn_wait = self.histogram(TURN_WAIT)
        self._turn_seconds = self.histogram(TURN_SECONDS)
        step_seconds = self.histogram(STEP_SECONDS)
        self._steps = [(f"{step}_ms", step_seconds.labels(step)) for step in _STEPS]
        self._turns = self.counter(TURNS)
        self._answered = self.counter(ANSWERED)
        self._escalations = self.counter(ESCALATIONS)
        self._dead_letters = self.counter(DEAD_LETTERS)
        self._degraded = self.counter(DEGRADED)
        self._failed = self.counter(FAILED)
        self._parked = self.counter(PARKED)
        self._model_calls = self.counter(MODEL_CALLS)
        self._model_seconds = self.histogram(MODEL_SECONDS)
        self._model_wait = self.histogram(MODEL_WAIT)
        self._model_tokens = self.counter(MODEL_TOKENS)
        self._model_cost = self.counter(MODEL_COST)
        self.overtaken = self.counter(OVERTAKEN)
        self.fenced = self.counter(FENCED)
        self.given_back = self.counter(GIVEN_BACK)
        self.leases_lost = self.counter(LEASES_LOST)
        self.takeovers = self.counter(TAKEOVERS)
        self.taken_up = self.counter(TAKEN_UP)
        self.restored = self.counter(RESTORED)
        self.published_late = self.counter(PUBLISHED_LATE)

    def note_turn(self, turn: CommittedTurn) -> None:
        """Count a turn that committed."""
        tenant = self._tenants.of(turn.tenant)
        if turn.waited_seconds is not None:
            self._turn_wait.observe(turn.waited_seconds)
        self._turn_seconds.labels(turn.outcome).observe(turn.seconds)
        for name, seconds in self._steps:
            milliseconds = turn.step_milliseconds.get(name)
            if milliseconds is not None:
                seconds.observe(milliseconds / 1_000)
        self._turns.labels(tenant, turn.channel, turn.outcome).inc()
        self._answered.labels(tenant, turn.channel).inc(turn.messages)
        if turn.escalation is not None:
            self._escalations.labels(tenant, turn.escalation).inc()
        if turn.burial is not None:
            self._dead_letters.labels(turn.burial).inc()
        if turn.is_degraded:
            self._degraded.inc()

    def note_failure(self, failure: str) -> None:
        """Count an attempt that failed, by its class; one that a fence held starts over, any other is parked."""
        self._failed.labels(failure).inc()
        if failure == "again":
            self.fenced.inc()
        else:
            self._parked.labels(failure).inc()

    def note_model_answer(
        self, tenant: str, model: str, *, seconds: float, tokens: tuple[int, int, int], cost_usd: Decimal | None
    ) -> None:
        """Count a finished call: its time, its tokens (input, of these cached, output), its cost where known."""
        name = self._models.of(model)
        self._model_calls.labels(name, "ok").inc()
        self._model_seconds.labels(name).observe(seconds)
        for direction, count in zip(("input", "cached", "output"), tokens, strict=True):
            if count:
                self._model_tokens.labels(name, direction).inc(count)
        if cost_usd:
            self._model_cost.labels(name, self._tenants.of(tenant)).inc(float(cost_usd))

    def note_model_failure(self, model: str, result: str) -> None:
        """Count a request that failed, or that could not be made."""
        self._model_calls.labels(self._models.of(model), result).inc()

    def note_model_wait(self, seconds: float) -> None:
        """Record how long a request waited for room at the provider."""
        self._model_wait.observe(seconds)
