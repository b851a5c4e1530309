from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.registry.migrate import bring_up_to_date
from engine.registry.reader import Reader
from engine.registry.writer import Writer


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "registry.db"
    bring_up_to_date(path)
    return path


@pytest.fixture
def writer(database: Path) -> Iterator[Writer]:
    started = Writer(database)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def reader(writer: Writer, database: Path) -> Iterator[Reader]:
    opened = Reader(database)
    yield opened
    opened.close()
