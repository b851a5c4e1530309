"""An immutable, hashed version of a project's data."""

from __future__ import annotations

import difflib
import errno
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from engine.data.checks import FailedExpectation, check_expectations
from engine.data.content import content_sha256
from engine.data.fresh_rows import FreshFigures, read_fresh
from engine.data.profile import build_profile, take_reservoir
from engine.data.schema import Schema, conform, describe
from engine.data.sources import Dialect, SourceFile, Table, find_files, read_table
from engine.data.target import check_target
from engine.data.text_columns import first_true
from engine.data.wording import agreeing, counted
from engine.errors import BadData, DiskFull, InvalidInput
from engine.project import Project
from engine.wire.base import FileEntry
from engine.wire.work import FreshRows, SnapshotResult

MINIMUM_ROWS = 20
"""Fewer leave nothing to judge by once they are parted in three."""

DATA_FILE, PROFILE_FILE, RESERVOIR_FILE = "data.parquet", "profile.json", "reservoir.parquet"


@dataclass(frozen=True)
class SnapshotFigures:
    """A snapshot as it was just taken; its files lie in the folder it was written to."""

    frame: pl.DataFrame
    """Canonical; every row has a target."""
    schema: Schema
    sha256: str
    """Of the content."""
    left_out: int
    """Rows without a target."""
    failures: tuple[FailedExpectation, ...]
    """Where there is one, nothing may be trained on it."""
    sources: tuple[SourceFile, ...]
    fresh: FreshFigures | None
    """Captured rows whose labels have come, which stand after those of the source; None: there are none."""
    data: FileEntry
    profile: FileEntry
    reservoir: FileEntry
    notes: tuple[str, ...]
    """Sentences for the job's log."""

    def to_result(self) -> SnapshotResult:
        """The body of step `snapshot`; its files' paths are names within the folder of the snapshot."""
        return SnapshotResult(
            sha256=self.sha256,
            rows=self.frame.height,
            columns=self.frame.width,
            left_out=self.left_out,
            data_schema=self.schema.to_dict(),
            data=self.data,
            profile=self.profile,
            reservoir=self.reservoir,
            sources=[
                *(source.to_dict() for source in self.sources),
                *([self.fresh.to_dict()] if self.fresh is not None else []),
            ],
            failures=[failure.to_dict() for failure in self.failures],
        )


def take_snapshot(
    project: Project,
    folder: Path,
    out: Path,
    previous_schema: Schema | None = None,
    fresh: FreshRows | None = None,
    *,
    seed: int = 0,
    told: Callable[[str], None] = lambda note: None,
) -> SnapshotFigures:
    """Read a project's sources and write them to `out` as canonical Parquet, with a profile and a sample of rows.

    `folder` is where relative sources are read from; `fresh` are captured rows to add, which `engine.data.fresh_rows`
    says more of; `told` hears what is being done. Expectations that rows of the source break are reported, not raised:
    see `expectations_error`.

    Raises:
        BadData: the data cannot be used; names the file and line where there is one.
        NotFound: no file is there. InvalidInput: `mlops.toml` names a column that is not.
        DiskFull: no room for the snapshot.
    """
    told("reading the data")
    files = find_files(project.data.source, folder)
    table = read_table(files, Dialect(project.data.delimiter, project.data.encoding), folder=folder)
    notes = _check_columns(table, project)
    told(f"finding the types of {counted(table.frame.width, 'column')} in {counted(table.frame.height, 'row')}")
    frame, schema = conform(table, project, previous_schema)
    _check_key(frame, project, table)
    kept, rows = _with_target(frame, project)
    schema = schema if kept.height == frame.height else describe(kept, project)
    check_target(kept[project.data.target], schema, project)
    failures = check_expectations(kept, schema, project, lambda found: table.where_all(rows[found].to_list()))
    if left_out := frame.height - kept.height:
        notes.append(f"{counted(left_out, 'row')} without a target left out.")
    captured = None
    if fresh is not None and not failures:
        told("adding captured rows whose labels have come")
        captured = read_fresh(fresh, project, kept, schema)
        notes += captured.notes()
        if captured.rows:
            kept = pl.concat([kept, captured.frame], how="vertical_relaxed")
            schema = describe(kept, project)
    told("writing the snapshot")
    return _write(kept, schema, failures, table, project, left_out, out, seed, notes, captured)


def load_snapshot(path: Path) -> pl.DataFrame:
    """The canonical frame of a snapshot's Parquet file."""
    return pl.read_parquet(path, glob=False)


def _check_columns(table: Table, project: Project) -> list[str]:
    """Refuse a file that speaks of columns which are not there. Notes on ignored ones that are gone: a name that is
    close to another column's is taken for a mistake, which would let that column in as a feature.
    """
    data, names = project.data, table.frame.columns
    absent = [name for name in data.ignore if name not in names]
    mistyped = [name for name in absent if difflib.get_close_matches(name, set(names) - set(data.ignore), cutoff=0.6)]
    named = [("target", data.target), ("id", data.id), ("time", data.time), *(("ignore", name) for name in mistyped)]
    for role, name in named:
        if name is not None and name not in names:
            raise missing_column(role, name, table)
    roles = {data.target, data.id, data.time, *data.ignore}
    if not set(names) - roles:
        raise BadData(
            "No column is left to learn from: each is the target, the id, the time or ignored.",
            "Give data with more columns, or shorten `ignore` under [data].",
        )
    return [f"`ignore` names {name!r}, and the data has no such column." for name in absent]


def missing_column(role: str, name: str, table: Table) -> InvalidInput:
    """The error for a column that the data does not have."""
    names = table.frame.columns
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    listed = ", ".join(found[:40] for found in names[:12]) + (", …" if len(names) > 12 else "")
    hint = f"Did you mean {near[0]!r}? " if near else ""
    hint += f"Its columns: {listed}."
    if table.text and len(names) == 1:
        hint = f"The first line is one field, {names[0][:60]!r}: is `delimiter` right?"
    elif table.text and sum(_is_number(found) for found in names) > len(names) / 2:
        hint = f"The first line should hold the columns' names, and holds {listed}."
    return InvalidInput(
        f"{table.files[0].shown} has no column {name[:60]!r}, which is to be the {role}."
        if role != "ignore"
        else f"{table.files[0].shown} has no column {name[:60]!r}, which `ignore` names.",
        hint,
        column=name,
    )


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _check_key(frame: pl.DataFrame, project: Project, table: Table) -> None:
    for role, name in (("id", project.data.id), ("time", project.data.time)):
        if name is not None and frame[name].null_count():
            lacking = frame[name].is_null()
            count = int(lacking.sum())
            raise BadData(
                f"{table.where(first_true(lacking))}: no value in the {role} column {name!r}"
                f" ({counted(count, 'row')} {agreeing(count, 'lacks', 'lack')} one).",
                f"Every row needs its {role}; mend those rows, or take `{role}` out of [data].",
                column=name,
            )
    if project.data.id is not None and frame[project.data.id].n_unique() < frame.height:
        raise _duplicate(frame[project.data.id], table)


def _duplicate(keys: pl.Series, table: Table) -> BadData:
    value = keys.filter(keys.is_duplicated())[0]
    rows = (keys == value).arg_true()
    places = " and ".join(table.where_all(rows.head(2).to_list()))
    repeated = len(keys) - keys.n_unique()
    return BadData(
        f"The id {str(value)[:60]!r} occurs {len(rows)} times, at {places}; {counted(repeated, 'row')}"
        f" {agreeing(repeated, 'repeats', 'repeat')} an id.",
        f"{keys.name!r} must be unique: leave one row of each, or name another `id` under [data].",
        column=keys.name,
        value=str(value)[:200],
        repeated=repeated,
    )


def _with_target(frame: pl.DataFrame, project: Project) -> tuple[pl.DataFrame, pl.Series]:
    """Rows that have a target, and where they stood."""
    target = project.data.target
    if not frame[target].null_count():
        kept, rows = frame, pl.int_range(frame.height, eager=True)
    else:
        rows = frame[target].is_not_null().arg_true()
        kept = frame[rows]
    if kept.height < MINIMUM_ROWS:
        lacking = frame.height - kept.height
        without = f" ({lacking:,} more {agreeing(lacking, 'lacks', 'lack')} a value of {target!r})" if lacking else ""
        raise BadData(
            f"The data has {counted(kept.height, 'row')} with a target{without}; at least {MINIMUM_ROWS} are needed.",
            "Give more rows.",
            rows=kept.height,
        )
    return kept, rows


def _write(
    frame: pl.DataFrame,
    schema: Schema,
    failures: tuple[FailedExpectation, ...],
    table: Table,
    project: Project,
    left_out: int,
    out: Path,
    seed: int,
    notes: list[str],
    fresh: FreshFigures | None,
) -> SnapshotFigures:
    names = [name for name in (project.data.id, *project.data.ignore) if name is not None]
    profile = build_profile(frame, schema, leave_out=names, time=project.data.time)
    return SnapshotFigures(
        frame=frame,
        schema=schema,
        sha256=content_sha256(frame),
        left_out=left_out,
        failures=failures,
        sources=table.files,
        fresh=fresh if fresh is not None and fresh.rows else None,
        data=_store(_parquet(frame), out / DATA_FILE),
        profile=_store(json.dumps(profile, ensure_ascii=False, indent=1).encode(), out / PROFILE_FILE),
        reservoir=_store(_parquet(take_reservoir(frame, seed)), out / RESERVOIR_FILE),
        notes=tuple(notes),
    )


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=3, row_group_size=250_000)
    return buffer.getvalue()


def _store(content: bytes, path: Path) -> FileEntry:
    try:
        path.write_bytes(content)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        path.unlink(missing_ok=True)
        raise DiskFull(
            f"No room is left for the snapshot ({len(content):,} bytes).", "Free some space and train again."
        ) from error
    return FileEntry(path=path.name, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
