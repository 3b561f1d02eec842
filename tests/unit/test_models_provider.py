"""Test which brain the settings give, and the class of what goes wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx2
import openai
import pytest
from agents.exceptions import ModelBehaviorError, ModelRefusalError, ModelTimeoutError, UserError
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agents.models.openai_responses import OpenAIResponsesModel

from schema.settings import Settings
from worker.domains.airline.domain import AIRLINE
from worker.domains.airline.local.model import LocalModel
from worker.models.client import make_client
from worker.models.embeddings import build_embedder
from worker.models.failures import classify_model_error, may_pass_in_seconds, retry_after_seconds
from worker.models.provider import MODELS_MAX, build_model_provider
from worker.models.resilient import ResilientModel
from worker.models.stub import StubModel

REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/responses")


def status_error(status: int, code: str | None = None) -> openai.APIStatusError:
    body: dict[str, Any] = {"code": code, "message": "no"}
    return openai.APIStatusError(f"{status} {code}", response=httpx2.Response(status, request=REQUEST), body=body)


async def test_the_settings_choose_the_brain_and_an_agents_name_for_it_does_not_matter() -> None:
    local = build_model_provider(Settings(), local=AIRLINE.local_model)
    stub = build_model_provider(Settings(model="stub"), local=AIRLINE.local_model)

    assert isinstance(local.get_model(None), LocalModel)
    assert local.get_model("gpt-anything") is local.get_model(None)
    assert isinstance(stub.get_model(None), StubModel)
    await local.aclose()
    await stub.aclose()


@pytest.mark.parametrize(
    ("name", "kind"), [("openai:gpt-x", OpenAIResponsesModel), ("openai-chat:gpt-x", OpenAIChatCompletionsModel)]
)
async def test_a_provider_gets_one_client_that_never_retries(name: str, kind: type) -> None:
    settings = Settings.model_validate(
        {
            "model": name,
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
            "model_call_seconds_max": 7,
        }
    )

    provider = build_model_provider(settings, local=AIRLINE.local_model)
    resilient = provider.get_model(None)
    assert isinstance(resilient, ResilientModel)
    model: Any = resilient._model  # noqa: SLF001 - what it was made with is the promise
    client: openai.AsyncOpenAI = model._client  # noqa: SLF001 - as above

    assert issubclass(type(model), kind)
    assert model.model == "gpt-x"
    assert (client.max_retries, client.timeout, str(client.base_url)) == (0, 7, "http://127.0.0.1:9/v1/")
    await provider.aclose()
    assert client.is_closed()


async def test_a_tenants_model_is_made_once_and_the_models_of_many_tenants_are_bounded() -> None:
    settings = Settings.model_validate({"model": "openai:gpt-x", "OPENAI_API_KEY": "sk-test"})
    provider = build_model_provider(settings, local=AIRLINE.local_model)
    first: Any = provider.get_model("openai:m-0")
    others: list[Any] = [provider.get_model(f"openai:m-{number}") for number in range(1, MODELS_MAX)]
    own: Any = provider.get_model(None)

    assert provider.get_model("openai:gpt-x") is own
    assert provider.get_model("openai:m-0") is first
    assert len({id(model._slots) for model in [own, first, *others]}) == 1  # noqa: SLF001 - the process's places
    assert len({id(model._circuits) for model in [own, first, *others]}) == MODELS_MAX + 1  # noqa: SLF001 - each its own
    provider.get_model("openai:one-more")
    assert provider.get_model("openai:m-0") is first
    assert provider.get_model("openai:m-1") is not others[0]
    await provider.aclose()


async def test_models_and_embeddings_share_the_client_of_a_worker() -> None:
    settings = Settings.model_validate(
        {"model": "openai:gpt-x", "embedding_model": "openai:tiny", "OPENAI_API_KEY": "sk-test"}
    )
    client = make_client(settings)
    assert client is not None

    provider, embedder = (
        build_model_provider(settings, client, local=AIRLINE.local_model),
        build_embedder(settings, client),
    )
    assert embedder is not None
    await embedder.aclose()
    await provider.aclose()

    assert client.is_closed()


def test_no_client_is_made_where_nothing_is_behind_an_endpoint() -> None:
    assert make_client(Settings.model_validate({"OPENAI_API_KEY": "sk-test"})) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:20:00 GMT"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_a_wait_that_the_provider_asks_for_is_read_in_each_of_its_forms(
    headers: dict[str, str], seconds: float | None
) -> None:
    now = datetime(2026, 10, 21, 7, 28, tzinfo=UTC).timestamp()
    response = httpx2.Response(429, request=REQUEST, headers=headers)

    assert retry_after_seconds(openai.RateLimitError("no", response=response, body=None), now) == seconds


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (status_error(429), True),
        (status_error(503), True),
        (openai.APIConnectionError(request=REQUEST), True),
        (status_error(401), False),
        (status_error(400), False),
        (openai.APITimeoutError(REQUEST), False),
        (TimeoutError(), False),
        (ModelBehaviorError("tool nowhere not found"), False),
    ],
    ids=str,
)
def test_only_what_may_be_over_in_seconds_is_asked_again_in_place(error: BaseException, *, retried: bool) -> None:
    assert may_pass_in_seconds(error) is retried


@pytest.mark.parametrize("status", [401, 403, 404, 408, 409, 429, 500, 502, 503, 529])
def test_what_passes_or_can_be_mended_is_transient(status: int) -> None:
    assert classify_model_error(status_error(status)) == "transient"


@pytest.mark.parametrize(
    "error",
    [
        openai.APITimeoutError(REQUEST),
        openai.APIConnectionError(request=REQUEST),
        openai.APIError("the server had an error", REQUEST, body={"code": "server_error"}),
        httpx2.ReadTimeout("slow"),
        httpx2.ConnectError("away"),
        TimeoutError(),
        ModelTimeoutError(3.0),
        ModelBehaviorError("tool nowhere not found"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_time_outs_lost_connections_and_slips_of_a_model_are_transient(error: BaseException) -> None:
    assert classify_model_error(error) == "transient"


@pytest.mark.parametrize(
    "error",
    [
        status_error(400, "context_length_exceeded"),
        status_error(400, "content_policy_violation"),
        status_error(400, "invalid_prompt"),
        status_error(413),
        ModelRefusalError("I cannot help with that"),
        ModelBehaviorError("ended: incomplete_details=IncompleteDetails(reason='content_filter')"),
        openai.APIError("filtered", REQUEST, body={"code": "content_filter"}),
        openai.ContentFilterFinishReasonError(),
    ],
    ids=str,
)
def test_what_would_fail_again_is_refused(error: BaseException) -> None:
    assert classify_model_error(error) == "refused"


@pytest.mark.parametrize(
    "error", [status_error(400), status_error(422), UserError("misuse"), KeyError("x"), ValueError("y")], ids=str
)
def test_the_rest_is_a_bug(error: BaseException) -> None:
    assert classify_model_error(error) == "bug"
