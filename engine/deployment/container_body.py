"""What a container of ours is: its name, its labels and its limits, as Docker's API wants them. Pure."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.settings import Docker

USER = "65532:65532"
"""Nobody's: not in the base image, and not on the host."""

REPLICA_FOLDER = "/replica"
"""Where the replica's folder is mounted: its order, socket and captures, and all that a container may write."""

IMAGE_OWNER = "mlops.image-owner"
"""Of images. A container inherits its image's labels, and one that somebody else runs from ours is not ours."""

OWNER, DEPLOYMENT, REPLICA, GENERATION = "mlops.owner", "mlops.deployment", "mlops.replica", "mlops.generation"

RESTARTS = 5
"""By Docker itself, at once, after a crash; then the engine decides."""

_S = 1_000_000_000
"""Nanoseconds."""

HEALTH = (
    "import http.client, socket, sys\n"
    "c = http.client.HTTPConnection('localhost', timeout=3)\n"
    "c.sock = socket.socket(socket.AF_UNIX)\n"
    "c.sock.settimeout(3)\n"
    f"c.sock.connect('{REPLICA_FOLDER}/s')\n"
    "c.request('GET', '/v2/health/ready')\n"
    "sys.exit(c.getresponse().status != 200)\n"
)


@dataclass(frozen=True)
class Limits:
    """What one container may use."""

    memory_bytes: int
    nano_cpus: int

    @classmethod
    def of(cls, settings: Docker) -> Limits:
        """By `config.toml`; no more cores than there are, which Docker would refuse."""
        cpus = min(settings.cpus, float(os.cpu_count() or 1))
        return cls(settings.memory_mb << 20, int(cpus * 1e9))


def container_name(mark: str, deployment: int, index: int) -> str:
    """The one name for a replica of a home, so that it is never there twice."""
    return f"mlops-{mark}-d{deployment}-r{index:02d}"


def hardened(image: str, labels: dict[str, str], limits: Limits, folder: Path | None) -> dict[str, Any]:
    """The body of `POST /containers/create`. Only `folder`, if given, can be written, at `/replica`."""
    mounts = [{"Type": "bind", "Source": str(folder), "Target": REPLICA_FOLDER}] if folder else []
    return {
        "Image": image,
        "User": USER,
        "Labels": labels,
        "NetworkDisabled": True,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=64m"},  # noqa: S108
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "PidsLimit": 128,
            "Memory": limits.memory_bytes,
            "MemorySwap": limits.memory_bytes,
            "NanoCpus": limits.nano_cpus,
            "Init": True,
            "IpcMode": "private",
            "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 1024}, {"Name": "core", "Soft": 0, "Hard": 0}],
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
            "NetworkMode": "none",
            "Mounts": mounts,
            "Privileged": False,
        },
    }


def replica_body(
    image: str, image_key: str, mark: str, deployment: int, index: int, limits: Limits, folder: Path
) -> dict[str, Any]:
    """A model server: hardened, restarted after a crash, its health shown by `docker ps`."""
    labels = {OWNER: mark, DEPLOYMENT: str(deployment), REPLICA: str(index)}
    body = hardened(image, labels, limits, folder)
    body["Healthcheck"] = {
        "Test": ["CMD", "python3", "-S", "-c", HEALTH],
        "Interval": 30 * _S,
        "Timeout": 5 * _S,
        "StartPeriod": 30 * _S,
        "Retries": 3,
    }
    body["HostConfig"]["RestartPolicy"] = {"Name": "on-failure", "MaximumRetryCount": RESTARTS}
    labels[GENERATION] = _generation(body, image_key)
    return body


def _generation(body: dict[str, Any], image_key: str) -> str:
    """The same settings and the same image's content are the same generation."""
    text = json.dumps([body, image_key], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
