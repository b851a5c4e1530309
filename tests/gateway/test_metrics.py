from __future__ import annotations

from random import Random

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.gateway.metrics import Meter, exposition, merge


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_percentiles_are_those_of_the_latencies_to_a_bin() -> None:
    random, meter = Random(7), Meter(Clock())
    latencies = sorted(random.lognormvariate(-6, 1) for _ in range(5_000))
    for latency in latencies:
        meter.record(latency, error=False)
    window = meter.window(300)
    for share in (0.5, 0.95, 0.99):
        assert window.quantile_s(share) == pytest.approx(latencies[int(share * 5_000)], rel=0.19)


def test_nothing_seen_has_no_percentiles_and_no_error_share() -> None:
    window = Meter(Clock()).window(300)
    assert (window.rate_per_s, window.error_share, window.quantile_s(0.5)) == (0.0, None, None)


def test_old_requests_leave_the_window_and_stay_in_the_totals() -> None:
    clock = Clock()
    meter = Meter(clock)
    meter.record(0.001, error=True)
    clock.now += 301
    meter.record(0.001, error=False)
    assert meter.window(300).requests == 1
    assert meter.window(300).error_share == 0.0
    assert (meter.requests, meter.errors) == (2, 1)


def test_the_rate_is_over_the_time_that_was_seen() -> None:
    clock = Clock()
    meter = Meter(clock)
    for _ in range(120):
        clock.now += 1.0
        for _ in range(50):
            meter.record(0.001, error=False)
    assert meter.window(60).rate_per_s == pytest.approx(50, rel=0.03)


def test_a_latency_beyond_all_bins_is_counted() -> None:
    meter = Meter(Clock())
    meter.record(1e6, error=True)
    assert meter.window(60).quantile_s(0.5) == pytest.approx(104.9, rel=0.01)


def test_prometheus_reads_what_is_told() -> None:
    meter = Meter(Clock())
    for latency in (0.0005, 0.002, 0.002, 500.0):
        meter.record(latency, error=latency > 1)
    families = {
        each.name: each for each in text_string_to_metric_families(exposition([({"deployment": "1"}, meter, 2)]))
    }
    assert families["mlops_gateway_requests"].samples[0].value == 4
    assert families["mlops_gateway_errors"].samples[0].value == 1
    assert families["mlops_gateway_in_flight"].samples[0].value == 2
    buckets = {
        each.labels["le"]: each.value
        for each in families["mlops_gateway_latency_seconds"].samples
        if each.name.endswith("bucket")
    }
    assert (buckets["0.0004"], buckets["0.0008"], buckets["0.0032"], buckets["+Inf"]) == (0, 1, 3, 4)


def test_two_deployments_are_read_as_one() -> None:
    fast, slow = Meter(Clock()), Meter(Clock())
    for _ in range(100):
        fast.record(0.001, error=False)
        slow.record(1.0, error=True)
    both = merge([fast.window(300), slow.window(300), Meter(Clock()).window(300)])
    assert (both.requests, both.error_share) == (200, 0.5)
    assert both.quantile_s(0.25) == pytest.approx(0.001, rel=0.19)
    assert both.quantile_s(0.75) == pytest.approx(1.0, rel=0.19)
