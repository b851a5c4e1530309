"""Reads a folder of the server, for the file picker. It may be slow: never on the event loop."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import InvalidInput, NotFound
from mlops_tui.view.files import PROJECT_FILE, Entry, Listing, in_order, is_data_file


def list_folder(folder: Path, hidden: bool = False) -> Listing:
    """Folders, files of data and the project's file in it.

    Raises:
        InvalidInput: it may not be read, or is no folder; NotFound: it is gone.
    """
    entries, others = [], 0
    try:
        with os.scandir(folder) as found:
            for one in found:
                entry = None if one.name.startswith(".") and not hidden else _entry(one)
                if entry is None:
                    others += 1
                else:
                    entries.append(entry)
    except FileNotFoundError as error:
        raise NotFound(f"There is no folder {folder}.", "h goes to the folder above.") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no path"
        raise InvalidInput(f"{folder} cannot be read: {why}.", "Choose another folder.") from error
    return Listing(str(folder), tuple(sorted(entries, key=in_order)), others, os.access(folder, os.W_OK | os.X_OK))


def nearest_folder(folder: Path) -> Path:
    """It, or the nearest one around it that is there."""
    return next((one for one in (folder, *folder.parents) if one.is_dir()), Path("/"))


def _entry(one: os.DirEntry[str]) -> Entry | None:
    """None: nothing that can be chosen."""
    try:
        if one.is_dir():
            closed = not os.access(one.path, os.R_OK | os.X_OK)
            has_project = not closed and Path(one.path, PROJECT_FILE).is_file()
            return Entry(one.name, True, has_project=has_project, is_closed=closed)
        if not (one.is_file() and (is_data_file(one.name) or one.name == PROJECT_FILE)):
            return None
        about = one.stat()
    except OSError:
        return None  # gone meanwhile, or a link to nothing
    changed_at = datetime.fromtimestamp(max(about.st_mtime, 0), UTC)
    return Entry(one.name, False, about.st_size, changed_at, is_closed=not os.access(one.path, os.R_OK))
