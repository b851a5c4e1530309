"""The `mlops` command."""

from __future__ import annotations


def main() -> None:
    """Run one verb, or the terminal where none is given."""
    import sys

    # httpx imports its own command line (click, rich, pygments: 40 of 300 ms) where it can, and does without it where
    # it cannot.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

    from mlops_tui.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        # A locale without our glyphs gets question marks instead of a traceback.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    app(prog_name="mlops")


if __name__ == "__main__":
    main()
