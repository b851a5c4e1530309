"""Containers for tests: a runtime over the real Docker, and images that run a stand-in for the model server."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from engine.deployment.base_image import Base
from engine.deployment.container_body import IMAGE_OWNER, OWNER
from engine.deployment.container_runtime import ContainerRuntime
from engine.deployment.docker_runtime import DockerDaemon
from engine.deployment.image_builder import Image
from engine.deployment.image_context import write_context
from engine.deployment.marked import home_mark
from engine.deployment.runtime import Identity, ReplicaSpec, Runtime
from engine.deployment.unix_http import ask
from engine.errors import NotFound
from engine.settings import Docker, Home

SOCKET = Path("/var/run/docker.sock")
SETTINGS = Docker(socket=str(SOCKET))
PROGRAM = Path(__file__).with_name("serving_program.py")


@cache
def why_no_containers() -> str:
    """Empty where container tests can run."""
    try:
        status, _ = ask(SOCKET, "GET", f"/images/{SETTINGS.base_image}/json", timeout_s=5.0)
    except OSError:
        return f"Docker does not answer at {SOCKET}"
    return "" if status == 200 else f"Docker has no image {SETTINGS.base_image}: tools/make_base_image.sh makes it"


class ProgramImage:
    """An image with one program, run with the replica's folder; built when first wanted."""

    def __init__(self, daemon: DockerDaemon, home: Home, program: Path = PROGRAM) -> None:
        self.daemon = daemon
        self.mark = home_mark(home)
        self.folder = home.images / "program"
        self.program = program
        self.tag = f"mlops-{self.mark}:{program.stem.replace('_', '-')}"
        self.built = 0
        self._lock = threading.Lock()

    def ensure(self, replica: ReplicaSpec, base: Base) -> Image:
        with self._lock:
            try:
                self.daemon.image(self.tag)
            except NotFound:
                self._build(base)
        return Image(self.tag, self.program.stem)

    def find(self, replica: ReplicaSpec) -> Image | None:
        return None

    def _build(self, base: Base) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "program.py").write_bytes(self.program.read_bytes())
        text = (
            f"FROM {base.name}\nCOPY program /program\nUSER 65532:65532\nWORKDIR /replica\n"
            'ENTRYPOINT ["python3", "-u", "/program/program.py"]\nCMD ["/replica"]\n'
        )
        context = io.BytesIO()
        write_context(context, text, {"program": self.folder})
        context.seek(0)
        self.daemon.build(context, self.tag, {IMAGE_OWNER: self.mark, "mlops.version": "fraud@1"})
        self.built += 1


@contextmanager
def containers(
    home: Home,
    program: Path | None = PROGRAM,
    poke: Callable[[], None] = lambda: None,
    socket: Path = SOCKET,
    **settings: Any,
) -> Iterator[ContainerRuntime]:
    """A runtime that looks; afterwards nothing of this home is left in Docker. `program` None: the real image."""
    daemon = DockerDaemon(socket)
    builder = ProgramImage(daemon, home, program) if program else None
    runtime = ContainerRuntime(home, SETTINGS.model_copy(update=settings), daemon, poke, builder)
    runtime.start_looking()
    try:
        yield runtime
    finally:
        runtime.close()
        clear_docker(home, socket)


def clear_docker(home: Home, socket: Path = SOCKET) -> None:
    """Remove this home's containers and images."""
    daemon = DockerDaemon(socket)
    mark = home_mark(home)
    try:
        while there := daemon.containers(f"{OWNER}={mark}"):
            for each in there:
                daemon.remove(each["Id"])
        tags = [tag for each in daemon.images(f"{IMAGE_OWNER}={mark}") for tag in each.get("RepoTags") or [each["Id"]]]
        # Those that others build on come last.
        for tag in sorted(tags, key=lambda tag: ":runtime-" in tag):
            daemon.remove_image(tag)
    finally:
        daemon.close()


def begun(runtime: Runtime, replica: ReplicaSpec) -> Identity:
    """Start it, and wait until it is known to run."""
    while (identity := runtime.start(replica)) is None:
        time.sleep(0.02)
    return identity


def open_folder(replica: ReplicaSpec, behave: str = "") -> None:
    """The replica's folder as `lay_out` makes it for a container, and how the stand-in is to behave."""
    (replica.folder / "captures").mkdir(parents=True)
    for folder in (replica.folder, replica.folder / "captures"):
        folder.chmod(0o777)
    if behave:
        (replica.folder / "behave").write_text(behave)


def asked_of_docker(method: str, target: str, body: Any = None) -> Any:
    """A call that somebody else makes of Docker."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(SOCKET)), base_url="http://docker", timeout=60) as client:
        answer = client.request(method, target, json=body)
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def is_root() -> bool:
    return os.getuid() == 0
