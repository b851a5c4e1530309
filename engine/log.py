"""The engine's own log: a JSON object a line, five files of 10 MB, and whatever Python would print into the void."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import Any

from engine.settings import Home

_FILES, _FILE_BYTES = 5, 10_000_000


class _JsonLine(logging.Formatter):
    """One line whatever the message holds: names in it are hostile, and a line break would forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


def start_log(home: Home, *, foreground: bool) -> None:
    """Log to logs/engine.log; with `foreground` to the terminal as well."""
    file = RotatingFileHandler(home.logs / "engine.log", maxBytes=_FILE_BYTES, backupCount=_FILES - 1, encoding="utf-8")
    file.setFormatter(_JsonLine())
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(file)
    if foreground:
        terminal = logging.StreamHandler(sys.stderr)
        terminal.setFormatter(_JsonLine())
        root.addHandler(terminal)
    # A full disk must not make logging itself fail.
    logging.raiseExceptions = False
    for chatty in ("uvicorn", "sse_starlette", "apscheduler", "alembic", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    _catch_the_uncaught()


def _catch_the_uncaught() -> None:
    log = logging.getLogger("engine")

    def in_thread(failed: threading.ExceptHookArgs) -> None:
        name = failed.thread.name if failed.thread else "?"
        log.error("the thread %s ended by an exception", name, exc_info=failed.exc_value)

    def unraisable(failed: sys.UnraisableHookArgs) -> None:
        log.error("ignored: %s", failed.err_msg, exc_info=failed.exc_value)

    threading.excepthook = in_thread
    sys.unraisablehook = unraisable
