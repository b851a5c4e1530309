"""A reconciler over a real Docker, and what tests do with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes.containers import PROGRAM, SOCKET, containers
from fakes.registry import World, open_world

from engine.deployment.builtin_gateway import BuiltinGateway
from engine.settings import Home


def until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.02)


@contextmanager
def docker_world(home: Home, program: Path | None = PROGRAM, socket: Path = SOCKET, **settings: Any) -> Iterator[World]:
    """A reconciler in its thread over the real Docker and the real gateway."""
    worlds: list[World] = []

    def poke() -> None:
        for world in worlds:
            world.reconciler.poke()

    with (
        containers(home, program, poke, socket, **settings) as runtime,
        open_world(home, runtime, BuiltinGateway(home), "docker") as world,
    ):
        worlds.append(world)
        world.project(versions=3 if program else 0)
        world.reconciler.start()
        yield world
        worlds.clear()
        world.reconciler.stop(everything=True)


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


def container_of(world: World, deployment: int) -> str | None:
    return world.row(deployment).replica(0).container


def comes_back(world: World, deployment: int, restarts: int) -> None:
    until(lambda: (now := world.row(deployment).replica(0)).restarts >= restarts and now.healthy)
