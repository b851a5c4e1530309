"""The log that a process we started writes into by itself: appended to, bounded, and read from its end."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO

LIMIT_BYTES = 5 * 1024 * 1024
KEPT_BYTES = 1024 * 1024
LINE_LIMIT = 300

_BEGIN = b"=== started\n"
"""Between what one process wrote and what the next one writes."""

_UNSAFE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x1f\x7f-\x9f]")


def open_log(path: Path) -> BinaryIO:
    """Opened for a new process to append to: it goes on at the end when the file is cut."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "wb", buffering=0)
    log.write(_BEGIN)
    return log


def bound_log(path: Path) -> None:
    """Once it is larger than 5 MB, keep its last megabyte as `.1` and begin anew. The writer notices nothing."""
    try:
        if path.stat().st_size <= LIMIT_BYTES:
            return
        path.with_name(path.name + ".1").write_bytes(_end(path, KEPT_BYTES))
        os.truncate(path, 0)
    except FileNotFoundError:
        return


def last_line(path: Path) -> str:
    """The last line of the newest process, without control characters, cut to 300; empty where it said nothing."""
    try:
        text = _end(path, 8192).rpartition(_BEGIN)[2].decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    lines = [clean.strip() for line in text.splitlines() if (clean := _UNSAFE.sub("", line)).strip()]
    return lines[-1][:LINE_LIMIT] if lines else ""


def _end(path: Path, size_bytes: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - size_bytes))
        return file.read(size_bytes)
