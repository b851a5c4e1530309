"""How a job's processes are told from all others: a variable in their environment, which their children inherit."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

VARIABLE = "MLOPS_JOB"


def marker(home: Path, job_id: int, attempt: int) -> str:
    """Of one attempt in one home: engines of other homes mark theirs otherwise."""
    return f"{job_id}-{attempt}-{_digest(home)}"


def attempt_of(mark: str, home: Path) -> tuple[int, int] | None:
    """(job, attempt) of a marker; None: it is another home's, or none."""
    match = re.fullmatch(r"(\d{1,18})-(\d{1,18})-([0-9a-f]+)", mark)
    return (int(match[1]), int(match[2])) if match and match[3] == _digest(home) else None


def _digest(home: Path) -> str:
    return hashlib.sha256(str(home).encode()).hexdigest()[:16]
