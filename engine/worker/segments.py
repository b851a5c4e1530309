"""Reading capture segments: complete lines from an offset on, and where to go on next time."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SUFFIX = ".jsonl"


@dataclass(frozen=True, order=True)
class Offset:
    """A place in a replica's captures; what lies before it is compacted."""

    segment: int
    byte: int


@dataclass(frozen=True)
class Stretch:
    """The complete lines of one segment from an offset on."""

    lines: list[bytes]
    start: Offset
    end: Offset
    """After the last complete line; at the next segment's start where this one is closed."""
    torn: bool
    """A closed segment ends in half a line, which nothing will complete."""


def read_stretches(folder: Path, start: Offset, *, retired: bool) -> Iterator[Stretch]:
    """The stretches from `start` on, a segment each. The highest segment is open unless the replica is `retired`.

    The segments are listed once, first: one that is closed then gets no more lines.
    """
    numbers = [number for number in list_segments(folder) if number >= start.segment]
    for place, number in enumerate(numbers):
        closed = retired or place < len(numbers) - 1
        first = start.byte if number == start.segment else 0
        content = _read_from(segment_path(folder, number), first)
        whole = content[: content.rfind(b"\n") + 1]
        following = numbers[place + 1] if place < len(numbers) - 1 else number + 1
        end = Offset(following, 0) if closed else Offset(number, first + len(whole))
        torn = closed and len(whole) < len(content)
        yield Stretch(whole.split(b"\n")[:-1], Offset(number, first), end, torn)


def list_segments(folder: Path) -> list[int]:
    """Numbers of the segments that are there, ascending."""
    # A container may put a link in the place of its folder or a segment; none is followed.
    if folder.is_symlink() or not folder.is_dir():
        return []
    found = (path for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdigit() and not path.is_symlink())
    return sorted(int(path.stem) for path in found)


def segment_path(folder: Path, number: int) -> Path:
    """The file of a segment."""
    return folder / f"{number:08d}{_SUFFIX}"


def delete_segments(folder: Path, before: Offset) -> int:
    """Delete segments that lie wholly before an offset; how many. They must be durable elsewhere."""
    done = [number for number in list_segments(folder) if number < before.segment]
    for number in done:
        segment_path(folder, number).unlink(missing_ok=True)
    return len(done)


def _read_from(path: Path, byte: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        file.seek(byte)
        return file.read()
