"""Why a worker died, in a sentence that a person can use."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.jobs.death import count_memory_kills, death_by_silence, death_of
from engine.jobs.spawn import Order, worker_environment
from engine.settings import Home


@pytest.mark.parametrize(
    ("returncode", "kills", "told"),
    [
        (None, 0, "ended without its result"),
        (0, 0, "exit code 0"),
        (3, 0, "exit code 3"),
        (-9, 0, "killed by SIGKILL"),
        (-9, 1, "out of memory"),
        (-11, 1, "killed by SIGSEGV"),
        (-250, 0, "signal 250"),
    ],
)
def test_a_death_is_told(returncode: int | None, kills: int, told: str) -> None:
    failure = death_of(returncode, memory_kills=kills)
    assert told in failure.message
    assert failure.code == "worker_died"
    assert failure.hint


def test_silence_names_the_setting_that_allows_more_of_it() -> None:
    assert "progress_limit_s" in death_by_silence(900.0).hint


def test_the_kernels_count_of_memory_kills_is_read(tmp_path: Path) -> None:
    events = tmp_path / "memory.events"
    assert count_memory_kills(events) is None
    events.write_text("low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\n")
    assert count_memory_kills(events) == 2


def test_workers_share_the_processors(tmp_path: Path) -> None:
    given = {"PATH": "/bin", "LC_ALL": "C", "SECRET": "x", "PYTHONPATH": "/elsewhere", "MLOPS_FAILPOINT": "x"}
    made = worker_environment(Home(tmp_path), Order(1, 2, "look", "token"), slots=10_000, given=given)
    assert made["OMP_NUM_THREADS"] == made["POLARS_MAX_THREADS"] == "1"
    assert made["PYTHONPATH"].endswith(":/elsewhere")
    assert made["MLOPS_JOB"].startswith("1-2-")
    assert not {"SECRET", "MLOPS_FAILPOINT"} & set(made)
    assert "token" not in made.values()
