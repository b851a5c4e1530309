"""CSV text to a frame of strings, with every record's fields counted.

Polars fills a record that is too short with nulls and says nothing, so the fields are counted first, by their
delimiters outside quotes (about 3 ns a byte). A text that the fast path does not settle, such as one with a stray
quote within a field, is read again by the standard library's reader, which also finds the line to name.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.errors import BadData

_CHUNK_BYTES = 1 << 22
_BATCH_ROWS = 50_000
_END = "\x00end of text\x00"
"""Appended as a record of its own: a quote that is never closed swallows it. The text itself has no zero bytes."""

csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class _Scan:
    """Where the first record ends, how many follow, and which bytes are blank lines among them."""

    header_end: int
    records: int
    blank_line_ends: np.ndarray
    even: bool
    """Every record that is not blank has as many delimiters as the first."""


def read_csv(text: bytes, delimiter: str, shown: str) -> pl.DataFrame:
    """The records of a UTF-8 CSV text as a frame of String columns; an empty cell is "".

    Names and cells are stripped of blanks around them; blank lines are passed over; a last column without a name
    and without a value (a delimiter at each line's end) is left out; another one without a name becomes
    `unnamed_N`, N its place from 1.

    Raises:
        BadData: no record, no row, a name twice, a record of another length (names the line), an open quote.
    """
    text = unix_lines(text)
    names = [name.strip() for name in first_record(text, delimiter)]
    if not names:
        raise BadData(f"{shown} is empty.", "A CSV file starts with a line of column names.", file=shown)
    frame = _read_fast(text, delimiter, len(names))
    if frame is None:
        frame = _read_slowly(text, delimiter, names, shown)
    return _named(frame, names, shown)


def frame_of_records(records: list[list[str]], names: list[str], shown: str) -> pl.DataFrame:
    """Records of as many fields as there are `names`, as `read_csv` gives them; raises `BadData` as it does."""
    return _named(pl.DataFrame(records, schema=_schema(len(names)), orient="row"), names, shown)


def lines_of_rows(text: bytes, delimiter: str, rows: Sequence[int]) -> list[int]:
    """The lines, from 1, on which the data rows `rows`, from 0 and ascending, begin."""
    filled = (line for line, record in _records(text, delimiter) if not is_blank(record))
    next(filled, None)
    return pick(filled, rows)


def pick(lines: Iterator[int], rows: Sequence[int]) -> list[int]:
    """The items of `lines` at the places `rows`, which ascend; raises IndexError where they end before."""
    picked: list[int] = []
    for place, line in enumerate(lines):
        if len(picked) == len(rows):
            break
        if place == rows[len(picked)]:
            picked.append(line)
    if len(picked) < len(rows):
        raise IndexError(rows[len(picked)])
    return picked


def first_record(text: bytes, delimiter: str) -> list[str]:
    """The fields of the first record that is not blank, as they stand; empty where there is none."""
    return next((record for _, record in _records(text, delimiter) if not is_blank(record)), [])


def unix_lines(text: bytes) -> bytes:
    """The text itself, or with line ends of its own where it has only the old Mac's."""
    return text.replace(b"\r", b"\n") if b"\r" in text and b"\n" not in text else text


def is_blank(record: list[str]) -> bool:
    """Whether a record comes of a line without anything on it."""
    return not record or (len(record) == 1 and not record[0].strip())


def _records(text: bytes, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line, from 1, on which it begins; blank ones too."""
    lines = io.TextIOWrapper(io.BytesIO(unix_lines(text)), encoding="utf-8", newline="")
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    line = 1
    for record in reader:
        yield line, record
        line = reader.line_num + 1


def _scan(text: bytes, delimiter: str) -> _Scan:
    """Count delimiters per record, where a record ends at a line's end outside quotes."""
    ends: list[np.ndarray] = []
    counts: list[np.ndarray] = []
    quoted, carried = 0, 0
    for start in range(0, len(text), _CHUNK_BYTES):
        chunk = np.frombuffer(text, np.uint8, count=min(_CHUNK_BYTES, len(text) - start), offset=start)
        at = np.flatnonzero((chunk == ord(delimiter)) | (chunk == 10) | (chunk == 34))
        marks = chunk[at]
        quotes = marks == 34
        if len(at) and (quoted or quotes.any()):
            parity = (np.cumsum(quotes, dtype=np.uint32) + quoted) & 1
            outside = (parity == 0) & ~quotes
            at, marks, quoted = at[outside], marks[outside], int(parity[-1])
        newline = np.flatnonzero(marks == 10)
        before = np.concatenate(([-1 - carried], newline[:-1])) if len(newline) else newline
        ends.append(at[newline] + start)
        counts.append(newline - before - 1)
        carried = len(at) - 1 - newline[-1] if len(newline) else carried + len(at)
    return _summed(text, np.concatenate(ends), np.concatenate(counts), int(carried), bool(quoted))


def _summed(text: bytes, ends: np.ndarray, counts: np.ndarray, carried: int, open_quote: bool) -> _Scan:
    if not len(ends) or ends[-1] != len(text) - 1:
        ends, counts = np.append(ends, len(text)), np.append(counts, carried)
    lengths = np.diff(ends, prepend=-1) - 1
    blank = lengths == 0
    single = np.flatnonzero(lengths == 1)
    if len(single):
        blank[single] = np.frombuffer(text, np.uint8)[ends[single] - 1] == 13
    kept = counts[~blank]
    even = not open_quote and bool(len(kept)) and bool((kept == kept[0]).all())
    return _Scan(int(ends[0]), len(kept) - 1, ends[blank], even)


def _read_fast(text: bytes, delimiter: str, width: int) -> pl.DataFrame | None:
    """By Polars; None where the count of fields or of rows leaves a doubt."""
    if len(delimiter.encode()) != 1 or f'{delimiter} "'.encode() in text:
        return None
    text = text.lstrip(b"\r\n")
    scan = _scan(text, delimiter)
    if not scan.even:
        return None
    body = _without_blank_lines(text, scan)[scan.header_end + 1 :]
    if not scan.records:
        return pl.DataFrame(schema=_schema(width))
    try:
        frame = pl.read_csv(
            body,
            has_header=False,
            separator=delimiter,
            schema=_schema(width),
            empty_string_is_null=False,
            encoding="utf8",
        )
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.height == scan.records and frame.width == width else None


def _without_blank_lines(text: bytes, scan: _Scan) -> bytes:
    if not len(scan.blank_line_ends):
        return text
    keep = np.ones(len(text), dtype=bool)
    ends = scan.blank_line_ends[scan.blank_line_ends < len(text)]
    keep[ends] = False
    data = np.frombuffer(text, np.uint8)
    before = ends[ends > 0] - 1
    keep[before[data[before] == 13]] = False
    return data[keep].tobytes()


def _read_slowly(text: bytes, delimiter: str, names: list[str], shown: str) -> pl.DataFrame:
    """By the standard library's reader, each record's fields counted; an empty last one beyond the names is dropped."""
    records = _checked_records(text, delimiter, names, shown)
    next(records)
    schema = _schema(len(names))
    parts = [pl.DataFrame(schema=schema)]
    while batch := list(itertools.islice(records, _BATCH_ROWS)):
        parts.append(pl.DataFrame(batch, schema=schema, orient="row"))
    return pl.concat(parts)


def _checked_records(text: bytes, delimiter: str, names: list[str], shown: str) -> Iterator[list[str]]:
    width = len(names)
    for line, record in _records(text + b"\n" + _END.encode(), delimiter):
        if record == [_END]:
            return
        if is_blank(record):
            continue
        if record[-1].endswith(_END):
            raise BadData(
                f'{shown}, line {line}: a quote (") is opened and never closed.',
                "Close it; a quote within a quoted field is written twice.",
                file=shown,
                line=line,
            )
        record = without_empty_end(record, width)
        if len(record) != width:
            raise _ragged(line, len(record), names, delimiter, shown)
        yield record


def without_empty_end(record: list[str], width: int) -> list[str]:
    """The record, without an empty last field beyond the names (a delimiter at the line's end)."""
    return record[:width] if len(record) == width + 1 and not record[-1].strip() else record


def _ragged(line: int, found: int, names: list[str], delimiter: str, shown: str) -> BadData:
    hint = f"Mend that line: a field that holds {delimiter!r} must stand in double quotes."
    if len(names) == 1:
        hint = f"The first line is one field when split at {delimiter!r}: is `delimiter` under [data] right?"
    elif found == len(names) + 1:
        hint = f"Mend that line, or the first one if it lacks a name; a field that holds {delimiter!r} must be quoted."
    return BadData(
        f"{shown}, line {line}: expected {len(names)} field{'s' * (len(names) != 1)}, got {found}.",
        hint,
        file=shown,
        line=line,
        expected=len(names),
        found=found,
    )


def _schema(width: int) -> dict[str, type[pl.String]]:
    return {f"column_{place}": pl.String for place in range(1, width + 1)}


def _named(frame: pl.DataFrame, names: list[str], shown: str) -> pl.DataFrame:
    frame = frame.with_columns(pl.all().str.strip_chars()) if _has_outer_blanks(frame) else frame
    if not names[-1] and len(names) > 1 and frame.height and (frame[:, -1] == "").all():
        names, frame = names[:-1], frame[:, :-1]
    frame.columns = check_names([name or f"unnamed_{place}" for place, name in enumerate(names, 1)], shown)
    if not frame.height:
        raise BadData(f"{shown} holds a line of column names and no row.", "Add rows below it.", file=shown)
    return frame


def check_names(names: list[str], shown: str) -> list[str]:
    """The names themselves, when each occurs once and none is a pattern; raises `BadData` else."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadData(
            f"{shown} has the column {twice[0]!r} {names.count(twice[0])} times.",
            "Give each column a name of its own in the first line.",
            file=shown,
            columns=twice[:20],
        )
    # Polars, which reads and selects here, takes these two for all columns and for a regular expression.
    pattern = next((name for name in names if name == "*" or (name.startswith("^") and name.endswith("$"))), None)
    if pattern is not None:
        raise BadData(
            f"{shown} has a column named {pattern[:60]!r}, which is no name but a pattern of names.",
            "Give the column another name.",
            file=shown,
            column=pattern[:200],
        )
    return names


def _has_outer_blanks(frame: pl.DataFrame) -> bool:
    edge = r"^\s|\s$"
    # Most cells start and end with a visible character: looking first costs a third of stripping.
    return any(frame.select(pl.all().str.contains(edge).any()).row(0))
