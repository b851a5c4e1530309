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


_NO_CONTAINERS = "no container test: "


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("docker") is not None:
        from fakes.containers import why_no_containers

        if why := why_no_containers():
            pytest.skip(_NO_CONTAINERS + why)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", ()) if report.longrepr]
    whys = [why.partition(_NO_CONTAINERS)[2] for why in skipped if _NO_CONTAINERS in why]
    if whys:
        told = f"{len(whys)} CONTAINER TESTS WERE SKIPPED: {whys[0]}. To run them: start Docker, "
        terminalreporter.write_line(told + "and sudo tools/make_base_image.sh", red=True, bold=True)


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
