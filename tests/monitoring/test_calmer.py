"""A column has drifted only when it is unlike the whole of the training data and unlike the newest of it."""

from __future__ import annotations

import numpy as np
import polars as pl

from engine.data.profile import build_profile
from engine.data.schema import ColumnSchema, Schema
from engine.monitoring.alarm_budget import decide
from engine.monitoring.calmer import calmer
from engine.monitoring.column_now import Arrival, ColumnNow
from engine.monitoring.drift import measure_column
from engine.monitoring.reference import Reference, read_profile
from engine.wire.work import ColumnFigures

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def reference(values: pl.Series) -> Reference:
    kind = "number" if values.dtype == pl.Float64() else "category"
    found = ColumnSchema(values.name, kind, nullable=True, nulls=values.null_count(), distinct=values.n_unique())
    frame = values.to_frame()
    return read_profile(build_profile(frame, Schema((found,))))[values.name]


def against_both(whole: pl.Series, newest: pl.Series, now: pl.Series) -> ColumnFigures:
    came = ColumnNow(now, Arrival(len(now)))
    return calmer(measure_column(reference(whole), came), measure_column(reference(newest), came))


def drifted(figures: ColumnFigures) -> tuple[str, ...]:
    told = decide([figures], [], rows=2000, reference_rows=20_000, alarms_per_year=1, checks_per_year=365)
    return told.drifted


def numbers(rows: int, mean: float, seed: int) -> pl.Series:
    return pl.Series("amount", np.random.default_rng(seed).normal(mean, 1, rows))


def days(rows: int, known: tuple[str, ...], seed: int) -> pl.Series:
    return pl.Series("day", np.random.default_rng(seed).choice(known, rows))


def test_a_world_that_the_newest_training_rows_know_is_no_drift() -> None:
    whole = pl.concat([numbers(20_000, 0.0, 1), numbers(1_000, 2.0, 2)])
    assert drifted(against_both(whole, numbers(1_000, 2.0, 2), numbers(2_000, 2.0, 3))) == ()


def test_a_season_that_only_the_whole_knows_is_no_drift() -> None:
    figures = against_both(days(20_000, DAYS, 1), days(1_000, DAYS[:3], 2), days(2_000, DAYS, 3))
    assert drifted(figures) == () and figures.new_values == []


def test_what_neither_knows_is_drift() -> None:
    figures = against_both(numbers(20_000, 0.0, 1), numbers(1_000, 0.1, 2), numbers(2_000, 1.0, 3))
    assert drifted(figures) == ("amount",)
    new = against_both(days(20_000, DAYS, 1), days(1_000, DAYS[:3], 2), days(2_000, (*DAYS, "new"), 3))
    assert new.new_values == ["new"] and drifted(new) == ("day",)


def test_nulls_are_compared_with_the_nearer_of_both() -> None:
    def with_nulls(rows: int, share: float, seed: int) -> pl.Series:
        lacking = np.random.default_rng(seed).random(rows) < share
        return pl.Series("amount", np.where(lacking, np.nan, 1.0)).fill_nan(None)

    figures = against_both(with_nulls(20_000, 0.30, 1), with_nulls(1_000, 0.20, 2), with_nulls(2_000, 0.20, 3))
    assert drifted(figures) == () and abs(figures.reference_null_share - 0.20) < 0.03
