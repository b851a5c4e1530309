"""Keys of one's own: `keys.toml` in the user's config folder, such as `train = "T"`."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from mlops_tui.commands import BY_ID

AVOIDED = frozenset({"ctrl+a", "ctrl+b", "ctrl+j", "ctrl+s", "f1", "f5"})
"""Keys that tmux, screen, terminals and browsers keep for themselves."""


@dataclass(frozen=True)
class OwnKeys:
    """What the file says, and one sentence on what is wrong with it."""

    keys: dict[str, str] = field(default_factory=dict)
    """By a command's id, in Textual's names: `T`, `ctrl+t`, `f2`."""
    problem: str = ""


def keys_file() -> Path:
    """Where it lies, whether it is there or not."""
    return Path(platformdirs.user_config_dir("mlops", appauthor=False)) / "keys.toml"


def read_keys(file: Path) -> OwnKeys:
    """The keys of a file; none where there is no file. What is wrong is left out and told."""
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return OwnKeys()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return OwnKeys(problem=f"{file} cannot be read: {error}.")
    keys = {name: key for name, key in told.items() if name in BY_ID and isinstance(key, str) and key not in AVOIDED}
    return OwnKeys(keys, next((_problem(file, name, key) for name, key in told.items() if name not in keys), ""))


def _problem(file: Path, name: str, key: object) -> str:
    if name not in BY_ID:
        near = difflib.get_close_matches(name, BY_ID, n=1)
        return f"{file}: no command is named {name!r}." + (f" Did you mean {near[0]!r}?" if near else "")
    if key in AVOIDED:
        return f"{file}: {name}: terminals keep {key} for themselves."
    return f'{file}: {name}: write a key as text, such as "T".'
