"""What people type to name things: `fraud`, `fraud@3`, `run 12`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from engine.errors import InvalidInput, InvalidName

PROJECT_FILE = "mlops.toml"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def is_name(text: str) -> bool:
    """It may name a thing: lower-case letters, digits and hyphens."""
    return _NAME.fullmatch(text) is not None


def split_version(text: str) -> tuple[str, int | None]:
    """`fraud@3` as name and number; `fraud` has no number.

    Raises:
        InvalidName: it is neither.
    """
    name, at, number = text.partition("@")
    if not _NAME.fullmatch(name):
        raise InvalidName(f"{text[:60]!r} names no model.", "Write a name such as fraud, or a version such as fraud@3.")
    if not at:
        return name, None
    return name, positive_number(number.removeprefix("v"), f"the version in {text[:60]!r}")


def need_version(text: str) -> tuple[str, int]:
    """`fraud@3`, where the version must be said.

    Raises:
        InvalidName: no version, or no name.
    """
    name, number = split_version(text)
    if number is None:
        raise InvalidName(f"{text!r} names no version.", f"Say which one: {name}@1. `mlops show {name}` lists them.")
    return name, number


def need_model(text: str, what: str) -> str:
    """`fraud`, where a version would say nothing: `what` is about the model as it is, such as `mlops drift`.

    Raises:
        InvalidName: it is no name, or names a version.
    """
    name, number = split_version(text)
    if number is not None:
        raise InvalidName(
            f"`{what}` takes a model, not one version of it as in {text[:60]!r}.", f"Write `{what} {name}`."
        )
    return name


def positive_number(text: str, what: str) -> int:
    """An id or version number.

    Raises:
        InvalidInput: it is no whole number above zero.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) > 0):
        raise InvalidInput(f"{text[:40]!r} is no number for {what}.", "Give a whole number from 1 on.")
    return int(text)


def name_in_folder(folder: Path) -> str | None:
    """The project's name in `folder`'s mlops.toml; None where there is no such file or no name in it."""
    try:
        tree = tomllib.loads((folder / PROJECT_FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    head = tree.get("project")
    name = head.get("name") if isinstance(head, dict) else None
    return name if isinstance(name, str) and _NAME.fullmatch(name) else None
