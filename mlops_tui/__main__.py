"""The `mlops` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run one verb, or the terminal where none is given."""
    # httpx imports its own command line (click, rich, pygments: 40 of 300 ms) where it can, and does without it where
    # it cannot.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    for stream in (sys.stdout, sys.stderr):
        # A locale without our glyphs gets question marks instead of a traceback.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    if len(sys.argv) == 1:
        _open_terminal()
        return
    from mlops_tui.cli.app import app

    app(prog_name="mlops")


def _open_terminal() -> None:
    """Without the verbs, which the first paint need not wait for."""
    from engine.errors import EngineError
    from mlops_tui.open_terminal import open_terminal

    try:
        open_terminal()
    except EngineError as error:
        from mlops_tui.cli.root import show_error

        sys.exit(show_error(error))


if __name__ == "__main__":
    main()
