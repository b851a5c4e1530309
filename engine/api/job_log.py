"""What a job printed: the logs of its attempts, one after the other, read by byte."""

from __future__ import annotations

import codecs
from pathlib import Path

from engine.settings import Home
from engine.wire.jobs import ENDED, JobView, LogPage

LIMIT_BYTES = 1_000_000


def read_job_log(home: Home, job: JobView, *, offset: int, limit: int) -> LogPage:
    """A page from byte `offset` on; one beyond the end gives an empty page at the end.

    `job` must have been read before, so that a log called ended has all that was printed. A character that is not
    whole yet waits for the next page.
    """
    files = [home.job_log(job.id, attempt) for attempt in range(1, job.attempt + 1)]
    sizes = [_size(file) for file in files]
    total = sum(sizes)
    offset = min(max(offset, 0), total)
    data = _read(files, sizes, offset, max(1, min(limit, LIMIT_BYTES)))
    ended = job.status in ENDED
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data)
    held_back = len(decoder.getstate()[0])
    if ended and offset + len(data) == total:
        text, held_back = text + decoder.decode(b"", final=True), 0
    next_offset = offset + len(data) - held_back
    return LogPage(text=text, offset=offset, next_offset=next_offset, ended=ended and next_offset == total)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _read(files: list[Path], sizes: list[int], offset: int, limit: int) -> bytes:
    data = b""
    for file, size in zip(files, sizes, strict=True):
        if offset < size and len(data) < limit:
            with file.open("rb") as log:
                log.seek(offset)
                data += log.read(min(limit - len(data), size - offset))
        offset = max(0, offset - size)
    return data
