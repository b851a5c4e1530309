"""How a connection to the registry's file is opened: one that writes, and many that only read."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

BUSY_TIMEOUT_S = 10.0
"""Nobody but the engine writes, so only a person's own `sqlite3` shell can make us wait."""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The one connection that writes and checkpoints.

    SQLite before 3.51.3 can damage a WAL when two connections write and checkpoint at once, so there is no second
    one. Transactions are begun by hand: the default of Python's module begins them deferred, and a deferred one that
    turns to writing fails at once under load.
    """
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    path.chmod(0o600)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that can neither write nor checkpoint."""
    address = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(
        address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA query_only = ON")
    return connection
