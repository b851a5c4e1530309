"""Start a worker's process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import engine
from engine.errors import Unavailable
from engine.jobs.marker import VARIABLE, marker
from engine.settings import Home

_KEPT = frozenset(
    {
        "HOME",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "LOGNAME",
        "PATH",
        "PYTHONPATH",
        "SHELL",
        "TZ",
        "USER",
        "VIRTUAL_ENV",
    }
)
"""Of the engine's environment, and `LC_*`: whatever else it holds may be a secret."""

_THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS", "LOKY_MAX_CPU_COUNT",
)  # fmt: skip


@dataclass(frozen=True)
class Order:
    """What to start."""

    job_id: int
    attempt: int
    kind: str
    token: str = field(repr=False)


def worker_environment(home: Home, order: Order, *, slots: int, given: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a worker: nothing secret, its marker, its share of the processors."""
    kept = {name: value for name, value in given.items() if name in _KEPT or name.startswith("LC_")}
    threads = str(max(1, (os.cpu_count() or 1) // slots))
    program = str(Path(engine.__file__ or "").resolve().parents[1])
    paths = [program, *filter(None, kept.get("PYTHONPATH", "").split(os.pathsep))]
    return (
        kept
        | dict.fromkeys(_THREADS, threads)
        | {
            VARIABLE: marker(home.root, order.job_id, order.attempt),
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
            "TMPDIR": str(home.work(order.job_id, order.attempt) / "tmp"),
        }
    )


def spawn_worker(
    home: Home, order: Order, *, slots: int, command: tuple[str, ...] = (sys.executable, "-P", "-m", "engine.worker")
) -> subprocess.Popen[bytes]:
    """Start it in a session of its own and hand it its token by pipe. Its folder must be there.

    `-P` keeps the work folder, where project code lies, out of the places that modules are imported from. What it
    prints before it has opened its log goes there as well.

    Raises:
        Unavailable: the process cannot be started.
    """
    log = home.job_log(order.job_id, order.attempt)
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            process = subprocess.Popen(
                command,
                cwd=home.work(order.job_id, order.attempt),
                env=worker_environment(home, order, slots=slots, given=os.environ),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        finally:
            os.close(output)
    except OSError as error:
        raise Unavailable(
            f"The worker of job {order.job_id} cannot be started: {error.strerror}.", "Look at the host's limits."
        ) from error
    told = {
        "token": order.token, "socket": str(home.engine_socket), "job_id": order.job_id, "attempt": order.attempt,
        "kind": order.kind,
    }  # fmt: skip
    _hand_over(process, json.dumps(told).encode() + b"\n")
    return process


def _hand_over(process: subprocess.Popen[bytes], line: bytes) -> None:
    # Shorter than a pipe's buffer, so it never waits; a worker that has died already is found by its watch.
    if process.stdin is not None:
        try:
            process.stdin.write(line)
            process.stdin.close()
        except BrokenPipeError:
            return
