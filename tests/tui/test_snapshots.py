"""A few golden pictures: each screen empty, full, narrow, and with the engine gone."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import Clock, settle, shows, title
from textual.pilot import Pilot

from engine.wire.base import Failure
from mlops_tui.app import MlopsApp

SnapCompare = Callable[..., bool]


@pytest.fixture
def full(fake: FakeEngine) -> FakeEngine:
    fake.fleet = [
        made.fleet_row("fraud", needs="approve @3", challenger=3, challenger_share=0.1),
        made.fleet_row("tumour", train_status="running", train_fraction=0.42, champion=None, live_status=None),
        made.fleet_row("churn-of-customers", gate="insufficient", open_alarms=2),
        made.fleet_row("house-prices", gate="fail", train_status="failed", metric="rmse"),
    ]
    broken = Failure(code="bad_data", message="Column amount holds infinity in row 17.")
    fake.jobs = {at: made.job(at, result={"version": at, "verdict": "pass"}) for at in range(1, 300)}
    fake.jobs[298] = made.job(298, status="failed", failure=broken)
    fake.jobs[299] = made.job(299, status="queued", waits_for="a free slot", started_at=None, ended_at=None)
    fake.jobs[300] = made.running(300)
    return fake


def until(words: str, *keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def reach(pilot: Pilot[Any]) -> None:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press(*keys)
        await settle(pilot, shows(pilot, words))

    return reach


def test_fleet_empty(snap_compare: SnapCompare, app: MlopsApp):
    assert snap_compare(app, terminal_size=(80, 24), run_before=until("mlops init"))


def test_fleet_full(snap_compare: SnapCompare, app: MlopsApp, full: FakeEngine):
    assert snap_compare(app, terminal_size=(180, 24), run_before=until("▸ fraud"))


def test_fleet_at_80_columns(snap_compare: SnapCompare, app: MlopsApp, full: FakeEngine):
    assert snap_compare(app, terminal_size=(80, 24), run_before=until("▸ fraud"))


def test_too_small(snap_compare: SnapCompare, app: MlopsApp, full: FakeEngine):
    async def reach(pilot: Pilot[Any]) -> None:
        await settle(pilot, shows(pilot, "Too small"))

    assert snap_compare(app, terminal_size=(50, 10), run_before=reach)


def test_fleet_with_the_engine_gone(
    snap_compare: SnapCompare, app: MlopsApp, full: FakeEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mlops_tui.feed.utc_now", lambda: made.NOW)
    monkeypatch.setattr("mlops_tui.feed.RETRY_S", (3600.0,))

    async def reach(pilot: Pilot[Any]) -> None:
        await settle(pilot, shows(pilot, "▸ fraud"))
        full.go_down()
        await settle(pilot, lambda: "no engine" in title(pilot).link.text)
        clock.now += timedelta(minutes=3)
        app.screen._tick()  # type: ignore[attr-defined]
        await settle(pilot, shows(pilot, "no engine for 3m"))

    assert snap_compare(app, terminal_size=(80, 24), run_before=reach)


def test_jobs_full(snap_compare: SnapCompare, app: MlopsApp, full: FakeEngine):
    assert snap_compare(app, terminal_size=(120, 24), run_before=until("▸    300", "7"))


def test_jobs_confirm(snap_compare: SnapCompare, app: MlopsApp, full: FakeEngine):
    async def reach(pilot: Pilot[Any]) -> None:
        await until("▸    300", "7")(pilot)
        await pilot.press("X")
        await settle(pilot, shows(pilot, "Cancel job 300"))

    assert snap_compare(app, terminal_size=(80, 24), run_before=reach)
