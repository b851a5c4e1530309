"""What every runtime promises: one suite for the fake and the real one."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.containers import begun, containers, open_folder
from fakes.processes import end_processes
from fakes.runtime import FakeRuntime

from engine.deployment.process_runtime import ProcessRuntime
from engine.deployment.runtime import Identity, ReplicaSpec, Runtime
from engine.deployment.serve_folder import replica_spec
from engine.settings import Home

PROGRAM = Path(__file__).parents[1] / "fakes" / "serving_program.py"


def until(true: Callable[[], bool]) -> None:
    """Settle on a state; pytest's own time limit ends a wait for what never comes."""
    while not true():
        time.sleep(0.01)


@pytest.fixture(params=["fake", "process", pytest.param("docker", marks=pytest.mark.docker)])
def runtime(request: pytest.FixtureRequest, home: Home) -> Iterator[Runtime]:
    if request.param == "fake":
        yield FakeRuntime()
        return
    if request.param == "docker":
        with containers(home) as real:
            yield real
        return
    process = ProcessRuntime(home, (sys.executable, str(PROGRAM)))
    yield process
    end_processes(process)


@pytest.fixture
def replica(home: Home) -> ReplicaSpec:
    spec = replica_spec(home, 7, 0)
    open_folder(spec)
    return spec


def started(runtime: Runtime, replica: ReplicaSpec) -> Identity:
    identity = begun(runtime, replica)
    until(lambda: runtime.is_ready(replica))
    return identity


def test_a_started_model_server_runs_and_becomes_ready(runtime: Runtime, replica: ReplicaSpec) -> None:
    identity = started(runtime, replica)
    assert runtime.runs(identity)
    assert [(each.deployment, each.index, each.identity) for each in runtime.ours()] == [(7, 0, identity)]


def test_starting_twice_is_starting_once(runtime: Runtime, replica: ReplicaSpec) -> None:
    assert started(runtime, replica) == begun(runtime, replica)
    assert len(runtime.ours()) == 1


def test_replicas_are_told_apart(runtime: Runtime, replica: ReplicaSpec, home: Home) -> None:
    other = replica_spec(home, 7, 1)
    open_folder(other)
    first, second = started(runtime, replica), started(runtime, other)
    assert first != second
    runtime.stop(first, force=True)
    until(lambda: not runtime.runs(first))
    assert runtime.runs(second)
    assert runtime.is_ready(other)
    assert not runtime.is_ready(replica)


@pytest.mark.parametrize("force", [False, True])
def test_a_stopped_model_server_is_gone(runtime: Runtime, replica: ReplicaSpec, force: bool) -> None:
    identity = started(runtime, replica)
    runtime.stop(identity, force=force)
    until(lambda: not runtime.runs(identity))
    assert not runtime.is_ready(replica)
    assert runtime.ours() == []


def test_stopping_what_is_gone_is_no_error(runtime: Runtime, replica: ReplicaSpec) -> None:
    identity = started(runtime, replica)
    runtime.stop(identity, force=True)
    until(lambda: not runtime.runs(identity))
    runtime.stop(identity, force=False)
    runtime.stop(identity, force=True)
    assert not runtime.runs(identity)


def test_after_a_stop_it_can_be_started_again(runtime: Runtime, replica: ReplicaSpec) -> None:
    first = started(runtime, replica)
    runtime.stop(first, force=True)
    until(lambda: not runtime.runs(first))
    second = started(runtime, replica)
    assert second != first
    assert runtime.runs(second)
    assert not runtime.runs(first)


def test_another_start_of_that_pid_or_container_is_not_what_is_known(runtime: Runtime, replica: ReplicaSpec) -> None:
    identity = started(runtime, replica)
    stranger = dataclasses.replace(identity, created_at=(identity.created_at or 0.0) - 5.0)
    assert not runtime.runs(stranger)
    runtime.stop(stranger, force=True)
    assert runtime.runs(identity)


def test_nothing_was_said_where_nothing_was_written(runtime: Runtime, replica: ReplicaSpec) -> None:
    started(runtime, replica)
    assert runtime.last_words(replica) == ""


def test_nobody_is_ready_where_nothing_was_started(runtime: Runtime, replica: ReplicaSpec) -> None:
    assert not runtime.is_ready(replica)
    assert runtime.ours() == []
