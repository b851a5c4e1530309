"""A project's folder as a tree of files to store: found, hashed, and told apart from data and caches."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.blobs.safe_path import open_below
from engine.errors import InvalidInput, NotFound, TooLarge
from engine.project import PROJECT_FILE, Project, parse_project

FILES_LIMIT = 10_000
BYTES_LIMIT = 256 * 1024 * 1024
DEPTH_LIMIT = 64
_PROJECT_FILE_LIMIT = 1024 * 1024

_NOT_CODE = frozenset({"__pycache__", "node_modules", "venv", "site-packages"})
"""Folders left out, besides those whose name begins with a dot."""


@dataclass(frozen=True)
class CodeFile:
    """One file of the tree."""

    path: str
    sha256: str
    size_bytes: int
    executable: bool


@dataclass(frozen=True)
class CodeTree:
    """A folder's code at one moment."""

    project: Project
    config: str
    """Text of `mlops.toml`."""
    files: tuple[CodeFile, ...]
    """Sorted by path."""
    links: int
    """Symbolic links that were left out: none is followed."""

    @property
    def sha256(self) -> str:
        """Hash of the sorted (path, executable, hash) of all files."""
        digest = hashlib.sha256()
        for file in self.files:
            digest.update(f"{file.path}\0{'x' if file.executable else '-'}\0{file.sha256}\n".encode())
        return digest.hexdigest()


def read_code_tree(folder: Path) -> CodeTree:
    """Read a project's folder; nothing is stored.

    Left out: what the project file names as data, links, names that begin with a dot (version control, caches,
    `.env` with its secrets) and folders of installed packages.

    Raises:
        InvalidInput: no folder, or a file in it cannot be read.
        NotFound: it has no `mlops.toml`.
        InvalidConfig, NotThereYet, InvalidName: what is wrong in `mlops.toml`.
        TooLarge: more than 10,000 files, 256 MB, or 64 folders within each other.
    """
    if not folder.is_absolute() or not folder.is_dir():
        raise InvalidInput(f"{folder} is no folder.", "Give the absolute path of the project's folder.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InvalidInput(f"{folder} cannot be read by the engine's user.", "Look at its permissions.")
    config = _config(folder)
    project = parse_project(config, where=str(folder / PROJECT_FILE))
    files: list[CodeFile] = []
    size_bytes = links = 0
    for path, is_link in _walk(folder, "", _data_patterns(project, folder)):
        if is_link:
            links += 1
            continue
        file = _hashed(folder, path, BYTES_LIMIT - size_bytes)
        if file is None:
            continue
        files.append(file)
        size_bytes += file.size_bytes
        if len(files) > FILES_LIMIT:
            raise TooLarge(
                f"{folder} holds more than {FILES_LIMIT:,} files.",
                "Keep data outside the project's folder, or name it in `data.source`.",
            )
    return CodeTree(project, config, tuple(sorted(files, key=lambda file: file.path)), links)


def _config(folder: Path) -> str:
    try:
        with os.fdopen(open_below(folder, PROJECT_FILE), "rb") as source:
            text = source.read(_PROJECT_FILE_LIMIT + 1)
    except FileNotFoundError as error:
        raise NotFound(
            f"There is no {PROJECT_FILE} in {folder}.", "`mlops init DATA --target COLUMN` writes one."
        ) from error
    if len(text) > _PROJECT_FILE_LIMIT:
        raise TooLarge(f"{folder / PROJECT_FILE} is larger than 1 MB.", "It holds settings, not data.")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{folder / PROJECT_FILE} is not UTF-8.", "Save it as UTF-8.") from error


def _data_patterns(project: Project, folder: Path) -> tuple[str, ...]:
    sources = project.data.source
    given: Sequence[str] = (sources,) if isinstance(sources, str) else sources
    inside = (os.path.relpath(source, folder) if Path(source).is_absolute() else source for source in given)
    return tuple(os.path.normpath(source) for source in inside)


def _walk(folder: Path, below: str, data: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    try:
        entries = sorted(os.scandir(folder / below), key=lambda entry: entry.name)
    except OSError as error:
        raise InvalidInput(f"{folder / below} cannot be read: {error.strerror}.", "Look at its permissions.") from error
    for entry in entries:
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            yield path, True
        elif entry.is_dir(follow_symlinks=False):
            if path.count("/") >= DEPTH_LIMIT:
                raise TooLarge(f"{folder} is nested more than {DEPTH_LIMIT} folders deep.", "Keep only code there.")
            if entry.name not in _NOT_CODE:
                yield from _walk(folder, path, data)
        elif not any(_matches(path, pattern) for pattern in data):
            yield path, False


def _matches(path: str, pattern: str) -> bool:
    """As a shell matches: `*` stays within one folder, `**` does not."""
    return _parts_match(PurePosixPath(path).parts, PurePosixPath(pattern).parts)


def _parts_match(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_parts_match(path[start:], pattern[1:]) for start in range(len(path) + 1))
    if not path:
        return False
    return PurePosixPath(path[0]).match(pattern[0]) and _parts_match(path[1:], pattern[1:])


def _hashed(folder: Path, path: str, room_bytes: int) -> CodeFile | None:
    """None: it went away meanwhile."""
    try:
        path.encode("utf-8")
        descriptor = open_below(folder, path)
    except FileNotFoundError:
        return None
    except UnicodeEncodeError as error:
        raise InvalidInput(f"A file's name in {folder} is not UTF-8: {path!r}.", "Rename it.") from error
    with os.fdopen(descriptor, "rb") as source:
        digest, size_bytes = hashlib.sha256(), 0
        while chunk := source.read(1 << 20):
            digest.update(chunk)
            size_bytes += len(chunk)
            if size_bytes > room_bytes:
                raise TooLarge(
                    f"{folder} holds more than {BYTES_LIMIT // 1024**2} MB besides its data.",
                    "Keep data outside the project's folder, or name it in `data.source`.",
                )
        mode = os.fstat(source.fileno()).st_mode
    return CodeFile(path, digest.hexdigest(), size_bytes, bool(mode & stat.S_IXUSR))
