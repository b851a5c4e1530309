"""What the use cases work with. Bootstrap makes one, and each use case gets it first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.blobs.store import BlobStore
from engine.lifecycle.pulse import Pulse
from engine.registry.reader import Reader
from engine.registry.writer import Writer
from engine.settings import Config, Home
from engine.wire.events import Progress


def _nobody() -> None:
    return None


def _unheard(progress: Progress) -> None:
    return None


def _as_it_is(deployment: int, replica: int) -> None:
    return None


def _stays(all_processes: bool) -> None:
    return None


@dataclass(frozen=True)
class Parts:
    """The joined parts of one engine."""

    home: Home
    config: Config
    writer: Writer
    reader: Reader
    blobs: BlobStore
    poke_jobs: Callable[[], None] = _nobody
    """A job waits, or is to be cancelled. Returns at once."""
    poke_deployments: Callable[[], None] = _nobody
    """A deployment is wanted otherwise than it is. Returns at once."""
    refresh_log: Callable[[int, int], None] = _as_it_is
    """Have in a replica's log file what it wrote until now; waits two seconds at most."""
    publish_progress: Callable[[Progress], None] = _unheard
    stop: Callable[[bool], None] = _stays
    """End the engine after the answer has gone out; True: gateway, model servers and workers as well."""
    pulse: Pulse = field(default_factory=Pulse)
    removal: threading.Lock = field(default_factory=threading.Lock)
    """Held by whoever takes away what is stored, and by a backup, which copies it: never both at once."""
