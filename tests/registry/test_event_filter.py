"""The audit chain is filtered where it lies, not in the terminal."""

from __future__ import annotations

import pytest

from engine.registry.events import Named
from engine.registry.queries.events import list_events
from engine.registry.reader import Reader
from engine.registry.tables import Project, now
from engine.registry.tx import Tx
from engine.registry.writer import Writer

ADA, BOB = Named("ada", "admin"), Named("bob", "operator")


@pytest.fixture
def told(writer: Writer, reader: Reader) -> Reader:
    def fill(tx: Tx) -> None:
        row = Project(name="fraud", folder="/x", task="binary", metric="f1", salt="s", added_at=now(), added_by="ada")
        fraud = tx.add(row).id
        tx.event(ADA, "project.added", "fraud", fraud, folder="/x")
        tx.event(BOB, "version.approved", "fraud@3", fraud, verdict="pass", why="50%_sure")
        tx.event(ADA, "version.approved", "tumour@1", verdict="fail", why="größer")
        tx.event(ADA, "registry.verified", "registry", events=3)

    writer.write_and_wait(fill)
    return reader


@pytest.mark.parametrize(
    ("matching", "expected"),
    [
        ("", [1, 2, 3, 4]),
        ("  !  ", [1, 2, 3, 4]),
        ("who:ada", [1, 3, 4]),
        ("WHO:Ada what:APPROVED", [3]),
        ("what:version", [2, 3]),
        ("model:fraud", [1, 2]),
        ("to:@", [2, 3]),
        ("approved fraud", [2]),
        ("operator", [2]),
        ("fail", [3]),
        ("größer", [3]),
        ("50%_sure", [2]),
        ("50%sure", []),
        ("!who:ada", [2]),
        ("!model:fraud", [3, 4]),
        ("! who:ada what:approved", [1, 2, 4]),
        ("other:word", []),
        ("who:", [1, 2, 3, 4]),
        ("'; drop", []),
    ],
)
def test_every_part_of_a_filter_must_occur(told: Reader, matching: str, expected: list[int]) -> None:
    assert [event.seq for event in list_events(told, matching=matching).events] == expected


def test_pages_of_the_newest_hold_each_event_once(told: Reader) -> None:
    seen: list[int] = []
    before = None
    while True:
        page = list_events(told, newest=True, limit=2, before=before, matching="who:ada")
        seen = [event.seq for event in page.events] + seen
        if (before := page.next_before) is None:
            break
    assert seen == [1, 3, 4]
