"""Whether a base image can carry our packages: asked of its own Python, in a container as hardened as any."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import dataclass
from typing import Any

from engine.deployment.container_body import OWNER, Limits, hardened
from engine.deployment.docker_runtime import DockerDaemon
from engine.errors import EngineError, NotFound, Unavailable

_PROGRAM = """
import ctypes, json, platform, sys
try:
    ctypes.CDLL("libgomp.so.1")
    gomp = True
except OSError:
    gomp = False
print(json.dumps([list(sys.version_info[:2]), platform.machine(), platform.libc_ver()[0], gomp]))
"""


@dataclass(frozen=True)
class Base:
    """A base image that fits."""

    name: str
    id: str
    """Of its content."""
    has_libgomp: bool


def find_base(daemon: DockerDaemon, name: str) -> str:
    """The id of the base image.

    Raises:
        Unavailable: it is not there.
    """
    try:
        return str(daemon.image(name)["Id"])
    except NotFound as error:
        raise Unavailable(
            f"Docker has no image {name}.",
            "Make it with tools/make_base_image.sh, or pull one and name it: base_image under [docker] in config.toml.",
        ) from error


def probe_base(daemon: DockerDaemon, name: str, image_id: str, mark: str, limits: Limits) -> Base:
    """Run its Python once.

    Raises:
        Unavailable: it has none, or one for which this engine's packages are not made.
    """
    version, machine, libc, gomp = _ask(daemon, name, mark, limits)
    ours = list(sys.version_info[:2])
    if version != ours:
        raise Unavailable(
            f"The image {name} has Python {_dotted(version)}, and this engine runs on {_dotted(ours)}, so its packages "
            "cannot be used there.",
            f"Name an image with Python {_dotted(ours)} as base_image under [docker] in config.toml.",
        )
    if (machine, libc) != (platform.machine(), platform.libc_ver()[0]):
        raise Unavailable(
            f"The image {name} is for {machine} with {libc or 'another C library'}, and this engine's packages are for "
            f"{platform.machine()} with {platform.libc_ver()[0]}.",
            "Name an image of the same kind as this host as base_image under [docker] in config.toml.",
        )
    return Base(name, image_id, bool(gomp))


def _ask(daemon: DockerDaemon, name: str, mark: str, limits: Limits) -> tuple[list[int], str, str, bool]:
    # No label tells of a replica, so that nobody takes it for one.
    body: dict[str, Any] = hardened(name, {OWNER: mark}, limits, None)
    body["Entrypoint"], body["Cmd"] = ["python3", "-S", "-c"], [_PROGRAM]
    container = f"mlops-{mark}-probe"
    _make_room(daemon, container, mark)
    try:
        made = daemon.create(container, body)
        daemon.start(made)
        daemon.wait(made)
        said = daemon.log(made, since_s=0, lines=5).decode("utf-8", "replace")
        version, machine, libc, gomp = json.loads(said.strip().splitlines()[-1].partition(" ")[2])
    except (ValueError, IndexError, TypeError) as error:
        raise Unavailable(f"The Python of the image {name} does not say what it is.", "Name another image.") from error
    except EngineError as error:
        if "executable file not found" in error.message:
            raise Unavailable(f"The image {name} has no python3 on its PATH.", "Name another image.") from error
        raise
    finally:
        daemon.remove(container)
    return version, machine, libc, gomp


def _make_room(daemon: DockerDaemon, container: str, mark: str) -> None:
    """Remove what a probe left that was cut off, and nobody else's.

    Raises:
        Unavailable: the name is taken.
    """
    try:
        found = daemon.inspect(container)
    except NotFound:
        return
    if (found["Config"].get("Labels") or {}).get(OWNER) != mark:
        raise Unavailable(
            f"A container named {container} is there, and is not of this home.", "Remove or rename it yourself."
        )
    daemon.remove(container)


def _dotted(version: list[int]) -> str:
    return ".".join(map(str, version))
