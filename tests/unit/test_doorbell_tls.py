"""The doorbell's connection verifies whom it gives the password, unless the address says otherwise."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from celery import Celery

from producer.sending.doorbell import Doorbell
from runtime.celery_settings import celery_configuration
from schema.errors import ServerUnreachable
from schema.ids import ConversationKey
from schema.settings import Settings
from worker.app import WorkerApp


@pytest.mark.parametrize(
    ("url", "verifies"),
    [
        ("rediss://:pw@cache:6380/0", True),
        ("rediss://:pw@cache:6380/0?ssl_ca_certs=/etc/ca.pem", True),
        ("rediss://:pw@cache:6380/0?ssl_cert_reqs=required", True),
        ("rediss://:pw@cache:6380/0?ssl_cert_reqs=none", False),
    ],
)
def test_a_certificate_is_verified_unless_the_address_says_otherwise(url: str, verifies: bool) -> None:  # noqa: FBT001 - a parameter of the test
    app = Celery("any", set_as_current=False)
    app.conf.update(celery_configuration(url))

    options: Any = app.connection_for_write().ssl

    asked = options.get("ssl_cert_reqs", "required")  # redis-py's default
    assert (asked in {"required", ssl.CERT_REQUIRED}) == verifies


def test_a_plain_address_asks_for_no_certificate() -> None:
    app = Celery("any", set_as_current=False)
    app.conf.update(celery_configuration("redis://cache/0"))

    assert not app.connection_for_write().ssl


@pytest.mark.parametrize(("scheme", "verifies"), [("redis", None), ("rediss", "required")])
def test_sentinels_are_asked_for_the_primary_with_their_own_login(scheme: str, verifies: str | None) -> None:
    url = f"{scheme}+sentinel://me:p%2Fw@h1:1,[::1]:2/3?primary=main&sentinel_password=theirs"
    app = Celery("any", set_as_current=False)
    app.conf.update(celery_configuration(url))

    connection: Any = app.connection_for_write()

    assert [place.rpartition("@")[2] for place in connection.alt] == ["h1:1/3", "[::1]:2/3"]
    assert (connection.userid, connection.password, connection.virtual_host) == ("me", "p/w", "3")
    assert connection.transport_options["master_name"] == "main"
    asked = connection.transport_options["sentinel_kwargs"]
    assert (asked["password"], asked.get("ssl_cert_reqs"), asked["ssl"]) == ("theirs", verifies, verifies is not None)
    assert (connection.ssl or {}).get("ssl_cert_reqs") == verifies


@pytest.mark.parametrize("variable", ["CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"])
def test_a_broker_in_the_environment_is_another_applications(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "redis://elsewhere:1/0")
    app: Any = WorkerApp(lambda: Settings(redis_url="redis://cache:6380/0", database_url="postgresql://db/fte"))
    bell = Doorbell("redis://127.0.0.1:1/0")

    places = [app.connection_for_read().hostname, app.connection_for_write().hostname, app.pool.connection.hostname]

    assert places == ["cache"] * 3
    with pytest.raises(ServerUnreachable, match=r"connecting to 127\.0\.0\.1:1"):
        bell.ring([ConversationKey("default", "c-1")])
