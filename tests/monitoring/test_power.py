"""What is there is seen: changes of known size, and how often a check finds them among 50 features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fakes.watched import learn, look

FEATURES = 50
TRIALS = 20
MANY = 200

Change = Callable[[np.random.Generator, int], Any]


def found(before: Change, after: Change, rows: int, *, trials: int = TRIALS, timed: bool = False) -> float:
    """Share of checks in which the one feature that changed, and no other, is an alarm."""
    rng = np.random.default_rng(3)
    columns = {f"x{at}": rng.normal(size=20_000) for at in range(1, FEATURES)}
    reference = learn({"x0": before(rng, 20_000)} | columns, timed=timed)
    hits = 0
    for _ in range(trials):
        now = {f"x{at}": rng.normal(size=rows) for at in range(1, FEATURES)}
        hits += look(reference, {"x0": after(rng, rows)} | now).drifted == ("x0",)
    return hits / trials


def normal(shift: float = 0.0) -> Change:
    return lambda rng, rows: rng.normal(shift, 1.0, rows)


def choice(**shares: float) -> Change:
    return lambda rng, rows: rng.choice(list(shares), rows, p=list(shares.values()))


def holed(share: float) -> Change:
    return lambda rng, rows: np.where(rng.random(rows) < share, np.nan, rng.normal(size=rows))


CHANGES: dict[str, tuple[Change, Change]] = {
    "0.3 standard deviations": (normal(), normal(0.3)),
    "a new category in 2 % of rows": (choice(a=0.7, b=0.3), choice(a=0.686, b=0.294, c=0.02)),
    "5 points more nulls": (holed(0.02), holed(0.07)),
    "a category from 30 % to 45 %": (choice(a=0.7, b=0.3), choice(a=0.55, b=0.45)),
    "twice the spread": (normal(), lambda rng, rows: rng.normal(0.0, 2.0, rows)),
}
ASKED = {"a new category in 2 % of rows": 0.95, "0.3 standard deviations": 0.95, "5 points more nulls": 0.95}


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found_in_a_thousand_rows(change: str, timed: bool) -> None:
    assert found(*CHANGES[change], 1000, timed=timed) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found_in_a_thousand_rows_19_times_in_20(change: str, timed: bool) -> None:
    assert found(*CHANGES[change], 1000, trials=MANY, timed=timed) >= 0.95


def test_a_hundredth_of_a_standard_deviation_is_silent_in_a_million_rows() -> None:
    rng = np.random.default_rng(1)
    reference = learn({"x": rng.normal(size=200_000)})
    told = look(reference, {"x": rng.normal(0.01, 1.0, 1_000_000)})
    assert told.outcome == "quiet"
    assert told.threshold.smallest_shift == pytest.approx(0.25, abs=0.02)


def test_the_smallest_shift_that_a_check_tells_is_found_about_four_times_in_five() -> None:
    rng = np.random.default_rng(2)
    reference = learn({"x": rng.normal(size=20_000)})
    smallest = look(reference, {"x": rng.normal(size=700)}).threshold.smallest_shift
    assert smallest is not None
    hits = sum(look(reference, {"x": rng.normal(smallest, 1.0, 700)}).outcome == "alarm" for _ in range(300))
    assert 0.7 <= hits / 300 <= 0.95
