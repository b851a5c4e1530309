"""Whether the wall clock was put back: what is set to ring by it would then sleep as long again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

TOLERANCE_S = 5.0
"""Clocks that are corrected bit by bit go back less than this between two looks."""


class PutBack:
    """Compares the wall clock with one that never jumps, from look to look."""

    def __init__(
        self, wall: Callable[[], datetime] = lambda: datetime.now(UTC), steady_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall, self._steady_s = wall, steady_s
        self._ahead_s = self._ahead()

    def seen(self) -> bool:
        """True once for each jump back since the last look."""
        before, self._ahead_s = self._ahead_s, self._ahead()
        return self._ahead_s < before - TOLERANCE_S

    def _ahead(self) -> float:
        return self._wall().timestamp() - self._steady_s()
