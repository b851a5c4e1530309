"""`mlops` without a verb."""

from __future__ import annotations

import gc
import io
import os
import select
import signal
import sys
import threading
from typing import TextIO

from engine.errors import InvalidInput

FRAMES, SLOW_FRAMES = "250", "15"
"""The most a second, drawn only where something has changed: a key that comes while something is drawn waits for the
frame after it.
"""
SWITCH_S = 0.001
"""After which a thread may ask another for its turn. Keys are read by a thread of their own."""
STARTED_S = 2.0


def open_terminal() -> None:
    """Open the terminal interface on this home's engine.

    Raises:
        InvalidInput: there is no terminal to draw on.
    """
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise InvalidInput("The terminal interface needs a terminal.", "In a pipe use a verb: mlops --help.")
    _answer_keys_first()
    # Read by Textual when it is imported.
    os.environ.setdefault("TEXTUAL_FPS", SLOW_FRAMES if "SSH_CONNECTION" in os.environ else FRAMES)
    from engine.settings import find_home
    from mlops_tui.app import MlopsApp
    from mlops_tui.keymap import keys_file

    for exported in ("COLUMNS", "LINES"):
        # Textual believes them before the window itself, which would then be of that size for good.
        os.environ.pop(exported, None)
    threading.Thread(target=_end_with_the_terminal, args=(sys.stdin.fileno(),), daemon=True).start()
    # Textual draws on this one.
    sys.__stderr__ = sys.stderr = written_whole(sys.stderr)  # type: ignore[assignment,misc]
    MlopsApp(find_home(), keys=keys_file()).run()


def written_whole(stream: TextIO) -> TextIO:
    """The same, through a buffer where PYTHONUNBUFFERED took it away: without one, what a signal cuts off is lost."""
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(stream.buffer, io.RawIOBase):
        return stream
    encoding, errors = stream.encoding, stream.errors
    return io.TextIOWrapper(io.BufferedWriter(stream.detach()), encoding, errors)


def _end_with_the_terminal(stdin: int) -> None:
    # Whom a terminal does not control (below `docker exec`, some `sudo`) hears nothing of its end, and Textual would
    # read that end again and again.
    hung_up = select.poll()
    hung_up.register(stdin, 0)
    hung_up.poll()
    os._exit(128 + signal.SIGHUP)  # nothing is kept here that the engine has not


def _answer_keys_first() -> None:
    sys.setswitchinterval(SWITCH_S)
    gc.disable()
    started = threading.Timer(STARTED_S, _collect_what_is_new)
    started.daemon = True
    started.start()


def _collect_what_is_new() -> None:
    # Modules stay for good. To look through all they hold takes 80 ms, in which no key is answered.
    gc.freeze()
    gc.enable()
