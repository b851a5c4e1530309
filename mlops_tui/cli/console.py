"""What the command line prints: text for people, JSON for programs, colour only where it is welcome."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from mlops_tui.view.cell import Cell, Tone
from mlops_tui.view.clean import clean

if TYPE_CHECKING:
    from pydantic import BaseModel

_CODES: dict[Tone, str] = {"good": "32", "bad": "31", "warn": "33", "busy": "36", "dim": "2", "strong": "1"}


def has_colour(stream: IO[str]) -> bool:
    """A terminal that shows colour, and a person who has not said `NO_COLOR`."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str, tone: Tone, stream: IO[str]) -> str:
    """A clean text in its tone, where the stream has colour."""
    code = _CODES.get(tone)
    return f"\x1b[{code}m{text}\x1b[0m" if code and has_colour(stream) else text


class Console:
    """Stdout holds the answer; stderr what is said beside it: progress, notes, errors."""

    def say(self, text: str = "", tone: Tone = "plain") -> None:
        """A line of the answer."""
        _write(painted(clean(text), tone, sys.stdout))

    def note(self, text: str, tone: Tone = "plain") -> None:
        """A line beside the answer."""
        _write(painted(clean(text), tone, sys.stderr), sys.stderr)

    def fail(self, message: str, hint: str) -> None:
        """One sentence and what to do next."""
        head = painted("✗", "bad", sys.stderr)
        _write(f"{head} {clean(message)}", sys.stderr)
        if hint:
            _write(f"  {painted('→', 'dim', sys.stderr)} {clean(hint)}", sys.stderr)

    def next_command(self, *lines: str) -> None:
        """What to type next."""
        for line in lines:
            _write(f"{painted('→', 'dim', sys.stdout)} {painted(clean(line), 'strong', sys.stdout)}")

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """Columns as wide as their widest cell; the last one is not padded."""
        from mlops_tui.cli.table import table_lines

        for line in table_lines(heads, list(rows), sys.stdout):
            _write(line)

    def facts(self, pairs: Iterable[tuple[str, Cell]]) -> None:
        """Names and values, one a line."""
        kept = list(pairs)
        width = max((len(name) for name, _ in kept), default=0)
        for name, value in kept:
            _write(f"{painted(name.ljust(width), 'dim', sys.stdout)}  {painted(value.text, value.tone, sys.stdout)}")

    def json(self, value: BaseModel | Mapping[str, Any] | Sequence[Any]) -> None:
        """A wire object or several, indented. ASCII only: nothing in it can reach the terminal as a command."""
        _write(json.dumps(value, indent=2, default=_plain).replace("\x7f", "\\u007f"))

    def json_line(self, value: BaseModel | Mapping[str, Any] | Sequence[Any]) -> None:
        """The same on one line."""
        _write(json.dumps(value, default=_plain).replace("\x7f", "\\u007f"))


def _write(line: str, stream: IO[str] | None = None) -> None:
    out = sys.stdout if stream is None else stream
    out.write(line + "\n")
    if out.isatty() or out is sys.stderr:
        out.flush()


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json")
