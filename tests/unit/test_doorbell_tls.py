"""The doorbell's connection verifies whom it gives the password, unless the address says otherwise."""

from __future__ import annotations

import ssl

import pytest
from celery import Celery

from schema.tasks import celery_configuration


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

    options = app.connection_for_write().ssl

    asked = options.get("ssl_cert_reqs", "required")  # redis-py's default
    assert (asked in {"required", ssl.CERT_REQUIRED}) == verifies


def test_a_plain_address_asks_for_no_certificate() -> None:
    app = Celery("any", set_as_current=False)
    app.conf.update(celery_configuration("redis://cache/0"))

    assert not app.connection_for_write().ssl
