"""A list that is here whole, as the table reads it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from mlops_tui.view.cell import Cell

T = TypeVar("T")


class ListedRows(Generic[T]):
    """Things in the order they are drawn; `key` tells one from the others for good."""

    def __init__(
        self, things: Sequence[T], key: Callable[[T], Hashable], cells: Callable[[T], Mapping[str, Cell]]
    ) -> None:
        self._things = things
        self._key = key
        self._cells = cells
        self._index = {key(thing): at for at, thing in enumerate(things)}

    def __len__(self) -> int:
        return len(self._things)

    def cells(self, index: int) -> Mapping[str, Cell]:
        """A row's cells."""
        return self._cells(self._things[index])

    def key(self, index: int) -> Hashable | None:
        """What stays the same when the row moves."""
        return self._key(self._things[index]) if index < len(self._things) else None

    def index_of(self, key: Hashable) -> int | None:
        """Where the row stands now."""
        return self._index.get(key)
