"""What whoever writes the registry may rely on."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import Conflict, DiskFull, NotFound, Unavailable
from engine.registry.core import BLOB, EVENT
from engine.registry.events import ENGINE, verify_chain
from engine.registry.reader import Reader
from engine.registry.tables import Blob, now
from engine.registry.tx import Tx
from engine.registry.writer import BATCH_LIMIT, Writer
from engine.wire.events import EventView


def blob(tx: Tx, sha256: str) -> str:
    tx.add(Blob(sha256=sha256, size_bytes=1, created_at=now()))
    tx.event(ENGINE, "blob.stored", sha256)
    return sha256


def stored(reader: Reader) -> set[str]:
    with reader.connection() as connection:
        return set(connection.execute(BLOB.select().with_only_columns(BLOB.c.sha256)).scalars())


def chain_holds(reader: Reader) -> bool:
    with reader.connection() as connection:
        return verify_chain(connection).broken is None


def together(writer: Writer, operations: list) -> list:
    """Have operations land in one batch: the writer is held until all of them wait."""
    all_wait = threading.Event()
    held = writer.write(lambda tx: all_wait.wait(10))
    futures = [writer.write(operation) for operation in operations]
    all_wait.set()
    held.exception(10)
    return futures


def test_a_write_is_there_for_readers_once_it_is_acknowledged(writer: Writer, reader: Reader) -> None:
    assert writer.write_and_wait(lambda tx: blob(tx, "a")) == "a"
    assert stored(reader) == {"a"}


def test_one_operation_that_fails_takes_back_only_itself(writer: Writer, reader: Reader) -> None:
    def fails(tx: Tx) -> None:
        blob(tx, "bad")
        raise NotFound("no such thing")

    first, second, third = together(writer, [lambda tx: blob(tx, "a"), fails, lambda tx: blob(tx, "b")])
    assert first.result() == "a"
    assert third.result() == "b"
    with pytest.raises(NotFound, match="no such thing"):
        second.result()
    assert stored(reader) == {"a", "b"}
    assert chain_holds(reader)
    with reader.connection() as connection:
        assert list(connection.execute(EVENT.select().order_by(EVENT.c.seq)).scalars()) == [1, 2]


def test_waiting_operations_share_one_commit(writer: Writer, reader: Reader) -> None:
    heard: list[list[EventView]] = []
    writer.on_commit(heard.append)
    for future in together(writer, [lambda tx, name=f"{n}": blob(tx, name) for n in range(20)]):
        future.result()
    writer.write_and_wait(lambda tx: None)
    assert [len(events) for events in heard] == [20]


def test_more_than_a_batch_waits_its_turn(writer: Writer, reader: Reader) -> None:
    count = BATCH_LIMIT + 10
    for future in together(writer, [lambda tx, name=f"{n}": blob(tx, name) for n in range(count)]):
        future.result()
    assert len(stored(reader)) == count
    assert chain_holds(reader)


def test_a_clash_is_told_in_our_words(writer: Writer) -> None:
    writer.write_and_wait(lambda tx: blob(tx, "a"))
    with pytest.raises(Conflict, match="clashes"):
        writer.write_and_wait(lambda tx: blob(tx, "a"))


def test_a_listener_hears_events_in_order_after_their_commit(writer: Writer, reader: Reader) -> None:
    heard: list[int] = []
    seen: list[set[str]] = []

    def listen(events: list[EventView]) -> None:
        heard.extend(event.seq for event in events)
        seen.append(stored(reader))

    writer.on_commit(listen)
    for name in "abc":
        writer.write_and_wait(lambda tx, name=name: blob(tx, name))
    writer.stop()
    assert heard == [1, 2, 3]
    assert [len(names) for names in seen] == [1, 2, 3]


def test_a_listener_that_fails_harms_nobody(writer: Writer, reader: Reader) -> None:
    writer.on_commit(lambda events: 1 // 0)
    writer.write_and_wait(lambda tx: blob(tx, "a"))
    assert writer.write_and_wait(lambda tx: blob(tx, "b")) == "b"


def test_many_threads_write_without_a_lock_error_or_a_lost_update(writer: Writer, reader: Reader) -> None:
    def count_up(tx: Tx) -> None:
        row = tx.get(Blob, "n") or tx.add(Blob(sha256="n", size_bytes=0, created_at=now()))
        row.size_bytes += 1
        tx.event(ENGINE, "blob.counted", "n")

    def many() -> None:
        for _ in range(25):
            writer.write_and_wait(count_up)

    with ThreadPoolExecutor(16) as threads:
        for done in [threads.submit(many) for _ in range(16)]:
            done.result()
    with reader.connection() as connection:
        assert connection.execute(BLOB.select().with_only_columns(BLOB.c.size_bytes)).scalar_one() == 400
    assert chain_holds(reader)


def test_a_full_disk_leaves_no_half_entry_and_writing_works_again_once_there_is_room(
    writer: Writer, reader: Reader
) -> None:
    writer.write_and_wait(lambda tx: blob(tx, "before"))

    def shrink(tx: Tx) -> None:
        # SQLite's own limit gives the same SQLITE_FULL, and takes back the transaction, as ENOSPC does.
        pages = tx.session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def big(tx: Tx) -> None:
        blob(tx, "half")
        for number in range(200):
            tx.add(Blob(sha256=f"{number}" + "x" * 4000, size_bytes=1, created_at=now()))

    writer.write_and_wait(shrink)
    neighbour, full = together(writer, [lambda tx: blob(tx, "neighbour"), big])
    with pytest.raises(DiskFull, match="disk is full"):
        full.result()
    with pytest.raises(DiskFull):
        neighbour.result()
    assert stored(reader) == {"before"}
    # The limit belonged to the connection, which the writer has opened anew: there is room again.
    writer.write_and_wait(lambda tx: blob(tx, "after"))
    assert stored(reader) == {"before", "after"}
    assert chain_holds(reader)


def test_a_stopped_writer_finishes_what_waits_and_refuses_more(writer: Writer, reader: Reader) -> None:
    futures = together(writer, [lambda tx, name=f"{n}": blob(tx, name) for n in range(5)])
    writer.stop()
    assert [future.result() for future in futures] == ["0", "1", "2", "3", "4"]
    with pytest.raises(Unavailable, match="stopping"):
        writer.write(lambda tx: None)


def test_a_reader_cannot_write(writer: Writer, reader: Reader) -> None:
    with pytest.raises(Unavailable), reader.connection() as connection:
        connection.execute(BLOB.insert(), {"sha256": "x", "size_bytes": 1, "created_at": now()})


def test_a_reader_sees_one_state_however_long_it_reads(writer: Writer, reader: Reader) -> None:
    writer.write_and_wait(lambda tx: blob(tx, "a"))
    with reader.connection() as connection:
        before = connection.execute(BLOB.select()).all()
        writer.write_and_wait(lambda tx: blob(tx, "b"))
        assert connection.execute(BLOB.select()).all() == before


def test_what_was_acknowledged_is_synced_in_full(database: Path, writer: Writer) -> None:
    def pragma(tx: Tx) -> tuple[int, int, str]:
        connection = tx.session.connection()
        return tuple(
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("synchronous", "foreign_keys", "journal_mode")
        )

    assert writer.write_and_wait(pragma) == (2, 1, "wal")
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()
