"""A file as the body of a request, read in pieces while it is sent."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from engine.errors import BadData, InvalidInput, NotFound, TooLarge
from engine.wire.monitoring import UPLOAD_LIMIT_BYTES

_PIECE_BYTES = 1 << 18


def file_size(path: Path) -> int:
    """Bytes of a file that may be sent.

    Raises:
        NotFound, InvalidInput, BadData: there is none, it is no file, or it cannot be read.
        TooLarge: the engine takes no file so large.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InvalidInput(f"{path} is no regular file.", "Give a CSV, Parquet or JSON lines file.")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.", "Look at its name.") from error
    except OSError as error:
        raise BadData(f"{path} cannot be read: {error.strerror}.", "Look at its rights.") from error
    if found.st_size > UPLOAD_LIMIT_BYTES:
        raise TooLarge(f"{path} is larger than {UPLOAD_LIMIT_BYTES // 1024**3} GiB.", "Give it in parts.")
    return found.st_size


def pieces(path: Path) -> Iterator[bytes]:
    """The file's bytes."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


async def awaited_pieces(path: Path) -> AsyncIterator[bytes]:
    """The same; the disk is read in threads."""
    import asyncio

    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece
