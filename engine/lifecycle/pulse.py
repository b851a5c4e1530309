"""When each worker was last heard of. Kept in memory: after a restart of the engine, all begin anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pulse:
    """The last word of each attempt, on a clock that never jumps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard: dict[tuple[int, int], float] = {}
        self._written: dict[tuple[int, int], float] = {}
        self._lock = threading.Lock()

    def hear(self, job_id: int, attempt: int) -> None:
        """This attempt has just said something."""
        with self._lock:
            self._heard[job_id, attempt] = self._clock()

    def silent_s(self, job_id: int, attempt: int) -> float:
        """Seconds since its last word; the first question counts as one."""
        with self._lock:
            return self._clock() - self._heard.setdefault((job_id, attempt), self._clock())

    def due(self, job_id: int, attempt: int, every_s: float) -> bool:
        """True at most once in `every_s` seconds."""
        with self._lock:
            last, now = self._written.get((job_id, attempt)), self._clock()
            if last is not None and now - last < every_s:
                return False
            self._written[job_id, attempt] = now
            return True

    def forget(self, job_id: int) -> None:
        """The job is over."""
        with self._lock:
            for known in (self._heard, self._written):
                for key in [key for key in known if key[0] == job_id]:
                    del known[key]
