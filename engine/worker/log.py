"""What a job prints goes to its log, however much it is.

Standard output and error of the worker and of all its children become one pipe. A process of its own drains it, and
no thread of the worker: project code that prints from C while it holds the interpreter's lock would fill the pipe
and wait for a thread that never gets to run. That process also keeps what was printed just before a kill -9.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import deque
from pathlib import Path
from typing import BinaryIO

LIMIT_BYTES = 10 * 1024 * 1024
"""Size of a log, but for the sentence on what was left out."""

_TAIL_BYTES = 1024 * 1024
"""Of the limit, kept for the end: a trace that explains the failure is printed last."""
_READ_BYTES = 1 << 16
_DRAINED_WITHIN_S = 5.0


class JobLog:
    """The running log of this process. `close` it last."""

    def __init__(self, drain_pid: int) -> None:
        self._drain_pid = drain_pid

    def close(self, within_s: float = _DRAINED_WITHIN_S) -> None:
        """Let go of the pipe and wait until all is written, unless a child that outlives the job still holds it."""
        flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if os.waitpid(self._drain_pid, os.WNOHANG)[0]:
                return
            time.sleep(0.005)


def flush() -> None:
    """Hand over what Python still holds back; a stream that is closed or broken has nothing."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue


def open_log(path: Path, limit_bytes: int = LIMIT_BYTES) -> JobLog:
    """Send all further output of this process and its children to the file at `path`, appended, 0600.

    Call it before any thread or library starts: it forks.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flush()
    reading, writing = os.pipe()
    drain_pid = os.fork()
    if drain_pid == 0:
        os.close(writing)
        _drain_and_exit(reading, path, limit_bytes)
    os.close(reading)
    os.dup2(writing, 1)
    os.dup2(writing, 2)
    os.close(writing)
    # New streams: the old ones may have begun on a file, and would seek in it.
    sys.stdout, sys.stderr = (
        open(descriptor, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
        for descriptor in (1, 2)
    )
    return JobLog(drain_pid)


def _drain_and_exit(reading: int, path: Path, limit_bytes: int) -> None:
    code = 1
    try:
        # It ends when the last writer does; a signal to the whole group must not make the writers fail before.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(reading, "rb", buffering=0) as pipe, os.fdopen(file, "wb", buffering=0) as log:
            drain(pipe, log, limit_bytes)
        code = 0
    finally:
        os._exit(code)


def drain(pipe: BinaryIO, log: BinaryIO, limit_bytes: int, tail_bytes: int = _TAIL_BYTES) -> None:
    """Copy all of `pipe` to `log`; past the limit only the last `tail_bytes`, and a line on how much is missing.

    Never stops reading, also when nothing can be written any more.
    """
    room = max(0, limit_bytes - tail_bytes)
    tail: deque[bytes] = deque()
    held, dropped = 0, 0
    while chunk := pipe.read(_READ_BYTES):
        head, chunk = chunk[:room], chunk[room:]
        room -= len(head)
        dropped += len(head) - _write(log, head)
        if chunk:
            tail.append(chunk)
            held += len(chunk)
        while held - (len(tail[0]) if tail else 0) >= tail_bytes:
            lost = len(tail.popleft())
            held -= lost
            dropped += lost
    rest = b"".join(tail)
    dropped += max(0, len(rest) - tail_bytes)
    rest = rest[-tail_bytes:] if tail_bytes else b""
    if dropped:
        _write(
            log,
            b"\n[mlops: %d bytes were printed here and not kept; a log ends at %d bytes]\n" % (dropped, limit_bytes),
        )
    _write(log, rest)


def _write(log: BinaryIO, content: bytes) -> int:
    """How much of it was written; less where the disk is full."""
    written = 0
    while written < len(content):
        try:
            written += log.write(content[written:])
        except OSError:
            break
    return written
