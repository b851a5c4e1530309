"""SQLite's and SQLAlchemy's errors, told as ours. Nothing above the registry knows theirs."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from engine.errors import Conflict, DiskFull, EngineError, InvalidInput, Unavailable

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def translate(error: BaseException) -> BaseException:
    """The same failure as an `EngineError`, where it is the database's; anything else as it is."""
    if isinstance(error, OverflowError) and "SQLite INTEGER" in str(error):
        return InvalidInput("A number is too large for the registry.", "It keeps whole numbers below 2^63.")
    return _told(found) if (found := _first(error)) else error


def _first(error: BaseException) -> sqlite3.Error | None:
    """The database's first error: where a full disk has taken back a transaction, taking back its savepoint fails
    as well, and that is what arrives here."""
    if not isinstance(error, DBAPIError | sqlite3.Error):
        return None
    found: sqlite3.Error | None = None
    at: BaseException | None = error
    while at is not None:
        inner = at.orig if isinstance(at, DBAPIError) else at
        found = inner if isinstance(inner, sqlite3.Error) else found
        at = at.__context__
    return found


def _told(error: sqlite3.Error) -> EngineError:
    code = getattr(error, "sqlite_errorcode", None) or 0
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    # Extended codes carry the primary one in their lowest byte.
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return DiskFull(
            "The disk is full: nothing was written to the registry.", "Make room; the engine goes on by itself."
        )
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(f"It clashes with what is recorded: {error}.", "Look at what is there and ask again.")
    if primary in _DAMAGED:
        return Unavailable(
            f"The registry's file is damaged ({name}).", "Stop the engine and put a copy of registry.db back."
        )
    if primary == sqlite3.SQLITE_BUSY:
        return Unavailable(
            "Another program holds the registry locked.", "Close the program that has registry.db open for writing."
        )
    return Unavailable(
        f"The registry cannot be read or written ({name}).", "Look at the disk; the engine goes on by itself."
    )
