"""What can go wrong in the model server, each as one sentence and a hint.

    ServingProblem
    ├── BadBundle      the bundle cannot be served: the process ends without having listened
    └── Refused        a request that cannot be answered: the client is told, with a status

A tree of its own, because the program inside the container has nothing of the engine but this folder.
"""

from __future__ import annotations


class ServingProblem(Exception):
    """One clear sentence about what happened, to what, and a hint: what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BadBundle(ServingProblem):
    """The bundle is incomplete, damaged, unsafe, or answers otherwise than when it was packaged."""


class Refused(ServingProblem):
    """A request that gets no answer but this one."""

    def __init__(
        self, status: int, message: str, hint: str = "", headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.headers = headers
