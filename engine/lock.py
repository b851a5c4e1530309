"""One engine per home folder: a file lock, held for as long as the process lives, however it ends."""

from __future__ import annotations

import fcntl
import os
import time

from engine.errors import EngineRunning
from engine.settings import Home

_TRIES_FOR_S = 0.5
"""Clients look at the lock for an instant; only another engine holds it for longer."""


def take_lock(home: Home) -> int:
    """Lock the home for this process; the descriptor given must stay open.

    Raises:
        EngineRunning: another engine has it.
    """
    lock = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    until = time.monotonic() + _TRIES_FOR_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > until:
                holder = os.read(lock, 20).decode(errors="replace").strip()
                os.close(lock)
                raise EngineRunning(
                    f"Another engine{f' (process {holder})' if holder else ''} runs for {home.root}.",
                    "`mlops status` asks it; `mlops down` ends it.",
                    holder=holder,
                ) from None
            time.sleep(0.02)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock
