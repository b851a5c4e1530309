"""The worker as the engine starts it: a process that reads one line and speaks over the socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.job_engine import TOKEN, JobEngine

from engine.errors import Fenced
from engine.project import parse_project
from engine.settings import Home
from engine.wire.looks import LookView
from engine.wire.work import WorkOrder

MakeEngine = Callable[..., JobEngine]
TIMEOUT_S = 60


@pytest.fixture
def job(home: Home, tmp_path: Path) -> Iterator[MakeEngine]:
    """An engine with one job."""
    engines: list[JobEngine] = []

    def making(kind: str = "look", **args: object) -> JobEngine:
        work = home.work(3, 1)
        work.mkdir(parents=True)
        (tmp_path / "code").mkdir()
        order = WorkOrder(
            job_id=3, attempt=1, kind=kind, args=args, work_folder=str(work), blobs_folder=str(home.blobs), finished={},
            code_folder=str(tmp_path / "code"),
        )  # fmt: skip
        engines.append(JobEngine(home, order))
        engines[-1].start()
        return engines[-1]

    yield making
    for engine in engines:
        engine.stop()


def start(home: Home, script: str = "") -> subprocess.Popen[bytes]:
    """A worker for job 3, attempt 1; with `script` one whose job is the function `run` of it."""
    replaced = f"import engine.worker.__main__ as m\n{script}\nm.find_job = lambda kind: run\nm.main()\n"
    command = ["-c", replaced] if script else ["-m", "engine.worker"]
    worker = subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    assert worker.stdin is not None
    call = {"token": TOKEN, "socket": str(home.engine_socket), "job_id": 3, "attempt": 1, "kind": "look"}
    worker.stdin.write(json.dumps(call).encode() + b"\n")
    worker.stdin.close()
    worker.stdin = None
    return worker


def end(worker: subprocess.Popen[bytes]) -> int:
    worker.communicate(timeout=TIMEOUT_S)
    return worker.returncode


def log_of(home: Home) -> str:
    return home.job_log(3, 1).read_text()


def test_a_look_ends_with_a_project_file_that_is_one(job: MakeEngine, home: Home, tmp_path: Path) -> None:
    data = tmp_path / "churn.csv"
    data.write_text("x,y\n" + "".join(f"{i % 7}.5,{i % 2}\n" for i in range(50)))
    engine = job(path=str(data), target="y", name=None, relative_to=str(tmp_path))
    assert end(start(home)) == 0
    view = LookView.model_validate(engine.steps["look"])
    assert (view.name, view.task, view.rows) == ("churn", "binary", 50)
    assert parse_project(view.project_file).data.source == "churn.csv"
    assert [column["role"] for column in view.columns] == ["feature", "target"]
    assert engine.failure is None
    assert "Task binary" in log_of(home)
    assert engine.progress[0]["step"] == "look"


def test_data_that_cannot_be_used_is_one_sentence(job: MakeEngine, home: Home, tmp_path: Path) -> None:
    data = tmp_path / "churn.csv"
    data.write_text("x,y\n1,2\n3\n")
    engine = job(path=str(data), target="y")
    assert end(start(home)) == 1
    assert engine.failure == {
        "code": "bad_data",
        "message": f"{data}, line 3: expected 2 fields, got 1.",
        "hint": "Mend that line: a field that holds ',' must stand in double quotes.",
    }
    assert engine.steps == {}
    assert "Traceback" not in log_of(home)


def test_a_relative_path_is_refused(job: MakeEngine, home: Home) -> None:
    engine = job(path="churn.csv", target="y")
    assert end(start(home)) == 1
    assert engine.failure is not None
    assert "no absolute path" in engine.failure["message"]


def test_a_worker_waits_for_an_engine_that_restarts(job: MakeEngine, home: Home) -> None:
    engine = job()
    # The job itself waits until the test has taken the engine away, and the test until the worker knocks again.
    script = (
        "import pathlib, time\n"
        "def run(session):\n"
        "    away = pathlib.Path(session.folder, 'away')\n"
        "    pathlib.Path(session.folder, 'began').touch()\n"
        "    while not away.exists(): time.sleep(0.01)\n"
        "    session.progress(0.5, 'lost')\n"
        "    session.point('a', 'loss', 1, 0.5)\n"
        "    pathlib.Path(session.folder, 'told').touch()\n"
        "    session.step('look', {'rows': 1})\n"
    )
    worker = start(home, script)
    folder = Path(engine.order.work_folder)
    wait_for(folder / "began", worker)
    engine.stop()
    (folder / "away").touch()
    wait_for(folder / "told", worker)
    engine.start()
    assert end(worker) == 0
    assert engine.steps == {"look": {"rows": 1}}
    assert [point["step"] for report in engine.progress for point in report["points"]] == [1]


def test_a_late_worker_ends_itself(job: MakeEngine, home: Home) -> None:
    engine = job()
    engine.refusals["progress"] = Fenced("Attempt 1 is over.")
    assert end(start(home, "def run(session):\n    session.begin('look')\n    session.step('look', {})\n")) == 3
    assert (engine.steps, engine.failure) == ({}, None)


def test_project_code_that_raises_is_told_with_its_line_and_its_trace_is_logged(job: MakeEngine, home: Home) -> None:
    engine = job()
    Path(engine.order.code_folder, "model.py").write_text("def build(params):\n    return params['absent']\n")
    script = (
        "import sys\n"
        "def run(session):\n"
        "    sys.path.insert(0, session.order.code_folder)\n"
        "    import model\n"
        "    model.build({})\n"
    )
    assert end(start(home, script)) == 1
    assert engine.failure is not None
    assert engine.failure["code"] == "project_code_failed"
    assert engine.failure["message"] == "The project's code failed at model.py:2: KeyError: 'absent'."
    assert "Traceback (most recent call last)" in log_of(home)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("import threading, time; threading.Thread(target=time.sleep, args=(600,)).start()", 0),
        ("import atexit, time; atexit.register(time.sleep, 600)", 0),
        ("raise SystemExit(0)", 1),
        ("import os\n    if os.fork() == 0: return", 0),
        ("import os\n    if os.fork() == 0: raise ValueError('in the fork')\n    os.wait()", 0),
        ("import os\n    if os.fork() == 0: session.step('fork', {})\n    os.wait()", 0),
    ],
)
def test_project_code_cannot_keep_a_job_alive_or_end_it_twice(
    body: str, code: int, job: MakeEngine, home: Home
) -> None:
    engine = job()
    assert end(start(home, f"def run(session):\n    {body}\n    session.step('look', {{}})\n")) == code
    assert list(engine.steps) == ([] if code else ["look"])
    assert (engine.failure is not None) == bool(code)


def test_the_token_is_in_no_environment_and_no_command_line(job: MakeEngine, home: Home) -> None:
    engine = job()
    script = (
        "def run(session):\n"
        "    told = open('/proc/self/environ').read() + open('/proc/self/cmdline').read()\n"
        f"    session.step('look', {{'told': {TOKEN!r} in told.split('m.main()')[0], 'stdin': open(0).read()}})\n"
    )
    script = script.replace(repr(TOKEN), "'-'.join(['a', 'job', 'token'])")
    assert end(start(home, script)) == 0
    assert engine.steps["look"] == {"told": False, "stdin": ""}


@pytest.mark.parametrize("line", [b"", b"nonsense\n", b"{}\n", b"[1]\n", b'{"token": "x"}\n'])
def test_a_worker_started_by_hand_says_so(line: bytes) -> None:
    done = subprocess.run([sys.executable, "-m", "engine.worker"], input=line, capture_output=True, timeout=TIMEOUT_S)
    assert done.returncode == 2
    assert b"started by the engine" in done.stderr


def wait_for(path: Path, worker: subprocess.Popen[bytes]) -> None:
    """Until the worker has made a file; a worker that ended makes none."""
    while not path.exists():
        assert worker.poll() is None, "the worker ended"
        os.sched_yield()


def test_a_look_without_a_target_lists_the_columns(job: MakeEngine, home: Home, tmp_path: Path) -> None:
    data = tmp_path / "churn.csv"
    data.write_text("x,y\n" + "".join(f"{i % 7}.5,{i % 2}\n" for i in range(50)))
    engine = job(path=str(data))
    assert end(start(home)) == 0
    view = LookView.model_validate(engine.steps["look"])
    assert (view.name, view.task, view.rows, view.project_file) == ("churn", "", 50, "")
    assert [(column["name"], column["task"]) for column in view.columns] == [("x", "regression"), ("y", "binary")]
