"""Which runtime, where Docker is, and what Docker says of a container: the rules alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.registry import World
from fakes.runtime import FakeRuntime

from engine.deployment.choose_runtime import choose_runtime
from engine.deployment.container_view import Seen
from engine.deployment.docker_socket import docker_socket
from engine.deployment.runtime import Identity, Readiness, ReplicaSpec
from engine.errors import DockerUnavailable
from engine.settings import Docker

DEFAULT = Path("/var/run/docker.sock")


class Containers(FakeRuntime):
    """Containers in memory: Docker may be away, and says what a test wants."""

    ready = Readiness(True, "Docker answers.")
    away = False

    def readiness(self) -> Readiness:
        return Readiness(False, "Docker does not answer.") if self.away else self.ready

    def start(self, replica: ReplicaSpec) -> Identity:
        if self.away:
            raise DockerUnavailable("Docker does not answer.", "Start Docker.")
        return super().start(replica)

    def runs(self, identity: Identity) -> bool:
        if self.away:
            raise DockerUnavailable("Docker does not answer.", "Start Docker.")
        return super().runs(identity)


@pytest.fixture
def docked(world: World) -> World:
    world.runtime, world.named = Containers(), "docker"
    world.restart()
    return world


def test_docker_is_chosen_where_it_answers_and_the_reason_is_kept(docked: World) -> None:
    first = docked.deploy(1)
    docked.settle()
    assert (docked.stored(first).runtime, docked.stored(first).runtime_reason) == (
        "docker", "A container: Docker answers.",
    )  # fmt: skip


def test_a_process_is_chosen_where_docker_cannot_and_says_why(docked: World) -> None:
    docked.runtime.ready = Readiness(False, "Docker has no image x.", "Make it.")
    first = docked.deploy(1)
    docked.settle()
    assert docked.stored(first).runtime == "process"
    assert docked.stored(first).runtime_reason == "A process: Docker has no image x."


def test_nothing_is_chosen_before_docker_was_looked_at(docked: World) -> None:
    docked.runtime.ready = Readiness(None, "Docker is being looked at.")
    first = docked.deploy(1)
    docked.settle()
    assert (docked.stored(first).runtime, docked.statuses()[first]) == ("auto", "starting")
    docked.runtime.ready = Readiness(True, "Docker answers.")
    docked.settle()
    assert docked.statuses()[first] == "live"


def test_what_was_chosen_stays_when_docker_comes_or_goes(docked: World) -> None:
    docked.runtime.ready = Readiness(False, "Docker is away.")
    first = docked.deploy(1)
    docked.settle()
    docked.runtime.ready = Readiness(True, "Docker answers.")
    docked.restart()
    docked.settle()
    assert docked.stored(first).runtime == "process"


def test_a_container_that_was_asked_for_waits_for_docker(docked: World) -> None:
    docked.runtime.away = True
    first = docked.deploy(1, runtime="docker")
    docked.settle()
    assert (docked.statuses()[first], docked.stored(first).note) == (
        "starting", "Docker does not answer. Start Docker.",
    )  # fmt: skip
    docked.runtime.away = False
    docked.settle(200, 0.1)
    assert docked.statuses()[first] == "live"


def test_what_waits_for_docker_goes_on_at_once_when_it_answers(docked: World) -> None:
    first = docked.deploy(1)
    docked.settle()
    docked.runtime.away = True
    second = docked.deploy(2, runtime="docker", weight=1_000)
    docked.settle(3, 0.01)
    docked.runtime.kill((first, 0))
    docked.runtime.away = False
    docked.settle(4, 0.01)
    assert docked.statuses() == {first: "live", second: "live"}
    assert docked.row(first).replica(0).healthy


def test_docker_away_holds_its_own_deployments_and_no_other(docked: World) -> None:
    docked.project("other")
    first = docked.deploy(1)
    docked.settle()
    docked.runtime.away = True
    second = docked.deploy(1, name="other", runtime="process")
    docked.settle()
    assert docked.statuses() == {first: "live", second: "live"}
    assert docked.stored(first).note == "Docker does not answer. Start Docker."
    docked.runtime.away = False
    docked.settle(200, 0.1)
    assert docked.stored(first).note == ""
    assert docked.row(first).replica(0).restarts == 0


def test_what_ended_while_docker_was_away_does_not_speak_against_the_version(docked: World) -> None:
    first = docked.deploy(1)
    docked.settle()
    docked.runtime.away = True
    docked.settle()
    docked.runtime.kill((first, 0))
    docked.runtime.away = False
    docked.settle(200, 0.1)
    assert docked.statuses()[first] == "live"
    assert (docked.row(first).failed_starts, docked.row(first).replica(0).restarts) == (0, 1)


def test_images_of_the_champion_and_the_one_before_are_needed(docked: World) -> None:
    for version in (1, 2, 3):
        docked.deploy(version)
        docked.settle(200, 0.1)
    docked.settle(200, 5.0)
    assert docked.runtime.needed == {"fraud@2", "fraud@3"}


def test_without_docker_here_auto_is_a_process() -> None:
    choice = choose_runtime(None)
    assert choice is not None
    assert choice.runtime == "process"


@pytest.mark.parametrize(
    ("settings", "environment", "expected"),
    [
        ({}, {}, DEFAULT),
        ({}, {"DOCKER_HOST": "unix:///run/user/1000/docker.sock"}, Path("/run/user/1000/docker.sock")),
        ({"socket": "/own.sock"}, {"DOCKER_HOST": "unix:///other.sock"}, Path("/own.sock")),
        ({}, {"DOCKER_HOST": "tcp://elsewhere:2375"}, None),
        ({"enabled": False}, {}, None),
    ],
)
def test_docker_is_looked_for_where_it_was_named(
    settings: dict[str, object], environment: dict[str, str], expected: Path | None
) -> None:
    assert docker_socket(Docker.model_validate(settings), environment) == expected


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"exit_code": 137, "out_of_memory": True}, "out of memory: 256 MB limit."),
        ({"exit_code": 0, "out_of_memory": True, "status": "running"}, "out of memory: 256 MB limit."),
        ({"exit_code": 1, "out_of_memory": True}, ""),
        ({"exit_code": 137}, "it was ended from outside, by signal 9."),
        ({"exit_code": 0}, "it was asked to end from outside."),
        ({"exit_code": 0, "status": "running"}, ""),
        ({"exit_code": 1}, ""),
        ({"exit_code": 127, "error": "exec: not found"}, "exec: not found"),
    ],
)
def test_why_a_container_ended_is_told_in_words(state: dict[str, object], told: str) -> None:
    seen = Seen("c1", 1, 0, **{"status": "exited", "started_at": 1.0, "memory_bytes": 256 << 20} | state)  # type: ignore[arg-type]
    assert seen.why() == told
