"""A process serves its metrics beside its work, on a port that it finds free, or says why it cannot."""

from __future__ import annotations

import urllib.request

import pytest

from ops.lab.bench.counting import microseconds_a_turn
from runtime.telemetry import metrics_endpoint
from runtime.telemetry.metrics import Metrics
from runtime.telemetry.metrics_endpoint import serve_metrics
from schema.errors import InvalidSettings


def test_processes_with_one_setting_take_ports_side_by_side() -> None:
    first = serve_metrics(Metrics().registry, "127.0.0.1:0")

    second = serve_metrics(Metrics().registry, f"127.0.0.1:{first.port}")

    try:
        assert first.port < second.port < first.port + metrics_endpoint.PORTS_MAX
        with urllib.request.urlopen(f"http://127.0.0.1:{second.port}/metrics", timeout=10) as answer:
            assert b"fte_build_info{" in answer.read()
    finally:
        first.close()
        second.close()


def test_a_port_is_free_again_when_its_process_has_stopped_to_serve() -> None:
    before = serve_metrics(Metrics().registry, "127.0.0.1:0")
    before.close()

    after = serve_metrics(Metrics().registry, f"127.0.0.1:{before.port}")

    after.close()
    assert after.port == before.port


def test_an_address_that_cannot_be_had_is_refused_by_the_name_of_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = serve_metrics(Metrics().registry, "127.0.0.1:0")
    monkeypatch.setattr(metrics_endpoint, "PORTS_MAX", 1)

    try:
        with pytest.raises(InvalidSettings, match=r"FTE_METRICS_LISTEN: cannot listen on 127\.0\.0\.1 port"):
            serve_metrics(Metrics().registry, f"127.0.0.1:{taken.port}")
        with pytest.raises(InvalidSettings, match=r"FTE_GATEWAY_METRICS_LISTEN: cannot listen on 192\.0\.2\.1"):
            serve_metrics(Metrics().registry, "192.0.2.1:9100", setting="FTE_GATEWAY_METRICS_LISTEN")
    finally:
        taken.close()


def test_counting_a_turn_costs_a_tenth_of_a_millisecond_at_most() -> None:
    assert microseconds_a_turn() <= 100
