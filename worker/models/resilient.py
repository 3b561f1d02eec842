"""Retries, limits and a circuit breaker around a provider; where it cannot answer, the embedded model does.

The one layer that retries, waits and gives up. The client below never retries, and a turn above only parks its message.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import structlog
from agents.exceptions import ModelBehaviorError, ModelRefusalError
from agents.models.interface import Model

from runtime.database import EVERY_TENANT
from runtime.switches import Switches
from worker.measures.metrics import WorkerMetrics
from worker.models.breaker import Permit
from worker.models.calls import Caller, CallNote, current_call
from worker.models.choice import is_switched_off
from worker.models.circuits import Circuit, Circuits
from worker.models.failures import (
    ModelBusy,
    ModelUnavailable,
    classify_model_error,
    describe_error,
    is_bad_request,
    is_providers_fault,
    result_of,
    retry_after_seconds,
)
from worker.models.output import check_usable
from worker.models.parameters import choose_parameters, for_call
from worker.models.prices import Tokens, cost_usd, estimate_tokens, tokens_of
from worker.models.retrying import retrying
from worker.models.wire.faults import UnusableAnswer

if TYPE_CHECKING:
    from agents.items import ModelResponse, TResponseStreamEvent

    from schema.settings.models import ProviderSettings
    from worker.models.ledger import Ledger
    from worker.models.throttle import Throttle

_log = structlog.get_logger("fte.models")

_RESERVE_SECONDS = 1.0
"""Reserved of a turn's time, so that the embedded model can still answer when the provider used up the rest."""


class ResilientModel(Model):
    """Protects one provider's model, and its callers from it; one per process and model, so that it knows all calls.

    `slots`: the process's places at the provider, which all its models share.
    """

    def __init__(
        self,
        model: Model,
        fallback: Model,
        settings: ProviderSettings,
        *,
        ledger: Ledger,
        throttle: Throttle | None,
        slots: asyncio.Semaphore,
        metrics: WorkerMetrics,
        switches: Switches,
    ) -> None:
        self._model = model
        self._fallback = fallback
        self._settings = settings
        self._ledger = ledger
        self._throttle = throttle
        self._price = settings.model_prices.get(settings.model_name)
        self._parameters = choose_parameters(settings)
        self._slots = slots
        self._metrics = metrics
        self._switches = switches
        self.name = settings.model_name
        self._circuits = Circuits(self.name, settings)

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Return the provider's answer, or the embedded model's in its place (the call's note then says `degraded`).

        Raises ModelBusy when our own limits leave no room for `model_wait_seconds_max`, and what the provider's failure
        was as long as a later attempt at the message may fare better.
        """
        if args:
            raise TypeError("the runner passes everything by keyword")
        note = current_call.get() or CallNote(Caller(), self.name)
        tenant = note.caller.tenant
        if is_switched_off(self._switches, tenant, self._settings.model):
            return await self._stand_in(note, kwargs, ModelUnavailable("an operator has switched it off"))
        expected = estimate_tokens(kwargs)
        expected_usd = cost_usd(expected, self._price) or Decimal(0)
        if not await self._ledger.has_room(tenant, expected_usd, time.monotonic()):
            note.caller.events += self._ledger.tell_exhausted(tenant)
            return await self._stand_in(note, kwargs, ModelUnavailable("the tenant's spend ceiling is reached"))
        schema = kwargs["output_schema"]
        in_form = "" if schema is None or schema.is_plain_text() else " by schema"  # which not every endpoint knows
        circuit = self._circuits.of(note.asker + in_form)
        kwargs["model_settings"] = for_call(self._parameters, has_tools=bool(kwargs["tools"] or kwargs["handoffs"]))
        try:
            with self._ledger.reserving(tenant, expected_usd):
                response = await self._ask(circuit, note, kwargs, expected)
        except Exception as error:
            if not self._is_given_up(circuit, note, error):
                raise
            circuit.tell(note, error)
            return await self._stand_in(note, kwargs, error)
        circuit.tell_back(note)
        used = tokens_of(response.usage)
        note.cost_usd = cost_usd(used, self._price)
        self._ledger.spend(tenant, note.cost_usd or Decimal(0))
        if self._throttle is not None:
            self._throttle.correct(used.total - expected.total)
        return response

    def stream_response(self, *_args: Any, **_kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        """Raise NotImplementedError: a turn's outcome is committed whole, so nothing is streamed."""
        raise NotImplementedError("turns do not stream")

    async def close(self) -> None:
        """Close both models."""
        await self._model.close()
        await self._fallback.close()

    def _is_given_up(self, circuit: Circuit, note: CallNote, error: Exception) -> bool:
        """Check whether the embedded model answers now: waiting longer serves nobody.

        That is at once where waiting changes nothing (a model that slipped again and again, a request that the provider
        will not take), and late where the provider may come back.
        """
        if isinstance(error, ModelBehaviorError) or is_bad_request(error):
            _log.error("model.gave_way", model=self.name, asker=note.asker, error=describe_error(error))
            return True
        attempts_max = min(self._settings.model_attempts_max, self._settings.attempts_max)
        return is_providers_fault(error) and (circuit.is_open or note.caller.attempt >= attempts_max)

    async def _stand_in(self, note: CallNote, kwargs: dict[str, Any], error: Exception) -> ModelResponse:
        schema = kwargs["output_schema"]
        if schema is not None and not schema.is_plain_text():
            raise ModelUnavailable(f"{self.name} is away, and the local model answers in plain text only") from error
        note.model, note.degraded = "local", True
        return await self._fallback.get_response(**kwargs)

    async def _ask(self, circuit: Circuit, note: CallNote, kwargs: dict[str, Any], expected: Tokens) -> ModelResponse:
        """Ask, and ask again after a short wait where that may help, all within the time of one call."""
        seconds = self._settings.model_call_seconds_max
        left = seconds if note.caller.deadline is None else note.caller.deadline - _loop_time() - _RESERVE_SECONDS
        deadline = _loop_time() + min(seconds, left)

        def count(retries: int) -> None:
            note.retries = retries

        repeat = retrying(self._settings, deadline, is_given_up=lambda: circuit.is_open, count=count)
        return await repeat(self._request, circuit, kwargs, expected, deadline)

    @property
    def is_circuit_open(self) -> bool:
        """Return whether the provider is left alone for any purpose, or switched off for every tenant."""
        return self._circuits.is_any_open or is_switched_off(self._switches, EVERY_TENANT, self._settings.model)

    async def _request(
        self, circuit: Circuit, kwargs: dict[str, Any], expected: Tokens, deadline: float
    ) -> ModelResponse:
        """Make one request and count how it ended; raises as `_make_request`."""
        try:
            return await self._make_request(circuit, kwargs, expected, deadline)
        except Exception as error:
            self._metrics.note_model_failure(self.name, result_of(error))
            raise

    async def _make_request(
        self, circuit: Circuit, kwargs: dict[str, Any], expected: Tokens, deadline: float
    ) -> ModelResponse:
        """Make one request, when the breaker lets it pass and there is room for it.

        Raises ModelBusy when there is no room in time, and what the model raises.
        """
        began = _loop_time()
        give_up_at = min(deadline, began + self._settings.model_wait_seconds_max)
        async with self._slot(give_up_at):
            permit = circuit.admit()
            if permit is None:
                raise ModelUnavailable(f"{self.name} failed lately and is left alone")
            try:
                if self._throttle is not None:
                    await self._throttle.take(expected.total, seconds_max=max(0.0, give_up_at - _loop_time()))
            except BaseException:
                circuit.dropped(permit)
                raise
            self._metrics.note_model_wait(_loop_time() - began)
            return await self._send(circuit, permit, kwargs, deadline)

    async def _send(self, circuit: Circuit, permit: Permit, kwargs: dict[str, Any], deadline: float) -> ModelResponse:
        """Send a request and tell the breaker its outcome. What the provider will never answer becomes a refusal."""
        has_time = deadline - _loop_time() >= self._settings.model_call_seconds_max / 2
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._answer(kwargs)
        except Exception as error:
            if isinstance(error, TimeoutError) and not has_time:
                circuit.dropped(permit)  # the turn had spent it elsewhere
            elif is_providers_fault(error):
                asked = min(retry_after_seconds(error, time.time()) or 0.0, self._settings.model_park_seconds_max)
                circuit.failed(permit, error, retry_after_seconds=asked)
            else:
                circuit.succeeded(permit)
            if classify_model_error(error) == "refused" and not isinstance(error, ModelRefusalError):
                raise ModelRefusalError(describe_error(error)) from error
            raise
        except BaseException:
            circuit.dropped(permit)
            raise
        circuit.succeeded(permit)
        return response

    async def _answer(self, kwargs: dict[str, Any]) -> ModelResponse:
        """Return the model's answer where it can be used; what the SDK cannot read is a slip of the model, too."""
        try:
            response = await self._model.get_response(**kwargs)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            where = traceback.extract_tb(error.__traceback__)[-1]  # the error's text may quote the answer
            _log.error(
                "model.unreadable", model=self.name, error=type(error).__name__, at=f"{where.filename}:{where.lineno}"
            )
            raise UnusableAnswer(f"the answer could not be read: {type(error).__name__}") from error
        check_usable(response)
        return response

    @asynccontextmanager
    async def _slot(self, give_up_at: float) -> AsyncIterator[None]:
        """Occupy one of the process's places at the provider; raises ModelBusy when none comes free in time."""
        try:
            async with asyncio.timeout_at(give_up_at):
                await self._slots.acquire()
        except TimeoutError:
            raise ModelBusy("FTE_MODEL_CONCURRENCY_MAX", self._settings.model_wait_seconds_max) from None
        try:
            yield
        finally:
            self._slots.release()


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
