"""How long a client waits for an engine that is away, and when it may ask again."""

from __future__ import annotations

import time
from typing import Any

from engine.client.call import Call
from engine.errors import Unavailable, VersionMismatch

_FIRST_S, _LONGEST_S = 0.05, 2.0


class Patience:
    """One call's waiting: from 50 ms up to 2 s between tries, until `patience_s` are over; 0 never waits."""

    def __init__(self, patience_s: float) -> None:
        self._until = time.monotonic() + patience_s
        self._next_s = _FIRST_S

    def pause_s(self, error: Unavailable, call: Call[Any] | None = None) -> float:
        """Seconds to wait before the next try.

        A call that was perhaps received is only sent again when repeating it does no harm.

        Raises:
            Unavailable: the one given, when there is no next try.
        """
        harmless = not error.about.get("heard") or call is None or call.repeatable
        left_s = self._until - time.monotonic()
        if not harmless or left_s <= 0 or isinstance(error, VersionMismatch):
            raise error
        pause_s = min(self._next_s, left_s)
        self._next_s = min(2 * self._next_s, _LONGEST_S)
        return pause_s
