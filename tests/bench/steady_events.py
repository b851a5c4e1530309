"""Events at a steady pace, from a process of its own so that whoever measures does nothing else.

    python -m tests.bench.steady_events HOME PROJECT PER_SECOND

Each is a run that a script logged. It goes on until it is ended.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.client import EngineClient
from engine.settings import Home
from engine.wire.runs import LogRun

WRITERS = 4


@contextmanager
def steady_events(home: Home, project: str, per_second: float) -> Iterator[None]:
    """So many a second, until the end of `with`."""
    command = [sys.executable, "-m", "tests.bench.steady_events", str(home.root), project, str(per_second)]
    child = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    try:
        yield
    finally:
        child.terminate()
        child.wait(10)


def write(home: Home, project: str, every_s: float) -> None:
    """One after another; one that is late is followed by the next at once."""
    run = LogRun(project=project, params={"depth": "3"}, metrics={"roc_auc": 0.9})
    due = time.perf_counter()
    with EngineClient(home) as client:
        while True:
            client.log_run(run)
            due += every_s
            time.sleep(max(due - time.perf_counter(), 0.0))


def main() -> None:
    """Write until ended."""
    home, project, per_second = Home(Path(sys.argv[1])), sys.argv[2], float(sys.argv[3])
    for _ in range(WRITERS):
        threading.Thread(target=write, args=(home, project, WRITERS / per_second), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
