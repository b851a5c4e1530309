"""What the first screen says while there is no project."""

from __future__ import annotations

from mlops_tui.view.cell import Cell


def welcome_lines() -> list[Cell]:
    """From a file of data to a model that answers, in four commands."""
    return [
        Cell("Nothing here yet. From a file of data to a model that answers:", "strong"),
        Cell(""),
        Cell("  1  mlops init data.csv --target COLUMN", "busy"),
        Cell("     looks at the data and writes a commented mlops.toml"),
        Cell("  2  mlops add .", "busy"),
        Cell("     registers the project and stores its code"),
        Cell("  3  mlops train NAME", "busy"),
        Cell("     trains, judges, and says whether the model may be released"),
        Cell("  4  mlops deploy NAME", "busy"),
        Cell("     puts it behind one address; then: mlops predict NAME rows.json"),
        Cell(""),
        Cell("Type them in another shell of this machine: this screen shows each step as it happens.", "dim"),
        Cell("sample_projects/ of the source holds two projects to try. ? shows the keys, q leaves.", "dim"),
    ]
