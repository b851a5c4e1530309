"""What README.md of the fraud sample promises."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

SAMPLE = Path(__file__).parents[2] / "sample_projects" / "fraud"
FIRST, LAST, CHANGE = date(2026, 3, 1), date(2026, 4, 30), date(2026, 4, 1)


@pytest.fixture(scope="module")
def simulate() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("fraud_simulate", SAMPLE / "simulate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def calm(simulate: ModuleType) -> pl.DataFrame:
    return simulate.simulate(FIRST, LAST)


def on_day(frame: pl.DataFrame, day: date) -> pl.DataFrame:
    return frame.filter(pl.col("occurred_at").dt.date() == day)


def test_a_day_is_the_same_whatever_range_it_is_asked_in(simulate: ModuleType, calm: pl.DataFrame) -> None:
    alone = simulate.simulate(CHANGE, CHANGE)
    assert alone.equals(on_day(calm, CHANGE))


def test_another_seed_gives_other_rows(simulate: ModuleType, calm: pl.DataFrame) -> None:
    other = simulate.simulate(CHANGE, CHANGE, seed=8)
    assert not other.equals(on_day(calm, CHANGE))


def test_fraud_is_as_rare_as_it_is_told(calm: pl.DataFrame) -> None:
    assert 0.009 < calm["is_fraud"].mean() < 0.015


def test_the_key_is_unique_and_rows_come_in_time_order(calm: pl.DataFrame) -> None:
    assert calm["transaction_id"].n_unique() == len(calm)
    assert calm["occurred_at"].is_sorted()


@pytest.mark.parametrize("cause", ["new-fraud-pattern", "new-merchant-app", "price-rise", "broken-feed"])
def test_a_drift_changes_rows_from_its_day_on_and_none_before(
    simulate: ModuleType, calm: pl.DataFrame, cause: str
) -> None:
    drifted = simulate.simulate(FIRST, LAST, drift=simulate.Drift(CHANGE, cause))
    before = pl.col("occurred_at").dt.date() < CHANGE
    assert drifted.filter(before).equals(calm.filter(before))
    assert not on_day(drifted, LAST).equals(on_day(calm, LAST))


def test_each_cause_does_what_it_is_named_after(simulate: ModuleType, calm: pl.DataFrame) -> None:
    def after(cause: str) -> pl.DataFrame:
        return on_day(simulate.simulate(LAST, LAST, drift=simulate.Drift(CHANGE, cause)), LAST)

    calm_day = on_day(calm, LAST)
    assert after("new-fraud-pattern")["is_fraud"].sum() > calm_day["is_fraud"].sum()
    assert "app" in after("new-merchant-app")["channel"].unique() and "app" not in calm_day["channel"].unique()
    dearer = after("price-rise").filter(pl.col("merchant_category") == "fuel")["amount"].median()
    assert dearer > calm_day.filter(pl.col("merchant_category") == "fuel")["amount"].median()
    assert after("broken-feed")["distance_km"].null_count() > 1.5 * calm_day["distance_km"].null_count()


def test_labels_come_days_after_their_payments_and_frauds_first(
    simulate: ModuleType, calm: pl.DataFrame, tmp_path: Path
) -> None:
    simulate.write_labels(calm, tmp_path / "labels.csv")
    labels = pl.read_csv(tmp_path / "labels.csv", try_parse_dates=True)
    assert labels.columns == ["transaction_id", "is_fraud", "labelled_at"]
    assert len(labels) == len(calm) and labels["labelled_at"].is_sorted()
    delay = calm.select(delay=pl.col("labelled_at") - pl.col("occurred_at"), is_fraud="is_fraud")
    days = {fraud: part["delay"].median().total_seconds() / 86_400 for (fraud,), part in delay.group_by("is_fraud")}
    assert 4 < days[True] < 8 and days[False] == 14


def test_a_month_is_a_file_and_writing_another_leaves_it_alone(simulate: ModuleType, tmp_path: Path) -> None:
    march = simulate.simulate(date(2026, 3, 30), date(2026, 3, 31), rows_per_day=50)
    april = simulate.simulate(date(2026, 4, 1), date(2026, 4, 2), rows_per_day=50)
    assert [path.name for path in simulate.write_months(march, tmp_path)] == ["2026-03.parquet"]
    kept = (tmp_path / "2026-03.parquet").read_bytes()
    assert [path.name for path in simulate.write_months(april, tmp_path)] == ["2026-04.parquet"]
    assert (tmp_path / "2026-03.parquet").read_bytes() == kept
    assert pl.read_parquet(tmp_path / "*.parquet").height == len(march) + len(april)
