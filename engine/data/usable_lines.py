"""A file in which single lines are damaged: what can be used of it, and why the rest cannot.

Data to learn from is refused whole, for a line that is passed over there would be missed by nobody. Outcomes come by
hand and in pieces; there each line stands for itself.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from engine.data.csv_source import frame_of_records, is_blank, unix_lines, without_empty_end
from engine.data.encoding import to_utf8
from engine.data.jsonl_source import filled_lines, frame_of_objects, parse_object
from engine.data.sources import Dialect, SourceFile, Table, file_format, read_bytes, read_table
from engine.errors import BadData

MOST_LINES = 200
"""That one record may span: a quote that is never closed would swallow the rest of the file."""

Damaged = list[tuple[int, str]]
"""Lines, from 1, and why each cannot be used: a sentence without its end."""


@dataclass(frozen=True)
class UsableLines:
    """A file's rows, and its damaged lines."""

    table: Table
    lines: list[int] | None
    """The line, from 1, on which each row begins; None: nothing is damaged, and `table` tells."""
    damaged: Damaged

    def where_all(self, rows: list[int]) -> list[str]:
        """Where each of `rows`, from 0 and ascending, comes from: `outcomes.csv, line 12`."""
        if self.lines is None:
            return self.table.where_all(rows)
        return [f"{self.table.files[0].shown}, line {self.lines[row]}" for row in rows]


def read_usable_lines(path: Path, dialect: Dialect) -> UsableLines:
    """Read a file of which each line stands for itself. CSV and JSON lines may have damaged ones; Parquet may not.

    Raises:
        BadData: it cannot be read, or not one line of it can.
    """
    try:
        table = read_table([path], dialect, folder=path.parent)
        found = _without_damaged(path, dialect) if _spans_lines(table) else None
        return found or UsableLines(table, None, [])
    except BadData:
        found = _without_damaged(path, dialect)
        if found is None:
            raise
        return found


def _spans_lines(table: Table) -> bool:
    """Whether a cell holds a line's end: it may be one that a stray quote has put together with the next line."""
    return table.text and any(table.frame.select(pl.all().str.contains("\n", literal=True).any()).row(0))


def _without_damaged(path: Path, dialect: Dialect) -> UsableLines | None:
    """None: no single lines are to blame, or none is left."""
    shown, raw = path.name, read_bytes(path, path.name)
    kind = file_format(path, raw)
    encoding = dialect.encoding if kind == "csv" else "utf-8"
    raw = unix_lines(raw) if kind == "csv" else raw
    legible, foreign = _blank_foreign(raw) if encoding == "utf-8" else (raw, [])
    if kind == "parquet" or (kind == "csv" and foreign[:1] and foreign[0][0] == 1):
        return None
    text = to_utf8(legible, encoding, shown)
    found = _objects(text, shown) if kind == "jsonl" else _records(text, dialect.delimiter, shown)
    if found is None:
        return None
    frame, lines, broken = found
    source = SourceFile(path, shown, kind, hashlib.sha256(raw).hexdigest(), len(raw), frame.height)
    table = Table(frame, (source,), kind == "csv", dialect)
    return UsableLines(table, lines, sorted([*foreign, *broken]))


def _blank_foreign(raw: bytes) -> tuple[bytes, Damaged]:
    """UTF-8 in which lines that hold other bytes are blank, so that the others keep their number."""
    lines, foreign = raw.split(b"\n"), []
    for place, line in enumerate(lines):
        reason = "it holds a zero byte" if b"\x00" in line else "" if _is_utf8(line) else "it is not utf-8"
        if reason:
            lines[place] = b""
            foreign.append((place + 1, reason))
    return b"\n".join(lines), foreign


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _objects(text: bytes, shown: str) -> tuple[pl.DataFrame, list[int], Damaged] | None:
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    broken: Damaged = []
    for line, content in filled_lines(text):
        try:
            rows.append(parse_object(content, line, shown))
            lines.append(line)
        except BadData as error:
            broken.append((line, error.message.removeprefix(f"{shown}, line {line}: ").rstrip(".")))
    return (frame_of_objects(rows, shown), lines, broken) if rows else None


def _records(text: bytes, delimiter: str, shown: str) -> tuple[pl.DataFrame, list[int], Damaged] | None:
    found = _records_of_lines(text, delimiter)
    names = next((record for _, record in found if record is not None and not is_blank(record)), None)
    if names is None:
        return None
    rows: list[list[str]] = []
    lines: list[int] = []
    broken: Damaged = []
    for line, record in found:
        fitting = without_empty_end(record, len(names)) if record is not None else None
        if fitting is None:
            broken.append((line, 'a quote (") is opened and not closed'))
        elif len(fitting) == len(names):
            rows.append(fitting)
            lines.append(line)
        elif not is_blank(fitting):
            broken.append((line, f"expected {len(names)} field{'s' * (len(names) != 1)}, got {len(fitting)}"))
    return (frame_of_records(rows, [name.strip() for name in names], shown), lines, broken) if rows else None


def _records_of_lines(text: bytes, delimiter: str, width: int = 0) -> Iterator[tuple[int, list[str] | None]]:
    """Each record, and the line on which it begins; None for a line that opens a quote which nothing fitting closes,
    after which the next line is read by itself. The first record's fields are how many each must have.
    """
    lines = list(io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline=""))
    place = 0
    while place < len(lines):
        record, taken = _record_at(lines, place, delimiter)
        if taken > 1 and width and (record is None or len(record) != width):
            record, taken = None, 1
        if record is not None and not width and not is_blank(record):
            width = len(record)
        yield place + 1, record
        place += taken


def _record_at(lines: Sequence[str], place: int, delimiter: str) -> tuple[list[str] | None, int]:
    """The record that begins with line `place`, and how many lines it takes; None: it is none."""
    first = list(csv.reader(lines[place : place + 1], delimiter=delimiter, skipinitialspace=True))
    alone = first[0] if first else []
    if not alone or not alone[-1].endswith("\n"):
        return alone, 1  # a quote that is open at the end keeps the line's end in its field
    several = (lines[at] for at in range(place, min(place + MOST_LINES, len(lines))))
    # Of several lines only what is written by the rules: a stray quote is likelier than a field of many lines.
    reader = csv.reader(several, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        return next(reader), reader.line_num
    except csv.Error:
        return None, 1
