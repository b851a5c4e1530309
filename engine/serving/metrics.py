"""Counters of one replica, in the text format of Prometheus.

Written by hand: prometheus-client costs 60 ms of start and 1 µs per count, and a replica has one thread.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from engine.serving.manifest import ServeSpec

BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histogram's buckets."""


class Metrics:
    """What has been counted since the start. Labels are bounded: a protocol and a status."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        """Inference requests by protocol ("predict", "v2") and status."""
        self.rows = 0
        self.unseen = 0
        """Categories answered as unseen."""
        self._buckets = [0] * (len(BUCKETS_S) + 1)
        self._latency_sum_s = 0.0

    def answered(self, protocol: str, status: int, latency_s: float) -> None:
        """Count one inference request."""
        self.requests[protocol, status] = self.requests.get((protocol, status), 0) + 1
        self._buckets[bisect_left(BUCKETS_S, latency_s)] += 1
        self._latency_sum_s += latency_s

    def expose(self, spec: ServeSpec, captured: int, dropped: int) -> bytes:
        """All of it, as text format 0.0.4."""
        where = (
            f'endpoint="{spec.endpoint}",version="{spec.version}",deployment="{spec.deployment}",'
            f'replica="{spec.replica}"'
        )
        return "\n".join([*self._lines(where, captured, dropped), ""]).encode()

    def _lines(self, where: str, captured: int, dropped: int) -> Iterator[str]:
        yield from _heading("mlops_requests_total", "counter", "Inference requests by protocol and status.")
        for (protocol, status), count in sorted(self.requests.items()):
            yield f'mlops_requests_total{{{where},protocol="{protocol}",status="{status}"}} {count}'
        errors = sum(count for (_, status), count in self.requests.items() if status >= 400)
        for name, text, value in (
            ("mlops_errors_total", "Inference requests answered with a status of 400 or more.", errors),
            ("mlops_rows_total", "Rows answered.", self.rows),
            ("mlops_unseen_categories_total", "Categories that training did not see.", self.unseen),
            ("mlops_captured_requests_total", "Requests captured.", captured),
            ("mlops_dropped_captures_total", "Requests answered without being captured.", dropped),
        ):
            yield from _heading(name, "counter", text)
            yield f"{name}{{{where}}} {value}"
        yield from _heading("mlops_latency_seconds", "histogram", "From the request's last byte to its answer.")
        total = 0
        for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), self._buckets, strict=True):
            total += count
            yield f'mlops_latency_seconds_bucket{{{where},le="{bound}"}} {total}'
        yield f"mlops_latency_seconds_sum{{{where}}} {self._latency_sum_s:.6f}"
        yield f"mlops_latency_seconds_count{{{where}}} {total}"


def _heading(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"
