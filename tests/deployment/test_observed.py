from __future__ import annotations

import os

from fakes.gateway import FakeGateway

from engine.deployment.observed import Observer, memory_bytes, traffic_of
from engine.gateway.protocol import Figures
from engine.wire.endpoints import Traffic


def test_figures_of_no_request_are_none() -> None:
    assert traffic_of(Figures(0.0, 0, None, None, None, None)) == Traffic()


def test_figures_are_told_in_milliseconds() -> None:
    told = traffic_of(Figures(12.5, 750, 0.1, 0.001, 0.002, 0.25))
    assert told == Traffic(requests_per_s=12.5, p50_ms=1.0, p95_ms=2.0, p99_ms=250.0, error_share=0.1)


def test_without_a_gateway_nothing_is_seen() -> None:
    seen = Observer(FakeGateway()).look()
    assert (seen.by_deployment, seen.by_endpoint) == ({}, {})


def test_the_memory_of_a_process_that_is_gone_is_none() -> None:
    assert memory_bytes(2**22 + 5) is None
    assert (memory_bytes(os.getpid()) or 0) > 1_000_000
