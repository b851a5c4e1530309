"""Bad rollouts, dead model servers and dead gateways under traffic: no request fails. Real processes throughout."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.bundles import make_bundle
from fakes.processes import end_processes
from fakes.registry import World, add_version, open_world
from fakes.traffic import Traffic

from engine.deployment.builtin_gateway import BuiltinGateway
from engine.deployment.process_runtime import ProcessRuntime
from engine.deployment.reconcile import FAILPOINTS
from engine.settings import Home

PROGRAM = Path(__file__).parents[1] / "fakes" / "serving_program.py"

QUICK_ONES = ("replica.started", "gateway.started", "rollout.switched")
"""Of the failpoints, those that every run of the tests takes: the others pass the same code at other places."""


def until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.01)


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    """A reconciler in its thread, the real gateway, and stand-ins for model servers as real processes."""
    runtime = ProcessRuntime(home, (sys.executable, str(PROGRAM)))
    with open_world(home, runtime, BuiltinGateway(home)) as made:
        made.project()
        made.reconciler.start()
        yield made
        made.reconciler.stop(everything=True)
    end_processes(runtime)


def release(world: World, version: int, **options: int) -> int:
    """Deploy, and wait until it is live and nothing else is left."""
    deployment = world.deploy(version, **options)
    world.reconciler.poke()
    until(lambda: world.statuses()[deployment] in ("live", "failed") and "draining" not in world.statuses().values())
    assert world.statuses()[deployment] == "live", world.stored(deployment).note
    return deployment


def port_of(world: World) -> int:
    gateway = world.rows().gateway
    assert gateway is not None
    return gateway.port


def pid_of(world: World, deployment: int, index: int = 0) -> int | None:
    return world.row(deployment).replica(index).pid


@pytest.mark.slow
def test_twenty_swaps_under_traffic_fail_no_request(world: World) -> None:
    release(world, 1)
    with Traffic(port_of(world)) as traffic:
        for swap in range(20):
            before = traffic.requests
            release(world, 2 if swap % 2 == 0 else 1)
            until(lambda before=before: traffic.requests > before + 15)
    assert dict(traffic.seen) == {"200": traffic.requests}
    assert traffic.requests > 300
    assert len([status for status in world.statuses().values() if status != "stopped"]) == 1


def test_a_swap_under_traffic_fails_no_request(world: World) -> None:
    release(world, 1)
    with Traffic(port_of(world)) as traffic:
        for version in (2, 1):
            release(world, version)
            before = traffic.requests
            until(lambda before=before: traffic.requests > before + 10)
    assert dict(traffic.seen) == {"200": traffic.requests}


def test_kill_9_of_the_only_model_server_fails_no_request(world: World) -> None:
    deployment = release(world, 1)
    with Traffic(port_of(world)) as traffic:
        for _ in range(3):
            before, pid = traffic.requests, pid_of(world, deployment)
            os.kill(pid or 0, signal.SIGKILL)
            until(lambda pid=pid: pid_of(world, deployment) not in (pid, None))
            until(lambda before=before: traffic.requests > before + 20)
    assert dict(traffic.seen) == {"200": traffic.requests}
    assert world.row(deployment).replica(0).restarts == 3


def test_kill_9_of_one_of_two_replicas_fails_no_request(world: World) -> None:
    deployment = release(world, 1, replicas=2)
    with Traffic(port_of(world)) as traffic:
        for index in (0, 1):
            pid = pid_of(world, deployment, index)
            os.kill(pid or 0, signal.SIGKILL)
            until(lambda pid=pid, index=index: pid_of(world, deployment, index) not in (pid, None))
            until(lambda index=index: world.row(deployment).replica(index).healthy)
    assert dict(traffic.seen) == {"200": traffic.requests}


def test_a_version_that_cannot_start_costs_no_request(world: World) -> None:
    first = release(world, 1)
    with Traffic(port_of(world)) as traffic:
        second = world.deploy(2)
        # The folder is there before the reconciler lays it out, and the stand-in dies as it says.
        replica = world.home.serve(second) / "r00"
        replica.mkdir(parents=True)
        (replica / "behave").write_text("die it cannot be served")
        world.reconciler.poke()
        until(lambda: world.statuses()[second] == "failed")
    assert dict(traffic.seen) == {"200": traffic.requests}
    assert world.statuses()[first] == "live"
    assert world.stored(second).note.endswith("it cannot be served")


def test_the_gateway_goes_on_without_the_engine_and_is_adopted(world: World) -> None:
    deployment = release(world, 1)
    port, pid = port_of(world), pid_of(world, deployment)
    world.reconciler.stop()
    with Traffic(port) as traffic:
        until(lambda: traffic.requests > 20)
        world.restart()
        world.reconciler.start()
        release(world, 2)
    assert dict(traffic.seen) == {"200": traffic.requests}
    assert port_of(world) == port
    assert pid is not None


def test_a_gateway_killed_by_9_comes_back_with_its_port_and_routes(world: World) -> None:
    release(world, 1)
    port, gateway = port_of(world), BuiltinGateway(world.home)
    before = gateway.status()
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: (now := gateway.status()) is not None and now.pid != before.pid)
    after = gateway.status()
    assert after is not None
    assert (after.port, after.generation) == (port, before.generation)
    with Traffic(port) as traffic:
        until(lambda: traffic.requests > 20)
    assert dict(traffic.seen) == {"200": traffic.requests}


@pytest.mark.parametrize(
    "failpoint",
    [one if one in QUICK_ONES else pytest.param(one, marks=pytest.mark.slow) for one in FAILPOINTS],
)
def test_an_engine_killed_in_a_swap_fails_no_request_and_doubles_nothing(home: Home, failpoint: str) -> None:
    first = roll_out(home, 1, failpoint if failpoint == "gateway.started" else "")
    if first == -signal.SIGKILL:
        assert roll_out(home, 1) == 0
    gateway = BuiltinGateway(home)
    status = gateway.status()
    assert status is not None
    with Traffic(status.port) as traffic:
        if failpoint != "gateway.started":
            assert roll_out(home, 2, failpoint) == -signal.SIGKILL
            until(lambda: traffic.requests > 20)
        assert roll_out(home, 2) == 0
        until(lambda: traffic.requests > 60)
    assert dict(traffic.seen) == {"200": traffic.requests}
    runtime = ProcessRuntime(home)
    running = runtime.ours()
    assert [(each.deployment, each.index) for each in running] == [(2, 0)]
    with open_world(home) as world:
        assert world.statuses() == {1: "stopped", 2: "live"}
        assert [world.verbs().count(verb) for verb in ("deployment.switched", "deployment.released")] == [2, 2]
        assert world.verbs().count("deployment.stopped") == 1
    gateway.stop()
    runtime.stop(running[0].identity, force=True)


def roll_out(home: Home, version: int, failpoint: str = "") -> int:
    """Exit code of an engine that rolls a version out, or is killed at a place on the way."""
    script = Path(__file__).parents[1] / "fakes" / "rollout_program.py"
    environment = {**os.environ, "MLOPS_FAILPOINT": failpoint}
    return subprocess.run([sys.executable, str(script), str(home.root), str(version)], env=environment).returncode


@pytest.mark.slow
def test_real_model_servers_are_swapped_and_killed_under_traffic(home: Home, tmp_path: Path) -> None:
    for number in (1, 2):
        make_bundle(tmp_path / str(number), "lightgbm", "binary")
    with open_world(home, ProcessRuntime(home), BuiltinGateway(home)) as world:
        world.project(versions=0)
        for number in (1, 2):
            add_version(world, number, tmp_path / str(number))
        world.reconciler.start()
        deployment = release(world, 1)
        row = b'{"rows": [{"amount": 1.0, "balance": 2.0, "visits": 3, "member": true, "country": "de"}]}'
        with Traffic(port_of(world), row) as traffic:
            for version in (2, 1, 2):
                deployment = release(world, version)
            os.kill(pid_of(world, deployment) or 0, signal.SIGKILL)
            until(lambda: world.row(deployment).replica(0).restarts == 1 and world.row(deployment).replica(0).healthy)
        assert dict(traffic.seen) == {"200": traffic.requests}
        world.reconciler.stop(everything=True)
