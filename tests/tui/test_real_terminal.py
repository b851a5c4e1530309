"""The real program on a pseudo-terminal, against a real engine that is killed in between."""

import os
import signal
import sys
from pathlib import Path

import pytest
from fakes.engine_process import EngineProcess
from fakes.pty_terminal import PtyTerminal

from engine.client import EngineClient

PROJECT = '[project]\nname = "{}"\ntask = "binary"\n[data]\nsource = "d.csv"\ntarget = "y"\n'


def a_project(folder: Path, name: str) -> str:
    place = folder / name
    place.mkdir()
    (place / "mlops.toml").write_text(PROJECT.format(name))
    (place / "d.csv").write_text("x,y\n1,0\n2,1\n")
    return str(place)


def the_terminal(engine: EngineProcess) -> PtyTerminal:
    told = {"MLOPS_HOME": str(engine.home.root), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    told |= {"COLUMNS": "80", "LINES": "24"}  # as some shells export them: the window's own size counts
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "SSH_CONNECTION")}
    return PtyTerminal([sys.executable, "-P", "-m", "mlops_tui"], kept | told)


@pytest.mark.timeout(240)
def test_it_is_steered_resized_cut_off_and_left(engine: EngineProcess, client: EngineClient, tmp_path: Path) -> None:
    client.add_project(a_project(tmp_path, "first"))
    with the_terminal(engine) as terminal:
        terminal.wait_for("▸ first")
        terminal.wait_for("● engine")
        assert "1049" in terminal.screen.modes

        terminal.type("7")
        terminal.wait_for("No jobs yet.")
        terminal.type("8")
        terminal.wait_for("project.added")
        terminal.type("\r")
        terminal.wait_for("Evidence")
        terminal.type("\x1b")
        terminal.wait_for("newest first")

        terminal.resize(50, 10)
        terminal.wait_for("Too small")
        terminal.resize(132, 40)
        terminal.wait_for("5 Monitoring")
        terminal.wait_for("project.added")

        # One that died is started again by whoever misses it first.
        engine.kill()
        terminal.wait_for("✗ no engine")
        terminal.wait_for("The engine is back; nothing was lost.")
        client.add_project(a_project(tmp_path, "second"))
        terminal.wait_for("second")
        terminal.type("1")
        terminal.wait_for("by what needs you")
        terminal.wait_until(lambda: "first" in terminal.screen.text and "second" in terminal.screen.text)

        # One that was put down on purpose is waited for.
        client.down()
        client.wait_until_down()
        terminal.wait_for("because somebody ended it")
        terminal.type("j")
        terminal.wait_for("▸ second")
        engine.start()
        terminal.wait_for("● engine")

        terminal.type("q")
        assert terminal.wait_for_end() == 0
        assert "1049" not in terminal.screen.modes
        assert "25" in terminal.screen.modes


def test_it_ends_with_its_terminal(engine: EngineProcess, client: EngineClient) -> None:
    with the_terminal(engine) as terminal:
        terminal.wait_for("● engine")
        terminal.hang_up()
        assert terminal.process.wait(30) == 128 + signal.SIGHUP
    assert client.status().about.pid == engine.process.pid
