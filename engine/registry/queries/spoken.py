"""Which stored files the registry speaks of, by the tables that do.

Every text and JSON value of every table is searched for hashes, whatever its column is called, so that a table that is
added later is heard without anybody thinking of it here. What is only told of the past does not keep a file: events,
and the arguments and results of jobs that are over.
"""

from __future__ import annotations

import re

from sqlalchemy import Boolean, Column, Integer, Numeric, Select, Table, Text, cast, func, select

from engine.registry import tables
from engine.registry.core import JOB, JOB_STEP, SNAPSHOT, VERSION
from engine.registry.reader import Source
from engine.wire.jobs import ENDED

SILENT = frozenset(
    {"blob", "event", "event_head", "metric", "metric_point", "param", "candidate", "check_figure", "capture_file"}
    | {"schedule_run", "performance_window"}
)
"""Tables that keep no file: long ones without a hash, the list of the files itself, and what tells of the past."""

APPENDED = frozenset({"run", "model_check"})
"""Long tables whose rows come with the file they speak of, stored just before: whoever goes by that may pass over
them where everybody waits."""
NO_TEXT = (Integer, Numeric, Boolean, tables.UtcDateTime)
"""Types of columns that hold no hash; whatever else there is, or will be, is searched."""
_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_HASH_CHARACTERS = 64


def spoken_hashes(source: Source, *, without: frozenset[str] = frozenset()) -> dict[str, set[str]]:
    """Hashes by table, all of one moment, `without` some tables. Some are of other things, which harms nobody."""
    found: dict[str, set[str]] = {}
    with source.connection() as connection:
        for table in tables.Table.metadata.sorted_tables:
            if table.name in SILENT | without:
                continue
            hashes: set[str] = set()
            for column in table.columns:
                if not isinstance(column.type, NO_TEXT):
                    for text in connection.scalars(_long_values(table, column)):
                        hashes.update(_HASH.findall(text))
            if hashes:
                found[table.name] = hashes
    return found


def training_data(source: Source) -> set[str]:
    """Hashes of the files of snapshots that a version was made of."""
    columns = SNAPSHOT.c["data_sha256", "profile_sha256", "reservoir_sha256"]
    asked = select(*columns).join(VERSION, VERSION.c.snapshot_id == SNAPSHOT.c.id)
    with source.connection() as connection:
        return {sha256 for row in connection.execute(asked) for sha256 in row if sha256 is not None}


def _long_values(table: Table, column: Column[str]) -> Select[str]:
    # As text: nothing is gained by decoding the JSON first.
    text = cast(column, Text)
    asked = select(text).where(func.length(text) >= _HASH_CHARACTERS)
    if table is JOB:
        return asked.where(JOB.c.status.not_in(ENDED))
    if table is JOB_STEP:
        return asked.join(JOB, JOB.c.id == JOB_STEP.c.job_id).where(JOB.c.status.not_in(ENDED))
    return asked
