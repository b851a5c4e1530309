"""A whole check against the stored profile: how long, and how much memory.

Each runs in a process of its own, as a worker does: `python -m tests.bench.drift FOLDER` looks at what lies there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.report import Result

ROOT = Path(__file__).parents[2]


def measure(folder: Path) -> Iterator[Result]:
    """A million rows of 50 numbers with reading; 100,000 of 40 numbers and 10 categories, computing alone; a start."""
    for name, rows, numbers, categories in (("1M × 50", 1_000_000, 50, 0), ("100k × 50 mixed", 100_000, 40, 10)):
        lay_out(folder / str(rows), rows, numbers, categories)
        seen = min((_look(folder / str(rows)) for _ in range(3)), key=lambda found: found["check_s"])
        note = f"{seen['cpu_s']:.2f} s of CPU"
        yield Result(
            f"check, {name}: with reading", seen["check_s"], "s", 2.0 if rows == 1_000_000 else None, note=note
        )
        yield Result(f"check, {name}: computing", seen["compute_s"], "s", 0.25 if rows == 100_000 else None)
        yield Result(f"check, {name}: memory", seen["memory_mib"], "MiB", 600.0)
    lay_out(folder / "1000", 1_000, 40, 10)
    seen = min((_look(folder / "1000") for _ in range(3)), key=lambda found: found["whole_s"])
    yield Result("check, 1,000 rows: until it begins", seen["begin_s"], "s", 0.5)
    yield Result("check, 1,000 rows: process, start to finish", seen["whole_s"], "s", 1.0)


def lay_out(folder: Path, rows: int, numbers: int, categories: int) -> None:
    """Training data and as many captures like it."""
    import numpy as np
    import polars as pl
    from fakes.watched import Watched

    rng = np.random.default_rng(0)

    def made() -> pl.DataFrame:
        found = {f"x{at}": rng.normal(size=rows) for at in range(numbers)}
        names = np.array([f"level {at}" for at in range(30)])
        return pl.DataFrame(found | {f"c{at}": names[rng.integers(0, 3 * (at + 1), rows)] for at in range(categories)})

    watched = Watched(folder)
    watched.learn(made())
    watched.capture(made())
    (folder / "order.json").write_text(watched.order(["one.parquet"]).model_dump_json())


def _look(folder: Path) -> dict[str, float]:
    began = time.perf_counter()
    command = [sys.executable, "-m", "tests.bench.drift", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found | {"whole_s": time.perf_counter() - began}


def _child(folder: Path) -> None:
    """What a worker does; without the engine, whose answers would be measured too."""
    began = time.perf_counter()
    import os

    from engine.worker.threads import limit_threads

    limit_threads(os.environ)
    from engine.wire.work import CheckOrder, WorkOrder
    from engine.worker import captured_rows
    from engine.worker.check import check
    from engine.worker.session import Session

    begin_s = time.perf_counter() - began
    order = CheckOrder.model_validate_json((folder / "order.json").read_text())
    work = folder / "work"
    work.mkdir(exist_ok=True)
    project = '[project]\nname = "made"\ntask = "binary"\n[data]\nsource = "x.csv"\ntarget = "y"\n'
    session = Session(
        WorkOrder(
            job_id=1, attempt=1, kind="check", args={}, work_folder=str(work), blobs_folder=str(folder / "blobs"),
            finished={}, project_file=project,
        ),
        _Deaf(),  # type: ignore[arg-type]
    )  # fmt: skip
    reading = 0.0
    read = captured_rows.CapturedRows._read

    def timed(self: captured_rows.CapturedRows, wanted: list[captured_rows.Input]) -> list[captured_rows.Came]:
        nonlocal reading
        before = time.perf_counter()
        found = read(self, wanted)
        reading += time.perf_counter() - before
        return found

    captured_rows.CapturedRows._read = timed  # type: ignore[method-assign, assignment]
    before, cpu = time.perf_counter(), time.process_time()
    check(order, session)
    check_s, cpu_s = time.perf_counter() - before, time.process_time() - cpu
    memory = _peak_kib() / 1024
    print(
        json.dumps(
            {
                "begin_s": begin_s,
                "check_s": check_s,
                "compute_s": check_s - reading,
                "cpu_s": cpu_s,
                "memory_mib": memory,
            }
        )
    )


def _peak_kib() -> int:
    """Not by getrusage, which begins with the memory of the parent that forked."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


class _Deaf:
    def progress(self, *_: object) -> None:
        """Nobody hears it."""


if __name__ == "__main__":
    _child(Path(sys.argv[1]))
