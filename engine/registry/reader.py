"""Reading the registry: a pool of connections that cannot write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError, TimeoutError
from sqlalchemy.pool import QueuePool

from engine.errors import Unavailable
from engine.registry.connect import open_for_reading
from engine.registry.translate import translate

POOL_SIZE = 8
WAIT_S = 10.0


class Source(Protocol):
    """What queries read from: a `Reader`, or a `Tx` of the writer that sees its own changes."""

    def connection(self) -> AbstractContextManager[Connection]:
        """A connection inside a transaction: all statements see the same state."""


class Reader:
    """Reads the registry at `path`, from any thread. The file must exist."""

    def __init__(self, path: Path) -> None:
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: open_for_reading(path),
            poolclass=QueuePool,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=WAIT_S,
        )
        event.listen(self._engine, "begin", _begin)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection inside a read transaction: all statements see the same state.

        Raises:
            Unavailable: the file cannot be read, or all connections stay busy.
        """
        try:
            with self._engine.connect() as connection, connection.begin():
                yield connection
        except TimeoutError as error:
            raise Unavailable("Too many read the registry at once.", "Ask again in a moment.") from error
        except DBAPIError as error:
            raise translate(error) from error

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._engine.dispose()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
