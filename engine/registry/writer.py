"""The one writer of the registry: one thread, one connection, group commit.

Operations wait in a queue. The thread takes all that wait, runs each in a savepoint of its own, commits them with one
sync of the disk, and only then tells their callers. One operation that fails takes back itself and nothing else.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.pool import StaticPool

from engine.errors import Unavailable
from engine.failpoint import failpoint
from engine.registry.connect import open_for_writing
from engine.registry.core import EVENT_HEAD
from engine.registry.events import Head
from engine.registry.translate import translate
from engine.registry.tx import Tx
from engine.registry.upsert import upsert
from engine.wire.events import EventView

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Listener = Callable[[list[EventView]], None]

BATCH_LIMIT = 256
"""Operations in one commit; more only makes the first of them wait longer."""

QUEUE_LIMIT = 10_000
"""Operations that may wait; past it a caller is told to come back rather than kept for minutes."""


@dataclass
class _Operation:
    run: Callable[[Tx], Any]
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: BaseException | None = None
    events: list[EventView] = field(default_factory=list)


class Writer:
    """Writes the registry at `path`. `write` may be called from any thread but the writer's own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.Queue[_Operation | None] = queue.Queue(QUEUE_LIMIT)
        self._listeners: list[Listener] = []
        self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)
        self._stopping = False
        self._gate = threading.Lock()
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._head = Head()
        self._names: dict[int, str] = {}

    def start(self) -> None:
        """Open the file and begin.

        Raises:
            DiskFull, Unavailable: it cannot be opened.
        """
        try:
            self._open()
        except Exception as error:
            raise translate(error) from error
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then close. Later writes are refused."""
        with self._gate:
            if self._stopping:
                return
            self._stopping = True
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._close()

    def write(self, operation: Callable[[Tx], Result]) -> Future[Result]:
        """Have `operation` run in the writer's thread; the future is done once its effect is on the disk.

        The future raises what the operation raised, or `DiskFull` and `Unavailable` where the disk failed: then
        nothing of it was written.
        """
        waiting = _Operation(operation)
        with self._gate:
            if self._stopping:
                raise Unavailable("The engine is stopping.", "Ask again once it is up.")
            try:
                self._queue.put_nowait(waiting)
            except queue.Full:
                raise Unavailable("Too much waits to be written.", "Ask again in a moment.") from None
        return waiting.future

    def write_and_wait(self, operation: Callable[[Tx], Result]) -> Result:
        """`write`, and wait for the commit."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("an operation that waits for another one would wait for ever")
        return self.write(operation).result()

    def on_commit(self, listener: Listener) -> None:
        """Call `listener` with the events of each commit, in order, in the writer's thread: it must not wait."""
        self._listeners.append(listener)

    def _serve(self) -> None:
        while True:
            batch, last = self._take()
            if batch:
                self._commit(batch)
            if last:
                return

    def _take(self) -> tuple[list[_Operation], bool]:
        batch: list[_Operation] = []
        waiting = self._queue.get()
        while waiting is not None:
            if waiting.future.set_running_or_notify_cancel():
                batch.append(waiting)
            if len(batch) >= BATCH_LIMIT:
                return batch, False
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: list[_Operation]) -> None:
        try:
            head = self._write_batch(batch)
        except Exception as error:
            self._fail(batch, error)
            return
        self._head = head
        for done in batch:
            if done.error is None:
                done.future.set_result(done.result)
            else:
                done.future.set_exception(done.error)
        self._publish([told for done in batch for told in done.events])

    def _write_batch(self, batch: list[_Operation]) -> Head:
        connection = self._connection or self._open()
        head = self._head
        with connection.begin():
            failpoint("writer.begin")
            for waiting in batch:
                head = self._run(connection, waiting, head)
            if head != self._head:
                connection.execute(_MOVE_HEAD, {"id": 1, "seq": head.seq, "hash": head.hash})
            failpoint("writer.written")
        failpoint("writer.committed")
        return head

    def _run(self, connection: Connection, waiting: _Operation, head: Head) -> Head:
        tx = Tx(connection, head, self._names)
        raw = _raw(connection)
        # By hand: SQLAlchemy's own savepoints cost more than the inserts of a whole run.
        raw.execute("SAVEPOINT operation")
        try:
            waiting.result = waiting.run(tx)
            tx.finish()
            raw.execute("RELEASE operation")
        except Exception as error:
            waiting.error = translate(error)
            if not raw.in_transaction:
                # SQLite has taken back the whole transaction (a full disk does that): nobody's work is left.
                raise
            tx.close()
            raw.execute("ROLLBACK TO operation")
            raw.execute("RELEASE operation")
            self._names.clear()
            return head
        tx.close()
        waiting.events = tx.events
        return tx.head

    def _fail(self, batch: list[_Operation], error: Exception) -> None:
        """Nothing of the batch was written: say so to each, and open the file anew for the next."""
        told = translate(error)
        log.error("a commit of %d operations failed: %s", len(batch), told)
        self._close()
        for waiting in batch:
            waiting.future.set_exception(waiting.error or told)

    def _publish(self, events: list[EventView]) -> None:
        if not events:
            return
        for listener in self._listeners:
            try:
                listener(events)
            except Exception:
                log.exception("a listener of committed events failed")

    def _open(self) -> Connection:
        raw = open_for_writing(self._path)
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
        event.listen(engine, "begin", _begin_immediate)
        connection = engine.connect()
        self._names.clear()
        self._engine, self._connection = engine, connection
        with connection.begin():
            found = connection.execute(select(EVENT_HEAD)).first()
        self._head = Head(found.seq, found.hash) if found else Head()
        return connection

    def _close(self) -> None:
        connection, engine = self._connection, self._engine
        self._connection = self._engine = None
        for close in (connection.close if connection else None, engine.dispose if engine else None):
            try:
                if close is not None:
                    close()
            except Exception as error:
                log.warning("closing the registry: %s", error)


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.dbapi_connection
    if not isinstance(raw, sqlite3.Connection):
        raise TypeError("the registry is SQLite's")
    return raw


_MOVE_HEAD = upsert(EVENT_HEAD)
