"""It never cries wolf: a year of daily checks of 50 features in worlds that do not change, at one alarm a year."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.unchanging_worlds import DEPENDENT, INDEPENDENT, NOISY, SEASONAL, World
from fakes.watched import learn, look


def count_alarms(
    world: World, checks: int, rows: int, *, timed: bool, reference_rows: int = 50_000, references: int = 10
) -> int:
    """Checks that raise an alarm.

    The training data is drawn anew so many times, since its own luck is part of the chance; the checks of one follow
    each other.
    """
    alarms = 0
    together = checks // references
    for seed in range(references):
        rng = np.random.default_rng(seed)
        reference = learn(world(rng, reference_rows, 0), timed=timed)
        came = world(rng, together * rows, reference_rows)
        for first in range(0, together * rows, rows):
            columns = {name: values[first : first + rows] for name, values in came.items()}
            alarms += look(reference, columns).outcome == "alarm"
    return alarms


@pytest.mark.parametrize("name", INDEPENDENT)
def test_ten_checks_of_fifty_unchanged_features_raise_no_alarm(name: str) -> None:
    assert count_alarms(INDEPENDENT[name], 10, 1000, timed=False, reference_rows=10_000, references=2) == 0


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("name", DEPENDENT)
def test_ten_checks_of_features_that_wander_raise_no_alarm(name: str, timed: bool) -> None:
    assert count_alarms(DEPENDENT[name], 10, 1000, timed=timed, reference_rows=10_000, references=2) == 0


@pytest.mark.parametrize("name", NOISY)
def test_ten_checks_of_slow_features_beneath_noise_raise_no_alarm(name: str) -> None:
    assert count_alarms(NOISY[name], 10, 2500, timed=False, reference_rows=10_000, references=2) == 0


@pytest.mark.parametrize("rows", [600, 1000, 2800])
def test_checks_shorter_than_a_season_raise_no_alarm_where_the_season_is_known(rows: int) -> None:
    assert count_alarms(SEASONAL["seasons"], 10, rows, timed=True, reference_rows=20_000, references=2) == 0


@pytest.mark.parametrize("size", [500, 1000, 5000])
def test_forty_thousand_rows_without_drift_raise_no_alarm_in_chunks_of_any_size(size: int) -> None:
    rng = np.random.default_rng(size)
    reference = learn(INDEPENDENT["normal"](rng, 20_000, 0))
    came = INDEPENDENT["normal"](rng, 40_000, 0)
    for first in range(0, 40_000, size):
        columns = {name: values[first : first + size] for name, values in came.items()}
        assert look(reference, columns).outcome == "quiet"


@pytest.mark.slow
@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("name", [*INDEPENDENT, *DEPENDENT])
def test_a_year_of_daily_checks_raises_no_more_alarms_than_the_number_set(name: str, timed: bool) -> None:
    assert count_alarms((INDEPENDENT | DEPENDENT)[name], 360, 1000, timed=timed) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("rows", [600, 1000, 2800])
def test_a_year_of_checks_within_seasons_raises_no_more_alarms_than_the_number_set(rows: int) -> None:
    assert count_alarms(SEASONAL["seasons"], 360, rows, timed=True) <= 1
