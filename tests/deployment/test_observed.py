from __future__ import annotations

import os

from fakes.gateway import FakeGateway

from engine.deployment.observed import Observer, traffic_of
from engine.gateway.protocol import Figures
from engine.registry.queries.endpoints import Usage
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
    observer = Observer(FakeGateway())
    assert observer.usage(2**22 + 5, None) == Usage()
    seen = observer.usage(os.getpid(), None)
    assert (seen.memory_bytes or 0) > 1_000_000
    assert (seen.cpu_share or 0.0) > 0.0


def test_a_container_s_figures_come_from_docker() -> None:
    observer = Observer(FakeGateway(), containers={"c1": Usage(5, 0.5)}.__getitem__)
    assert observer.usage(None, "c1") == Usage(5, 0.5)
