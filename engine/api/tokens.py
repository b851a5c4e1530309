"""A job's bearer token: it outranks the worker's Unix identity, and is good for that job's work only."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import defaultdict, deque
from collections.abc import Callable

from engine.api.identity import Peer
from engine.api.problems import Refused
from engine.errors import Forbidden
from engine.lifecycle.caller import Caller

FAILURES_A_MINUTE = 10
_LONGEST = 200

FindJob = Callable[[str], tuple[int, int] | None]
"""SHA-256 of a token, in hex, to the (job id, attempt) that runs under it."""


class Tokens:
    """Tokens to callers. Ten wrong ones a minute from one user, and the user is refused until the minute is over."""

    def __init__(self, find_job: FindJob) -> None:
        self._find_job = find_job
        self._failures: defaultdict[int, deque[float]] = defaultdict(lambda: deque(maxlen=FAILURES_A_MINUTE))

    async def caller(self, authorization: str, peer: Peer) -> Caller:
        """The job that speaks.

        Raises:
            Forbidden: the token is of no attempt that runs now.
            Refused: and it was not the first.
        """
        failures = self._failures[peer.uid]
        if len(failures) == FAILURES_A_MINUTE and time.monotonic() - failures[0] < 60.0:
            raise Refused(Forbidden("Too many wrong tokens came from this user.", "Wait a minute."), 429)
        scheme, _, token = authorization.partition(" ")
        found = None
        if scheme.lower() == "bearer" and 0 < len(token) <= _LONGEST:
            digest = hashlib.sha256(token.encode()).hexdigest()
            found = await asyncio.to_thread(self._find_job, digest)
        if found is None:
            failures.append(time.monotonic())
            raise Forbidden(
                "The token belongs to no attempt of a job that runs now.",
                "A worker that was replaced or cancelled ends here; people need no token.",
            )
        return Caller(user=f"job {found[0]}", uid=peer.uid, role="job", job=found)
