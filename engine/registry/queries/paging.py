"""Pages: how many rows at most, and where the next one begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

PAGE_LIMIT = 1000


class HasId(Protocol):
    """A row of a page."""

    @property
    def id(self) -> int:
        """What pages go by."""


def bounded(limit: int) -> int:
    """At least one row, at most `PAGE_LIMIT`."""
    return max(1, min(limit, PAGE_LIMIT))


def next_before(page: Sequence[HasId], limit: int) -> int | None:
    """Id after which the next page begins; None when this one was not full."""
    return page[-1].id if len(page) == limit else None
