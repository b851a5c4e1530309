"""A shell in a folder of its own, and a project in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.shell import Shell, customers, write_rows

from engine.settings import Home


@pytest.fixture
def shell(home: Home, tmp_path: Path) -> Iterator[Shell]:
    folder = tmp_path / "project"
    folder.mkdir()
    told = Shell(home, folder)
    yield told
    told.try_("down", "--all")


@pytest.fixture
def churn(shell: Shell) -> Callable[[int], None]:
    """Write `churn.csv` with so many rows, and register the project that `init` makes of it."""

    def make(count: int) -> None:
        write_rows(shell.folder / "churn.csv", customers(count))
        shell("init", "churn.csv", "--target", "churned")
        shell("add", ".")

    return make
