"""How much stretches of a reference differ from the whole of it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.data.stretches import FEWEST, MOST, SHORTEST, category_stretches, number_stretches, shortest_stretch


def codes(rows: int, cells: int = 20, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, cells, rows)


def test_lengths_double_from_250_to_a_fifth_of_the_rows() -> None:
    lengths = [one["rows"] for one in number_stretches(codes(20_000), 20)]
    assert lengths == [250, 500, 1000, 2000, 4000]
    assert all(20_000 // length >= FEWEST for length in lengths)


def test_too_few_rows_have_no_stretches() -> None:
    assert number_stretches(codes(SHORTEST * FEWEST - 1), 20) == []
    assert len(number_stretches(codes(SHORTEST * FEWEST), 20)) == 1


def test_of_very_many_rows_the_shortest_stretch_is_longer() -> None:
    assert shortest_stretch(10_000_000) == 8000
    assert 10_000_000 // shortest_stretch(10_000_000) <= MOST


@pytest.mark.parametrize("measure", [number_stretches, category_stretches])
def test_independent_rows_are_not_inflated(measure: object) -> None:
    found = np.array([[one["inflation"] for one in measure(codes(20_000, seed=seed), 20)] for seed in range(40)])  # type: ignore[operator]
    assert (np.median(found, axis=0) < 1.1).all()
    assert (found < 2.0).mean() > 0.98


@pytest.mark.parametrize("measure", [number_stretches, category_stretches])
def test_rows_that_come_in_runs_are_inflated_by_their_length(measure: object) -> None:
    runs = np.repeat(codes(2000), 10)
    found = [one["inflation"] for one in measure(runs, 20)]  # type: ignore[operator]
    assert found[0] == pytest.approx(10, rel=0.25)


def test_a_week_of_days_is_as_far_from_the_whole_as_a_day_is() -> None:
    days = np.arange(70_000) // 1000 % 7
    by_length = {one["rows"]: one for one in category_stretches(days, 8)}
    assert by_length[500]["distance"] == pytest.approx(by_length[250]["distance"])
    assert by_length[500]["top_share"] == 1.0
    assert by_length[500]["inflation"] > 200
    assert by_length[8000]["distance"] < 0.15


def test_nulls_that_come_together_are_known() -> None:
    holed = codes(20_000)
    holed[5000:5500] = -1
    found = number_stretches(holed, 20)
    assert found[1]["null_change"] == pytest.approx(1 - 500 / 20_000)
    assert found[1]["null_inflation"] > 100
    assert found[1]["distance"] < 0.2


def test_values_that_only_one_stretch_has_are_counted_but_not_those_too_rare_to_list() -> None:
    names = codes(20_000)
    names[:250] = 20
    names[500:750] = 21
    found = category_stretches(names, 22)
    assert found[0]["most_new"] == 1.0
    assert found[0]["new_share"] == pytest.approx(1 / 80)
