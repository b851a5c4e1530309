from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.data.sources import Dialect, Table, read_table
from engine.project import Project


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file below the test's folder."""

    def written(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


@pytest.fixture
def read(write: Callable[..., Path], tmp_path: Path) -> Callable[..., Table]:
    """Write one file and read it as a table."""

    def reading(content: str | bytes, name: str = "data.csv", **dialect: str) -> Table:
        return read_table([write(name, content)], Dialect(**dialect), folder=tmp_path)

    return reading


@pytest.fixture
def project() -> Callable[..., Project]:
    """A project whose `[data]` holds what is given."""

    def made(task: str = "regression", **data: Any) -> Project:
        return Project.model_validate(
            {"project": {"name": "sample", "task": task}, "data": {"source": "data.csv", "target": "y"} | data}
        )

    return made
