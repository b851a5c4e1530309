"""Counted things in sentences: one is not many."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 row`, `1,234 rows`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def agreeing(count: int, one: str, many: str) -> str:
    """The verb for so many: `has` or `have`."""
    return one if count == 1 else many
