"""Paths that other people wrote: only plain relative ones, and no link is ever followed."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

from engine.errors import InvalidInput

LONGEST = 1000
"""Characters of a path."""


def safe_parts(path: str) -> tuple[str, ...]:
    r"""The parts of a relative path with forward slashes.

    Raises:
        InvalidInput: it is absolute, empty, too long, holds `..`, a backslash or a control character.

    >>> safe_parts("bundle/model.txt")
    ('bundle', 'model.txt')
    """
    parts = path.split("/")
    bad = (
        not path
        or len(path) > LONGEST
        or any(part in ("", ".", "..") for part in parts)
        or any(ord(character) < 32 or character in "\\\x7f" for character in path)
        or PurePosixPath(path).is_absolute()
    )
    if bad:
        raise InvalidInput(
            f"{path[:200]!r} is no plain relative path.",
            "Use names with forward slashes, without `..`, below the folder.",
        )
    return tuple(parts)


def open_below(root: Path, path: str) -> int:
    """A descriptor, for reading, of the regular file `path` below `root`; the caller closes it.

    Each folder on the way is opened without following links, so a link put there in the meantime leads nowhere.

    Raises:
        InvalidInput: the path is not plain, a part of it is a link, or it is no regular file.
        FileNotFoundError: nothing is there.
    """
    *folders, name = safe_parts(path)
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            inner = _open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, at, path)
            os.close(at)
            at = inner
        # Without O_NONBLOCK the engine would wait for ever on a pipe that poses as a file.
        descriptor = _open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, at, path)
    finally:
        os.close(at)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidInput(f"{path!r} is no regular file.", "Leave plain files only.")
    return descriptor


def _open(name: str, flags: int, at: int, path: str) -> int:
    try:
        return os.open(name, flags | os.O_CLOEXEC, dir_fd=at)
    except FileNotFoundError:
        raise
    except OSError as error:
        # ELOOP and ENOTDIR are what a link gives, ENXIO what a socket gives.
        raise InvalidInput(f"{path!r} cannot be opened: {error.strerror}.", "Leave plain files, no links.") from error
