"""Job `compact`: a replica's capture segments become Parquet, and are deleted once that is recorded.

A file's name tells the replica and the stretch of its captures that it holds. So an attempt that died after it wrote
a file and before its step was recorded leaves a file that the next attempt, starting at the same offset, recognises
and replaces; nothing counts twice.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from engine.serving.manifest import Manifest
from engine.wire.work import CaptureFileResult, CompactOrder, CompactResult
from engine.worker.capture_table import find_manifest, read_lines, to_table
from engine.worker.durable_parquet import write_durably
from engine.worker.segments import Offset, Stretch, delete_segments, list_segments, read_stretches
from engine.worker.session import Session

_STRETCHES_A_FILE = 8
_RETRIED_WITHIN = timedelta(minutes=10)
"""A request that the gateway sends again to another replica arrives there well within this time."""
_WRITTEN_WITHIN = timedelta(days=1)
"""Long beyond it, for a clock that was put back by hours."""

_KEYS = ["request_id", "row_index"]
_KEY_SCHEMA = {"request_id": pl.String(), "row_index": pl.Int64(), "received_at": pl.Datetime("us", "UTC")}
_FILE_NAME = re.compile(r"(?P<replica>d\d+-[A-Za-z0-9]+)-(?P<segment>\d{8})-(?P<byte>\d+)-to-\d{8}-\d+\.parquet")


def run_compact(session: Session) -> None:
    """Compact from the order's offset on, finish step `compact`, then delete the segments that are done with.

    Raises:
        DiskFull, OSError: the captures cannot be read or the files not written; nothing is deleted then.
    """
    order = CompactOrder.model_validate(session.args)
    session.begin("compact", "reading captures")
    if "compact" not in session.finished:
        session.step("compact", compact(order, session))
    result = CompactResult.model_validate(session.finished["compact"])
    delete_segments(Path(order.captures_folder), Offset(result.segment, result.byte))


def compact(order: CompactOrder, session: Session | None = None) -> CompactResult:
    """Write the Parquet files and say where to go on; deletes no segment."""
    out, captures = Path(order.out_folder), Path(order.captures_folder)
    start = Offset(order.segment, order.byte)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    replica = f"d{order.deployment}-{captures.parent.name}"
    _remove_unrecorded(out, replica, start)
    manifest = find_manifest(captures)
    total = CompactResult(
        segment=start.segment, byte=start.byte, rows=0, requests=0, duplicates=0, damaged_lines=0, dropped=0, files=[]
    )
    stretches: list[Stretch] = []
    waiting = sum(number >= start.segment for number in list_segments(captures))
    for read, stretch in enumerate(read_stretches(captures, start, retired=order.retired), 1):
        stretches.append(stretch)
        if len(stretches) == _STRETCHES_A_FILE:
            total = _one_file(total, stretches, out, replica, manifest, session)
            stretches = []
        if session is not None:
            session.progress(read / max(waiting, read), f"segment {read} of {max(waiting, read)}")
    return _one_file(total, stretches, out, replica, manifest, session) if stretches else total


def _one_file(
    total: CompactResult,
    stretches: list[Stretch],
    out: Path,
    replica: str,
    manifest: Manifest | None,
    session: Session | None,
) -> CompactResult:
    """Write some stretches as one file, where they hold a row, and add them to the counts."""
    found = read_lines(line for stretch in stretches for line in stretch.lines)
    start, end = stretches[0].start, stretches[-1].end
    table = to_table(found.requests, manifest)
    rows = sum(len(line.rows) for line in found.requests)
    fresh = _without_known(table, out)
    files, written = list(total.files), list(total.written)
    if fresh.height:
        name = f"{replica}-{start.segment:08d}-{start.byte}-to-{end.segment:08d}-{end.byte}.parquet"
        if session is not None:
            # A worker that was frozen while another did its work is told so here, before it writes.
            session.begin("compact", f"writing {name}"[:200])
        write_durably(fresh, out / name)
        files.append(name)
        written.append(_describe(fresh, out / name))
    return total.model_copy(
        update={
            "segment": end.segment,
            "byte": end.byte,
            "rows": total.rows + fresh.height,
            "requests": total.requests + len(found.requests),
            "duplicates": total.duplicates + rows - fresh.height,
            "damaged_lines": total.damaged_lines + found.damaged + sum(stretch.torn for stretch in stretches),
            "dropped": total.dropped + found.dropped,
            "files": files,
            "written": written,
        }
    )


def _describe(table: pl.DataFrame, path: Path) -> CaptureFileResult:
    """What a written file holds; `table` has at least one row, and all are of one replica, so of one version."""
    received, happened = table["received_at"], table["event_time"]
    return CaptureFileResult(
        name=path.name,
        version=table["version"][0],
        rows=table.height,
        size_bytes=path.stat().st_size,
        first_received_at=_moment(received.min()),
        last_received_at=_moment(received.max()),
        first_event_at=_moment(happened.min()),
        last_event_at=_moment(happened.max()),
    )


def _moment(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _without_known(table: pl.DataFrame, out: Path) -> pl.DataFrame:
    """Rows whose request is in no file of the endpoint yet, as far as a request sent again could have got there."""
    received = table["received_at"].drop_nulls()
    if not len(received):
        return table
    first, last = received.sort()[[0, -1]]
    # Thousands of older files are not opened for this: what was written before then holds nothing that came later.
    since_s = (first - _WRITTEN_WITHIN).timestamp()
    named = sorted(path for path in out.glob("*.parquet") if _FILE_NAME.fullmatch(path.name))
    files = [path for path in named if path.stat().st_mtime >= since_s]
    if not files:
        return table
    known = (
        pl.scan_parquet(files, glob=False, missing_columns="insert", extra_columns="ignore", schema=_KEY_SCHEMA)
        .filter(pl.col("received_at").is_between(first - _RETRIED_WITHIN, last + _RETRIED_WITHIN))
        .select(_KEYS)
        .collect()
    )
    return table.join(known, on=_KEYS, how="anti", maintain_order="left") if known.height else table


def _remove_unrecorded(out: Path, replica: str, start: Offset) -> None:
    """Files of this replica from the offset on: an attempt wrote them whose step was never recorded."""
    for path in out.glob(f"{replica}-*.parquet"):
        told = _FILE_NAME.fullmatch(path.name)
        if told and told["replica"] == replica and Offset(int(told["segment"]), int(told["byte"])) >= start:
            path.unlink(missing_ok=True)
