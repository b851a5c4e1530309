from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from engine.log import _JsonLine
from engine.settings import Home

PROGRAM = """
import logging, sys, threading
from pathlib import Path
from engine import log
from engine.settings import Home
log._FILE_BYTES = 10_000
log.start_log(Home(Path(sys.argv[1])), foreground=False)
logging.getLogger("engine.test").info("bad name: %s", "x\\n{\\"level\\": \\"forged\\"}\\x1b[31m")
def fail():
    raise ValueError("in a thread")
thread = threading.Thread(target=fail, name="worker-7")
thread.start()
thread.join()
for number in range(2000):
    logging.getLogger("engine.test").info("line %d %s", number, "x" * 50)
"""


@pytest.fixture
def logged(home: Home) -> list[Path]:
    """The log files, newest first, of a process that logged a lot."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, home.root], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return sorted(home.logs.glob("engine.log*"))


def test_the_log_is_bounded(logged: list[Path]) -> None:
    assert [path.name for path in logged] == ["engine.log", *(f"engine.log.{number}" for number in range(1, 5))]
    assert all(path.stat().st_size <= 10_000 for path in logged)


def test_every_line_is_json_and_one_line(logged: list[Path]) -> None:
    for path in logged:
        for line in path.read_text().splitlines():
            assert json.loads(line)["level"] in ("info", "error")


def test_a_hostile_name_forges_no_line() -> None:
    record = logging.LogRecord("engine", logging.INFO, __file__, 1, "name %s", ("a\nb\x1b[31m",), None)
    line = _JsonLine().format(record)
    assert "\n" not in line
    assert "\x1b" not in line
    assert json.loads(line)["message"] == "name a\nb\x1b[31m"


def test_an_exception_in_a_thread_is_logged(home: Home) -> None:
    program = PROGRAM.replace("range(2000)", "range(1)")
    subprocess.run([sys.executable, "-c", program, home.root], capture_output=True, check=True)
    lines = [json.loads(line) for line in (home.logs / "engine.log").read_text().splitlines()]
    failed = next(line for line in lines if line["level"] == "error")
    assert "worker-7" in failed["message"]
    assert "ValueError: in a thread" in failed["trace"]
