"""Find at a worker's start what a setting of the model has wrong: address, key, name."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import openai
import structlog

from worker.models.client import make_client
from worker.models.failures import describe_error
from worker.models.wire.faults import InvalidAnswer

if TYPE_CHECKING:
    from schema.settings.models import ModelSettings

_log = structlog.get_logger("fte.models")

SECONDS_MAX = 10.0
"""How long an endpoint may take to say that it knows a model."""

_ADVICE: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (
        (openai.APITimeoutError, TimeoutError),
        "the endpoint does not answer in time: is it up? FTE_MODEL_CALL_SECONDS_MAX is the limit of a call",
    ),
    (
        openai.APIConnectionError,
        "the endpoint cannot be reached: see whether OPENAI_BASE_URL is its address (most end in /v1) and it is up",
    ),
    (
        (openai.AuthenticationError, openai.PermissionDeniedError),
        "the endpoint refuses OPENAI_API_KEY: see whether it is whole, valid, and may use the model",
    ),
    (
        openai.NotFoundError,
        "the endpoint knows no such model, or OPENAI_BASE_URL lacks its path (most end in /v1): see FTE_MODEL too",
    ),
    (openai.RateLimitError, "the endpoint has no room, or the account no money: see its limits"),
    (openai.InternalServerError, "the endpoint fails: try again, and see what its provider says of its state"),
    (InvalidAnswer, "OPENAI_BASE_URL leads to something else than an API: most end in /v1"),
)


def advise(error: BaseException) -> str:
    """Return the way out of an error that a request met: which setting to look at."""
    known = next((advice for kinds, advice in _ADVICE if isinstance(error, kinds)), None)
    if known is not None:
        return known
    at = _setting_at(error) if isinstance(error, openai.APIStatusError) else ""
    return f"the endpoint refuses the request{at}"


_SETTINGS = {
    "reasoning": "FTE_MODEL_REASONING_EFFORT",
    "verbosity": "FTE_MODEL_VERBOSITY",
    "temperature": "FTE_MODEL_TEMPERATURE",
    "max_": "FTE_MODEL_OUTPUT_TOKENS_MAX",
    "store": "FTE_MODEL_STORE",
    "include": "FTE_MODEL_STORE",
    "encrypted": "FTE_MODEL_STORE",
    "service_tier": "FTE_MODEL_SERVICE_TIER",
    "parallel_tool_calls": "FTE_MODEL_PARALLEL_TOOL_CALLS",
    "tool_choice": "FTE_MODEL_TOOL_CHOICE",
}


def _setting_at(error: openai.APIStatusError) -> str:
    """Name the setting that an error speaks of; its own text is not shown, since it may quote the request."""
    about = f"{error.param or ''} {error.message}".lower()
    found = [setting for word, setting in _SETTINGS.items() if word in about]
    return f": change or unset {found[0]}" if found else "; is it the right API? openai-chat:<model> is the other one"


async def find_problem(settings: ModelSettings) -> str | None:
    """Ask the endpoint whether it knows the model, and return what is wrong; None when nothing is known to be.

    Costs nothing. Many compatible endpoints cannot say, which is no problem.
    """
    client = None if settings.is_embedded_model else make_client(settings)
    if client is None:
        return None
    try:
        async with asyncio.timeout(SECONDS_MAX):
            await client.models.retrieve(settings.model_name)
    except (openai.AuthenticationError, openai.PermissionDeniedError, openai.APIConnectionError, TimeoutError) as error:
        return f"{describe_error(error)}: {advise(error)}"
    except openai.NotFoundError as error:
        return f"{describe_error(error)}: {advise(error)}" if error.code == "model_not_found" else None
    except (openai.OpenAIError, ValueError):  # an endpoint without this route answers with anything at all
        return None
    finally:
        await client.close()
    return None


async def report_problem(settings: ModelSettings) -> None:
    """Log what `find_problem` finds, with the way out: local answers meanwhile, so nobody would notice otherwise."""
    problem = await find_problem(settings)
    if problem is not None:
        _log.error(
            "model.misconfigured", model=settings.model_name, problem=problem, advice="fte model check says more"
        )
