"""Golden pictures of Runs, Models, Data and the release dialogue: empty, full, failed and narrow."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import settle, shows
from textual.pilot import Pilot

from engine.wire.base import Failure
from engine.wire.runs import CandidateView, ColumnProfile, CurvePoint, SnapshotProfile
from mlops_tui.app import MlopsApp

SnapCompare = Callable[..., bool]
Reach = Callable[[Pilot[Any]], Awaitable[None]]

EVIDENCE = {
    "value": 0.7123, "lower": 0.69, "upper": 0.73, "test_rows": 4000, "rows_per_class": {"0": 3950, "1": 50},
    "line": 0.6, "margin": 0.02, "margin_chosen_by": "power of the test rows",
    "champion": {"against": "fraud@2", "value": 0.7, "difference": 0.0123, "lower": -0.01, "upper": 0.035},
}  # fmt: skip
BROKEN = {
    "column": "amount", "rule": "min", "limit": 0.0, "count": 3, "rows": 300_000,
    "sentence": "amount: 3 rows of 300,000 below 0.0 (first: data/a.csv, line 17 has -4.0)", "examples": [],
}  # fmt: skip


def candidate(name: str, value: float, **changes: Any) -> CandidateView:
    told = {"name": name, "kind": "lightgbm", "params": {"leaves": 31, "rounds": 200}, "status": "fitted"}
    return CandidateView.model_validate(told | {"metrics": {"average_precision": value, "roc_auc": 0.9}} | changes)


def curve(name: str, steps: int, pace: float) -> list[CurvePoint]:
    return [
        CurvePoint(candidate=name, key="average_precision", step=at, value=0.75 - 0.5 / (1 + at * pace))
        for at in range(steps)
    ]


def profile(snapshot: int, mean: float) -> SnapshotProfile:
    amount = ColumnProfile(
        column="amount", type="number", nulls=0, distinct=91_230, minimum=0.5, median=31.0, maximum=9999.0,
        mean=mean, std=50.0, bins=[0.05, 0.2, 0.4, 0.2, 0.1, 0.04, 0.01],
    )  # fmt: skip
    country = ColumnProfile(column="country", type="category", nulls=120, distinct=2, top=[("de", 9), ("fr", 1)])
    return SnapshotProfile(snapshot=snapshot, rows=300_000, columns=[amount, country])


@pytest.fixture
def full(fake: FakeEngine) -> FakeEngine:
    told = made.verdict().model_copy(update={"evidence": EVIDENCE})
    fake.versions = {("fraud", at): made.version(at, created_at=made.ago(days=9 - at)) for at in (1, 2, 3)}
    fake.versions["fraud", 3] = made.version(3, verdict=told)
    fake.versions["fraud", 2] = made.version(2, aliases=["champion"], share=1.0, verdict=told)
    fake.versions["fraud", 1] = made.version(1, verdict=made.verdict("insufficient", "too few rows."))
    fake.runs = {at: made.run(at) for at in range(1, 200)}
    fake.runs[198] = made.run(
        198, status="failed", verdict=None, version=None, metrics={}, snapshot_id=2,
        failure=Failure(code="bad_data", message="Column amount holds infinity in row 17.", hint="Mend the row."),
        candidates=[],
    )  # fmt: skip
    fake.runs[199] = made.run(
        199, status="running", ended_at=None, verdict=None, version=None, job_id=13, metrics={},
        candidates=[
            candidate("lightgbm-8-leaves", 0.73, best=True),
            candidate("lightgbm-31-leaves", 0.71, status="running"),
            candidate("logistic-c1", 0.69, kind="logistic", params={"inverse_penalty": 1.0}),
            candidate("logistic-c10", 0.0, kind="logistic", status="failed", metrics={}, note="It did not converge."),
        ],
    )  # fmt: skip
    fake.curves[199] = [
        *curve("lightgbm-8-leaves", 120, 0.2), *curve("lightgbm-31-leaves", 60, 0.1), *curve("logistic-c1", 1, 1.0)
    ]  # fmt: skip
    fake.snapshots = {1: made.snapshot(1, rows=290_000), 2: made.snapshot(2, failures=[BROKEN])}
    fake.snapshots[1].data_schema["columns"].pop()
    fake.profiles = {1: profile(1, 40.0), 2: profile(2, 60.0)}
    return fake


def until(words: str, *keys: str) -> Reach:
    async def reach(pilot: Pilot[Any]) -> None:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press(*keys)
        await settle(pilot, shows(pilot, words))

    return reach


def typed(line: str, words: str, *keys: str) -> Reach:
    async def reach(pilot: Pilot[Any]) -> None:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("colon", *line, "enter")
        await settle(pilot, shows(pilot, words))
        pilot.app.say("")  # type: ignore[attr-defined]
        await pilot.press(*keys)
        await settle(pilot, lambda: not shows(pilot, "$ mlops show")())

    return reach


NARROW, USUAL, WIDE = (60, 15), (80, 24), (140, 30)


@pytest.mark.parametrize(
    ("key", "words"),
    [("2", "No runs yet"), ("3", "mlops init"), ("6", "No data has been")],
    ids=["runs", "models", "data"],
)
def test_empty(snap_compare: SnapCompare, app: MlopsApp, key: str, words: str):
    assert snap_compare(app, terminal_size=USUAL, run_before=until(words, key))


@pytest.mark.parametrize("size", [NARROW, USUAL, WIDE], ids=["narrow", "usual", "wide"])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("runs", "1/199"),
        ("show run 199", "⣿"),
        ("models", "▸ fraud"),
        ("show fraud", "▸ fraud@3"),
        ("show fraud@3", "pass: fraud@3"),
        ("data", "1/2"),
        ("show snapshot 2", "▸ amount"),
    ],
    ids=["runs", "run", "models", "versions", "version", "data", "snapshot"],
)
def test_full(snap_compare: SnapCompare, app: MlopsApp, full: FakeEngine, line: str, words: str, size: tuple[int, int]):
    assert snap_compare(app, terminal_size=size, run_before=typed(line, words))


def test_a_failed_run(snap_compare: SnapCompare, app: MlopsApp, full: FakeEngine):
    assert snap_compare(app, terminal_size=USUAL, run_before=typed("show run 198", "Mend the row."))


@pytest.mark.parametrize("size", [NARROW, USUAL], ids=["narrow", "usual"])
def test_what_a_promotion_changes(snap_compare: SnapCompare, app: MlopsApp, full: FakeEngine, size: tuple[int, int]):
    async def reach(pilot: Pilot[Any]) -> None:
        await typed("show fraud", "▸ fraud@3")(pilot)
        await pilot.press("P")
        await settle(pilot, shows(pilot, "Type fraud"))

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_what_needs_a_reason(snap_compare: SnapCompare, app: MlopsApp, full: FakeEngine):
    full.previews["promote"] = made.preview(outcome="fail", reasons=["0.61: worse."], needs_override=True)

    async def reach(pilot: Pilot[Any]) -> None:
        await typed("show fraud", "▸ fraud@3")(pilot)
        await pilot.press("P")
        await settle(pilot, shows(pilot, "Say why all the same"))

    assert snap_compare(app, terminal_size=USUAL, run_before=reach)
