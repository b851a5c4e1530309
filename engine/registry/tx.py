"""One operation of the writer: what code that changes the registry is handed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, NestedTransaction, bindparam, desc, func, select
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, SQLModel, col

from engine.registry.core import EVENT, PROJECT
from engine.registry.events import Actor, Head, clean_evidence, event_hash
from engine.registry.tables import now
from engine.wire.events import EventView

__all__ = ["Tx", "col"]

Row = TypeVar("Row", bound=SQLModel)


class Tx:
    """Runs in the writer's thread inside a savepoint of its own; raising takes back this operation and no other.

    Never commit or roll back by hand, and never wait for anything: everybody who writes waits behind you.
    """

    def __init__(self, connection: Connection, head: Head, names: dict[int, str]) -> None:
        self._connection = connection
        self._session: Session | None = None
        self._nested: NestedTransaction | None = None
        self._names = names
        self.head = head
        """End of the event chain as this operation leaves it."""
        self.events: list[EventView] = []
        """Events of this operation, to be published after the commit."""

    @property
    def session(self) -> Session:
        """The ORM's session, made when first asked for: an operation of plain inserts does without."""
        if self._session is None:
            # A flush that fails takes back the transaction that the session finds: it must find one of its own.
            self._nested = self._connection.begin_nested()
            self._session = Session(
                bind=self._connection, join_transaction_mode="rollback_only", expire_on_commit=False
            )
        return self._session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """The connection, with everything the session holds flushed: the queries of the reader work on it too."""
        self.flush()
        yield self._connection

    def flush(self) -> None:
        """Send what the session holds to the database, so that new rows have their ids."""
        if self._session is not None:
            self._session.flush()

    def finish(self) -> None:
        """The operation is done. The writer does this."""
        self.flush()
        if self._nested is not None:
            self._nested.commit()

    def close(self) -> None:
        """Let go of the session. The writer does this."""
        if self._session is not None:
            self._session.close()
        if self._nested is not None and self._nested.is_active:
            self._nested.rollback()

    def execute(
        self, statement: Executable, rows: Sequence[dict[str, Any]] | dict[str, Any] | None = None
    ) -> CursorResult[Any]:
        """Run one Core statement with parameters; with a list of them, once for each in one call."""
        self.flush()
        result: CursorResult[Any] = self._connection.execute(statement, rows)
        return result

    def execute_many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Run plain SQL once for each row: for inserts whose values need no translation, at a third of the cost."""
        self.flush()
        self._connection.exec_driver_sql(sql, rows)

    def add(self, row: Row) -> Row:
        """Insert a row; its id is there afterwards."""
        self.session.add(row)
        self.session.flush()
        return row

    def get(self, table: type[Row], key: Any) -> Row | None:
        """The row with this primary key."""
        return self.session.get(table, key)

    def first(self, table: type[Row], *where: Any, newest: Any = None, oldest: Any = None) -> Row | None:
        """The first row of those `where`; `newest` and `oldest` name the column to order by."""
        return next(iter(self.all(table, *where, newest=newest, oldest=oldest, limit=1)), None)

    def all(
        self, table: type[Row], *where: Any, newest: Any = None, oldest: Any = None, limit: int | None = None
    ) -> list[Row]:
        """All rows `where`, up to `limit`."""
        found = select(table).where(*where)
        if newest is not None:
            found = found.order_by(desc(newest))
        if oldest is not None:
            found = found.order_by(oldest)
        return list(self.session.scalars(found.limit(limit)))

    def count(self, table: type[SQLModel], *where: Any) -> int:
        """How many rows `where`."""
        return int(self.session.scalar(select(func.count()).select_from(table).where(*where)) or 0)

    def event(self, actor: Actor, verb: str, subject: str, project_id: int | None = None, **evidence: Any) -> EventView:
        """Append one fact to the audit chain. `verb` is `noun.past`; `evidence` holds ids and figures, no secrets."""
        at, seq = now(), self.head.seq + 1
        told: dict[str, Any] = {
            "seq": seq,
            "at": at,
            "actor": _text(actor.name),
            "role": _text(actor.role),
            "verb": verb,
            "subject": _text(subject),
            "project": self._project_name(project_id),
            "evidence": clean_evidence(evidence),
        }
        digest = event_hash(self.head.hash, **told)
        row = {key: value for key, value in told.items() if key != "project"}
        row |= {"project_id": project_id, "prev_hash": self.head.hash, "hash": digest}
        self.flush()
        self._connection.execute(_INSERT_EVENT, row)
        view = EventView(**told, hash=digest, prev_hash=self.head.hash)
        self.head = Head(seq, digest)
        self.events.append(view)
        return view

    def _project_name(self, project_id: int | None) -> str | None:
        if project_id is None:
            return None
        if project_id not in self._names:
            self.flush()
            self._names[project_id] = self._connection.execute(_PROJECT_NAME, {"project_id": project_id}).scalar_one()
        return self._names[project_id]


def _text(text: str) -> str:
    # A file name may carry bytes that are no text (surrogates), which SQLite does not take.
    return text.encode("utf-8", "replace").decode()


_INSERT_EVENT = EVENT.insert()
_PROJECT_NAME = select(PROJECT.c.name).where(PROJECT.c.id == bindparam("project_id"))
