"""Build the provider of the models that the settings and tenants name."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from typing import TYPE_CHECKING

from agents.models.interface import Model, ModelProvider
from agents.models.openai_provider import OpenAIProvider

from runtime.switches import Switches
from schema.errors import InvalidSettings
from schema.tenants import MODEL_PATTERN
from worker.measures.metrics import WorkerMetrics
from worker.models.client import make_client
from worker.models.ledger import Ledger
from worker.models.resilient import ResilientModel
from worker.models.stub import StubModel

if TYPE_CHECKING:
    from collections.abc import Callable

    import openai

    from schema.settings.models import ProviderSettings
    from worker.models.throttle import Throttle

_RESPONSES = "openai:"

MODELS_MAX = 16
"""Models of tenants that a process keeps, with what it knows of their health."""


class OneModelProvider(ModelProvider):
    """Provider of one model for every agent, whatever name is asked for."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def get_model(self, model_name: str | None) -> Model:  # noqa: ARG002 - see the class
        """Return the model."""
        return self._model

    async def aclose(self) -> None:
        """Close the model; it cannot be used afterwards."""
        await self._model.close()


class ModelsByName(ModelProvider):
    """Provider of a deployment's model, and of the models that tenants choose instead, over one client.

    Each is made when it is first asked for, with circuits and a throttle of its own. Of the tenants' models a process
    keeps MODELS_MAX; of more, the one that was not asked for the longest time is made anew.
    """

    def __init__(
        self,
        settings: ProviderSettings,
        client: openai.AsyncOpenAI | None,
        *,
        local: Callable[[], Model],
        ledger: Ledger,
        make_throttle: Callable[[ProviderSettings], Throttle] | None,
        metrics: WorkerMetrics | None = None,
        switches: Switches | None = None,
    ) -> None:
        self._settings = settings
        self._client = client
        self._make_local = local
        self._ledger = ledger
        self._make_throttle = make_throttle
        self._metrics = metrics or WorkerMetrics()
        self._switches = switches or Switches()
        self._slots = asyncio.Semaphore(settings.model_concurrency_max)
        self._own = self._make(settings)
        self._chosen: OrderedDict[str, Model] = OrderedDict()

    def get_model(self, model_name: str | None) -> Model:
        """Return the model of a name in the form of `FTE_MODEL`; for any other, such as an agent's, the deployment's.

        Raises InvalidSettings when the key is missing, or the model is known to refuse what the settings ask of it.
        """
        if model_name is None or model_name == self._settings.model or not re.match(MODEL_PATTERN, model_name):
            return self._own
        model = self._chosen.get(model_name)
        if model is None:
            model = self._chosen[model_name] = self._make(self._settings.model_copy(update={"model": model_name}))
            if len(self._chosen) > MODELS_MAX:
                self._chosen.popitem(last=False)  # left open: calls may be under way, and it has only the client
        self._chosen.move_to_end(model_name)
        return model

    def circuits(self) -> dict[tuple[str, ...], float]:
        """Return for each provider's model, by its name, 1 while it is left alone, else 0."""
        models = [self._own, *list(self._chosen.values())]
        return {(each.name,): float(each.is_circuit_open) for each in models if isinstance(each, ResilientModel)}

    async def aclose(self) -> None:
        """Close the models and their connections; they cannot be used afterwards."""
        for model in [self._own, *self._chosen.values()]:
            await model.close()
        if self._client is not None:
            await self._client.close()

    def _make(self, settings: ProviderSettings) -> Model:
        if settings.model == "local":
            return self._make_local()
        if settings.model == "stub":
            return StubModel()
        self._client = self._client or make_client(settings)
        if self._client is None:
            raise InvalidSettings(settings.missing_keys)
        maker = OpenAIProvider(openai_client=self._client, use_responses=settings.model.startswith(_RESPONSES))
        model = maker.get_model(settings.model_name)
        throttle = self._make_throttle(settings) if self._make_throttle is not None else None
        return ResilientModel(
            model,
            self._make_local(),
            settings,
            ledger=self._ledger,
            throttle=throttle,
            slots=self._slots,
            metrics=self._metrics,
            switches=self._switches,
        )


def build_model_provider(
    settings: ProviderSettings,
    client: openai.AsyncOpenAI | None = None,
    *,
    local: Callable[[], Model],
    ledger: Ledger | None = None,
    make_throttle: Callable[[ProviderSettings], Throttle] | None = None,
    metrics: WorkerMetrics | None = None,
    switches: Switches | None = None,
) -> ModelsByName:
    """Build the provider for `FTE_MODEL`: local, stub, openai:<model> or openai-chat:<model>; and for tenants' models.

    What goes over a network is made resilient; the embedded models neither fail nor cost anything. A client of its own
    is made unless one is given. `local` makes the domain's model that needs no network. Without a ledger nothing is
    limited by its cost, without `make_throttle` nothing by the minute, without switches nothing is ever switched off.

    Raises InvalidSettings when the key is missing, or the model is known to refuse what the settings ask of it.
    """
    return ModelsByName(
        settings,
        client,
        local=local,
        ledger=ledger or Ledger(),
        make_throttle=make_throttle,
        metrics=metrics,
        switches=switches,
    )
