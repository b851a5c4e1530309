"""Golden pictures of adding a project, of the schedule and of a log: empty, full, failed and narrow."""

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.looks import see
from fakes.terminal import settle, shows
from textual.pilot import Pilot

from engine.wire.base import Failure
from engine.wire.jobs import ScheduleView
from mlops_tui.app import MlopsApp
from mlops_tui.view.files import Entry, Listing

SnapCompare = Callable[..., bool]
Reach = Callable[[Pilot[Any]], Awaitable[None]]
NARROW, USUAL, WIDE = (60, 15), (80, 24), (140, 30)
SIZES = pytest.mark.parametrize("size", [NARROW, USUAL, WIDE], ids=["narrow", "usual", "wide"])

FILES = (
    Entry("mlops.toml", False, 2_000, made.ago(days=2)),
    Entry("archive", True),
    Entry("churn", True, has_project=True),
    Entry("private", True, is_closed=True),
    Entry("orders 2026.csv", False, 12_588_823, made.ago(minutes=3)),
    Entry("orders.parquet", False, 700_000_000, made.ago(days=90)),
)


@pytest.fixture
def folder(app: MlopsApp, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that lies nowhere, so that every picture is the same."""
    monkeypatch.setattr(
        "mlops_tui.screens.add_project_pick.list_folder", lambda folder, hidden: Listing("/srv/data", FILES, 4)
    )
    app.guide.folder = Path("/srv/data")
    fake.on_look = see


def steps(*parts: tuple[tuple[str, ...], str]) -> Reach:
    async def reach(pilot: Pilot[Any]) -> None:
        await settle(pilot, shows(pilot, "● engine"))
        for keys, words in parts:
            await pilot.press(*keys)
            await settle(pilot, shows(pilot, words))

    return reach


PICK = (("n",), "orders.parquet")
TARGET = (("j", "j", "j", "j", "enter"), "Which column")
PREVIEW = (("G", "enter"), "N name")
SAID = (("j", "space", "p"), "2 changes")
WRITE = (("enter",), "[project]")


@SIZES
@pytest.mark.parametrize(
    "way",
    [[PICK], [PICK, TARGET], [PICK, TARGET, PREVIEW, SAID], [PICK, TARGET, PREVIEW, SAID, WRITE]],
    ids=["pick", "target", "preview", "write"],
)
def test_steps(snap_compare: SnapCompare, app: MlopsApp, folder: None, way: list[Any], size: tuple[int, int]):
    assert snap_compare(app, terminal_size=size, run_before=steps(*way))


def test_a_failed_look(snap_compare: SnapCompare, app: MlopsApp, fake: FakeEngine, folder: None):
    told = "orders 2026.csv, line 31,402: expected 9 fields, got 7."
    fake.on_look = lambda asked: Failure(code="bad_data", message=told, hint="Mend that line.")
    reach = steps(PICK, (("j", "j", "j", "j", "enter"), "got 7"))
    assert snap_compare(app, terminal_size=USUAL, run_before=reach)


def test_an_empty_folder(snap_compare: SnapCompare, app: MlopsApp, folder: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "mlops_tui.screens.add_project_pick.list_folder", lambda folder, hidden: Listing("/srv/data", (), 4)
    )
    assert snap_compare(app, terminal_size=USUAL, run_before=steps((("n",), "No folder and no data here")))


@pytest.fixture
def in_nepal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Five hours and three quarters ahead, all the year."""
    monkeypatch.setenv("TZ", "NPT-5:45")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@SIZES
def test_the_schedule(
    snap_compare: SnapCompare, app: MlopsApp, fake: FakeEngine, size: tuple[int, int], in_nepal: None
):
    fake.jobs = {1: made.job(1)}
    failed = made.job(1, kind="check", status="failed", failure={"code": "bad_data", "message": "no rows"})
    fake.schedules = [
        ScheduleView(
            id=1, name="check:fraud", kind="check", project="fraud", every="15m", last_nominal_at=made.ago(minutes=10),
            next_at=made.ago(minutes=-5), last_job=failed,
        ),
        ScheduleView(
            id=2, name="retrain:fraud", kind="retrain", project="fraud", every="0 3 * * 1", last_nominal_at=None,
            next_at=None,
        ),
    ]  # fmt: skip
    reach = steps((("7",), "1/1"), (("S",), "▸ check:fraud"))
    assert snap_compare(app, terminal_size=size, run_before=reach)


@pytest.mark.parametrize("size", [NARROW, USUAL], ids=["narrow", "usual"])
def test_a_log_with_hits(snap_compare: SnapCompare, app: MlopsApp, fake: FakeEngine, size: tuple[int, int]):
    fake.jobs = {1: made.job(1)}
    fake.logs = {1: "reading 12 rows\n[LightGBM] [Warning] few rows, and no further splits\nValueError: no rows left\n"}
    reach = steps((("7",), "1/1"), (("l",), "no rows left"), (("g", "f", *"rows", "enter"), "» rows: 1/3"))
    assert snap_compare(app, terminal_size=size, run_before=reach)
