"""Give the agents the brain that the settings name, and name the class of what goes wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import httpx2
import openai
from agents.exceptions import (
    InputGuardrailTripwireTriggered,
    ModelBehaviorError,
    ModelRefusalError,
    ModelTimeoutError,
    OutputGuardrailTripwireTriggered,
)
from agents.models.interface import Model, ModelProvider
from agents.models.openai_provider import OpenAIProvider

from worker.models.local.model import LocalModel
from worker.models.stub import StubModel

if TYPE_CHECKING:
    from schema.settings import Settings

ModelErrorClass = Literal["transient", "refused", "bug"]

_OPENAI = "openai:"


class OneModelProvider(ModelProvider):
    """Give one model to every agent, whatever name an agent asks for: the settings choose the brain, not the code."""

    def __init__(self, model: Model, client: openai.AsyncOpenAI | None = None) -> None:
        self._model = model
        self._client = client

    def get_model(self, model_name: str | None) -> Model:  # noqa: ARG002 - see the class
        """Give the model."""
        return self._model

    async def aclose(self) -> None:
        """Close the model's connections; it cannot be used afterwards."""
        await self._model.close()
        if self._client is not None:
            await self._client.close()


def build_model_provider(settings: Settings) -> ModelProvider:
    """Make the provider for `FTE_MODEL`: local, stub, or openai:<model>.

    The client never retries: a failed call parks the message, which backs off, and retries multiplied with retries
    would hold a conversation's lease for minutes.
    """
    if settings.model == "local":
        return OneModelProvider(LocalModel())
    if settings.model == "stub":
        return OneModelProvider(StubModel())
    if settings.openai_api_key is None:
        raise ValueError(f"FTE_MODEL={settings.model} needs OPENAI_API_KEY")
    client = openai.AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url,
        timeout=settings.model_call_seconds_max,
        max_retries=0,
    )
    provider = OpenAIProvider(openai_client=client, use_responses=True)
    return OneModelProvider(provider.get_model(settings.model.removeprefix(_OPENAI)), client)


# The request is at fault, and so would be the same request again.
_REFUSED_CODES = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "context_length_exceeded",
        "invalid_prompt",
        "string_above_max_length",
    }
)
_REFUSED = (
    ModelRefusalError,
    InputGuardrailTripwireTriggered,
    OutputGuardrailTripwireTriggered,
    openai.LengthFinishReasonError,
    openai.ContentFilterFinishReasonError,
)
_TRANSIENT = (openai.APIError, httpx2.TransportError, TimeoutError, ModelTimeoutError)
_PASSING_STATUSES = frozenset({401, 403, 404, 408, 409, 425, 429})
_TOO_LARGE = 413
_SERVER_ERRORS = 500


def classify_model_error(exc: BaseException) -> ModelErrorClass:
    """Name the class of what a model call raised.

    transient: try again later. Besides 408, 409, 425, 429, 5xx, time-outs and lost connections that is 401, 403 and
    404: a key was revoked or a model taken away, an operator will mend it, and the messages that meet it meanwhile are
    not to blame. A model that called a tool that does not exist, or wrote broken JSON, may do better next time.
    refused: the same request would fail again (too long, against the provider's policy), or a guardrail tripped.
    bug: everything else, other 4xx among them.
    """
    if isinstance(exc, openai.APIStatusError):
        return _class_of_status(exc)
    if isinstance(exc, ModelBehaviorError):
        # A response that ended early is reported by its text alone; this one the provider's filter cut off.
        return "refused" if "content_filter" in str(exc) else "transient"
    if isinstance(exc, openai.APIError) and exc.code in _REFUSED_CODES:
        return "refused"
    if isinstance(exc, _REFUSED):
        return "refused"
    return "transient" if isinstance(exc, _TRANSIENT) else "bug"


def _class_of_status(error: openai.APIStatusError) -> ModelErrorClass:
    if error.code in _REFUSED_CODES or error.status_code == _TOO_LARGE:
        return "refused"
    if error.status_code in _PASSING_STATUSES or error.status_code >= _SERVER_ERRORS:
        return "transient"
    return "bug"
