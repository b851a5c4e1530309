"""What went wrong lately, to be read whole and copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mlops_tui.view.cell import Cell
from mlops_tui.view.clean import clean_lines
from mlops_tui.view.times import age, exact

MOST_KEPT = 50
_LONGEST = 200_000
"""Characters of a line that are kept: an error is read whole."""


@dataclass(frozen=True)
class Trouble:
    """One failure, as it was told; `text` is not clean."""

    at: datetime
    """When it was told last."""
    text: str
    times: int = 1


def with_trouble(known: Sequence[Trouble], text: str, now: datetime) -> tuple[Trouble, ...]:
    """One more, the newest first; the same again is counted."""
    if known and known[0].text == text:
        return (replace(known[0], at=now, times=known[0].times + 1), *known[1:])
    return (Trouble(now, text), *known)[:MOST_KEPT]


def trouble_lines(known: Sequence[Trouble], now: datetime) -> list[Cell]:
    """All of it, each under its time."""
    if not known:
        return [
            Cell("Nothing that was asked for here has gone wrong since this terminal was opened.", "strong"),
            Cell("Why a job failed stands in its log: 7, then l on the job. What needs somebody stands on top of 1."),
        ]
    lines: list[Cell] = []
    for one in known:
        often = f" · {one.times} times" if one.times > 1 else ""
        lines.append(Cell(f"{exact(one.at)} ({age(one.at, now)}){often}", "dim"))
        lines += [Cell(f"  {line}", "bad") for line in clean_lines(one.text, longest_line=_LONGEST)]
        lines.append(Cell(""))
    return lines[:-1]
