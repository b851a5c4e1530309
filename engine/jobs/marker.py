"""How a job's processes are told from all others: a variable in their environment, which their children inherit."""

from __future__ import annotations

import hashlib
from pathlib import Path

VARIABLE = "MLOPS_JOB"


def marker(home: Path, job_id: int, attempt: int) -> str:
    """Of one attempt in one home: engines of other homes mark theirs otherwise."""
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:16]
    return f"{job_id}-{attempt}-{digest}"
