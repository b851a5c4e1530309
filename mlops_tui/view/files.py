"""A folder of the server as rows: folders first, then project files and files of data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from mlops_tui.view.cell import Cell, cell, number
from mlops_tui.view.columns import Column
from mlops_tui.view.figures import several, size
from mlops_tui.view.times import age

PROJECT_FILE = "mlops.toml"
_DATA_ENDINGS = (".csv", ".tsv", ".parquet", ".pq", ".jsonl", ".ndjson", ".json")

FILE_COLUMNS = (
    Column("name", 20, widest=400),
    Column("what", 22, rank=1, widest=40),
    Column("size", 9, rank=2, right=True),
    Column("changed", 9, rank=3),
)


@dataclass(frozen=True)
class Entry:
    """Something in a folder."""

    name: str
    is_folder: bool
    size_bytes: int = 0
    changed_at: datetime | None = None
    has_project: bool = False
    """A folder with an mlops.toml in it."""
    is_closed: bool = False
    """Whoever looks may not read it."""

    @property
    def is_project_file(self) -> bool:
        """It says that its folder is a project."""
        return not self.is_folder and self.name == PROJECT_FILE

    @property
    def is_nameless(self) -> bool:
        """Its name is no text, so no request can hold it."""
        return any("\ud800" <= character <= "\udfff" for character in self.name)


@dataclass(frozen=True)
class Listing:
    """What there is to choose from in a folder."""

    folder: str
    entries: tuple[Entry, ...]
    others: int
    """Files that are no data, and hidden ones."""
    is_writable: bool = True


def is_data_file(name: str) -> bool:
    """A file whose name ends as those that a model can be trained on.

    >>> is_data_file("Kunden.CSV"), is_data_file("old.csv.gz"), is_data_file("photo.jpg")
    (True, False, False)
    """
    return name.lower().endswith(_DATA_ENDINGS)


def in_order(entry: Entry) -> tuple[bool, bool, str, str]:
    """A folder's project file, folders, then files; by name as people read it."""
    return (not entry.is_project_file, not entry.is_folder, entry.name.casefold(), entry.name)


def file_cells(entry: Entry, now: datetime) -> dict[str, Cell]:
    """One row."""
    what = _what(entry)
    return {
        "name": cell(f"{entry.name}/" if entry.is_folder else entry.name, _tone(entry)),  # type: ignore[arg-type]
        "what": what,
        "size": number("" if entry.is_folder else size(entry.size_bytes)),
        "changed": cell(age(entry.changed_at, now)) if entry.changed_at else Cell(""),
    }


def folder_lines(listing: Listing, hidden: bool) -> list[Cell]:
    """Where one is, and what is not shown."""
    unseen = f"{several(listing.others, 'file')} of other kinds" if listing.others else ""
    keys = f". {'hides' if hidden else 'shows'} hidden files"
    return [
        cell(listing.folder, "strong"),
        Cell(" · ".join(part for part in (keys, unseen) if part), "dim"),
    ]


def nothing_lines(listing: Listing | None) -> list[Cell]:
    """Of a folder without anything to choose."""
    if listing is None:
        return [Cell("Reading the folder …", "dim")]
    return [
        Cell("No folder and no data here: CSV, Parquet or JSON lines.", "strong"),
        Cell("h goes to the folder above; :add PATH goes anywhere, also to many files at once: :add /data/2026-*.csv"),
    ]


def file_facts(entry: Entry, folder: str, now: datetime) -> list[tuple[str, Cell]]:
    """All of one row."""
    return [
        ("name", cell(entry.name, "strong")),
        ("folder", cell(folder)),
        ("what", _what(entry)),
        ("size", cell(None if entry.is_folder else f"{size(entry.size_bytes)} ({entry.size_bytes:,} bytes)")),
        ("changed", cell(age(entry.changed_at, now) if entry.changed_at else None)),
    ]


def _what(entry: Entry) -> Cell:
    if entry.is_closed:
        return Cell("✗ may not be read", "bad")
    if entry.is_nameless:
        return Cell("✗ its name is no UTF-8", "bad")
    if entry.is_project_file:
        return Cell("◆ a project: enter adds it", "good")
    if entry.is_folder:
        return Cell("◆ folder of a project", "busy") if entry.has_project else Cell("folder", "dim")
    return Cell(_kind(entry.name))


def _kind(name: str) -> str:
    ending = PurePath(name.lower()).suffix
    return {".parquet": "Parquet", ".pq": "Parquet", ".csv": "CSV", ".tsv": "CSV"}.get(ending, "JSON lines")


def _tone(entry: Entry) -> str:
    if entry.is_closed or entry.is_nameless:
        return "dim"
    return "busy" if entry.is_folder else "strong"
