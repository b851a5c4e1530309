"""What the gateway counts of each deployment: totals for Prometheus, and the last minutes for people.

One latency is one `bisect` and two additions; five minutes of a deployment are 30 short lists.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from time import monotonic

BOUNDS_S: tuple[float, ...] = tuple(round(1e-4 * 2 ** (step / 4), 9) for step in range(81))
"""Upper edges of the latency bins, 0.1 ms to 105 s, each 19 % above the one before: a percentile read from them
is off by less than that. One more bin takes what is slower."""

SLOT_S = 10
SLOTS = 30


class _Slot:
    """Ten seconds of one deployment."""

    __slots__ = ("counts", "errors", "number", "requests")

    def __init__(self, number: int) -> None:
        self.number = number
        self.requests = 0
        self.errors = 0
        self.counts = [0] * (len(BOUNDS_S) + 1)


class Meter:
    """Requests, errors and latencies of one deployment. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._started_at = clock()
        self._slots: list[_Slot] = []
        self.requests = 0
        self.errors = 0
        """Answers with a 5xx status, and requests that got none."""
        self.latency_sum_s = 0.0
        self.counts = [0] * (len(BOUNDS_S) + 1)
        """Latencies by bin since the start."""

    def record(self, latency_s: float, *, error: bool) -> None:
        """Count one finished request."""
        number = int(self._clock()) // SLOT_S
        if not self._slots or self._slots[-1].number != number:
            self._slots.append(_Slot(number))
            del self._slots[: -SLOTS - 1]
        slot = self._slots[-1]
        place = bisect_left(BOUNDS_S, latency_s)
        slot.requests += 1
        slot.counts[place] += 1
        self.requests += 1
        self.counts[place] += 1
        self.latency_sum_s += latency_s
        if error:
            slot.errors += 1
            self.errors += 1

    def window(self, seconds: int) -> Window:
        """The last `seconds`, to the ten seconds; at most 300."""
        now = self._clock()
        oldest = int(now - seconds) // SLOT_S
        slots = [slot for slot in self._slots if slot.number > oldest]
        requests = sum(slot.requests for slot in slots)
        # The newest slot is not over: what it covers is counted, what it may still get is not.
        covered_s = min(now - (oldest + 1) * SLOT_S, now - self._started_at)
        counts = [sum(column) for column in zip(*(slot.counts for slot in slots), strict=True)]
        return Window(requests, sum(slot.errors for slot in slots), max(covered_s, 1.0), counts)


class Window:
    """A stretch of time: how many requests, how fast, how many went wrong."""

    def __init__(self, requests: int, errors: int, seconds: float, counts: Sequence[int]) -> None:
        self.requests = requests
        self.errors = errors
        self.seconds = seconds
        self.counts = counts
        """Latencies by bin; empty without a request."""

    @property
    def rate_per_s(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def error_share(self) -> float | None:
        """Errors of all requests; None without a request."""
        return self.errors / self.requests if self.requests else None

    def quantile_s(self, share: float) -> float | None:
        """The latency that `share` of the requests stayed below, read within its bin; None without a request."""
        if not self.requests:
            return None
        wanted = share * self.requests
        below = 0
        for place, count in enumerate(self.counts):
            if count and below + count >= wanted:
                low = BOUNDS_S[place - 1] if place else 0.0
                high = BOUNDS_S[min(place, len(BOUNDS_S) - 1)]
                return low + (high - low) * (wanted - below) / count
            below += count
        return BOUNDS_S[-1]


def merge(windows: Sequence[Window]) -> Window:
    """Several deployments over the same stretch of time as one."""
    seen = [window.counts for window in windows if window.counts]
    counts = [sum(column) for column in zip(*seen, strict=True)]
    seconds = max((window.seconds for window in windows), default=1.0)
    return Window(sum(each.requests for each in windows), sum(each.errors for each in windows), seconds, counts)


def exposition(meters: Sequence[tuple[dict[str, str], Meter, int]]) -> str:
    """Prometheus text of (labels, meter, in flight) of each deployment; every fourth bin edge is told."""
    lines = [
        "# HELP mlops_gateway_requests_total Requests answered for a deployment.",
        "# TYPE mlops_gateway_requests_total counter",
        *(f"mlops_gateway_requests_total{_text(labels)} {meter.requests}" for labels, meter, _ in meters),
        "# HELP mlops_gateway_errors_total Answers with a 5xx status, and requests that got none.",
        "# TYPE mlops_gateway_errors_total counter",
        *(f"mlops_gateway_errors_total{_text(labels)} {meter.errors}" for labels, meter, _ in meters),
        "# HELP mlops_gateway_in_flight Requests a deployment is working on.",
        "# TYPE mlops_gateway_in_flight gauge",
        *(f"mlops_gateway_in_flight{_text(labels)} {in_flight}" for labels, _, in_flight in meters),
        "# HELP mlops_gateway_latency_seconds From the request's last byte to the answer's.",
        "# TYPE mlops_gateway_latency_seconds histogram",
    ]
    for labels, meter, _ in meters:
        lines += _histogram(labels, meter)
    return "\n".join(lines) + "\n"


def _histogram(labels: dict[str, str], meter: Meter) -> list[str]:
    name = "mlops_gateway_latency_seconds"
    sums = list(accumulate(meter.counts))
    edges = [(f"{BOUNDS_S[place]:g}", sums[place]) for place in range(0, len(BOUNDS_S), 4)]
    return [
        *(f"{name}_bucket{_text(labels | {'le': edge})} {count}" for edge, count in edges),
        f"{name}_bucket{_text(labels | {'le': '+Inf'})} {meter.requests}",
        f"{name}_sum{_text(labels)} {meter.latency_sum_s:.6f}",
        f"{name}_count{_text(labels)} {meter.requests}",
    ]


def _text(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
