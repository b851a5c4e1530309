"""The engine that a verb talks to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.client import EngineClient


def open_engine(*, start: bool = True) -> EngineClient:
    """A client of this home's engine, to be used in `with`; the owner's call starts one where none runs.

    With `start=False` nothing is started: the first question fails where no engine is.

    Raises:
        EngineUnreachable: none answers, and none may be started.
        VersionMismatch: it speaks another version.
    """
    from engine.client import EngineClient, connect
    from engine.settings import find_home

    return connect(find_home()) if start else EngineClient(find_home())
