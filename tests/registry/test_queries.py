"""What readers see, by page, in few statements however much there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fakes.core import ADA
from sqlalchemy import event
from sqlalchemy.engine import Engine

from engine.errors import InvalidInput, NotFound
from engine.registry.events import ENGINE
from engine.registry.queries.blobs import all_blobs
from engine.registry.queries.endpoints import get_deployment, list_endpoints
from engine.registry.queries.events import last_event, list_events
from engine.registry.queries.fleet import get_fleet
from engine.registry.queries.jobs import get_job, list_jobs
from engine.registry.queries.models import get_model, get_version, list_models, list_versions
from engine.registry.queries.projects import get_project
from engine.registry.queries.runs import get_curves, get_run, list_runs
from engine.registry.queries.snapshots import get_snapshot
from engine.registry.queries.status import get_figures
from engine.registry.queue import enqueue
from engine.registry.reader import Reader
from engine.registry.recording import insert_finished_run
from engine.registry.tables import Project, Revision, now
from engine.registry.tx import Tx
from engine.registry.writer import Writer

METRICS = [0.5, 0.9, 0.1, 0.9, 0.7]


def project(tx: Tx, name: str) -> int:
    row = tx.add(Project(name=name, folder="/x", task="binary", metric="f1", salt="s", added_at=now(), added_by="ada"))
    revision = Revision(
        project_id=row.id or 0, tree_sha256=name, files=[], config="", created_at=now(), created_by="ada"
    )
    row.revision_id = tx.add(revision).id
    return row.id or 0


@pytest.fixture
def filled(writer: Writer, reader: Reader) -> Reader:
    """Five runs of fraud with a metric, one without, one of another project."""

    def fill(tx: Tx) -> None:
        fraud, other = project(tx, "fraud"), project(tx, "other")
        for value in METRICS:
            insert_finished_run(tx, fraud, "ada", reason="", params={"p": "1"}, metrics={"f1": value, "x": 1.0})
        insert_finished_run(tx, fraud, "ada", reason="", params={}, metrics={})
        insert_finished_run(tx, other, "ada", reason="", params={}, metrics={"f1": 0.95})

    writer.write_and_wait(fill)
    return reader


@contextmanager
def counted() -> Iterator[list[str]]:
    seen: list[str] = []

    def see(connection: object, cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", see)


def test_pages_of_runs_hold_each_run_once_newest_first(filled: Reader) -> None:
    seen, before = [], None
    while True:
        page = list_runs(filled, limit=2, before=before)
        seen += [run.id for run in page.runs]
        if (before := page.next_before) is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(("descending", "expected"), [(True, [4, 2, 5, 1, 3]), (False, [3, 1, 5, 2, 4])])
def test_pages_by_a_metric_keep_its_order_and_leave_out_runs_without_it(
    filled: Reader, descending: bool, expected: list[int]
) -> None:
    seen, before = [], None
    while True:
        page = list_runs(filled, project="fraud", limit=2, before=before, order_by="metric.f1", descending=descending)
        seen += [run.id for run in page.runs]
        if (before := page.next_before) is None:
            break
    assert seen == expected


def test_runs_are_filtered_by_a_metric(filled: Reader) -> None:
    page = list_runs(filled, order_by="metric.f1", above=0.7, below=0.9)
    assert [run.metrics["f1"] for run in page.runs] == [0.9, 0.9, 0.7]


def test_what_runs_cannot_be_ordered_by_is_told(filled: Reader) -> None:
    with pytest.raises(InvalidInput, match="ordered by 'reason'"):
        list_runs(filled, order_by="reason")
    with pytest.raises(NotFound, match="no metric"):
        list_runs(filled, order_by="metric.f1", before=6)


def test_a_run_is_shown_as_it_was_recorded(filled: Reader) -> None:
    run = get_run(filled, 1)
    assert (run.project, run.status, run.params, run.metrics) == (
        "fraud",
        "succeeded",
        {"p": "1"},
        {"f1": 0.5, "x": 1.0},
    )
    assert run.created_at.utcoffset() is not None
    assert get_curves(filled, 1).points == []


@pytest.mark.parametrize("limit", [1, 7])
def test_a_page_takes_as_many_statements_whatever_its_length(filled: Reader, limit: int) -> None:
    with counted() as statements:
        list_runs(filled, limit=limit)
    assert len(statements) == 3


def test_the_fleet_takes_as_many_statements_however_many_models_there_are(writer: Writer, filled: Reader) -> None:
    with counted() as few:
        assert len(get_fleet(filled).rows) == 2

    def more(tx: Tx) -> None:
        for number in range(50):
            project(tx, f"p{number}")

    writer.write_and_wait(more)
    with counted() as many:
        assert len(get_fleet(filled).rows) == 52
    assert len(few) == len(many) <= 16


def test_jobs_come_by_page_status_and_project(writer: Writer, filled: Reader) -> None:
    def ask(tx: Tx) -> None:
        for number in range(4):
            enqueue(tx, ENGINE, "compact", project_id=1 if number % 2 else 2)
        enqueue(tx, ADA, "look")

    writer.write_and_wait(ask)
    first = list_jobs(filled, limit=2)
    assert [job.id for job in first.jobs] == [5, 4]
    assert [job.id for job in list_jobs(filled, limit=2, before=first.next_before).jobs] == [3, 2]
    assert [job.id for job in list_jobs(filled, project="fraud").jobs] == [4, 2]
    assert list_jobs(filled, status="running").jobs == []
    assert [job.waits_for for job in list_jobs(filled, project="fraud").jobs] == [
        "job 2 of the same project",
        "a worker to start",
    ]
    assert get_figures(filled).jobs_queued == 5


def test_events_come_by_page_filter_and_from_the_end(writer: Writer, filled: Reader) -> None:
    def tell(tx: Tx) -> None:
        for number in range(5):
            tx.event(ADA if number % 2 else ENGINE, f"thing.{number % 3}", "x", 1 if number < 3 else None)

    writer.write_and_wait(tell)
    first = list_events(filled, limit=2)
    assert ([event.seq for event in first.events], first.next_after) == ([1, 2], 2)
    assert [event.seq for event in list_events(filled, after=4, limit=2).events] == [5]
    assert [event.seq for event in list_events(filled, limit=2, newest=True).events] == [4, 5]
    assert [event.seq for event in list_events(filled, actor="ada").events] == [2, 4]
    assert [event.seq for event in list_events(filled, project="fraud").events] == [1, 2, 3]
    assert [event.seq for event in list_events(filled, verb="thing.0").events] == [1, 4]
    assert [event.seq for event in list_events(filled, verb="thing.*").events] == [1, 2, 3, 4, 5]
    assert last_event(filled) == 5


def test_what_is_not_there_is_told_with_what_to_do(filled: Reader) -> None:
    for ask in (
        lambda: get_project(filled, "nobody"), lambda: get_model(filled, "nobody"), lambda: get_run(filled, 99),
        lambda: get_curves(filled, 99), lambda: get_job(filled, 99), lambda: get_snapshot(filled, 99),
        lambda: get_version(filled, "fraud", 9), lambda: list_versions(filled, "nobody"),
        lambda: get_deployment(filled, 9), lambda: list_runs(filled, project="nobody"),
    ):  # fmt: skip
        with pytest.raises(NotFound) as refused:
            ask()
        assert refused.value.hint


def test_an_empty_registry_is_shown_empty(reader: Reader) -> None:
    assert list_models(reader).models == []
    assert list_endpoints(reader).endpoints == []
    assert get_fleet(reader).rows == []
    assert all_blobs(reader) == []
    assert (get_figures(reader).projects, get_figures(reader).gateway_url) == (0, None)
