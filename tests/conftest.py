"""What holds for every test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from fakes.engine_process import EngineProcess

    from engine.client import EngineClient
    from engine.settings import Home

# A slow machine is no failure; and a run in CI is to say the same again.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")

# No test may reach the home folder of whoever runs it: this one cannot be made.
os.environ["MLOPS_HOME"] = "/dev/null/mlops"

# Nor its Docker: `auto` means a process, unless a test names the daemon in config.toml.
os.environ["DOCKER_HOST"] = "unix:///dev/null/docker.sock"


@pytest.fixture
def home() -> Iterator[Home]:
    """A home folder with a path short enough for sockets; whatever still runs in it is ended with the test."""
    from fakes.engine_process import end_everything

    from engine.settings import Home

    # Not in pytest's own folder, whose path is too long for a Unix socket.
    root = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    made = Home(root)
    made.prepare()
    yield made
    end_everything(made)
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def engine(home: Home) -> Iterator[EngineProcess]:
    """A real engine, ready, as a process of its own."""
    from fakes.engine_process import EngineProcess

    process = EngineProcess(home)
    process.start()
    yield process
    if process.process is not None and process.process.poll() is None:
        process.stop()


@pytest.fixture
def client(engine: EngineProcess) -> Iterator[EngineClient]:
    """A client of that engine."""
    with engine.client() as asking:
        yield asking
