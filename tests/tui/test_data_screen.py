"""6 Data: snapshots, and the columns of one."""

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import screen_text, settle, shows, status

from engine.wire.runs import ColumnProfile, SnapshotProfile
from mlops_tui.app import MlopsApp

BROKEN = {
    "column": "amount", "rule": "min", "limit": 0.0, "count": 3, "rows": 300_000,
    "sentence": "amount: 3 rows of 300,000 below 0.0 (first: data/a.csv, line 17 has -4.0)",
    "examples": [
        {"where": "data/a.csv, line 17", "value": -4.0, "id": "T17"},
        {"where": "data/a.csv, line 90", "value": -1.0, "id": "T90"},
    ],
}  # fmt: skip


def profile(snapshot: int, mean: float) -> SnapshotProfile:
    amount = ColumnProfile(
        column="amount", type="number", nulls=0, distinct=9, minimum=0.0, median=2.0, maximum=10.0, mean=mean, std=1.0,
        bins=[0.1, 0.5, 0.4],
    )  # fmt: skip
    return SnapshotProfile(snapshot=snapshot, rows=300_000, columns=[amount])


@pytest.fixture
def two(fake: FakeEngine) -> FakeEngine:
    fake.snapshots = {1: made.snapshot(1, rows=290_000), 2: made.snapshot(2, failures=[BROKEN])}
    fake.snapshots[1].data_schema["columns"].pop()
    fake.profiles = {1: profile(1, 2.0), 2: profile(2, 3.5)}
    return fake


async def test_no_data_says_what_to_do(app: MlopsApp):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("6")
        await settle(pilot, shows(pilot, "No data has been looked at yet."))
        assert shows(pilot, ":train NAME")()


async def test_snapshots_are_told_with_broken_rules(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("6")
        await settle(pilot, shows(pilot, "✗ 1 rule broken"))
        assert shows(pilot, "✓ all met")()
        assert shows(pilot, "300k")()


async def test_one_says_what_changed_and_has_what_asks_for_a_look_on_top(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(200, 24)) as pilot:
        await pilot.press("6")
        await settle(pilot, shows(pilot, "1/2"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "against snapshot 1: +10,000 rows, 2 columns changed"))
        drawn = "\n".join(screen_text(pilot))
        assert "✗ amount: 3 rows of 300,000 below 0.0" in drawn
        assert "▸ amount" in drawn
        assert "mean 2 → 3.5 (+1.5 σ)" in drawn
        assert "≠ new" in drawn


async def test_rows_that_break_a_rule_are_told_by_file_and_line(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"show snapshot 2", "enter")
        await settle(pilot, shows(pilot, "▸ amount"))
        for key in ("enter", "d"):
            await pilot.press(key)
            await settle(pilot, shows(pilot, "data/a.csv, line 90 has -1.0, id T90"))
            await pilot.press("escape")
            await settle(pilot, shows(pilot, "▸ amount"))


async def test_the_first_snapshot_is_compared_with_nothing(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"show snapshot 1", "enter")
        await settle(pilot, shows(pilot, "the first of fraud"))
        assert not shows(pilot, "≠")()


async def test_a_profile_that_cannot_be_read_leaves_the_schema(app: MlopsApp, two: FakeEngine):
    two.profiles = {}
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("colon", *"show snapshot 2", "enter")
        await settle(pilot, shows(pilot, "country"))
        assert "There is no profile" in status(pilot).said.text


async def test_snapshots_are_found_by_the_name_of_a_column(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("6")
        await settle(pilot, shows(pilot, "1/2"))
        await pilot.press("/", *"country", "enter")
        await settle(pilot, lambda: "1/1" in status(pilot).place)


async def test_hostile_names_of_columns_are_drawn_harmless(app: MlopsApp, two: FakeEngine):
    name = "\x1b[31m[b]\u202e" + "x" * 400
    columns = [{"name": name, "type": name, "nullable": True, "nulls": 0, "distinct": 1}]
    two.snapshots[2] = made.snapshot(2, data_schema={"columns": columns}, sources=[{"path": name}])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"show snapshot 2", "enter")
        await settle(pilot, shows(pilot, "gone"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "declared"))
        assert not any(bad in "".join(screen_text(pilot)) for bad in "\x1b\u202e")
