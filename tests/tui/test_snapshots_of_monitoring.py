"""Golden pictures of Monitoring, a watched model pane by pane, an alarm and a chain: empty, full, failed and narrow."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fakes import drifted
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import settle, shows
from textual.pilot import Pilot

from mlops_tui.app import MlopsApp

SnapCompare = Callable[..., bool]
Reach = Callable[[Pilot[Any]], Awaitable[None]]

NARROW, USUAL, WIDE = (60, 15), (80, 24), (140, 30)
SIZES = pytest.mark.parametrize("size", [NARROW, USUAL, WIDE], ids=["narrow", "usual", "wide"])
PANES = {
    "columns": "both",
    "checks": "✓ quiet",
    "alarms": "drift · open:",
    "performance": "settled",
    "retrains": "wait",
}


@pytest.fixture
def world(fake: FakeEngine) -> FakeEngine:
    drifted.drift(fake)
    return fake


def steps(*taken: tuple[str, str]) -> Reach:
    """Keys, and the words that show that they did something; the line that tells of them is put away in the end."""

    async def reach(pilot: Pilot[Any]) -> None:
        await settle(pilot, shows(pilot, "● engine"))
        for keys, words in taken:
            await pilot.press(*keys.split())
            await settle(pilot, shows(pilot, words))
        pilot.app.say("")  # type: ignore[attr-defined]
        for _ in range(3):
            await pilot.pause()

    return reach


def pane(name: str) -> Reach:
    wanted = list(PANES).index(name)
    turns = [("tab", list(PANES.values())[at]) for at in range(1, wanted + 1)]
    return steps(("5", "▸ fraud"), ("enter", "▸ channel"), *turns)


@SIZES
def test_models(snap_compare: SnapCompare, app: MlopsApp, world: FakeEngine, size: tuple[int, int]):
    assert snap_compare(app, terminal_size=size, run_before=steps(("5", "▸ fraud")))


@SIZES
@pytest.mark.parametrize("name", PANES)
def test_a_watched_model(snap_compare: SnapCompare, app: MlopsApp, world: FakeEngine, name: str, size: tuple[int, int]):
    assert snap_compare(app, terminal_size=size, run_before=pane(name))


def test_a_column_of_numbers(snap_compare: SnapCompare, app: MlopsApp, world: FakeEngine):
    reach = steps(("5", "▸ fraud"), ("enter", "▸ channel"), ("j", "40%┤"))
    assert snap_compare(app, terminal_size=USUAL, run_before=reach)


def test_a_model_that_was_not_looked_at(snap_compare: SnapCompare, app: MlopsApp, fake: FakeEngine):
    drifted.nothing_yet(fake)
    reach = steps(("5", "▸ fraud"), ("enter", "500 captured rows"))
    assert snap_compare(app, terminal_size=USUAL, run_before=reach)


def test_a_check(snap_compare: SnapCompare, app: MlopsApp, world: FakeEngine):
    reach = steps(("5", "▸ fraud"), ("enter", "▸ channel"), ("tab", "✓ quiet"), ("enter", "▸ channel"))
    assert snap_compare(app, terminal_size=USUAL, run_before=reach)


@SIZES
def test_an_alarm(snap_compare: SnapCompare, app: MlopsApp, world: FakeEngine, size: tuple[int, int]):
    assert snap_compare(app, terminal_size=size, run_before=steps(("a", "both")))


@SIZES
def test_an_alarm_about_performance(snap_compare: SnapCompare, app: MlopsApp, world: FakeEngine, size: tuple[int, int]):
    world.alarms[5] = drifted.performance_alarm()
    assert snap_compare(app, terminal_size=size, run_before=steps(("a", "settled")))


def test_an_alarm_whose_retrain_failed(snap_compare: SnapCompare, app: MlopsApp, world: FakeEngine):
    note = "job 14 failed: amount holds infinity in row 17."
    world.retrains[2] = drifted.retrained(status="done", job_id=14, note=note, ended_at=made.ago(minutes=1))
    assert snap_compare(app, terminal_size=USUAL, run_before=steps(("a", "made no version")))


def test_nothing_rings(snap_compare: SnapCompare, app: MlopsApp, world: FakeEngine):
    world.alarms = {}
    assert snap_compare(app, terminal_size=USUAL, run_before=steps(("a", "Nothing rings")))


@pytest.mark.parametrize(("key", "words"), [("r", "[n] no"), ("C", "Say why")], ids=["retrain", "close"])
def test_what_is_asked_before(snap_compare: SnapCompare, app: MlopsApp, world: FakeEngine, key: str, words: str):
    assert snap_compare(app, terminal_size=USUAL, run_before=steps(("a", "both"), (key, words)))


@SIZES
def test_a_chain(snap_compare: SnapCompare, app: MlopsApp, world: FakeEngine, size: tuple[int, int]):
    made_it = steps(("a", "both"), ("w", "Alarm 4 of fraud, and what came of it"))
    world.retrains[2] = drifted.retrained(status="done", version=3, verdict="pass")
    world.whys["fraud", 3].chain[2].refs["alarm"] = 4
    assert snap_compare(app, terminal_size=size, run_before=made_it)


def test_a_chain_that_has_not_come_far(snap_compare: SnapCompare, app: MlopsApp, world: FakeEngine):
    assert snap_compare(app, terminal_size=USUAL, run_before=steps(("a", "both"), ("w", "Retrain 2 waits")))
