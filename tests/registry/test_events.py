"""The audit chain cannot be changed unseen."""

from __future__ import annotations

import math
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.registry.events import ENGINE, GENESIS, event_hash, verify_chain
from engine.registry.queries.events import list_events
from engine.registry.reader import Reader
from engine.registry.tables import Project, now
from engine.registry.tx import Tx
from engine.registry.writer import Writer


@pytest.fixture
def chain(writer: Writer, reader: Reader) -> Reader:
    def project(tx: Tx) -> int:
        row = Project(name="fraud", folder="/x", task="binary", metric="f1", salt="s", added_at=now(), added_by="ada")
        return tx.add(row).id or 0

    project_id = writer.write_and_wait(project)
    for number in range(5):
        writer.write_and_wait(
            lambda tx, n=number: tx.event(
                ENGINE,
                "thing.done",
                f"thing {n}",
                project_id,
                n=n,
                ratio=0.1 * n,
                when=now(),
                text="ü\ud800",
                x=math.nan,
            )
        )
    return reader


def broken(reader: Reader) -> int | None:
    with reader.connection() as connection:
        return verify_chain(connection).broken


def tamper(database: Path, statement: str) -> None:
    plain = sqlite3.connect(database)
    plain.execute(statement)
    plain.commit()
    plain.close()


def test_an_untouched_chain_holds(chain: Reader) -> None:
    assert broken(chain) is None


def test_an_empty_chain_holds(writer: Writer, reader: Reader) -> None:
    assert broken(reader) is None


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE event SET actor = 'eve' WHERE seq = 3", 3),
        ("UPDATE event SET evidence = '{}' WHERE seq = 2", 2),
        ("UPDATE event SET at = '2020-01-01 00:00:00.000000' WHERE seq = 4", 4),
        ("UPDATE event SET hash = 'x' WHERE seq = 5", 5),
        ("DELETE FROM event WHERE seq = 2", 2),
        ("DELETE FROM event WHERE seq = 1", 1),
        ("DELETE FROM event WHERE seq >= 4", 4),
        ("DELETE FROM event", 1),
        ("UPDATE project SET name = 'other'", 1),
        ("DELETE FROM event_head", 5),
    ],
)
def test_the_first_event_that_does_not_fit_is_named(chain: Reader, database: Path, statement: str, named: int) -> None:
    tamper(database, statement)
    assert broken(chain) == named


def test_anyone_can_check_the_chain_from_what_the_api_shows(chain: Reader) -> None:
    previous = GENESIS
    for shown in list_events(chain, limit=100).events:
        told = shown.model_dump(exclude={"hash", "prev_hash"})
        assert shown.prev_hash == previous
        assert event_hash(previous, **told) == shown.hash
        previous = shown.hash


def test_the_chain_goes_on_after_a_restart(chain: Reader, writer: Writer, database: Path) -> None:
    writer.stop()
    again = Writer(database)
    again.start()
    event = again.write_and_wait(lambda tx: tx.event(ENGINE, "thing.done", "thing"))
    again.stop()
    assert event.seq == 6
    assert broken(chain) is None


def test_the_hash_is_the_documented_one() -> None:
    # Fixed for ever: chains that exist must keep holding.
    told = {
        "seq": 1, "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "actor": "ada", "role": "admin", "verb": "a.b",
        "subject": "s", "project": None, "evidence": {"b": 1, "a": "ü"},
    }  # fmt: skip
    assert event_hash(GENESIS, **told) == "fd9c48e9946a76610a63494a368c8fce0c595674b62b1b3d1e2ebf652940d6ab"
