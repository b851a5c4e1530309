"""How soon the terminal paints its first screen, with the engine up."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from engine.settings import Home
from tests.bench.engine_alone import environment
from tests.bench.report import Result

MLOPS = Path(sys.executable).parent / "mlops"
STARTS = 5
LIMIT_S = 20.0
FIRST_WORD = b"Fleet"
"""Stands on the first screen whatever is in the home."""


def measure(home: Home) -> Iterator[Result]:
    """The figure of the terminal: the median of some starts."""
    times = [_first_paint(home) for _ in range(STARTS)]
    note = f"median of {STARTS}, {min(times):.2f} to {max(times):.2f}"
    yield Result("terminal: start to first paint", statistics.median(times), "s", 0.8, note=note)


def _first_paint(home: Home) -> float:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    told = environment(home) | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    began = time.perf_counter()
    child = subprocess.Popen(
        [str(MLOPS)], stdin=theirs, stdout=theirs, stderr=theirs, env=told, start_new_session=True
    )  # fmt: skip
    os.close(theirs)
    try:
        return _wait_for(ours, FIRST_WORD) - began
    finally:
        child.kill()
        child.wait(10)
        os.close(ours)


def _wait_for(terminal: int, word: bytes) -> float:
    seen = b""
    until = time.perf_counter() + LIMIT_S
    while time.perf_counter() < until:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            seen += os.read(terminal, 65_536)
        except OSError:
            break
        if word in seen:
            return time.perf_counter()
    raise RuntimeError(f"the terminal did not paint {word.decode()!r}; it said: {seen[-300:]!r}")
