"""Insert, or bring up to date what is there: for rows whose key is known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.sqlite import Insert, insert


def upsert(table: Table, *, keep: Sequence[str] = ()) -> Insert:
    """An insert that replaces the columns of a row with the same primary key, all but those of `keep`.

    PostgreSQL's dialect has the same statement under the same names.
    """
    statement = insert(table)
    key = [column.name for column in table.primary_key]
    changed: dict[str, Any] = {
        column.name: statement.excluded[column.name]
        for column in table.c
        if column.name not in key and column.name not in keep
    }
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(index_elements=key, set_=changed)
