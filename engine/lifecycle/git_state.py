"""The git commit a folder is at, where it is in a repository and git is installed.

Only questions that read are asked. `git status` would not do: it runs whatever program the repository's settings name
as a filter, and the folder may be somebody else's.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.blobs.store import BlobStore
from engine.lifecycle.code_tree import CodeFile

TIMEOUT_S = 10.0

# Git refuses a repository of another user unless it is told that the folder is meant.
_GIT = ("git", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")
_ENTRY = re.compile(r"100\d{3} blob ([0-9a-f]{40,64})\t(.+)", re.DOTALL)
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class GitState:
    """Where a folder's repository stands."""

    commit: str | None = None
    """None: no repository, no commit yet, or no git."""
    dirty: bool = False
    """The stored files differ from the commit, byte for byte, or a file of the commit is gone."""


def git_state(folder: Path, files: Sequence[CodeFile], blobs: BlobStore) -> GitState:
    """Ask git, and hold the `files` that were stored of the folder against its commit.

    Whatever goes wrong means that no commit is known.
    """
    commit = (_ask(folder, "rev-parse", "--verify", "HEAD") or "").strip()
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        return GitState()
    listed = _ask(folder, "ls-tree", "-r", "-z", commit)
    if listed is None:
        return GitState()
    known = {match[2]: match[1] for entry in listed.split("\0") if (match := _ENTRY.fullmatch(entry))}
    return GitState(commit, _differs(folder, files, known, blobs))


def _differs(folder: Path, files: Sequence[CodeFile], known: dict[str, str], blobs: BlobStore) -> bool:
    if any(not os.path.lexists(folder / path) for path in known):
        return True
    return any(
        file.path not in known or _object_id(file, blobs, len(known[file.path])) != known[file.path] for file in files
    )


def _object_id(file: CodeFile, blobs: BlobStore, digits: int) -> str:
    """What git calls these bytes, in a repository whose names have so many digits."""
    digest = hashlib.new("sha1" if digits == 40 else "sha256", f"blob {file.size_bytes}\0".encode())
    with blobs.open_checked(file.sha256) as source:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _ask(folder: Path, *question: str) -> str | None:
    """None: git failed, or is not there."""
    # A repository that lacks an object may name a program to fetch it with: no transport is allowed.
    environment = {
        "PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "",
    }  # fmt: skip
    try:
        done = subprocess.run(
            [*_GIT, *question],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None
