"""Have a home made of a backup, by a process of the engine's program that ends with it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from engine.client.launch import with_this_program
from engine.errors import EngineError, Unavailable, from_problem
from engine.settings import Home
from engine.wire.housekeeping import BackupRestored


def restore(folder: Path, home: Home) -> BackupRestored:
    """Restore a backup into a new or empty home; returns when it is done, minutes where there is much.

    Raises:
        EngineError: why not, in the words of the process that tried.
    """
    import subprocess

    report, told = os.pipe()
    try:
        with open(report, "rb", closefd=False) as said:
            try:
                # -P: a folder named `engine` where the user happens to stand is not the engine.
                ended = subprocess.run(
                    [
                        *(sys.executable, "-P", "-m", "engine", "--home", str(home.root)),
                        *("--restore", str(folder.absolute()), "--report-fd", str(told)),
                    ],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    pass_fds=(told,),
                    cwd="/",
                    env=os.environ | {"PYTHONPATH": with_this_program()},
                    check=False,
                )
            finally:
                os.close(told)
            problem = said.read()
    finally:
        os.close(report)
    if ended.returncode == 0:
        return BackupRestored.model_validate_json(ended.stdout)
    raise _failure(problem, ended.stderr)


def _failure(problem: bytes, stderr: bytes) -> EngineError:
    try:
        return from_problem(json.loads(problem), 500)
    except ValueError:
        last = (stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        return Unavailable(f"The restore ended before it was done: {last.strip()}", "Run it again; it begins anew.")
