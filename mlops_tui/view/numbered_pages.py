"""A list of any number of numbered things, of which only the pages that were looked at are here.

They are numbered from 1 on without gaps to speak of, so the place of each in the whole list follows from its number,
and `G` needs no walk through all pages. Numbers that turn out to belong to nothing are shown as such.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Generic, TypeVar

from mlops_tui.view.cell import Cell
from mlops_tui.view.filter import Filter

PAGE = 100
"""Things asked for at once."""
SEARCH_PAGE = 500
"""Things asked for at once while a filter looks through all of them; reading them holds the screen for 10 ms."""
MOST_KEPT = 5_000
"""Things kept; what was looked at longest ago leaves first, and is asked for again when it is looked at."""

T = TypeVar("T")
Number = Callable[[T], int]


class NumberedPages(Generic[T]):
    """The whole list, newest or oldest first. `number` tells the number of a thing; left out, it is its `id`."""

    def __init__(self, number: Number[T] | None = None) -> None:
        self.number: Number[T] = number or attrgetter("id")
        self.newest = 0
        self.oldest_first = False
        self._here: OrderedDict[int, T] = OrderedDict()
        self._stale: set[int] = set()
        self._gaps: set[int] = set()

    def __len__(self) -> int:
        return self.newest

    def add(self, things: Sequence[T], next_before: int | None, before: int | None) -> None:
        """A page that was asked for, highest number first: those below `before`; None: the newest there are.

        `next_before` is None where nothing lies below the page.
        """
        numbers = [self.number(thing) for thing in things]
        if before is None:
            self.newest = max([self.newest, *numbers[:1]])
        highest = self.newest if before is None else before - 1
        lowest = 1 if next_before is None else min(numbers, default=highest + 1)
        self._gaps |= set(range(max(lowest, highest - 10 * PAGE), highest + 1)) - set(numbers)
        self._gaps -= set(numbers)
        for thing in things:
            self.put(thing)

    def put(self, thing: T) -> None:
        """One of them as it is now."""
        number = self.number(thing)
        self._here[number] = thing
        self._here.move_to_end(number)
        self._stale.discard(number)
        self.newest = max(self.newest, number)
        while len(self._here) > MOST_KEPT:
            self._here.popitem(last=False)

    def get(self, number: int) -> T | None:
        """One that is here."""
        return self._here.get(number)

    def change(self, thing: T) -> None:
        """One that is here, with something changed in passing: it keeps its place, and whether it is stale."""
        self._here[self.number(thing)] = thing

    def all_here(self) -> Iterable[T]:
        """Those that are here, in no order."""
        return list(self._here.values())

    def spoil(self, number: int | None) -> None:
        """One has changed; None: any may have, as after a break."""
        if number is None:
            self._stale |= set(self._here)
        elif number in self._here:
            self._stale.add(number)

    def wanted(self, rows: range) -> int | None:
        """What to ask for so that these rows can be drawn, as `before`; None: all are here and fresh."""
        numbers = [self.number_at(index) for index in rows]
        absent = [at for at in numbers if at in self._stale or (at not in self._here and at not in self._gaps)]
        return max(absent) + 1 if absent else None

    def number_at(self, index: int) -> int:
        """The number of the thing in a row."""
        return index + 1 if self.oldest_first else self.newest - index

    def row_of(self, number: int) -> int:
        """The row of a number."""
        return number - 1 if self.oldest_first else self.newest - number


class PagedRows(Generic[T]):
    """The whole list as the table reads it. `nobody` gives the cells of a number that belongs to nothing."""

    def __init__(
        self,
        pages: NumberedPages[T],
        cells: Callable[[T], Mapping[str, Cell]],
        nobody: Callable[[int], Mapping[str, Cell]],
    ) -> None:
        self._pages = pages
        self._cells = cells
        self._nobody = nobody

    def __len__(self) -> int:
        return len(self._pages)

    def cells(self, index: int) -> Mapping[str, Cell] | None:
        """A row's cells."""
        number = self._pages.number_at(index)
        thing = self._pages.get(number)
        if thing is not None:
            return self._cells(thing)
        return self._nobody(number) if self._pages.wanted(range(index, index + 1)) is None else None

    def key(self, index: int) -> int | None:
        """The row's number."""
        return self._pages.number_at(index) if index < len(self._pages) else None

    def index_of(self, key: Hashable) -> int | None:
        """Where the row stands now."""
        return self._pages.row_of(key) if isinstance(key, int) and 1 <= key <= self._pages.newest else None


class Matches(Generic[T]):
    """What passes a filter, as far as a list was looked through, from the newest down."""

    def __init__(
        self,
        wanted: Filter,
        words: Callable[[T], str],
        newest: int | None = None,
        *,
        number: Number[T] | None = None,
    ) -> None:
        """`words` are what the filter looks through. `newest` None: it is not known where the list begins."""
        self.filter = wanted
        self.looked_down_to = None if newest is None else newest + 1
        """All from this number on were looked at; None: nothing was yet."""
        self.is_done = newest == 0
        self._words = words
        self._number: Number[T] = number or attrgetter("id")
        self._found: dict[int, T] = {}

    def add(self, things: Sequence[T], next_before: int | None, before: int | None) -> bool:
        """Look through a page. Whether something in it passes.

        Only the page that follows what was looked at brings the search on: an answer may come late, asked for by a
        filter that was typed before this one.
        """
        for thing in things:
            self.put(thing)
        numbers = [self._number(thing) for thing in things]
        if before == self.looked_down_to:
            self.looked_down_to = min(numbers, default=1)
            self.is_done = next_before is None or len(self._found) >= MOST_KEPT
        return any(number in self._found for number in numbers)

    def put(self, thing: T) -> None:
        """One of them as it is now."""
        if self.filter.keeps(self._words(thing)):
            self._found[self._number(thing)] = thing
        else:
            self._found.pop(self._number(thing), None)

    def newest_first(self) -> list[T]:
        """What was found."""
        return [self._found[at] for at in sorted(self._found, reverse=True)]
