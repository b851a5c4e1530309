"""Clients that ask an endpoint for rows, each once and in order, and count what they get.

Steadily, beside what else happens (a swap of versions), or many at once, to make weeks pass quickly.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Tally:
    """What the clients saw so far. A failure is anything but a 200 with a prediction: nothing is asked twice."""

    by_version: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """Requests that got a prediction."""
        return sum(self.by_version.values())

    def percentile_ms(self, share: float) -> float:
        """Latency that this share of the answers kept below, in milliseconds; 0.0 without answers."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class SteadyTraffic:
    """`clients` threads, one connection each; to be used in `with`.

    Together they send about `per_second` requests a second of `rows_a_request` rows, until the rows are used up.
    """

    def __init__(
        self,
        url: str,
        rows: Sequence[dict[str, Any]],
        *,
        clients: int = 4,
        per_second: float = 100.0,
        rows_a_request: int = 1,
    ) -> None:
        self.tally = Tally()
        self._url = urlsplit(url)
        self._rows = rows
        self._rows_a_request = rows_a_request
        self._sent = 0
        self._pause_s = clients / per_second
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(clients)]

    @property
    def sent(self) -> int:
        """Rows that were sent, whatever was answered."""
        return self._sent

    def __enter__(self) -> SteadyTraffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def finish(self) -> None:
        """Wait until all rows are answered."""
        for thread in self._threads:
            thread.join()

    def wait_for(self, version: int, answers: int, timeout_s: float) -> bool:
        """Wait until `version` has given so many answers; False when it has not in time."""
        until = time.monotonic() + timeout_s
        while self.tally.by_version[str(version)] < answers:
            if time.monotonic() > until or not any(thread.is_alive() for thread in self._threads):
                return False
            self._stop.wait(0.05)
        return True

    def _next(self) -> Sequence[dict[str, Any]]:
        with self._lock:
            rows = self._rows[self._sent : self._sent + self._rows_a_request]
            self._sent += len(rows)
        return rows

    def _ask_on(self) -> None:
        connection: http.client.HTTPConnection | None = None
        due = time.monotonic()
        while not self._stop.is_set() and (rows := self._next()):
            connection = connection or http.client.HTTPConnection(self._url.netloc, timeout=30)
            if not self._ask(connection, rows):
                connection.close()
                connection = None
            # By the clock and not by a sleep a request: a slow answer is not followed by a lighter load.
            due = max(due + self._pause_s, time.monotonic() - 1.0)
            self._stop.wait(max(0.0, due - time.monotonic()))
        if connection:
            connection.close()

    def _ask(self, connection: http.client.HTTPConnection, rows: Sequence[dict[str, Any]]) -> bool:
        body = json.dumps({"rows": rows}).encode()
        began = time.monotonic()
        try:
            connection.request("POST", self._url.path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return self._count_failure(f"{type(error).__name__}: {error}")
        if answer.status != 200:
            return self._count_failure(f"status {answer.status}: {text[:200].decode(errors='replace')}")
        told = json.loads(text)
        if len(told.get("predictions", [])) != len(rows):
            return self._count_failure(f"not {len(rows)} predictions: {text[:200].decode(errors='replace')}")
        with self._lock:
            self.tally.by_version[str(told["version"])] += 1
            self.tally.latencies_s.append(time.monotonic() - began)
        return True

    def _count_failure(self, what: str) -> bool:
        with self._lock:
            self.tally.failures.append(what)
        return False


def send_all(url: str, rows: Sequence[dict[str, Any]], *, rows_a_request: int = 50) -> Tally:
    """Ask for all rows as fast as they are answered."""
    with SteadyTraffic(url, rows, per_second=1e9, rows_a_request=rows_a_request) as traffic:
        traffic.finish()
    return traffic.tally
