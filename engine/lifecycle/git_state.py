"""The git commit a folder is at, where it is in a repository and git is installed."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 10.0

# A repository's own settings can name programs that git then runs: those are switched off. Git also refuses a
# repository of another user unless it is told that the folder is meant.
_GIT = (
    "git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c", "core.untrackedCache=false", "--no-optional-locks",
)  # fmt: skip


@dataclass(frozen=True)
class GitState:
    """Where a folder's repository stands."""

    commit: str | None = None
    """None: no repository, no commit yet, or no git."""
    dirty: bool = False
    """Files of the folder differ from the commit."""


def git_state(folder: Path) -> GitState:
    """Ask git. Whatever goes wrong means that no commit is known."""
    commit = _ask(folder, "rev-parse", "--verify", "HEAD").strip()
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        return GitState()
    return GitState(commit, bool(_ask(folder, "status", "--porcelain", "--ignore-submodules", "--", ".").strip()))


def _ask(folder: Path, *question: str) -> str:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
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
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
