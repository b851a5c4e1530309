"""A user at a shell: the real command line on files of data that nothing here knows."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.settings import Home

PATIENCE_S = 110


@dataclass(frozen=True)
class Said:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class Shell:
    """`mlops …` in a home of its own, as a user types it."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home = home
        self.folder = folder

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "mlops_tui", *words],
            cwd=self.folder,
            env=os.environ | {"MLOPS_HOME": str(self.home.root), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def try_(self, *words: str) -> Said:
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert "Traceback" not in out + err, out + err
        return Said(process.returncode, out, err)

    def __call__(self, *words: str) -> Said:
        said = self.try_(*words)
        assert said.code == 0, f"mlops {' '.join(words)} ended with {said.code}:\n{said.out}\n{said.err}"
        return said


def write_rows(file: Path, rows: list[dict[str, Any]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def customers(count: int, *, seed: int = 1, first: int = 0) -> list[dict[str, Any]]:
    """Who leaves: numbers, text, booleans and gaps, with a signal that can be learnt."""
    chance = random.Random(seed)
    rows = []
    for number in range(first, first + count):
        age, plan = chance.gauss(45, 12), chance.choice(["basic", "plus", "family, large", "Größe XL"])
        calls, paperless = chance.randrange(12), chance.random() < 0.4
        risk = 0.12 * calls + (0.9 if plan == "basic" else 0.0) - 0.03 * age + 0.4 * paperless
        rows.append(
            {
                "customer id": f"C{number:06d}",
                "age": "" if chance.random() < 0.08 else round(age, 1),
                "plan": "NA" if chance.random() < 0.05 else plan,
                "support.calls": calls,
                "paperless": str(paperless).lower(),
                "churned": "yes" if chance.random() < 1 / (1 + 2.718 ** -(3 * risk)) else "no",
            }
        )
    return rows
