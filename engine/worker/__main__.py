"""`python -m engine.worker`: the process of one attempt of one job.

Its standard input holds one line of JSON, and then ends: the job's token, the engine's socket, the job's id, attempt
and kind. The token comes by no other way, so that neither `ps` nor a child's environment shows it.

Exit codes: 0 done, 1 failed and reported, 2 called wrongly, 3 its attempt is over. Ends by `_exit`, so that a thread
that project code left running keeps no job alive.
"""

from __future__ import annotations

import json
import math
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.settings import Home
from engine.worker.log import JobLog, flush, open_log
from engine.worker.threads import limit_threads

if TYPE_CHECKING:
    from engine.wire.base import Failure
    from engine.worker.session import Session

DONE, FAILED, CALLED_WRONGLY, FENCED = 0, 1, 2, 3

_LONGEST_CALL = 65_536


@dataclass(frozen=True)
class Call:
    """The one line that the engine writes to a worker."""

    token: str = field(repr=False)
    socket: str
    job_id: int
    attempt: int
    kind: str

    @property
    def home(self) -> Home:
        """The engine's home: its socket lies in `run/` of it."""
        return Home(Path(self.socket).parent.parent)


def main() -> None:
    """Do the job and end the process."""
    call = read_call(sys.stdin.readline(_LONGEST_CALL))
    if call is None:
        print("`python -m engine.worker` is started by the engine, not by hand.", file=sys.stderr)  # noqa: T201
        os._exit(CALLED_WRONGLY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    log = open_log(call.home.job_log(call.job_id, call.attempt))
    limit_threads(os.environ)
    pid = os.getpid()
    _end(work(call), pid, log)


def read_call(line: str) -> Call | None:
    """The engine's line; None where it is none."""
    try:
        told = json.loads(line)
        return Call(
            token=str(told["token"]), socket=str(told["socket"]), job_id=int(told["job_id"]),
            attempt=int(told["attempt"]), kind=str(told["kind"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return None


def work(call: Call) -> int:
    """Do what the engine orders and report how it ended; the exit code."""
    from engine.client import EngineClient
    from engine.errors import EngineError, Fenced
    from engine.worker.failures import to_failure
    from engine.worker.session import Session

    worker_pid = os.getpid()
    # An engine that is away comes back: a job outlives its crash and its restart.
    patient = EngineClient(call.home, token=call.token, patience_s=math.inf)
    hasty = EngineClient(call.home, token=call.token)
    try:
        session = Session(patient.work(call.job_id), patient, hasty)
    except EngineError as error:
        print(f"The engine gives no order: {error.message}", file=sys.stderr)  # noqa: T201
        return FENCED
    try:
        find_job(call.kind)(session)
    except Fenced:
        print("This attempt is over; another one does the job, or nobody.", file=sys.stderr)  # noqa: T201
        return FENCED
    except BaseException as error:
        if os.getpid() != worker_pid:  # a fork of project code; its parent speaks for the job
            os._exit(FAILED)
        return _report(session, to_failure(error, session.order.code_folder, call.job_id), error)
    return DONE


def find_job(kind: str) -> Callable[[Session], None]:
    """The function that does jobs of a kind. Imported only now: each needs other libraries."""
    if kind == "look":
        from engine.worker.look import run_look

        return run_look
    if kind == "compact":
        from engine.worker.compact import run_compact

        return run_compact
    if kind == "train":
        from engine.worker.train import run_train

        return run_train
    if kind == "check":
        from engine.worker.check import run_check

        return run_check
    if kind == "label":
        from engine.worker.label import run_label

        return run_label
    raise ValueError(f"no such kind of job: {kind}")


def _report(session: Session, failure: Failure, error: BaseException) -> int:
    from engine.errors import EngineError

    if not isinstance(error, EngineError):
        traceback.print_exception(error)
    print(f"{failure.message} {failure.hint}".strip(), file=sys.stderr)  # noqa: T201
    flush()
    try:
        session.fail(failure)
    except EngineError as refused:
        print(f"The engine does not take the failure: {refused.message}", file=sys.stderr)  # noqa: T201
        return FENCED
    return FAILED


def _end(code: int, pid: int, log: JobLog) -> None:
    if os.getpid() == pid:
        log.close()
    os._exit(code)


if __name__ == "__main__":
    main()
