"""What a job printed."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from engine.lifecycle.parts import Parts
from engine.registry.queries.jobs import get_job
from engine.wire.jobs import ENDED, LogPage

PAGE_BYTES = 1024 * 1024


def read_log(parts: Parts, job_id: int, *, offset: int = 0, limit: int = 65536) -> LogPage:
    """From byte `offset` on, at most `limit` bytes; the logs of all attempts follow one another.

    A page never ends within a character while more is to come. Raises `NotFound` for a job nobody knows.
    """
    job = get_job(parts.reader, job_id)
    logs = [parts.home.job_log(job_id, attempt) for attempt in range(1, job.attempt + 1)]
    return read_page(logs, offset=offset, limit=limit, over=job.status in ENDED)


def read_page(logs: list[Path], *, offset: int, limit: int, over: bool) -> LogPage:
    """A page of logs that follow one another; `over`: nobody writes them any more."""
    offset, limit = max(0, offset), max(4, min(limit, PAGE_BYTES))
    content = _read(logs, offset, limit)
    if len(content) == limit:
        content = _whole_characters(content)
    text = content.decode("utf-8", "replace")
    following = offset + len(content)
    ended = over and not _read(logs, following, 1)
    return LogPage(text=text, offset=offset, next_offset=following, ended=ended)


def _read(logs: list[Path], offset: int, limit: int) -> bytes:
    content = b""
    for log in logs:
        try:
            with _open(log) as source:
                size_bytes = os.fstat(source.fileno()).st_size
                if offset >= size_bytes:
                    offset -= size_bytes
                    continue
                source.seek(offset)
                content += source.read(limit - len(content))
            offset = 0
        except OSError:
            continue
        if len(content) >= limit:
            break
    return content


def _open(log: Path) -> BinaryIO:
    """A job's code runs as the engine's user and could put anything in its log's place: only a plain file is read.

    Raises `OSError` where it is a link, or anything else.
    """
    descriptor = os.open(log, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{log.name} is no plain file")
    return os.fdopen(descriptor, "rb")


def _whole_characters(content: bytes) -> bytes:
    """Without the beginning of a character at the end; three bytes are the most that one can have."""
    for cut in range(4):
        kept = content[: len(content) - cut]
        try:
            kept.decode("utf-8")
        except UnicodeDecodeError as error:
            if error.end < len(kept):
                return content
            continue
        return kept
    return content
