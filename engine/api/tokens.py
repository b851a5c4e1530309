"""A job's bearer token: it outranks the worker's Unix identity, and is good for that job's work only."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections import deque
from collections.abc import Callable

from engine.api.identity import Peer
from engine.api.problems import Refused
from engine.errors import Forbidden
from engine.lifecycle.caller import Caller

FAILURES_A_MINUTE = 10
_LONGEST = 200
_MINUTE_S = 60.0
_PEERS = 1000

FindJob = Callable[[str], tuple[int, int] | None]
"""SHA-256 of a token, in hex, to the (job id, attempt) that runs under it."""


class Tokens:
    """Tokens to callers. Ten wrong ones a minute from one peer, and the peer is refused until the minute is over."""

    def __init__(self, find_job: FindJob) -> None:
        self._find_job = find_job
        self._failures: dict[tuple[int, int], deque[float]] = {}

    async def caller(self, authorization: str, peer: Peer) -> Caller:
        """The job that speaks.

        Raises:
            Forbidden: the token is of no attempt that runs now.
            Refused: and it was not the first.
        """
        if self._is_guessing(peer):
            raise Refused(Forbidden("Too many wrong tokens came from here.", "Wait a minute."), 429)
        scheme, _, token = authorization.partition(" ")
        found = None
        if scheme.lower() == "bearer" and 0 < len(token) <= _LONGEST:
            digest = hashlib.sha256(token.encode()).hexdigest()
            found = await asyncio.to_thread(self._find_job, digest)
        if found is None:
            self._remember(peer)
            raise Forbidden(
                "The token belongs to no attempt of a job that runs now.",
                "A worker that was replaced or cancelled ends here; people need no token.",
            )
        return Caller(user=f"job {found[0]}", uid=peer.uid, role="job", job=found)

    def _is_guessing(self, peer: Peer) -> bool:
        failures = self._failures.get(_who(peer))
        if failures is None:
            return False
        return len(failures) == FAILURES_A_MINUTE and time.monotonic() - failures[0] < _MINUTE_S

    def _remember(self, peer: Peer) -> None:
        now = time.monotonic()
        if len(self._failures) >= _PEERS:
            self._failures = {who: past for who, past in self._failures.items() if now - past[-1] < _MINUTE_S}
        self._failures.setdefault(_who(peer), deque(maxlen=FAILURES_A_MINUTE)).append(now)


def _who(peer: Peer) -> tuple[int, int]:
    """Others are counted by user. The engine's own by process: a worker whose attempt is over must not lock out the
    one that took its place."""
    return (peer.uid, peer.pid if peer.uid == os.getuid() else 0)
