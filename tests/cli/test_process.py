"""The command as a process: streams, signals, colours, and a real engine."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.settings import Home

MLOPS = [sys.executable, "-m", "mlops_tui"]


def ran(home: Home, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MLOPS, *words],
        env=os.environ | {"MLOPS_HOME": str(home.root)} | environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def on_a_terminal(home: Home, *words: str, **environment: str) -> str:
    """What a person would be sent."""
    ours, theirs = pty.openpty()
    asked = os.environ | {"MLOPS_HOME": str(home.root), "TERM": "xterm-256color"} | environment
    child = subprocess.Popen([*MLOPS, *words], env=asked, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 65_536):
            said += chunk
    except OSError:
        pass  # Linux ends a terminal whose other side is closed with an error.
    finally:
        os.close(ours)
        child.wait(60)
    return said.decode()


def test_without_an_engine_it_is_one_sentence_and_exit_code_5(home: Home):
    found = ran(home, "status")
    assert found.returncode == 5
    assert found.stdout == ""
    assert len(found.stderr.splitlines()) == 2
    assert not home.engine_socket.exists()


def test_the_terminal_interface_without_a_terminal_is_refused_in_a_sentence(home: Home):
    found = ran(home)
    assert found.returncode == 2
    assert "needs a terminal" in found.stderr


def test_colour_is_for_terminals_and_not_for_those_who_say_no(home: Home):
    assert "\x1b[31m✗\x1b[0m" in on_a_terminal(home, "status")
    assert "\x1b" not in on_a_terminal(home, "status", NO_COLOR="1")
    assert "\x1b" not in ran(home, "status").stderr


def test_a_locale_without_our_glyphs_gets_question_marks_and_no_traceback(home: Home):
    found = ran(home, "status", LC_ALL="POSIX", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert found.returncode == 5
    assert found.stderr.startswith("? No engine answers")


def test_a_reader_that_goes_away_is_no_traceback(home: Home):
    read, write = os.pipe()
    os.close(read)
    child = subprocess.run(
        [*MLOPS, "--help"],
        stdout=write,
        stderr=subprocess.PIPE,
        env=os.environ | {"MLOPS_HOME": str(home.root)},
        timeout=60,
        check=False,
    )
    os.close(write)
    assert child.stderr == b""
    assert child.returncode in (128 + signal.SIGPIPE, 1)


def test_heavy_libraries_are_left_alone_by_every_verb(home: Home):
    heavy = (
        "numpy polars pandas sklearn lightgbm scipy sqlmodel sqlalchemy fastapi uvicorn textual rich.console pygments"
    )
    code = (
        "import sys\nfrom mlops_tui.__main__ import main\nsys.argv = ['mlops', 'status']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({heavy.split()!r}) & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"MLOPS_HOME": str(home.root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert found.stdout == "[]\n"


def test_an_engine_is_started_seen_and_ended(home: Home):
    up = ran(home, "up", "--json")
    assert up.returncode == 0
    assert json.loads(up.stdout)["about"]["home"] == str(home.root)
    assert "● running for" in ran(home, "status").stdout
    assert "the engine has ended" in ran(home, "down").stdout.lower()
    assert ran(home, "status").returncode == 5
    assert ran(home, "down").stdout == "No engine was running.\n"


def test_a_project_goes_from_data_to_its_first_listing(home: Home, tmp_path: Path):
    rows = "".join(f"{at},{at % 7},{'yes' if at % 3 else 'no'}\n" for at in range(300))
    (tmp_path / "things.csv").write_text("key,amount,bought\n" + rows)
    missed = ran(home, "init", str(tmp_path / "things.csv"), "--target", "bougth", "--folder", str(tmp_path))
    assert missed.returncode in (1, 2)
    assert "bought" in missed.stderr
    assert not (tmp_path / "mlops.toml").exists()
    looked = ran(home, "init", str(tmp_path / "things.csv"), "--target", "bought", "--folder", str(tmp_path))
    assert looked.returncode == 0, looked.stderr
    assert 'target = "bought"' in (tmp_path / "mlops.toml").read_text()
    assert ran(home, "add", str(tmp_path)).returncode == 0
    assert "things" in ran(home, "show", "things").stdout
    assert [one["verb"] for one in json.loads(ran(home, "audit", "--json").stdout)["events"]]


def test_the_engine_in_the_foreground_ends_cleanly_on_sigterm(home: Home):
    child = subprocess.Popen(
        [*MLOPS, "engine"],
        env=os.environ | {"MLOPS_HOME": str(home.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
    try:
        while ran(home, "status").returncode == 5:
            assert child.poll() is None
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("verb", ["init", "add", "train", "deploy", "predict", "logs", "audit", "engine"])
def test_every_verb_helps(home: Home, verb: str):
    found = ran(home, verb, "--help")
    assert found.returncode == 0
    assert f"mlops {verb}" in found.stdout
