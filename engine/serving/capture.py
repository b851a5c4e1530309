"""Capture v1: each answered request as one line of JSON, written before the answer is sent.

One write() per request into the page cache: it survives any kill of the process, not a power cut. What cannot be
written is counted, and the answer goes out all the same.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from engine.serving.manifest import ServeSpec
from engine.serving.problems import BadBundle

SEGMENT_BYTES = 8 * 1024 * 1024
_encode = msgspec.json.Encoder().encode


class CaptureLog:
    """The capture segments of one replica: `NNNNNNNN.jsonl`, the highest number open, the others closed.

    For one thread. A reader takes complete lines; it may delete closed segments, never the highest, whose number
    would else come again.
    """

    def __init__(self, folder: Path, spec: ServeSpec, columns: Sequence[str]) -> None:
        self.captured = 0
        """Requests written."""
        self.dropped = 0
        """Requests not written."""
        self._folder = folder
        self._limit = spec.capture_limit_bytes
        # A limit below four segments would fill the open one, which nobody may delete.
        self._segment_bytes = min(SEGMENT_BYTES, max(1, self._limit // 4))
        self._untold = 0
        self._looked_at = 0.0
        self._head = _encode(
            {
                "v": 1,
                "endpoint": spec.endpoint,
                "version": spec.version,
                "deployment": spec.deployment,
                "replica": spec.replica,
            }
        )[:-1]
        self._columns = _encode(list(columns))
        self._number, self._descriptor, self._size = 0, -1, 0
        try:
            folder.mkdir(exist_ok=True)
            self._number = max(self._numbers(), default=0)
            self._closed_bytes = self._measure_closed()
            self._rotate()
        except OSError as error:
            raise BadBundle(
                f"Captures cannot be written to {folder.name}/: {error.strerror}.",
                "The replica's folder must be writable for the model server.",
            ) from error

    def append(
        self,
        request_id: str,
        received_at: float,
        latency_s: float,
        rows: Sequence[Sequence[Any]],
        answers: Sequence[Sequence[float]],
        labels: Sequence[Any],
        unseen: Sequence[tuple[int, str]],
    ) -> bool:
        """Write one request; False when it was dropped.

        `received_at` is in seconds since the epoch, `request_id` needs no escaping. `unseen` lists row and column.
        """
        moment = datetime.fromtimestamp(received_at, UTC).isoformat(timespec="microseconds")[:26]
        line = b"".join(
            (
                self._head,
                f',"request_id":"{request_id}","received_at":"{moment}Z","latency_s":{latency_s:.6f},"columns":'.encode(),
                self._columns,
                b',"rows":',
                _encode(rows),
                b',"answers":',
                _encode(answers),
                b',"labels":',
                _encode(labels),
                b',"unseen":' + _encode(unseen) if unseen else b"",
                b"}\n",
            )
        )
        if self._untold:
            line = b'{"v":1,"dropped":%d}\n%b' % (self._untold, line)
        problem = self._write(line)
        if problem:
            self._drop(problem)
            return False
        self.captured += 1
        self._untold = 0
        return True

    def _write(self, line: bytes) -> str:
        """Write a line whole or not at all; what hindered it, else an empty text."""
        if not self._has_room(len(line)):
            return f"they reached their limit of {self._limit} bytes"
        try:
            if self._size >= self._segment_bytes or self._descriptor < 0:
                self._rotate()
            written = os.write(self._descriptor, line)
        except OSError as error:
            return os.strerror(error.errno or 0)
        if written < len(line):
            self._cut_back()
            return os.strerror(errno.ENOSPC)
        self._size += written
        return ""

    def _cut_back(self) -> None:
        """Remove a half-written line; where that fails too, leave the segment, whose readers skip such a line."""
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError:
            self._size = self._segment_bytes

    def _has_room(self, more: int) -> bool:
        if self._closed_bytes + self._size + more <= self._limit:
            return True
        if time.monotonic() - self._looked_at < 1.0:
            return False
        self._looked_at = time.monotonic()
        self._closed_bytes = self._measure_closed()  # compaction may have deleted some meanwhile
        return self._closed_bytes + self._size + more <= self._limit

    def _rotate(self) -> None:
        """Close the open segment and open the next; an empty last one is taken up again."""
        path = self._path(self._number)
        if self._descriptor >= 0 or (self._number and path.exists() and path.stat().st_size) or not self._number:
            path = self._path(self._number + 1)
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self.close()
        self._descriptor, self._size, self._number = opened, 0, int(path.stem)
        self._closed_bytes = self._measure_closed()

    def _numbers(self) -> list[int]:
        return [int(path.stem) for path in self._folder.glob("*.jsonl") if path.stem.isdigit()]

    def _measure_closed(self) -> int:
        """Bytes in all segments but the open one."""
        total = 0
        for entry in os.scandir(self._folder):
            if entry.name.endswith(".jsonl") and entry.name != self._path(self._number).name:
                try:
                    total += entry.stat().st_size
                except FileNotFoundError:  # deleted by compaction just now
                    continue
        return total

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08d}.jsonl"

    def _drop(self, problem: str) -> None:
        if not self._untold:
            print(f"Answers are not captured, {problem}.", file=sys.stderr, flush=True)  # noqa: T201
        self.dropped += 1
        self._untold += 1

    def close(self) -> None:
        """Close the open segment's file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
