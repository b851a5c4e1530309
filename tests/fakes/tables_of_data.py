"""Small tables of made data for the training tests: what they look like matters, not what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from engine.data.schema import Schema, describe
from engine.project import Project, parse_project
from engine.training.fit import TrainingTask, make_task
from engine.training.split import split_rows

HOUR_US = 3_600_000_000


def mixed_frame(rows: int, *, seed: int = 1, task: str = "binary") -> pl.DataFrame:
    """A canonical frame: id, time, number with nulls, integer, boolean, text with nulls, and a target that follows."""
    random = np.random.default_rng(seed)
    size = random.normal(50.0, 10.0, rows)
    count = random.integers(0, 9, rows)
    member = random.random(rows) < 0.4
    town = random.choice(["Arles", "Bern", "Cork", "Delft"], rows, p=[0.5, 0.3, 0.15, 0.05])
    pull = 0.1 * (size - 50.0) + 0.3 * (count - 4) + 1.5 * member + 1.0 * (town == "Bern") + random.normal(0, 1, rows)
    target: Any = {
        "binary": ["yes" if value > 1.5 else "no" for value in pull],
        "multiclass": [["low", "mid", "high"][int(np.searchsorted([0.0, 2.0], value))] for value in pull],
        "regression": pull * 10.0,
    }[task]
    at = pl.Series(np.arange(rows) * HOUR_US).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return pl.DataFrame(
        {
            "key": np.arange(rows),
            "at": at,
            "size": pl.Series(size).set(pl.Series(random.random(rows) < 0.05), None),
            "count": count,
            "member": member,
            "town": pl.Series(town.tolist()).set(pl.Series(random.random(rows) < 0.05), None),
            "answer": target,
        }
    )


def project_text(task: str = "binary", **keys: Mapping[str, Any] | str) -> str:
    """An `mlops.toml` for `mixed_frame`; each keyword is a section's further lines."""
    sections = {"data": 'source = "data.csv"\ntarget = "answer"\nid = "key"\nignore = ["at"]'}
    sections |= {name: f"{sections.get(name, '')}\n{lines}" for name, lines in keys.items()}
    body = "\n".join(f"[{name}]\n{lines}" for name, lines in sections.items())
    return f'[project]\nname = "made"\ntask = "{task}"\n{body}\n'


def made_project(task: str = "binary", **keys: str) -> Project:
    """The project of `project_text`."""
    return parse_project(project_text(task, **keys))


def task_of(project: Project, frame: pl.DataFrame, code: Path = Path(), *, salt: str = "salt") -> TrainingTask:
    """A frame split and ready to be fitted."""
    split = split_rows(frame, salt=salt, id_column=project.data.id, time_column=project.data.time)
    return make_task(project, frame, describe(frame, project), split, code, seed=7)


def schema_of(project: Project, frame: pl.DataFrame) -> Schema:
    """The schema of a canonical frame."""
    return describe(frame, project)
