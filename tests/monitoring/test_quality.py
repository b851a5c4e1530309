"""Faults of the data: told where they are, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from fakes.watched import learn

from engine.monitoring.column_now import Arrival, ColumnNow
from engine.monitoring.quality import dropped_captures, find_faults, missing_column, new_column, wrong_type
from engine.project import Column
from engine.wire.work import QualityFinding


def faults(before: Any, now: Any, expected: Column | None = None, *, timed: bool = False) -> list[QualityFinding]:
    reference = learn({"x": before}, timed=timed)["x"]
    series = pl.Series("x", now)
    typed = series.cast(pl.Float64 if reference.type in ("number", "integer") else pl.String)
    return find_faults(reference, ColumnNow(typed, Arrival(len(series))), expected)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def holed(values: Any, share: float) -> list[Any]:
    every = round(1 / share)
    return [None if row % every == 0 else value for row, value in enumerate(values)]


def test_nulls_where_there_were_none_are_a_fault(rng: np.random.Generator) -> None:
    found = faults(rng.normal(size=5000), holed(rng.normal(size=1000), 0.05))
    assert [(one.fault, one.alarming) for one in found] == [("nulls", True)]
    assert found[0].message == "x: 50 of 1,000 rows (5.0%) are without a value; in the training data 0.0% have none."


def test_a_few_nulls_more_or_as_many_as_before_are_none(rng: np.random.Generator) -> None:
    assert faults(rng.normal(size=5000), holed(rng.normal(size=1000), 0.03)) == []
    assert faults(holed(rng.normal(size=5000), 0.1), holed(rng.normal(size=1000), 0.15)) == []


def test_nulls_in_most_rows_are_a_fault_however_many_there_were(rng: np.random.Generator) -> None:
    assert [one.fault for one in faults(holed(rng.normal(size=5000), 0.1), holed(rng.normal(size=1000), 0.5))] == [
        "nulls"
    ]


def test_nulls_that_stretches_of_the_reference_have_are_usual(rng: np.random.Generator) -> None:
    before = rng.normal(size=60_000)
    cells = [None if 5000 <= row < 5500 and row % 4 == 0 else value for row, value in enumerate(before.tolist())]
    assert [one.fault for one in faults(cells, holed(rng.normal(size=600), 0.1))] == ["nulls"]
    assert faults(cells, holed(rng.normal(size=600), 0.1), timed=True) == []


def test_a_null_that_the_project_forbids_is_told_and_alarms_from_one_percent(rng: np.random.Generator) -> None:
    never = Column(nullable=False)
    for share, alarming in ((0.002, False), (0.01, True)):
        found = faults(rng.normal(size=5000), holed(rng.normal(size=1000), share), never)
        assert [(one.fault, one.alarming) for one in found] == [("nulls", alarming)]
        assert "[data.columns]" in found[0].message


def test_limits_of_the_project_are_held(rng: np.random.Generator) -> None:
    now = rng.uniform(0, 1, 1000)
    now[:20] = 1.2
    found = faults(rng.uniform(0, 1, 5000), now, Column(min=0.0, max=1.0))
    assert [(one.fault, one.alarming) for one in found] == [("range", True)]
    assert found[0].message == "x: 20 of 1,000 rows (2.0%) are above 1 ([data.columns]), as far as 1.2."
    now[:17] = 0.5
    assert [one.alarming for one in faults(rng.uniform(0, 1, 5000), now, Column(max=1.0))] == [False]
    assert faults(rng.uniform(0, 1, 5000), rng.uniform(0, 1, 1000), Column(min=0.0, max=1.0)) == []


@pytest.mark.parametrize(
    ("before", "now", "allowed"),
    [(["a", "b"] * 500, ["a", "c"] * 400, ("a", "b")), ([1, 2] * 500, [1, 3] * 400, (1, 2)),
     ([True, False] * 500, [True, False] * 400, (True,))],
)  # fmt: skip
def test_a_value_that_is_not_allowed_is_told(before: Any, now: Any, allowed: Any) -> None:
    found = faults(before, now, Column(allowed=allowed))
    assert [(one.fault, one.share) for one in found] == [("range", 0.5)]
    assert faults(before, before, Column(allowed=tuple(set(before)))) == []


def test_a_wrong_unit_is_far_outside_and_one_strange_value_is_told(rng: np.random.Generator) -> None:
    before, now = rng.uniform(1.0, 90.0, 5000), rng.uniform(1.0, 90.0, 1000)
    assert [(one.fault, one.alarming) for one in faults(before, now * 100)] == [("range", True)]
    now[7] = -99_999.0
    found = faults(before, now)
    assert [(one.fault, one.alarming) for one in found] == [("range", False)]
    assert "-99999" in found[0].message


def test_heavy_tails_are_no_fault(rng: np.random.Generator) -> None:
    for seed in range(20):
        drawn = np.random.default_rng(seed)
        assert not [one for one in faults(drawn.lognormal(0, 2, 5000), drawn.lognormal(0, 2, 1000)) if one.alarming]


@pytest.mark.parametrize("value", [0.0, 4.2])
def test_a_value_that_no_longer_changes_is_stuck(rng: np.random.Generator, value: float) -> None:
    assert [one.fault for one in faults(rng.normal(size=5000), [value] * 1000)] == ["stuck"]


def test_a_category_that_no_longer_changes_is_stuck_but_not_one_that_hardly_ever_did() -> None:
    assert [one.fault for one in faults(["a", "b", "c"] * 2000, ["a"] * 1000)] == ["stuck"]
    assert faults(["a"] * 5000 + ["b"] * 2000, ["a"] * 1000) == []
    assert [one.fault for one in faults([True, False, False] * 2000, [True] * 1000)] == ["stuck"]


def test_a_value_filled_in_for_want_of_one_is_a_fault_in_a_number_that_hardly_repeats(rng: np.random.Generator) -> None:
    before = rng.exponential(size=5000)
    now = np.where(rng.random(1000) < 0.4, 0.0, rng.exponential(size=1000))
    assert [one.fault for one in faults(before, now)] == ["stuck"]
    assert faults(np.where(rng.random(5000) < 0.4, 0.0, before), now) == []
    assert faults(rng.integers(0, 900, 5000), np.where(rng.random(1000) < 0.4, 0, rng.integers(0, 900, 1000))) == []


def test_a_number_that_stops_changing_at_the_end_is_stuck(rng: np.random.Generator) -> None:
    now = rng.integers(0, 1000, 3000)
    now[-300:] = 7
    found = faults(rng.integers(0, 1000, 5000), now)
    assert [one.fault for one in found] == ["stuck"]
    assert "the newest 300 rows all have 7" in found[0].message
    now[-300:-60] = rng.integers(0, 1000, 240)
    assert faults(rng.integers(0, 1000, 5000), now) == []


def test_values_that_come_in_long_runs_are_not_stuck(rng: np.random.Generator) -> None:
    now = np.repeat(rng.integers(0, 50, 10), 300)
    assert faults(rng.integers(0, 50, 5000), now) == []


def test_what_stretches_of_the_reference_do_is_not_stuck() -> None:
    months = np.array(["jan", "feb", "mar", "apr"])[np.arange(40_000) // 10_000]
    assert faults(months, ["feb"] * 1000, timed=True) == []
    assert [one.fault for one in faults(months, ["feb"] * 1000)] == ["stuck"]


def test_nothing_is_wrong_with_the_same_again(rng: np.random.Generator) -> None:
    for draw in (
        lambda n: rng.normal(size=n), lambda n: rng.standard_cauchy(n), lambda n: rng.integers(0, 2, n),
        lambda n: np.where(rng.random(n) < 0.95, 0.0, rng.normal(size=n)),
        lambda n: rng.choice(["a", "b"], n, p=[0.98, 0.02]),
        lambda n: holed(rng.normal(size=n), 0.02),
    ):  # fmt: skip
        for _ in range(20):
            assert not [one for one in faults(draw(5000), draw(700)) if one.alarming]


def test_columns_that_are_not_there_or_not_known_or_of_another_type_are_told() -> None:
    assert missing_column("age").alarming
    assert not new_column("age").alarming
    assert (
        wrong_type("age", "number", 30, 1000, "old").message
        == "age: 30 of 1,000 rows (3.0%) are no number, such as 'old'."
    )
    assert not wrong_type("age", "number", 3, 1000, "old").alarming


def test_answers_that_were_not_captured_are_told_and_many_are_an_alarm() -> None:
    assert not dropped_captures(10, 990).alarming
    assert dropped_captures(100, 900).alarming
