"""Files of data as a project names them: found, read whole, hashed, and joined into one table."""

from __future__ import annotations

import glob
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from engine.data.csv_source import check_names, lines_of_rows, read_csv
from engine.data.encoding import refuse_known_binary, to_utf8
from engine.data.jsonl_source import lines_of_objects, read_jsonl
from engine.errors import BadData, InvalidConfig, InvalidInput, NotFound

Format = Literal["csv", "parquet", "jsonl"]

_PARQUET_MAGIC = b"PAR1"
_WILD = frozenset("*?[")


@dataclass(frozen=True)
class Dialect:
    """How CSV files are written."""

    delimiter: str = ","
    encoding: str = "utf-8"


@dataclass(frozen=True)
class SourceFile:
    """One file as it was read."""

    path: Path
    shown: str
    """As people see it: relative to the project's folder where it lies below."""
    format: Format
    sha256: str
    """Of the bytes that were read."""
    size_bytes: int
    rows: int

    def to_dict(self) -> dict[str, str | int]:
        """Path, format, hash, size and rows, as plain JSON values."""
        return {
            "path": self.shown, "format": self.format, "sha256": self.sha256, "size_bytes": self.size_bytes,
            "rows": self.rows,
        }  # fmt: skip


@dataclass(frozen=True)
class Table:
    """All rows of a project's sources, before anything is made of them.

    `frame` has String columns only when `text`: CSV cells, "" where empty. Otherwise types are the files' own.
    """

    frame: pl.DataFrame
    files: tuple[SourceFile, ...]
    text: bool
    dialect: Dialect = field(default_factory=Dialect)

    def where(self, row: int) -> str:
        """Where row `row` (from 0) comes from: `data/may.csv, line 30001`."""
        return self.where_all([row])[0]

    def where_all(self, rows: Sequence[int]) -> list[str]:
        """Where each of `rows` comes from. Reads each file that holds one again, once."""
        places: dict[int, str] = {}
        first = 0
        for source in self.files:
            inside = sorted(row - first for row in set(rows) if first <= row < first + source.rows)
            named = _places(source, inside, self.dialect) if inside else []
            places |= {first + row: place for row, place in zip(inside, named, strict=True)}
            first += source.rows
        return [places[row] for row in rows]


def find_files(source: str | Sequence[str], folder: Path) -> list[Path]:
    """The files that paths or globs name, relative to `folder` or absolute, sorted within each, none twice.

    Raises:
        NotFound: nothing matches.
        InvalidInput: what matches is no file, or the pattern is no path.
    """
    found: dict[Path, None] = {}
    for pattern in [source] if isinstance(source, str) else source:
        found |= dict.fromkeys(_matches(pattern, folder))
    if not found:
        raise InvalidInput("No data source is named.", "Set `source` under [data].", key="data.source")
    return list(found)


def read_table(files: Sequence[Path], dialect: Dialect, *, folder: Path | None = None) -> Table:
    """Read files into one table. Their columns must be the same; their order is the first file's.

    Raises:
        BadData: a file that cannot be used (each reader says why), or files that do not fit together.
        InvalidConfig: the delimiter or the encoding is none.
    """
    check_delimiter(dialect.delimiter)
    frames, sources = [], []
    for path in files:
        frame, source = _read_file(path, dialect, _shown(path, folder))
        frames.append(frame)
        sources.append(source)
    kinds = {source.format for source in sources}
    if "csv" in kinds and len(kinds) > 1:
        other = next(source for source in sources if source.format != "csv")
        raise BadData(
            f"The source mixes CSV with other formats ({other.shown}).", "Give files of one format.", file=other.shown
        )
    return Table(_joined(frames, sources), tuple(sources), kinds == {"csv"}, dialect)


def check_delimiter(delimiter: str) -> None:
    """Raise `InvalidConfig` where this cannot part the fields of a CSV file."""
    if len(delimiter) != 1 or delimiter in '\n\r"':
        raise InvalidConfig(
            f"data.delimiter: {delimiter!r} cannot part fields.",
            "Use a comma, a semicolon, a tab or a bar.",
            key="data.delimiter",
        )


def read_bytes(path: Path, shown: str) -> bytes:
    """All bytes of a regular file.

    Raises:
        NotFound: not there.
        InvalidInput: a folder, no regular file, or not readable.
    """
    try:
        if path.is_dir():
            raise InvalidInput(f"{shown} is a folder.", f'Name its files: "{shown}/*.csv".', file=shown)
        if path.exists() and not path.is_file():
            raise InvalidInput(f"{shown} is no regular file.", "Give a CSV, Parquet or JSON lines file.", file=shown)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {shown}.", "Check the path.", file=shown) from error
    except PermissionError as error:
        raise InvalidInput(
            f"{shown} may not be read by the engine's user.", "Give that user read access.", file=shown
        ) from error
    except OSError as error:
        raise InvalidInput(f"{shown} cannot be read: {error.strerror}.", "Check the disk.", file=shown) from error


def file_format(path: Path, raw: bytes) -> Format:
    """By content where that is plain, else by the name's ending; CSV where neither tells."""
    if raw[:4] == _PARQUET_MAGIC or path.suffix.lower() in (".parquet", ".pq"):
        return "parquet"
    if path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
        return "jsonl"
    return "csv"


def _matches(pattern: str, folder: Path) -> list[Path]:
    literal = folder / pattern
    try:
        if literal.exists() or not _WILD & set(pattern):
            if not literal.exists():
                raise NotFound(f"There is no file {pattern}.", "Check the path.", file=pattern)
            if literal.is_dir():
                raise InvalidInput(f"{pattern} is a folder.", f'Name its files: "{pattern}/*.csv".', file=pattern)
            return [literal]
        names = glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 (Path.glob takes no absolute ones)
        files = sorted(path for path in (folder / name for name in names) if path.is_file())
    except OSError as error:
        raise InvalidInput(f"{pattern} cannot be read: {error.strerror}.", "Check the path.", file=pattern) from error
    except ValueError as error:
        raise InvalidInput(f"{pattern!r} is no path.", "Check the path.", file=pattern) from error
    if not files:
        raise NotFound(f"No file matches {pattern}.", "Check the path and the pattern.", file=pattern)
    return files


def _shown(path: Path, folder: Path | None) -> str:
    if folder is not None and path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    return str(path)


def _read_file(path: Path, dialect: Dialect, shown: str) -> tuple[pl.DataFrame, SourceFile]:
    raw = read_bytes(path, shown)
    kind = file_format(path, raw)
    if kind == "parquet":
        frame = _read_parquet(raw, shown)
    elif kind == "jsonl":
        frame = read_jsonl(to_utf8(raw, "utf-8", shown), shown)
    else:
        frame = read_csv(to_utf8(raw, dialect.encoding, shown), dialect.delimiter, shown)
    digest = hashlib.sha256(raw).hexdigest()
    return frame, SourceFile(path, shown, kind, digest, len(raw), frame.height)


def _read_parquet(raw: bytes, shown: str) -> pl.DataFrame:
    if not raw:
        raise BadData(f"{shown} is empty.", "Write it again.", file=shown)
    refuse_known_binary(raw, shown)
    try:
        frame = pl.read_parquet(io.BytesIO(raw))
    except pl.exceptions.PolarsError as error:
        raise BadData(f"{shown} is no whole Parquet file.", "Write it again.", file=shown) from error
    check_names(frame.columns, shown)
    if not frame.height or not frame.width:
        raise BadData(f"{shown} holds no row.", "Give a file with rows.", file=shown)
    return frame


def _joined(frames: list[pl.DataFrame], sources: list[SourceFile]) -> pl.DataFrame:
    first = frames[0]
    for frame, source in zip(frames[1:], sources[1:], strict=True):
        lacking = [name for name in first.columns if name not in frame.columns]
        added = [name for name in frame.columns if name not in first.columns]
        if lacking or added:
            raise _other_columns(lacking, added, source.shown, sources[0].shown)
    same_order = [frame.select(first.columns) for frame in frames]
    casts = _text_where_mixed(same_order)
    return pl.concat([frame.with_columns(casts) for frame in same_order], how="vertical_relaxed")


def _text_where_mixed(frames: list[pl.DataFrame]) -> list[pl.Expr]:
    """Casts to text for columns whose types differ between files, beyond whole and fractional numbers."""
    casts = []
    for name in frames[0].columns:
        kinds = {frame.schema[name] for frame in frames} - {pl.Null()}
        if len(kinds) > 1 and not all(kind.is_numeric() for kind in kinds):
            casts.append(pl.col(name).cast(pl.String))
    return casts


def _other_columns(lacking: list[str], added: list[str], shown: str, first: str) -> BadData:
    parts = []
    if lacking:
        parts.append("lacks " + _listed(lacking))
    if added:
        parts.append("has also " + _listed(added))
    return BadData(
        f"{shown} has other columns than {first}: it {' and '.join(parts)}.",
        "Give files with the same columns, or narrow `source`.",
        file=shown,
        lacking=lacking[:20],
        added=added[:20],
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _places(source: SourceFile, rows: list[int], dialect: Dialect) -> list[str]:
    try:
        if source.format == "csv":
            text = to_utf8(source.path.read_bytes(), dialect.encoding, source.shown)
            return [f"{source.shown}, line {line}" for line in lines_of_rows(text, dialect.delimiter, rows)]
        if source.format == "jsonl":
            text = to_utf8(source.path.read_bytes(), "utf-8", source.shown)
            return [f"{source.shown}, line {line}" for line in lines_of_objects(text, rows)]
    except (OSError, IndexError, BadData):  # the file has changed or gone since it was read
        pass
    return [f"{source.shown}, row {row + 1}" for row in rows]
