"""A worker that dies, hangs, forks or outlives its engine: its job ends with the reason, nothing is left running."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from fakes.core import ADA, add, engine_core, with_jobs
from fakes.supervised import (
    enqueue_look,
    processes_of,
    supervise,
    supervised,
    wait_for,
    wait_for_status,
)

from engine.errors import DiskFull
from engine.jobs.tree import end_tree, identity
from engine.lifecycle.cancel_job import cancel_job
from engine.lifecycle.finish_step import finish_step
from engine.lifecycle.parts import Parts
from engine.lifecycle.train_project import train_project
from engine.registry.queries.attempts import read_attempts
from engine.registry.queries.events import list_events
from engine.registry.queries.jobs import attempt_of_token, get_job
from engine.registry.tx import Tx
from engine.wire.projects import TrainProject
from engine.wire.work import FinishStep

SLEEPS = "time.sleep(600)\n"
LOOK = {"name": "x", "task": "binary", "rows": 1, "columns": [], "notes": [], "project_file": ""}

FAMILY = """
def detach():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        os._exit(0)

detach()
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
subprocess.Popen(["sleep", "600"], env={}, start_new_session=True)
open("ready", "w").close()
"""
"""A child that detached twice and ignores SIGTERM, a plain one, and one without the marker in a session of its own."""


def ready(parts: Parts, job_id: int, attempt: int = 1) -> None:
    wait_for((parts.home.work(job_id, attempt) / "ready").exists, "the worker to begin")


def sleepers_without_marker(parts: Parts) -> list[int]:
    return [process.pid for process in psutil.process_iter() if _cwd(process).startswith(str(parts.home.root))]


def _cwd(process: psutil.Process) -> str:
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else process.cwd()
    except psutil.Error:
        return ""


def test_a_worker_gets_its_token_by_pipe_and_nothing_secret_by_environment(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-value")
    monkeypatch.setenv("DB_URL", "postgres://canary-value@db")
    tell = "json.dump([call, dict(os.environ), os.getsid(0) == os.getpid()], open('told.part', 'w'))\n"
    with supervised(parts, tell + "os.rename('told.part', 'ready')\n" + SLEEPS) as supervisor:
        job_id = enqueue_look(parts)
        supervisor.poke()
        ready(parts, job_id)
        call, environment, leads_session = json.loads((parts.home.work(job_id, 1) / "ready").read_text())
        command = " ".join(psutil.Process(supervisor.running()[job_id]).cmdline())
    assert (call["job_id"], call["attempt"], call["kind"]) == (job_id, 1, "look")
    assert call["socket"] == str(parts.home.engine_socket)
    assert len(call["token"]) >= 43
    assert leads_session
    assert "canary-value" not in json.dumps(environment)
    assert call["token"] not in json.dumps(environment) + command
    with parts.reader.connection() as connection:
        assert call["token"] not in str(connection.exec_driver_sql("SELECT * FROM job").all())


def test_a_job_that_succeeded_leaves_nothing_running(parts: Parts) -> None:
    with supervised(parts, FAMILY + "time.sleep(600)") as supervisor:
        job_id = enqueue_look(parts)
        supervisor.poke()
        ready(parts, job_id)
        assert len(processes_of(parts, job_id)) >= 3
        finish_step(parts, job_id, 1, "look", FinishStep(result=LOOK))
        supervisor.poke()
        wait_for(lambda: job_id not in supervisor.running(), "the supervisor to let go")
        assert processes_of(parts, job_id) == []
    assert get_job(parts.reader, job_id).status == "succeeded"


def test_a_cancelled_job_leaves_nothing_running(parts: Parts) -> None:
    with supervised(parts, FAMILY + SLEEPS) as supervisor:
        job_id = enqueue_look(parts)
        supervisor.poke()
        ready(parts, job_id)
        cancel_job(parts, ADA, job_id)
        supervisor.poke()
        assert wait_for_status(parts, job_id, "cancelled", "failed", "succeeded").status == "cancelled"
        assert processes_of(parts, job_id) == []
        # Nor the one that wiped its environment: it was still a descendant.
        assert sleepers_without_marker(parts) == []


def test_a_worker_that_ignores_being_asked_is_killed(parts: Parts) -> None:
    stubborn = "signal.signal(signal.SIGTERM, signal.SIG_IGN); open('ready', 'w').close()\n"
    with supervised(parts, stubborn + SLEEPS) as supervisor:
        job_id = enqueue_look(parts)
        supervisor.poke()
        ready(parts, job_id)
        cancel_job(parts, ADA, job_id)
        supervisor.poke()
        wait_for_status(parts, job_id, "cancelled")
        assert processes_of(parts, job_id) == []


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("sys.exit(7)", "exit code 7"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV"),
        ("raise ImportError('no such thing')", "exit code 1"),
    ],
)
def test_a_worker_that_dies_is_tried_again_and_then_the_job_fails_with_the_reason(
    parts: Parts, program: str, told: str
) -> None:
    with supervised(parts, program) as supervisor:
        job_id = enqueue_look(parts)
        supervisor.poke()
        job = wait_for_status(parts, job_id, "failed")
    assert job.attempt == 3
    assert job.failure is not None
    assert job.failure.code == "worker_died"
    assert told in job.failure.message
    retried = [event for event in list_events(parts.reader).events if event.verb == "job.retried"]
    assert [told in event.evidence["why"] for event in retried] == [True, True]


def test_what_a_worker_printed_before_it_died_lies_in_its_log(parts: Parts) -> None:
    with supervised(parts, "raise ImportError('no such thing')") as supervisor:
        job_id = enqueue_look(parts)
        supervisor.poke()
        wait_for_status(parts, job_id, "failed")
    assert "no such thing" in parts.home.job_log(job_id, 1).read_text()


def test_a_worker_that_says_nothing_for_too_long_is_ended_and_not_tried_again(parts: Parts) -> None:
    frozen = "open('ready', 'w').close(); os.kill(os.getpid(), signal.SIGSTOP)\n"
    with supervised(with_jobs(parts, progress_limit_s=0.5), FAMILY + frozen) as supervisor:
        job_id = enqueue_look(parts)
        supervisor.poke()
        job = wait_for_status(parts, job_id, "failed")
        assert processes_of(parts, job_id) == []
    assert job.attempt == 1
    assert job.failure is not None
    assert "said nothing for" in job.failure.message


def test_a_worker_that_keeps_talking_is_left_alone(parts: Parts) -> None:
    silent = 0.0
    with supervised(with_jobs(parts, progress_limit_s=5.0), "open('ready', 'w').close()\n" + SLEEPS) as supervisor:
        job_id = enqueue_look(parts)
        supervisor.poke()
        ready(parts, job_id)
        parts.pulse.hear(job_id, 1)
        silent = parts.pulse.silent_s(job_id, 1)
        for _ in range(3):
            supervisor.poke()
        assert get_job(parts.reader, job_id).status == "running"
    assert silent < 5.0


def test_only_as_many_workers_run_as_there_are_slots(parts: Parts) -> None:
    few = with_jobs(parts, slots=2)
    with supervised(few, "open('ready', 'w').close()\n" + SLEEPS) as supervisor:
        jobs = [enqueue_look(few) for _ in range(4)]
        supervisor.poke()
        ready(few, jobs[0])
        ready(few, jobs[1])
        assert [get_job(few.reader, job).status for job in jobs] == ["running", "running", "queued", "queued"]
        assert get_job(few.reader, jobs[2]).waits_for == "a free worker (2 at work)"
        finish_step(few, jobs[0], 1, "look", FinishStep(result=LOOK))
        supervisor.poke()
        wait_for_status(few, jobs[2], "running")


def test_a_worker_outlives_its_engine_and_is_found_again(parts: Parts) -> None:
    first = supervise(parts, "open('ready', 'w').close()\n" + SLEEPS)
    first.start()
    job_id = enqueue_look(parts)
    first.poke()
    ready(parts, job_id)
    wait_for(lambda: read_attempts(parts.reader).running[0].pid is not None, "the pid to be written down")
    pid = first.running()[job_id]
    first.stop()
    assert pid is not None and psutil.pid_exists(pid)
    with supervised(parts, SLEEPS) as second:
        assert second.running() == {job_id: pid}
        finish_step(parts, job_id, 1, "look", FinishStep(result=LOOK))
        second.poke()
        wait_for(lambda: job_id not in second.running(), "the supervisor to let go")
    assert get_job(parts.reader, job_id).attempt == 1


def test_a_worker_whose_pid_was_never_written_down_is_found_by_its_marker(parts: Parts) -> None:
    first = supervise(parts, "open('ready', 'w').close()\n" + SLEEPS)
    first.start()
    job_id = enqueue_look(parts)
    first.poke()
    ready(parts, job_id)
    pid = first.running()[job_id]
    first.stop()
    parts.writer.write_and_wait(
        lambda tx: tx.session.connection().exec_driver_sql("UPDATE job SET pid = NULL, pid_created_at = NULL")
    )
    with supervised(parts, SLEEPS) as second:
        assert second.running() == {job_id: pid}


def test_a_worker_that_died_while_no_engine_was_there_is_replaced(parts: Parts) -> None:
    first = supervise(parts, "open('ready', 'w').close()\n" + SLEEPS)
    first.start()
    job_id = enqueue_look(parts)
    first.poke()
    ready(parts, job_id)
    pid = first.running()[job_id]
    assert pid is not None
    first.stop()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with supervised(parts, "open('ready', 'w').close()\n" + SLEEPS):
        ready(parts, job_id, attempt=2)
    told = [event.evidence for event in list_events(parts.reader).events if event.verb == "job.retried"]
    assert told[0]["attempt"] == 1


def test_another_process_with_the_workers_old_pid_is_left_alone(parts: Parts) -> None:
    stranger = psutil.Popen(["sleep", "600"], start_new_session=True)
    found = identity(stranger.pid)
    assert found is not None
    try:
        end_tree(type(found)(found.pid, found.created_at - 500.0), "1-1-nobody", term_s=0.1, kill_s=0.1)
        assert stranger.is_running() and stranger.status() != psutil.STATUS_ZOMBIE
    finally:
        stranger.kill()
        stranger.wait()


def test_code_that_cannot_be_laid_out_fails_the_job_with_the_reason(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    job = train_project(parts, ADA, "fraud", TrainProject()).job
    for path in parts.home.blobs.glob("??/*"):
        if path.parent.name != "tmp":
            path.chmod(0o600)
            path.write_bytes(b"damaged")
    with supervised(parts, SLEEPS) as supervisor:
        supervisor.poke()
        failed = wait_for_status(parts, job.id, "failed")
    assert failed.failure is not None
    assert failed.failure.code == "damaged_blob"


def test_a_job_that_could_neither_begin_nor_be_written_down_as_failed_is_not_forgotten(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []
    write = parts.writer.write_and_wait

    def no_room(*_: object) -> None:
        refused.append("laid out")
        raise DiskFull("The disk is full.")

    def full_for_a_while(operation: Callable[[Tx], Any]) -> Any:
        if refused and len(refused) < 3:
            refused.append("written")
            raise DiskFull("The disk is full.")
        return write(operation)

    monkeypatch.setattr(parts.writer, "write_and_wait", full_for_a_while)
    job_id = enqueue_look(parts)
    supervisor = supervise(parts, SLEEPS, lay_out=no_room)
    supervisor.start()
    try:
        failed = wait_for_status(parts, job_id, "failed")
    finally:
        supervisor.stop(end_workers=True)
    assert refused == ["laid out", "written", "written"]
    assert failed.failure is not None
    assert failed.failure.code == "disk_full"


def test_an_engine_that_is_put_down_with_its_workers_uses_up_no_attempt(parts: Parts) -> None:
    job_id = enqueue_look(parts)
    for attempt in range(1, 5):
        with supervised(parts, "open('ready', 'w').close()\n" + SLEEPS):
            ready(parts, job_id, attempt)
        assert get_job(parts.reader, job_id).status == "queued"


def test_a_worker_is_known_again_after_the_clock_was_set(parts: Parts) -> None:
    first = supervise(parts, "open('ready', 'w').close()\n" + SLEEPS)
    first.start()
    job_id = enqueue_look(parts)
    first.poke()
    ready(parts, job_id)
    wait_for(lambda: read_attempts(parts.reader).running[0].pid is not None, "the pid to be written down")
    first.stop()
    parts.writer.write_and_wait(
        lambda tx: tx.session.connection().exec_driver_sql("UPDATE job SET pid_created_at = pid_created_at - 3600")
    )
    second = supervise(parts, SLEEPS)
    second.start()
    other = enqueue_look(parts)
    second.poke()
    wait_for_status(parts, other, "running")
    # Returns after whatever it was about to end has ended.
    second.stop()
    assert processes_of(parts, job_id) != []
    assert get_job(parts.reader, job_id).status == "running"
    with supervised(parts, SLEEPS):
        pass


def test_a_token_is_good_for_its_attempt_only(parts: Parts) -> None:
    import hashlib

    program = (
        "open('t', 'w').write(call['token']); os.rename('t', 'ready')\ntime.sleep(600 if call['attempt'] > 1 else 0.1)"
    )
    with supervised(parts, program) as supervisor:
        job_id = enqueue_look(parts)
        supervisor.poke()
        ready(parts, job_id)
        first = (parts.home.work(job_id, 1) / "ready").read_text()
        ready(parts, job_id, attempt=2)
        second = (parts.home.work(job_id, 2) / "ready").read_text()
        found = [
            attempt_of_token(parts.reader, hashlib.sha256(token.encode()).hexdigest()) for token in (first, second)
        ]
    assert found[0] is None
    assert found[1] is not None
    assert (found[1].job_id, found[1].attempt) == (job_id, 2)


def test_what_is_left_of_a_job_that_ended_while_no_engine_was_there_is_ended(parts: Parts) -> None:
    first = supervise(parts, FAMILY + SLEEPS)
    first.start()
    job_id = enqueue_look(parts)
    first.poke()
    ready(parts, job_id)
    first.stop()
    finish_step(parts, job_id, 1, "look", FinishStep(result=LOOK))
    with supervised(parts, SLEEPS):
        wait_for(lambda: not processes_of(parts, job_id), "all its processes to be gone")
        assert sleepers_without_marker(parts) == []


def test_workers_of_another_home_are_left_alone(parts: Parts) -> None:
    with engine_core() as other, supervised(other, "open('ready', 'w').close()\n" + SLEEPS) as theirs:
        job_id = enqueue_look(other)
        theirs.poke()
        ready(other, job_id)
        with supervised(parts, SLEEPS) as ours:
            assert ours.running() == {}
        assert processes_of(other, job_id) != []
