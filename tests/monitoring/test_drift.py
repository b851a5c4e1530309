"""Columns of production against profiles: what moves is seen, what is usual is not, and what is drawn adds up."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from fakes.watched import learn, look, times

from engine.data.profile import CATEGORIES
from engine.errors import InvalidInput
from engine.monitoring.column_now import Arrival, ColumnNow
from engine.monitoring.drift import draw_column, measure_column
from engine.monitoring.reference import read_profile
from engine.wire.work import ColumnFigures


def measure(before: Any, now: Any, *, timed: bool = False) -> ColumnFigures:
    reference = learn({"x": before}, timed=timed)["x"]
    series = now if isinstance(now, pl.Series) else pl.Series("x", now)
    return measure_column(reference, ColumnNow(series, Arrival(len(series))))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_shift_has_the_distance_that_theory_gives_it(rng: np.random.Generator) -> None:
    told = measure(rng.normal(size=20_000), rng.normal(1.0, 1.0, 5_000))
    assert told.distance == pytest.approx(0.383, abs=0.02)
    assert told.wasserstein == pytest.approx(1.0, abs=0.05)
    assert told.psi == pytest.approx(1.0, abs=0.15)
    assert told.p_value is not None and told.p_value < 1e-100


@pytest.mark.parametrize("now", [-1.0, 2.0])
def test_a_number_that_was_constant_and_is_another_now_has_moved_as_far_as_can_be(now: float) -> None:
    assert measure([1.0] * 1000, [now] * 600).distance == 1.0


def test_nan_is_no_value(rng: np.random.Generator) -> None:
    told = measure(rng.normal(size=5000), np.where(rng.random(1000) < 0.1, np.nan, rng.normal(size=1000)))
    assert told.null_share == pytest.approx(0.1, abs=0.03)
    assert told.null_p_value is not None and told.null_p_value < 1e-20
    assert told.distance is not None and told.distance < 0.06


def test_a_column_of_nulls_measures_only_nulls(rng: np.random.Generator) -> None:
    told = measure(rng.normal(size=5000), pl.Series("x", [None] * 600, dtype=pl.Float64))
    assert (told.p_value, told.distance, told.psi) == (None, None, None)
    assert told.null_p_value == pytest.approx(0.0, abs=1e-100)


def test_below_500_values_there_is_no_psi(rng: np.random.Generator) -> None:
    assert measure(rng.normal(size=5000), rng.normal(size=499)).psi is None
    assert measure(rng.normal(size=5000), rng.normal(size=500)).psi is not None


def test_a_new_category_is_named_and_a_lost_one_too(rng: np.random.Generator) -> None:
    told = measure(["a"] * 6000 + ["b"] * 3000, rng.permutation(["a"] * 700 + ["app"] * 30))
    assert told.new_values == ["app"]
    assert told.new_share == pytest.approx(30 / 730)
    assert told.new_p_value is not None and told.new_p_value < 1e-20
    assert told.lost_values == ["b"]


def test_values_that_often_occur_once_are_no_news(rng: np.random.Generator) -> None:
    names = np.array([f"street {at}" for at in range(40_000)])
    told = measure(names[rng.integers(0, 900, 9000)].tolist() + [f"once {at}" for at in range(90)],
                   names[rng.integers(0, 900, 990)].tolist() + [f"another {at}" for at in range(10)])  # fmt: skip
    assert told.new_share == pytest.approx(0.01)
    assert told.new_p_value is not None and told.new_p_value > 0.2


def test_of_more_values_than_are_listed_cells_are_compared(rng: np.random.Generator) -> None:
    names = np.array([f"n{at}" for at in range(5 * CATEGORIES)])
    before = names[rng.integers(0, len(names), 30_000)]
    told = measure(before, names[rng.integers(0, len(names), 2000)])
    assert told.p_value is not None and told.p_value > 1e-4
    assert told.new_p_value is None and told.new_values == []
    moved = measure(before, names[rng.integers(0, len(names) // 50, 2000)])
    assert moved.p_value is not None and moved.p_value < 1e-50


def test_the_order_in_which_rows_came_counts(rng: np.random.Generator) -> None:
    walk = np.repeat(rng.normal(size=60), 50)
    reference = learn({"x": rng.normal(size=20_000)})["x"]
    at = times(3000)
    mixed = rng.permutation(3000)
    in_order = measure_column(reference, ColumnNow(pl.Series("x", walk), Arrival(3000)))
    order = np.argsort(at.to_numpy()[mixed])
    told = measure_column(reference, ColumnNow(pl.Series("x", walk[mixed]), Arrival(3000, order)))
    unordered = measure_column(reference, ColumnNow(pl.Series("x", walk), Arrival(3000, known=False)))
    assert in_order.effective_rows == told.effective_rows < 100
    assert unordered.effective_rows == 3000
    assert told.p_value is not None and told.p_value > 0.01


def test_a_day_of_a_week_is_usual_where_the_order_of_the_reference_is_known(rng: np.random.Generator) -> None:
    days = np.array(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])[np.arange(50_000) // 1000 % 7]
    busy = rng.normal(size=50_000) + 3.0 * (np.arange(50_000) // 1000 % 7 >= 5)
    for before, now in ((days, ["sun"] * 800), (busy, rng.normal(3.0, 1.0, 800))):
        assert measure(before, now, timed=True).within_usual
        blind = measure(before, now)
        assert not blind.within_usual and blind.distance is not None and blind.distance > 0.3


def test_a_change_beyond_what_is_usual_is_seen_through_a_season(rng: np.random.Generator) -> None:
    wave = np.sin(np.arange(60_000) / 1000 * 2 * np.pi)
    reference = learn({"x": rng.normal(size=60_000) + wave}, timed=True)
    quiet = {"x": rng.normal(size=1000) + wave[:1000]}
    assert look(reference, quiet).outcome == "quiet"
    assert look(reference, {"x": quiet["x"] + 3.0}).drifted == ("x",)


def test_what_is_drawn_adds_up_to_one_on_both_sides(rng: np.random.Generator) -> None:
    for before, now in (
        (rng.normal(size=3000), rng.normal(5.0, 1.0, 700)),
        (rng.integers(0, 3, 3000), rng.integers(0, 5, 700)),
        (rng.standard_cauchy(3000), rng.standard_cauchy(700)),
        ([2.0] * 3000, [2.0] * 700),
        (np.array([f"v{at}" for at in rng.integers(0, 90, 3000)]), np.array([f"w{at}" for at in range(700)])),
        ([True, False] * 1500, [True] * 700),
    ):  # fmt: skip
        reference = learn({"x": before})["x"]
        series = pl.Series("x", now)
        typed = series.cast(pl.Float64 if reference.type in ("number", "integer") else pl.String)
        for prediction in (False, True):
            drawn = draw_column(reference, ColumnNow(typed, Arrival(len(series))), prediction=prediction)
            assert sum(drawn.reference) == pytest.approx(1.0)
            assert sum(drawn.current) == pytest.approx(1.0)
            assert len(drawn.reference) == len(drawn.current) <= 32
            assert len(drawn.labels or drawn.edges[1:]) == len(drawn.reference)
            assert drawn.edges == sorted(drawn.edges)


def test_scores_that_move_near_nought_are_drawn_apart(rng: np.random.Generator) -> None:
    before, here = (rng.beta(0.3, 20, 20_000), pl.Series("x", rng.beta(0.3, 20, 5_000) / 3.0))
    reference = learn({"x": before})["x"]
    now = ColumnNow(here, Arrival(len(here)))
    told = measure_column(reference, now, prediction=True)
    drawn = draw_column(reference, now, prediction=True)
    apart = sum(abs(one - other) for one, other in zip(drawn.reference, drawn.current, strict=True)) / 2
    assert told.distance is not None and told.distance > 0.15
    assert apart >= 0.9 * told.distance
    assert max(drawn.reference) < 0.06


def test_a_column_that_never_had_a_value_is_drawn_as_nothing() -> None:
    reference = learn({"x": pl.Series("x", [None] * 50, dtype=pl.Float64)})["x"]
    now = ColumnNow(pl.Series("x", [1.0] * 500), Arrival(500))
    assert draw_column(reference, now).reference == []
    assert measure_column(reference, now).p_value is None


def test_a_profile_of_the_first_format_is_read() -> None:
    column = {"name": "x", "type": "number", "nulls": 0, "null_share": 0.0, "distinct": 4, "min": 0.0, "max": 4.0,
              "mean": 2.0, "std": 1.0, "edges": [1.0, 2.0, 3.0, 4.0], "counts": [250, 250, 250, 250]}  # fmt: skip
    found = read_profile({"format": 1, "rows": 1000, "columns": [column]})["x"]
    told = measure_column(found, ColumnNow(pl.Series("x", np.linspace(0, 4, 600)), Arrival(600)))
    assert told.distance == pytest.approx(0.0, abs=0.01)
    assert told.wasserstein == pytest.approx(0.0, abs=0.02)


def test_a_profile_of_an_unknown_format_is_refused() -> None:
    with pytest.raises(InvalidInput, match="format 3"):
        read_profile({"format": 3, "rows": 0, "columns": []})
