"""What the demo says, and the command line it says it by."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MLOPS = Path(__file__).resolve().parents[1] / ".venv" / "bin" / "mlops"

_OVERWRITE = "\r\x1b[K"


class DemoFailed(Exception):
    """A stage did not happen; says which and why."""


class Told:
    """What is printed: a line a stage, with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def doing(self, text: str) -> None:
        """What it waits for, on a terminal only; the next line takes its place."""
        if sys.stdout.isatty():
            print(f"{_OVERWRITE}{self.seconds:6.1f} s  {text} …", end="", flush=True)

    def stage(self, project: str, verb: str, text: str) -> None:
        """One stage that has happened."""
        start = _OVERWRITE if sys.stdout.isatty() else ""
        print(f"{start}{self.seconds:6.1f} s  {project:<8} {verb:<9} {text}", flush=True)


class Mlops:
    """The command line, with the demo's own home folder."""

    def __init__(self, home: Path) -> None:
        self.environment = os.environ | {"MLOPS_HOME": str(home), "NO_COLOR": "1"}

    def __call__(self, *words: str, may_exit: Sequence[int] = (0,)) -> Any:
        """Run `mlops WORDS --json`; what it answered (of several JSON lines, a list)."""
        done = subprocess.run(
            [str(MLOPS), *words, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode not in may_exit:
            said = done.stderr.strip() or done.stdout.strip()
            raise DemoFailed(f"`mlops {' '.join(words)}` ended with exit code {done.returncode}:\n{said}")
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
