"""What the use cases work with, handed to each of them first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.blobs.store import BlobStore
from engine.registry.reader import Reader
from engine.registry.writer import Writer
from engine.settings import Config, Home
from engine.wire.events import Progress


@dataclass(frozen=True)
class Parts:
    """The parts of one engine, joined by `engine.bootstrap`."""

    home: Home
    config: Config
    writer: Writer
    reader: Reader
    blobs: BlobStore
    poke_jobs: Callable[[], None]
    """Have the supervisor look at the queue now."""
    poke_deployments: Callable[[], None]
    """Have the reconciler look at the deployments now."""
    publish_progress: Callable[[Progress], None]
    """Tell those who follow the stream; may be lost."""
