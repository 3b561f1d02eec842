"""Build the model provider that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.models.interface import Model, ModelProvider
from agents.models.openai_provider import OpenAIProvider

from schema.errors import InvalidSettings
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


class OneModelProvider(ModelProvider):
    """Provider of one model for every agent, whatever name is asked for: the settings choose it, not the code."""

    def __init__(self, model: Model, client: openai.AsyncOpenAI | None = None) -> None:
        self._model = model
        self._client = client

    def get_model(self, model_name: str | None) -> Model:  # noqa: ARG002 - see the class
        """Return the model."""
        return self._model

    async def aclose(self) -> None:
        """Close the model's connections; it cannot be used afterwards."""
        await self._model.close()
        if self._client is not None:
            await self._client.close()


def build_model_provider(
    settings: ProviderSettings,
    client: openai.AsyncOpenAI | None = None,
    *,
    local: Callable[[], Model],
    ledger: Ledger | None = None,
    throttle: Throttle | None = None,
) -> ModelProvider:
    """Build the provider for `FTE_MODEL`: local, stub, openai:<model> or openai-chat:<model>.

    What goes over a network is made resilient; the embedded models neither fail nor cost anything. A client of its own
    is made unless one is given. `local` makes the domain's model that needs no network. Without a ledger nothing is
    limited by its cost, without a throttle nothing by the minute.

    Raises InvalidSettings when the key is missing, or the model is known to refuse what the settings ask of it.
    """
    if settings.model == "local":
        return OneModelProvider(local())
    if settings.model == "stub":
        return OneModelProvider(StubModel())
    client = client or make_client(settings)
    if client is None:
        raise InvalidSettings(settings.missing_keys)
    maker = OpenAIProvider(openai_client=client, use_responses=settings.model.startswith(_RESPONSES))
    model = maker.get_model(settings.model_name)
    resilient = ResilientModel(model, local(), settings, ledger=ledger or Ledger(), throttle=throttle)
    return OneModelProvider(resilient, client)
