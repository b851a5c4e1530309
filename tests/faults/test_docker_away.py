"""Docker that is stopped, killed or hangs: the engine notices, says so, goes on, and mends it afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.containers import SETTINGS, SOCKET
from fakes.docker_world import comes_back, container_of, docker_world, port_of, release, until
from fakes.registry import World
from fakes.traffic import Traffic

from engine.deployment.serve_folder import replica_spec
from engine.deployment.unix_http import ask
from engine.errors import DockerUnavailable
from engine.settings import Home


class OwnDocker:
    """A daemon of the test's own, which it may stop."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.socket = root / "s"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # In a network of its own: a second daemon would take the first one's bridge away.
        folders = ("--data-root", str(self.root / "data"), "--exec-root", str(self.root / "exec"))
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--net", "dockerd", *folders, "--pidfile", str(self.root / "pid"), "-H", f"unix://{self.socket}",
                 "--bridge=none", "--iptables=false", "--ip6tables=false"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until(lambda: self.answers() or self.ended())
        assert not self.ended(), (self.root / "log").read_text()[-2000:]

    def ended(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    def answers(self) -> bool:
        try:
            return ask(self.socket, "GET", "/_ping", timeout_s=2.0)[0] == 200
        except OSError:
            return False

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture(scope="module")
def own_docker() -> Iterator[OwnDocker]:
    if os.getuid() != 0 or not (shutil.which("dockerd") and shutil.which("unshare")):
        pytest.skip("a Docker daemon of the test's own needs root, dockerd and unshare")
    root = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    daemon = OwnDocker(root)
    daemon.start()
    try:
        saved = root / "image"
        for socket_, verb in ((SOCKET, ["save", SETTINGS.base_image, "-o"]), (daemon.socket, ["load", "-q", "-i"])):
            subprocess.run(["docker", "-H", f"unix://{socket_}", *verb, str(saved)], check=True)
        saved.unlink()
        yield daemon
    finally:
        daemon.stop()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def world(home: Home, own_docker: OwnDocker) -> Iterator[World]:
    if not own_docker.answers():
        own_docker.start()
    with docker_world(home, socket=own_docker.socket) as made:
        yield made


def told(world: World, deployment: int) -> bool:
    return "Docker does not answer" in world.stored(deployment).note


@pytest.mark.docker
@pytest.mark.xdist_group("own-docker")
def test_docker_stopped_and_started_under_traffic_fails_no_request(world: World, own_docker: OwnDocker) -> None:
    deployment = release(world, 1)
    with Traffic(port_of(world)) as traffic:
        until(lambda: traffic.requests > 20)
        own_docker.signal(signal.SIGTERM)
        until(lambda: told(world, deployment))
        assert own_docker.process is not None
        own_docker.process.wait(30)
        own_docker.start()
        until(
            lambda: not world.stored(deployment).note.startswith("Docker") and world.row(deployment).replica(0).healthy
        )
        before = traffic.requests
        until(lambda: traffic.requests > before + 20)
    assert dict(traffic.seen) == {"200": traffic.requests}
    assert world.stored(deployment).failed_starts == 0
    assert len(world.runtime.ours()) == 1


@pytest.mark.slow
@pytest.mark.docker
@pytest.mark.xdist_group("own-docker")
def test_a_daemon_that_hangs_is_noticed_and_hinders_nobody(world: World, own_docker: OwnDocker) -> None:
    deployment = release(world, 1)
    container = container_of(world, deployment)
    with Traffic(port_of(world)) as traffic:
        own_docker.signal(signal.SIGSTOP)
        try:
            until(lambda: told(world, deployment))
            # Another one, without Docker, is released meanwhile.
            beside = world.deploy(2, runtime="process")
            world.reconciler.poke()
            until(lambda: world.statuses()[beside] == "live")
        finally:
            own_docker.signal(signal.SIGCONT)
        until(lambda: world.statuses()[deployment] == "stopped")
    assert container is not None
    # What took over is only in memory and has no socket, so this says nothing of the time after.
    assert traffic.seen["200"] > 0
    assert not world.runtime.ours()


@pytest.mark.docker
@pytest.mark.xdist_group("own-docker")
def test_a_hang_alone_costs_nothing(world: World, own_docker: OwnDocker) -> None:
    deployment = release(world, 1)
    container = container_of(world, deployment)
    with Traffic(port_of(world)) as traffic:
        own_docker.signal(signal.SIGSTOP)
        until(lambda: told(world, deployment))
        own_docker.signal(signal.SIGCONT)
        until(lambda: world.stored(deployment).note == "")
    assert dict(traffic.seen) == {"200": traffic.requests}
    assert (container_of(world, deployment), world.row(deployment).replica(0).restarts) == (container, 0)
    comes_back(world, deployment, 0)


@contextlib.contextmanager
def silent_daemon(path: Path) -> Iterator[None]:
    """Takes connections and says nothing."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    try:
        yield
    finally:
        listener.close()
        path.unlink()


def test_no_question_waits_for_a_daemon_that_says_nothing(home: Home) -> None:
    path = home.root / "d"
    with silent_daemon(path), containers_at(home, path) as runtime:
        began_at = time.monotonic()
        until(lambda: runtime.readiness().ok is False)
        noticed_s = time.monotonic() - began_at
        assert "it takes connections and says nothing" in runtime.readiness().reason
        before = time.monotonic()
        with pytest.raises(DockerUnavailable, match="says nothing"):
            runtime.start(replica_spec(home, 1, 0))
        assert runtime.ours() == []
        asked_s = time.monotonic() - before
    # Not how fast, but that none of it waits for as long as a call may take.
    assert noticed_s < 5.0
    assert asked_s < 1.0


def test_docker_that_is_not_there_is_told_with_what_to_do(home: Home) -> None:
    with containers_at(home, home.root / "nothing") as runtime:
        until(lambda: runtime.readiness().ok is False)
        assert runtime.readiness().reason == f"Docker does not answer at {home.root}/nothing: its socket is not there."
        assert runtime.readiness().hint == "Start Docker."


@contextlib.contextmanager
def containers_at(home: Home, path: Path) -> Iterator[object]:
    from engine.deployment.container_runtime import ContainerRuntime
    from engine.deployment.docker_runtime import DockerDaemon

    runtime = ContainerRuntime(home, SETTINGS, DockerDaemon(path))
    runtime.start_looking()
    try:
        yield runtime
    finally:
        runtime.close()
