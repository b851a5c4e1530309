"""What the first screen says while there is no project."""

from __future__ import annotations

from mlops_tui.view.cell import Cell


def welcome_lines() -> list[Cell]:
    """Three ways to a first model."""
    return [
        Cell("Nothing here yet. Three ways from a file of data to a model that answers:", "strong"),
        Cell(""),
        Cell("  n  here", "busy"),
        Cell("     choose a file and its target, correct what was seen, write, train"),
        Cell("  $  in a shell of this machine", "busy"),
        Cell("     mlops init data.csv --target COLUMN; mlops add .; mlops train NAME"),
        Cell("  ▸  with data to try", "busy"),
        Cell("     sample_projects/ of the source holds some: n, then a folder of it"),
        Cell(""),
        Cell("Whatever is done anywhere shows here as it happens. ? shows the keys, q leaves.", "dim"),
    ]
