"""A table of cells as lines for a terminal or a pipe."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import IO

from mlops_tui.cli.console import painted
from mlops_tui.view.cell import Cell
from mlops_tui.view.width import fit, width_of

_GAP = "  "


def table_lines(heads: Sequence[str], rows: Sequence[Sequence[Cell]], stream: IO[str]) -> list[str]:
    """Heads and rows. On a terminal the last column is cut at its edge; in a pipe nothing is cut."""
    widths = [max([width_of(head), *(width_of(row[at].text) for row in rows)]) for at, head in enumerate(heads)]
    if stream.isatty():
        before = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
        widths[-1] = max(min(widths[-1], shutil.get_terminal_size().columns - before), 8)
    right = [bool(rows) and all(row[at].right for row in rows) for at in range(len(heads))]
    head_cells = [Cell(head, "dim", right[at]) for at, head in enumerate(heads)]
    return [_line(row, widths, stream) for row in (head_cells, *rows)]


def _line(row: Sequence[Cell], widths: Sequence[int], stream: IO[str]) -> str:
    shown = []
    for at, (value, width) in enumerate(zip(row, widths, strict=True)):
        text = fit(value.text, width, right=value.right)
        text = text.rstrip() if at == len(widths) - 1 else text
        shown.append(painted(text, value.tone, stream))
    return _GAP.join(shown).rstrip()
