"""`make keys`: docs/keys.md again, from the one table of commands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mlops_tui.commands import COMMANDS, NEEDS, SCREENS, Command, commands_of
from mlops_tui.keymap import AVOIDED

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "keys.md"

_PLACES: dict[str, str] = {
    "run": "a run",
    "versions": "versions",
    "version": "a version",
    "endpoint": "an endpoint",
    "snapshot": "a snapshot",
    "event": "an event",
    "errors": "errors",
    "watched": "a watched model",
    "check": "a check",
    "alarm": "an alarm",
    "why": "a chain",
    "pick": "the file picker",
    "target": "the choice of a target",
    "preview": "a project to be",
    "draft": "its file",
    "schedule": "the schedule",
    "log": "a log",
}
"""What is opened from the eight screens; these are named by their numbers."""

_HEAD = """\
# Keys

Made by `make keys` from `mlops_tui/commands.py`; a test keeps it true. In the terminal `?` shows the keys of the screen
one is on, `:` takes every command by name (tab completes, a beginning is enough), and `ctrl+p` searches them all.

Without an argument a command is about the row under the cursor. What changes something asks first; the default is No.
Keys of one's own stand in `keys.toml` in the user's config folder, such as `train = "T"`, by the names under `:`.
"""


def keys_page() -> str:
    """The whole file."""
    everywhere, moving = commands_of("everywhere"), commands_of("lines")
    there = [one for one in COMMANDS if one not in everywhere and one not in moving]
    parts = [
        _HEAD,
        _table("Everywhere", everywhere, _EVERYWHERE),
        _table("On some screens", there, _SOMEWHERE),
        _table("Moving", moving, _MOVING),
        f"Left to terminals, tmux and screen: {', '.join(f'`{key}`' for key in sorted(AVOIDED))}.",
    ]
    return "\n".join(parts) + "\n"


def _table(title: str, commands: Sequence[Command], columns: Mapping[str, Callable[[Command], str]]) -> str:
    rows = [" | ".join(tell(one) for tell in columns.values()) for one in commands]
    lines = [" | ".join(columns), " | ".join("---" for _ in columns), *rows]
    return "\n".join([f"## {title}", "", *(f"| {line} |" for line in lines), ""])


def _where(command: Command) -> str:
    numbers = [str(SCREENS.index(place) + 1) for place in command.where if place in SCREENS]
    return ", ".join([*sorted(numbers), *(_PLACES[place] for place in command.where if place in _PLACES)])


def _keys(command: Command) -> str:
    keys = [command.shown_key] if command.shown_key else command.key.split(",")
    return " ".join(f"`{key}`" for key in keys if key)


def _typed(command: Command) -> str:
    takes = {"on": "on\\|off"}.get(command.takes, command.takes.upper())
    return f"`{command.id}{' ' + takes if takes else ''}`"


def _cli(command: Command) -> str:
    return f"`{command.line(command.takes.upper())}`" if command.cli else ""


def _role(command: Command) -> str:
    return NEEDS.get(command.id, "")


_EVERYWHERE = {"key": _keys, "`:`": _typed, "what": lambda one: one.help, "in a shell": _cli, "role": _role}
_SOMEWHERE = _EVERYWHERE | {"on": _where}
_MOVING = {"key": _keys, "what": lambda one: one.title}


def main() -> None:
    """Write the file; with `--check` only say whether it is true."""
    wanted = keys_page()
    if "--check" in sys.argv[1:]:
        sys.exit(0 if FILE.read_text(encoding="utf-8") == wanted else f"{FILE.name} is old: make keys")
    FILE.write_text(wanted, encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)}: {len(wanted.splitlines())} lines")


if __name__ == "__main__":
    main()
