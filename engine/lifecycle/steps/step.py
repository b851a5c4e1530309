"""What every step is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from engine.blobs.store import Stored
from engine.errors import InvalidInput
from engine.lifecycle.parts import Parts
from engine.registry.tables import Job
from engine.registry.tx import Tx
from engine.wire.base import FileEntry, StrictBody

Apply = Callable[[Tx, Job], None]
"""Applies a step's effect, fenced already."""


@dataclass(frozen=True)
class Posted:
    """A step's result as a worker posted it."""

    job_id: int
    attempt: int
    step: str
    result: dict[str, Any]
    folder: Path
    """The attempt's work folder: nothing in it is trusted."""
    config: str
    """Text of the revision's `mlops.toml`; empty for jobs without one."""
    run_id: int
    """0: the job has no run."""
    project: str
    args: dict[str, Any]
    """Of the job."""
    finished: dict[str, dict[str, Any]]
    """Results of the steps before."""


Result = TypeVar("Result", bound=StrictBody)


def checked(posted: Posted, kind: type[Result]) -> Result:
    """The result as what it must be. Raises `InvalidInput` naming the first field that is wrong."""
    try:
        return kind.model_validate(posted.result)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise InvalidInput(
            f"The result of step {posted.step} of job {posted.job_id} is wrong: {where}: {first['msg']}.",
            "Worker and engine differ: start the engine again after an update.",
            job=posted.job_id,
        ) from error


def adopt(parts: Parts, folder: Path, file: FileEntry) -> Stored:
    """Store a file that a worker left, hashed again here. Raises as `BlobStore.adopt_below`."""
    return parts.blobs.adopt_below(folder, file.path, file.sha256)
