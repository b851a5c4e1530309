from __future__ import annotations

import errno
from pathlib import Path

import pytest

from engine.errors import BadData, DiskFull, EngineError, ProjectCodeFailed
from engine.worker.failures import to_engine_error, to_failure


def raised(code: str, folder: Path, name: str = "model.py") -> BaseException:
    path = folder / name
    path.write_text(code)
    try:
        exec(compile(path.read_text(), str(path), "exec"), {"__name__": "model"})
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("\n\n1 / 0\n", "model.py:3: ZeroDivisionError: division by zero."),
        ("def f():\n    raise ValueError('two\\nlines')\nf()\n", "model.py:2: ValueError: two lines."),
        ("import json\njson.loads('{')\n", "model.py:2: JSONDecodeError"),
        ("import sys\nsys.exit(3)\n", "model.py:2: it called exit(3)."),
        ("raise KeyboardInterrupt\n", "model.py:1: KeyboardInterrupt."),
        ("x = = 1\n", "model.py:1: SyntaxError"),
        ("raise MemoryError\n", "model.py:1: MemoryError."),
    ],
)
def test_what_project_code_raises_names_its_own_line(code: str, told: str, tmp_path: Path) -> None:
    found = to_engine_error(raised(code, tmp_path), str(tmp_path), 7)
    assert isinstance(found, ProjectCodeFailed)
    assert f"The project's code failed at {told}" in found.message
    assert found.hint == "`mlops logs 7` has the trace."


def test_what_we_raise_ourselves_is_told_as_it_is(tmp_path: Path) -> None:
    failure = to_failure(BadData("No rows.", "Give some."), str(tmp_path), 7)
    assert (failure.code, failure.message, failure.hint) == ("bad_data", "No rows.", "Give some.")


def test_a_full_disk_is_a_full_disk_whoever_met_it(tmp_path: Path) -> None:
    assert isinstance(to_engine_error(OSError(errno.ENOSPC, "x"), str(tmp_path), 7), DiskFull)


def test_a_fault_of_our_own_says_so(tmp_path: Path) -> None:
    try:
        {}["absent"]  # type: ignore[index]
    except KeyError as error:
        found = to_engine_error(error, str(tmp_path), 7)
    assert type(found) is EngineError
    assert "test_failures.py" in found.message
    assert "fault of mlops" in found.hint


def test_an_endless_message_is_cut(tmp_path: Path) -> None:
    assert len(to_failure(ValueError("x" * 100_000), str(tmp_path), 7).message) == 2000
