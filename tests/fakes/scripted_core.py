"""`python -m fakes.scripted_core HOME PROJECT_FOLDER ACKNOWLEDGED`: a day in an engine's life, to be killed in.

Each thing that was acknowledged is one line of the file ACKNOWLEDGED, written before the next thing begins.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fakes.core import ADA, claim, engine_core
from fakes.supervised import enqueue_look, supervise, wait_for_status

from engine.lifecycle.add_project import add_project
from engine.lifecycle.finish_step import finish_step
from engine.lifecycle.log_run import log_run
from engine.lifecycle.parts import Parts
from engine.lifecycle.train_project import train_project
from engine.wire.projects import AddProject, TrainProject
from engine.wire.runs import LogRun
from engine.wire.work import FinishStep

KEY = "the-one"
RUNS = 8
LOOK = {"name": "x", "task": "binary", "rows": 1, "columns": [], "notes": [], "project_file": ""}
WORKER = "open('ready', 'w').close()\ntime.sleep(600)\n"


def live(home: Path, project: Path, acknowledged: Path) -> None:
    """Register, record runs, look at data with a real process, train to a version."""
    told = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def acknowledge(line: str) -> None:
        os.write(told, f"{line}\n".encode())

    with engine_core(home) as parts:
        add_project(parts, ADA, AddProject(folder=str(project)))
        acknowledge("project fraud")
        for number in range(RUNS):
            ask = LogRun(project="fraud", reason=f"run {number}", params={"a": "1"}, metrics={"m": float(number)})
            log_run(parts, ADA, ask)
            acknowledge(f"run {number}")
        look(parts)
        acknowledge("look")
        job = train_project(parts, ADA, "fraud", TrainProject(key=KEY)).job
        acknowledge(f"job {job.id}")
        worked = claim(parts)
        for step in ("snapshot", "fit", "package", "judge"):
            worked.post(step, getattr(worked, step)())
            acknowledge(f"step {step}")


def look(parts: Parts) -> None:
    """A job with a process of its own, which the script speaks for."""
    supervisor = supervise(parts, WORKER)
    supervisor.start()
    job_id = enqueue_look(parts)
    supervisor.poke()
    wait_for_status(parts, job_id, "running")
    finish_step(parts, job_id, 1, "look", FinishStep(result=LOOK))
    supervisor.stop(end_workers=True)


if __name__ == "__main__":
    live(*map(Path, sys.argv[1:4]))
