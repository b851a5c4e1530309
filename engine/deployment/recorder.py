"""The reconciler's way to the registry: it knows whether what was read still holds."""

from __future__ import annotations

from collections.abc import Callable

from engine.registry.queries.rollouts import RolloutRows, get_reigns, get_rollouts
from engine.registry.reader import Reader
from engine.registry.tx import Tx
from engine.registry.writer import Writer


class Recorder:
    """For one thread. `fresh` begins a pass; within it rows are read again only after a write of our own."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader
        self._rows: RolloutRows | None = None

    def write(self, operation: Callable[[Tx], None]) -> None:
        """Have it committed."""
        self._rows = None
        self._writer.write_and_wait(operation)

    def fresh(self) -> RolloutRows:
        """What the registry says now."""
        self._rows = get_rollouts(self._reader)
        return self._rows

    def reigns(self) -> dict[str, list[int]]:
        """Versions that had all traffic of their endpoint, the latest first."""
        return get_reigns(self._reader)

    def rows(self) -> RolloutRows:
        """What it said at the last reading or writing."""
        return self._rows or self.fresh()
