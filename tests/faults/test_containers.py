"""Containers that die, eat memory or are left behind: no request fails, nothing doubles, no stranger is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.bundles import make_bundle
from fakes.containers import SETTINGS, SOCKET, asked_of_docker, clear_docker
from fakes.docker_world import comes_back, container_of, docker_world, port_of, release, until
from fakes.registry import World, add_version, open_world
from fakes.traffic import Traffic

from engine.deployment import container_runtime
from engine.deployment.base_image import probe_base
from engine.deployment.builtin_gateway import BuiltinGateway
from engine.deployment.container_body import DEPLOYMENT, IMAGE_OWNER, OWNER, REPLICA, Limits
from engine.deployment.container_runtime import FAILPOINTS, ContainerRuntime
from engine.deployment.docker_runtime import DockerDaemon
from engine.deployment.marked import home_mark
from engine.errors import Unavailable
from engine.settings import Home

pytestmark = pytest.mark.docker

ROW = b'{"rows": [{"amount": 1.0, "balance": 2.0, "visits": 3, "member": true, "country": "de"}]}'

SLEEP = "trap 'exit 0' TERM; sleep 600 & wait"


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with docker_world(home) as made:
        yield made


def behave(world: World, deployment: int, how: str) -> None:
    """What the stand-in does; its folder is there before the reconciler lays it out."""
    replica = world.home.serve(deployment) / "r00"
    replica.mkdir(parents=True)
    (replica / "behave").write_text(how)
    world.reconciler.poke()


def all_of_home(home: Home) -> list[str]:
    daemon = DockerDaemon(SOCKET)
    try:
        return [each["Names"][0] for each in daemon.containers(f"{OWNER}={home_mark(home)}")]
    finally:
        daemon.close()


def test_auto_is_a_container_and_says_why(world: World) -> None:
    stored = world.stored(release(world, 1))
    assert stored.runtime == "docker"
    assert stored.runtime_reason.startswith("A container: Docker answers")


def test_swaps_and_killed_containers_under_traffic_fail_no_request(world: World) -> None:
    release(world, 1)
    with Traffic(port_of(world)) as traffic:
        deployment = release(world, 2)
        for restarts, target in enumerate(("kill", "stop?t=5", "kill"), 1):
            asked_of_docker("POST", f"/containers/{container_of(world, deployment)}/{target}")
            comes_back(world, deployment, restarts)
        before = traffic.requests
        until(lambda: traffic.requests > before + 20)
    assert dict(traffic.seen) == {"200": traffic.requests}
    assert len(all_of_home(world.home)) == 1


def test_a_server_that_crashes_is_started_again_by_docker_and_counted(world: World) -> None:
    deployment = release(world, 1)
    container = container_of(world, deployment)
    inside = asked_of_docker("GET", f"/containers/{container}/top")["Processes"]
    server = next(int(row[1]) for row in inside if "program.py" in row[-1] and "init" not in row[-1])
    with Traffic(port_of(world)) as traffic:
        os.kill(server, signal.SIGKILL)
        comes_back(world, deployment, 1)
    assert dict(traffic.seen) == {"200": traffic.requests}
    assert container_of(world, deployment) == container
    assert "signal 9" in world.stored(deployment).note


def test_a_calm_container_that_is_killed_stopped_or_removed_says_which(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is old enough to be looked at every two seconds only.
    monkeypatch.setattr(container_runtime, "YOUNG_S", 0.0)
    deployment = release(world, 1)
    told = []
    for restarts, (verb, path) in enumerate(
        (("POST", "/containers/{}/kill"), ("POST", "/containers/{}/stop"), ("DELETE", "/containers/{}?force=true")), 1
    ):
        asked_of_docker(verb, path.format(container_of(world, deployment)))
        comes_back(world, deployment, restarts)
        told.append(world.stored(deployment).note.removeprefix("Replica 0 ended: "))
    assert told[:2] == ["it was ended from outside, by signal 9.", "it was asked to end from outside."]
    assert told[2] in ("its container was removed.", "it was ended from outside, by signal 9.")


def test_a_version_without_enough_memory_fails_with_the_reason_and_the_old_one_serves(home: Home) -> None:
    with docker_world(home, memory_mb=256) as world:
        first = release(world, 1)
        with Traffic(port_of(world)) as traffic:
            second = world.deploy(2)
            behave(world, second, "eat-at-once 600")
            until(lambda: world.statuses()[second] == "failed")
        assert dict(traffic.seen) == {"200": traffic.requests}
        assert "out of memory: 256 MB limit" in world.stored(second).note
        assert world.statuses()[first] == "live"
        ended = [verb for verb in world.verbs() if verb == "replica.ended"]
        assert len(ended) <= 5
        until(lambda: len(all_of_home(home)) == 1)


def test_a_version_that_cannot_be_served_fails_with_its_last_words(world: World) -> None:
    first = release(world, 1)
    second = world.deploy(2)
    behave(world, second, "die it cannot be served")
    until(lambda: world.statuses()[second] == "failed")
    assert world.stored(second).note.endswith("it cannot be served")
    assert world.statuses()[first] == "live"


def test_what_a_container_wrote_is_read_while_it_runs_and_after_it_is_gone(world: World) -> None:
    deployment = world.deploy(1)
    behave(world, deployment, "say first words")
    until(lambda: world.statuses()[deployment] == "live")
    runtime: ContainerRuntime = world.runtime
    log = world.home.logs / "serve" / f"d-{deployment}-r00.log"
    spec = world.reconciler._replicas._spec(deployment, 0)
    runtime.refresh_log(spec)
    runtime.refresh_log(spec)
    assert log.read_text() == "first words\n"
    asked_of_docker("POST", f"/containers/{container_of(world, deployment)}/kill")
    comes_back(world, deployment, 1)
    runtime.refresh_log(spec)
    assert log.read_text() == "first words\nfirst words\n"


def test_an_image_that_somebody_removed_is_built_again(world: World) -> None:
    deployment = release(world, 1)
    container = container_of(world, deployment)
    tag = world.runtime._builder.tag
    asked_of_docker("DELETE", f"/images/{tag}?force=true")
    asked_of_docker("DELETE", f"/containers/{container}?force=true")
    comes_back(world, deployment, 1)
    assert world.runtime._builder.built == 2


def test_orphans_of_this_home_are_removed_and_strangers_never_touched(world: World) -> None:
    deployment = release(world, 1)
    image = world.runtime._builder.tag
    mark = home_mark(world.home)
    strangers = {
        f"{mark}-no-label": {},
        f"{mark}-of-another-home": {OWNER: "0" * 12, DEPLOYMENT: "99", REPLICA: "0"},
        f"mlops-{mark}-d98-r00": {OWNER: "somebody", DEPLOYMENT: "98", REPLICA: "0"},
    }
    orphans = {
        f"mlops-{mark}-d97-r00": {OWNER: mark, DEPLOYMENT: "97", REPLICA: "0"},
        f"mlops-{mark}-d96-r03": {OWNER: mark, DEPLOYMENT: "96", REPLICA: "3"},
    }
    sleeping = {"Image": image, "Entrypoint": ["sh", "-c", SLEEP], "Cmd": [], "HostConfig": {"NetworkMode": "none"}}
    made = {
        name: asked_of_docker("POST", f"/containers/create?name={name}", sleeping | {"Labels": labels})["Id"]
        for name, labels in (strangers | orphans).items()
    }
    try:
        # One orphan runs, the other was only made.
        for name in (*strangers, f"mlops-{mark}-d97-r00"):
            asked_of_docker("POST", f"/containers/{made[name]}/start")
        world.reconciler._swept_at = None
        world.reconciler.poke()
        ours = [f"/mlops-{mark}-d{deployment}-r00"]
        until(lambda: all_of_home(world.home) == ours)
        running = {name: asked_of_docker("GET", f"/containers/{made[name]}/json")["State"] for name in strangers}
        assert [state["Running"] for state in running.values()] == [True] * 3
        assert world.row(deployment).replica(0).restarts == 0
    finally:
        for name in strangers:
            asked_of_docker("DELETE", f"/containers/{made[name]}?force=true")


def test_what_somebody_commits_from_our_container_and_runs_is_his(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = release(world, 1)
    container, mark = container_of(world, deployment), home_mark(world.home)
    # It has every label of the container, and the image's.
    asked_of_docker("POST", f"/commit?container={container}&repo=debug-{mark}&tag=x")
    sleeping = {"Image": f"debug-{mark}:x", "Entrypoint": ["sh", "-c", SLEEP], "Cmd": [], "NetworkDisabled": True}
    made = asked_of_docker("POST", f"/containers/create?name=debug-{mark}", sleeping)["Id"]
    try:
        asked_of_docker("POST", f"/containers/{made}/start")
        labels = asked_of_docker("GET", f"/containers/{made}/json")["Config"]["Labels"]
        assert (labels[OWNER], labels[DEPLOYMENT], labels[REPLICA]) == (mark, str(deployment), "0")
        before = asked_of_docker("GET", f"/containers/{made}/json")["State"]
        asked_of_docker("POST", f"/containers/{container}/kill")
        comes_back(world, deployment, 1)
        world.reconciler._swept_at = None
        world.reconciler.poke()
        until(lambda: world.reconciler._swept_at is not None)
        assert container_of(world, deployment) not in (None, made)
        assert [each.identity.container for each in world.runtime.ours()] == [container_of(world, deployment)]
        after = asked_of_docker("GET", f"/containers/{made}/json")["State"]
        assert (after["Running"], after["StartedAt"]) == (True, before["StartedAt"])
    finally:
        asked_of_docker("DELETE", f"/containers/{made}?force=true")
    monkeypatch.setattr(container_runtime, "UNUSED_S", 0.0)
    world.runtime._remove_images(set())
    # It is still there to be removed.
    asked_of_docker("DELETE", f"/images/debug-{mark}:x?force=true")


def test_a_container_that_somebody_renamed_is_still_ours(world: World) -> None:
    deployment = release(world, 1)
    container = container_of(world, deployment)
    asked_of_docker("POST", f"/containers/{container}/rename?name=renamed-{home_mark(world.home)}")
    world.runtime._look()
    assert [each.identity.container for each in world.runtime.ours()] == [container]


def test_a_probe_s_name_that_a_stranger_holds_is_told_and_left_alone(world: World) -> None:
    release(world, 1)
    mark, image = home_mark(world.home), world.runtime._builder.tag
    sleeping = {"Image": image, "Entrypoint": ["sh", "-c", SLEEP], "Cmd": []}
    stranger = asked_of_docker("POST", f"/containers/create?name=mlops-{mark}-probe", sleeping)["Id"]
    daemon = DockerDaemon(SOCKET)
    try:
        with pytest.raises(Unavailable, match="is not of this home"):
            probe_base(daemon, image, "", mark, Limits.of(SETTINGS))
        assert asked_of_docker("GET", f"/containers/{stranger}/json")["Id"] == stranger
    finally:
        daemon.close()
        asked_of_docker("DELETE", f"/containers/{stranger}?force=true")


def test_a_name_that_a_stranger_holds_is_told_and_left_alone(world: World) -> None:
    first = release(world, 1)
    name = f"mlops-{home_mark(world.home)}-d{first + 1}-r00"
    sleeping = {"Image": world.runtime._builder.tag, "Entrypoint": ["sh", "-c", SLEEP], "Cmd": []}
    stranger = asked_of_docker("POST", f"/containers/create?name={name}", sleeping)["Id"]
    second = world.deploy(2)
    world.reconciler.poke()
    until(lambda: "is not of this home" in world.stored(second).note)
    asked_of_docker("DELETE", f"/containers/{stranger}?force=true")
    until(lambda: world.statuses()[second] == "live")


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_an_engine_killed_between_create_and_record_doubles_nothing(home: Home, failpoint: str) -> None:
    try:
        assert roll_out(home, 1) == 0
        gateway = BuiltinGateway(home)
        status = gateway.status()
        assert status is not None
        with Traffic(status.port) as traffic:
            assert roll_out(home, 2, failpoint) == -signal.SIGKILL
            until(lambda: traffic.requests > 10)
            assert roll_out(home, 2) == 0
        assert dict(traffic.seen) == {"200": traffic.requests}
        assert all_of_home(home) == [f"/mlops-{home_mark(home)}-d2-r00"]
        with open_world(home) as world:
            assert world.statuses() == {1: "stopped", 2: "live"}
        gateway.stop()
    finally:
        clear_docker(home)


def roll_out(home: Home, version: int, failpoint: str = "") -> int:
    """Exit code of an engine that rolls a version out in a container, or is killed at a place on the way."""
    script = Path(__file__).parents[1] / "fakes" / "rollout_program.py"
    environment = {**os.environ, "MLOPS_FAILPOINT": failpoint}
    return subprocess.run(
        [sys.executable, str(script), str(home.root), str(version), "docker"], env=environment
    ).returncode


def tags_of(home: Home) -> set[str]:
    daemon = DockerDaemon(SOCKET)
    try:
        found = daemon.images(f"{IMAGE_OWNER}={home_mark(home)}")
    finally:
        daemon.close()
    return {tag.partition(":")[2].rpartition("-")[0] for each in found for tag in each["RepoTags"]}


def test_a_second_version_shares_all_layers_but_its_last_and_what_is_unused_goes(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, kind in ((1, "lightgbm"), (2, "linear")):
        make_bundle(tmp_path / str(number), kind, "binary")
    with docker_world(home, None) as world:
        for number in (1, 2):
            add_version(world, number, tmp_path / str(number))
        release(world, 1)
        with Traffic(port_of(world), ROW) as traffic:
            release(world, 2)
        assert dict(traffic.seen) == {"200": traffic.requests}
        daemon = DockerDaemon(SOCKET)
        try:
            images = daemon.images(f"{IMAGE_OWNER}={home_mark(home)}")
            layers = {
                tag.partition(":")[2].partition("-")[0] + tag.partition(":")[2].split("-")[1]:
                daemon.image(tag)["RootFS"]["Layers"]
                for each in images for tag in each["RepoTags"]
            }  # fmt: skip
        finally:
            daemon.close()
        runtime = next(found for name, found in layers.items() if name.startswith("runtime"))
        assert layers["fraud1"][:-1] == layers["fraud2"][:-1] == runtime
        assert layers["fraud1"][-1] != layers["fraud2"][-1]
        monkeypatch.setattr(container_runtime, "UNUSED_S", 0.0)
        assert tags_of(home) == {"runtime", "fraud-1", "fraud-2"}
        world.runtime.remove_unused({"fraud@2"})
        until(lambda: tags_of(home) == {"runtime", "fraud-2"})
        # Nobody says that it is needed, but a container runs from it.
        world.runtime._remove_images(set())
        assert "fraud-2" in tags_of(home)
