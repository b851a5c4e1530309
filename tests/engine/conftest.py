from __future__ import annotations

from pathlib import Path

import pytest

from engine.client import EngineClient

PROJECT = """
[project]
name = "fraud"
task = "binary"
[data]
source = "rows.csv"
target = "y"
"""


@pytest.fixture
def project(client: EngineClient, tmp_path: Path) -> str:
    """A registered project without a row of data."""
    (tmp_path / "mlops.toml").write_text(PROJECT)
    return client.add_project(str(tmp_path)).project.name
