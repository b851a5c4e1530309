"""`make bench`: figures against the targets. About two minutes; they mean most on a quiet machine.

    python -m tests.bench [--seconds 3] [engine] [terminal] [serving] [drift]

Exit code 0 when everything ran, whatever the figures; 1 when something did not answer.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/fakes, as pytest sees it

from engine.settings import Home
from tests.bench import drift, engine_alone, model_server, terminal, through_gateway
from tests.bench.report import Result

PARTS = ("engine", "terminal", "serving", "drift")


def measure(parts: set[str], folder: Path, seconds: float) -> Iterator[Result]:
    """All figures that were asked for, as they come."""
    if "engine" in parts:
        with engine_alone.engine(Home(folder / "home")) as running:
            yield from engine_alone.measure(running, seconds)
    if "terminal" in parts:
        yield from terminal.measure(Home(folder / "terminal"))
    if "serving" in parts:
        with model_server.model_server(folder / "replica") as server:
            yield from model_server.measure(server, seconds)
            yield from through_gateway.measure(server, folder / "gateway", seconds)
    if "drift" in parts:
        yield from drift.measure(folder / "drift")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench", description="Figures against the targets.")
    parser.add_argument("parts", nargs="*", help=f"some of: {', '.join(PARTS)}; none: all")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each load")
    asked = parser.parse_args()
    if wrong := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(wrong))}")
    folder = Path(tempfile.mkdtemp(prefix="mb", dir="/tmp"))  # short: Unix sockets lie below it
    busy = os.getloadavg()[0]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load before {busy:.1f}", flush=True)
    missed = 0
    try:
        for result in measure(set(asked.parts) or set(PARTS), folder, asked.seconds):
            print(result.line(), flush=True)
            missed += result.reached is False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{missed} of the targets missed." if missed else "\nAll targets reached.")


if __name__ == "__main__":
    main()
