"""`mlops` without a verb."""

from __future__ import annotations

import os
import sys

from engine.errors import InvalidInput


def open_terminal() -> None:
    """Open the terminal interface on this home's engine.

    Raises:
        InvalidInput: there is no terminal to draw on.
    """
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise InvalidInput("The terminal interface needs a terminal.", "In a pipe use a verb: mlops --help.")
    if "SSH_CONNECTION" in os.environ:
        # Read by Textual when it is imported: a slow link gets fewer frames.
        os.environ.setdefault("TEXTUAL_FPS", "15")
    from engine.settings import find_home
    from mlops_tui.app import MlopsApp
    from mlops_tui.keymap import keys_file

    for exported in ("COLUMNS", "LINES"):
        # Textual believes them before the window itself, which would then be of that size for good.
        os.environ.pop(exported, None)
    MlopsApp(find_home(), keys=keys_file()).run()
