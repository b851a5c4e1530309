"""From whatever a job raised to the one sentence that people read; the trace goes to the job's log."""

from __future__ import annotations

import errno
import traceback
from pathlib import Path

from engine.errors import DiskFull, EngineError, ProjectCodeFailed
from engine.wire.base import Failure

_LONGEST = 2000


def to_failure(error: BaseException, code_folder: str, job_id: int) -> Failure:
    """The failure to report. What project code raised is told by its own innermost file and line."""
    told = to_engine_error(error, code_folder, job_id)
    return Failure(code=told.code, message=told.message[:_LONGEST], hint=told.hint[:_LONGEST])


def to_engine_error(error: BaseException, code_folder: str, job_id: int) -> EngineError:
    """The error itself where it is one of ours, else the one it amounts to."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull("No room is left on the disk while the job ran.", "Free some space and try again.")
    logs = f"`mlops logs {job_id}` has the trace."
    place = _project_place(error, code_folder)
    if place:
        return ProjectCodeFailed(f"The project's code failed at {place}: {_said(error)}.", logs)
    if isinstance(error, MemoryError):
        return EngineError("The job ran out of memory.", "Give it less data, or a machine with more memory.")
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return EngineError(f"The worker failed{where}: {_said(error)}.", f"This is a fault of mlops itself; {logs}")


def _project_place(error: BaseException, code_folder: str) -> str:
    """`model.py:12` of the innermost frame within the project's code; empty where there is none."""
    if not code_folder:
        return ""
    folder = Path(code_folder).resolve()
    seen: list[tuple[Path, int | None]] = [
        (Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        seen.append((Path(error.filename), error.lineno))
    for path, line in reversed(seen):
        if path.is_absolute() and path.resolve().is_relative_to(folder):
            return f"{path.resolve().relative_to(folder).as_posix()}:{line}"
    return ""


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it called exit({error.code!r})"
    text = " ".join(str(error).split())
    kind = type(error).__name__
    return f"{kind}: {text.rstrip('.')}" if text else kind
