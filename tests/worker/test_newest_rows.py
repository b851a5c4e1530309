"""Which rows of a training are the newest it knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from engine.project import Project, parse_project
from engine.training.split import split_rows
from engine.worker.newest_rows import NEWEST_FILE, captured_rows, store_newest

ROWS = 4_000


def project(time: str = "") -> Project:
    data = f'[data]\nsource = "a.csv"\ntarget = "y"\nid = "id"\n{time}'
    return parse_project(f'[project]\nname = "x"\ntask = "binary"\n{data}')


def frame() -> pl.DataFrame:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "id": [str(number) for number in range(ROWS)],
            "at": pl.Series(
                [begin + timedelta(hours=number) for number in range(ROWS)], dtype=pl.Datetime("us", "UTC")
            ),
            "x": np.arange(ROWS, dtype=np.float64),
            "y": np.arange(ROWS) % 2 == 0,
        }
    )


def test_with_a_time_they_are_the_test_rows(tmp_path: Path) -> None:
    split = split_rows(frame(), salt="s", id_column="id", time_column="at")
    file = store_newest(tmp_path, project('time = "at"'), frame(), split, captured=0)
    profile = json.loads((tmp_path / NEWEST_FILE).read_text())
    assert file is not None and file.path == NEWEST_FILE
    assert profile["rows"] == len(split.test) == 800
    assert next(column["min"] for column in profile["columns"] if column["name"] == "x") == 3200


def test_without_a_time_they_are_what_was_captured_if_that_is_enough(tmp_path: Path) -> None:
    split = split_rows(frame(), salt="s", id_column="id")
    assert store_newest(tmp_path, project(), frame(), split, captured=0) is None
    assert store_newest(tmp_path, project(), frame(), split, captured=499) is None
    assert not (tmp_path / NEWEST_FILE).exists()
    assert store_newest(tmp_path, project(), frame(), split, captured=600) is not None
    assert json.loads((tmp_path / NEWEST_FILE).read_text())["rows"] == 600


def test_captures_are_counted_among_the_sources() -> None:
    sources = [{"path": "a.csv", "sha256": "0", "size_bytes": 1}, {"path": "captures", "format": "captures", "rows": 7}]
    assert captured_rows(sources) == 7 and captured_rows(sources[:1]) == 0
