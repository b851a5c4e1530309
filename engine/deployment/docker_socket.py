"""Where Docker listens. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.settings import Docker

DEFAULT = "/var/run/docker.sock"


def docker_socket(settings: Docker, environment: Mapping[str, str]) -> Path | None:
    """The socket by `config.toml`, else by `DOCKER_HOST`, else the usual one; None: Docker is not to be used.

    A `DOCKER_HOST` on another machine is none of ours: what is mounted into a container lies here.
    """
    if not settings.enabled:
        return None
    named = settings.socket or environment.get("DOCKER_HOST", "") or DEFAULT
    if "://" in named:
        kind, _, named = named.partition("://")
        if kind != "unix":
            return None
    return Path(named)
