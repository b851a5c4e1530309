"""Rows to predict, from JSON, JSON lines or CSV, typed by what the version takes."""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from engine.errors import BadData

BATCH_ROWS = 1000
"""Rows in one request: the gateway takes 32 MB at most."""

_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")
_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})
_DELIMITERS = (",", ";", "\t", "|")

_GROUPED = {
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?"),
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?"),
}

_LINE = re.compile(r"[^\r\n]*")

Row = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """How the project's own CSV is written; the rows to predict most likely are too."""

    delimiter: str = ","
    encoding: str = "utf-8"
    missing: tuple[str, ...] = _MISSING
    decimal: str = "."


def format_of(project_file: str) -> Format:
    """The format that an `mlops.toml` tells of."""
    data = tomllib.loads(project_file).get("data", {})
    return Format(
        str(data.get("delimiter", ",")),
        str(data.get("encoding", "utf-8")),
        tuple(data.get("missing", _MISSING)),
        str(data.get("decimal", ".")),
    )


@dataclass(frozen=True)
class Wanted:
    """What one version takes."""

    version: str
    """Such as `fraud@3`, for messages."""
    inputs: Sequence[Mapping[str, Any]]
    """Of the manifest: name, type, nullable."""
    others: Sequence[str] = ()
    """Columns sent along that are no inputs: the row's id and its time."""


def read_rows(content: bytes, where: str, wanted: Wanted, form: Format) -> Iterator[Row]:
    """The rows of a file, one by one. JSON is taken as it is; cells of a CSV are typed.

    Raises:
        BadData: not readable, a column that the version needs is missing, or a cell that is not of its type.
    """
    text = _decoded(content, where, form.encoding)
    if text.lstrip()[:1] in ("[", "{"):
        return _json_rows(text, where)
    return _csv_rows(text, where, wanted, form)


def batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """At most `BATCH_ROWS` at a time."""
    while batch := list(islice(rows, BATCH_ROWS)):
        yield batch


def _decoded(content: bytes, where: str, encoding: str) -> str:
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        try:
            return content.decode("latin-1" if encoding == "utf-8" else encoding)
        except (UnicodeDecodeError, LookupError):
            raise BadData(f"{where} is no text in {encoding}.", "Save it as UTF-8.") from error


def _json_rows(text: str, where: str) -> Iterator[Row]:
    try:
        whole = json.loads(text)
    except ValueError as error:
        if "\n" in text.strip() and text.lstrip().startswith("{"):
            yield from _json_lines(text, where)
            return
        raise BadData(f"{where} is not JSON: {error}.", "Write an array of objects, or one object a line.") from error
    except RecursionError as error:
        raise BadData(f"{where} is nested too deep.", "Write an array of flat objects.") from error
    found = whole["rows"] if isinstance(whole, dict) and isinstance(whole.get("rows"), list) else whole
    yield from (_object(row, where, at) for at, row in enumerate(found if isinstance(found, list) else [found], 1))


def _json_lines(text: str, where: str) -> Iterator[Row]:
    for at, line in enumerate(io.StringIO(text), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadData(f"{where}, line {at}: this is not JSON ({error}).", "Write one object a line.") from error
        yield _object(row, where, at)


def _object(row: object, where: str, at: int) -> Row:
    if not isinstance(row, dict):
        raise BadData(f"{where}, row {at}: this is no object.", 'Write rows as {"column": value, …}.')
    return row


def _csv_rows(text: str, where: str, wanted: Wanted, form: Format) -> Iterator[Row]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, wanted, form), strict=False)
    try:
        # A column without a name is called as it was when the model was made.
        head = [name.strip() or f"unnamed_{place}" for place, name in enumerate(next(lines, []), 1)]
    except csv.Error as error:
        raise BadData(f"{where}, line 1: {error}.", "The first line must name the columns.") from error
    if not head:
        raise BadData(f"{where} is empty.", "The first line must name the columns.")
    _check_columns(head, where, wanted)
    types = {str(one["name"]): str(one["type"]) for one in wanted.inputs}
    at = 1
    try:
        for at, line in enumerate(lines, 1):
            if not any(cell.strip() for cell in line):
                continue
            if len(line) != len(head):
                raise BadData(f"{where}, row {at}: {len(line)} cells under {len(head)} columns.", "Mend that row.")
            # Blanks around cells are no part of them, as in the data that the model was made from.
            cells = {name: cell.strip() for name, cell in zip(head, line, strict=True)}
            yield _typed(cells, types, wanted.others, form, f"{where}, row {at}")
    except csv.Error as error:
        raise BadData(f"{where}, row {at}: {error}.", "Mend that row.") from error


def _delimiter(text: str, wanted: Wanted, form: Format) -> str:
    """The project's own, or the one that makes the most of the wanted columns out of the first line."""
    first = _LINE.match(text)[0]  # type: ignore[index]  # it matches anything
    names = {str(one["name"]) for one in wanted.inputs}

    def known(delimiter: str) -> int:
        try:
            return len(names.intersection(next(csv.reader([first], delimiter=delimiter), [])))
        except csv.Error:
            return 0

    return max((form.delimiter, *_DELIMITERS), key=known)


def _check_columns(head: Sequence[str], where: str, wanted: Wanted) -> None:
    if len(set(head)) < len(head):
        twice = next(name for name in head if head.count(name) > 1)
        raise BadData(f"{where} has two columns named {twice!r}.", "Give each column a name of its own.")
    missing = [str(one["name"]) for one in wanted.inputs if one["name"] not in head]
    if not missing:
        return
    others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    strangers = set(head) - {str(one["name"]) for one in wanted.inputs}
    near = difflib.get_close_matches(missing[0], strangers, n=1)
    hint = f"Did you mean the column {near[0]!r}?" if near else f"It has: {', '.join(head[:12])}."
    raise BadData(f"{where} has no column {missing[0]!r}{others}, which {wanted.version} needs.", hint)


def _typed(cells: Mapping[str, str], types: Mapping[str, str], others: Sequence[str], form: Format, where: str) -> Row:
    row: Row = {name: _value(cells[name], kind, form, f"{where}, column {name!r}") for name, kind in types.items()}
    return row | {name: _key(cells[name], form.missing) for name in others if name in cells}


def _value(text: str, kind: str, form: Format, where: str) -> Any:
    if text in form.missing:
        return None
    if kind == "category":
        return text
    bare = text.strip()
    if kind == "boolean":
        if bare.lower() in _TRUE | _FALSE:
            return bare.lower() in _TRUE
        raise BadData(f"{where}: {text[:40]!r} is neither true nor false.", "Mend that cell.")
    return _figure(_plain(bare, form.decimal), text, kind, where)


def _plain(bare: str, decimal: str) -> str:
    """`1234.5`, where it was `1,234.5`, or with a decimal comma `1.234,5`; as the source's own numbers are read."""
    group = "," if decimal == "." else "."
    if _GROUPED[group].fullmatch(bare):
        bare = bare.replace(group, "")
    # Python would also read 1_000, which a source's numbers never are.
    return "" if "_" in bare else bare.replace(decimal, ".")


def _figure(bare: str, text: str, kind: str, where: str) -> int | float:
    try:
        value = float(bare)
    except ValueError:
        raise BadData(f"{where}: {text[:40]!r} is no number.", "Mend that cell.") from None
    if not math.isfinite(value):
        raise BadData(f"{where}: {text[:40]!r} is no finite number.", "Leave the cell empty where nothing is known.")
    if kind != "integer":
        return value
    if not value.is_integer():
        raise BadData(f"{where}: {text[:40]!r} is no whole number.", "Mend that cell.")
    return int(bare) if bare.lstrip("+-").isdigit() and len(bare) < 20 else int(value)


def _key(text: str, missing: Sequence[str]) -> Any:
    """An id or a time as it stands; a whole number stays one, so that it joins with the source's."""
    if text in missing:
        return None
    return int(text) if text.isascii() and text.isdigit() and str(int(text)) == text else text
