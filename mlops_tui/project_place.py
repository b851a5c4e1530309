"""Where an mlops.toml is written, for the command line and the terminal."""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import Conflict, InvalidInput, NotFound


def is_there(file: Path) -> bool:
    """Whether something stands in the way; what cannot be looked at is left to whoever writes."""
    try:
        return file.exists()
    except OSError:
        return False


def check_place(place: Path, file: Path, force: bool) -> None:
    """Raise `NotFound` where there is no folder, `Conflict` where a file is there and `force` is not said."""
    if not place.is_dir():
        raise NotFound(f"There is no folder {place}.", "Make it first, or leave --folder out.")
    if is_there(file) and not force:
        raise Conflict(f"{file} is there already.", "Give --force to write over it, or --folder for another place.")


def write_project_file(file: Path, text: str, force: bool) -> None:
    """Whole or not at all, and never over a file that came in the meantime unless told to.

    Raises:
        Conflict: it is there, and `force` is not said; InvalidInput: it cannot be written.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        if not force:
            file.touch(exist_ok=False)
        draft.replace(file)
    except FileExistsError:
        raise Conflict(f"{file} is there already.", "Give --force to write over it.") from None
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be written: {error.strerror}.", "Give --folder for another place."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
