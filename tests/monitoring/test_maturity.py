from __future__ import annotations

import numpy as np

from engine.monitoring.maturity import Coverage, mature_until_us

DAY = 86_400_000_000


def coverage(at: np.ndarray, code: np.ndarray, delay_days: np.ndarray, today: float) -> Coverage:
    """What is known on day `today`: labels whose delay is over."""
    here = at <= today
    at, code, known = at[here], code[here], (at + delay_days)[here]
    code = np.where((known <= today) & np.isfinite(known), code, -1)
    us = np.where(np.isfinite(known), known, 0.0)
    classes = max(2, int(code.max()) + 1)
    return Coverage(
        (at * DAY).astype(np.int64), code.astype(np.int64), (us * DAY).astype(np.int64), np.full(classes, 1 / classes)
    )


def lag_days(rows: Coverage, today: float, delay: float | None = None) -> float | None:
    cut = mature_until_us(rows, None if delay is None else int(delay * DAY))
    return None if cut is None else today - cut / DAY


RNG = np.random.default_rng(5)
AT = np.sort(RNG.uniform(0, 90, 60_000))
FRAUD = (RNG.random(60_000) < 0.02).astype(int)
SLOW = np.where(FRAUD == 1, np.minimum(RNG.lognormal(np.log(6), 0.6, 60_000), 60), 14.0)
"""A fraud is noticed after six days, an honest payment is one after two weeks without a complaint."""


def test_while_only_frauds_are_labelled_nothing_is_mature() -> None:
    for today in (2, 5, 9, 13):
        assert lag_days(coverage(AT, FRAUD, SLOW, today), today) is None, today


def test_rows_are_mature_once_hardly_one_lacks_its_label() -> None:
    for today in (25, 40, 60, 89):
        lag = lag_days(coverage(AT, FRAUD, SLOW, today), today)
        assert lag is not None and 14 <= lag < 24, (today, lag)


def test_the_slow_class_may_be_the_rare_one() -> None:
    """Honest payments are known at once: 98 % of all rows have their label, and no fraud has."""
    delay = np.where(FRAUD == 1, 20.0, 0.01)
    assert lag_days(coverage(AT, FRAUD, delay, 15), 15) is None
    lag = lag_days(coverage(AT, FRAUD, delay, 60), 60)
    assert lag is not None and 19 <= lag < 25


def test_where_three_in_ten_are_ever_labelled_they_are_mature_when_no_more_come() -> None:
    delay = np.where(RNG.random(60_000) < 0.3, RNG.uniform(0, 4, 60_000), np.inf)
    code = (RNG.random(60_000) < 0.4).astype(int)
    lag = lag_days(coverage(AT, code, delay, 60), 60)
    assert lag is not None and 3 <= lag <= 12


def test_a_file_a_week_makes_the_week_before_mature_and_not_this_one() -> None:
    arrival = np.ceil(AT / 7) * 7 - AT
    delay = np.where(RNG.random(60_000) < 0.5, arrival, np.inf)
    code = (RNG.random(60_000) < 0.5).astype(int)
    lag = lag_days(coverage(AT, code, delay, 63), 63)
    assert lag is not None and 6 <= lag <= 22


def test_a_class_that_hardly_ever_occurs_holds_nobody_up() -> None:
    code = np.where(RNG.random(60_000) < 0.0005, 2, (RNG.random(60_000) < 0.5).astype(int))
    rows = coverage(AT, code, np.full(60_000, 1.0), 30)
    lag = lag_days(rows.__class__(rows.at_us, rows.code, rows.known_us, np.array([0.5, 0.499, 0.001])), 30)
    assert lag is not None and lag <= 2


def test_the_delay_that_is_told_counts_from_the_newest_label() -> None:
    rows = coverage(AT, FRAUD, SLOW, 40)
    lag = lag_days(rows, 40, delay=21)
    assert lag is not None and abs(lag - 21) < 0.1
    assert lag_days(coverage(AT, FRAUD, SLOW, 15), 15, delay=21) is None


def test_one_label_of_the_year_2126_makes_nothing_mature() -> None:
    rows = coverage(AT, FRAUD, SLOW, 40)
    rows.known_us[np.flatnonzero(rows.code >= 0)[0]] += 36_500 * DAY
    lag = lag_days(rows, 40, delay=21)
    assert lag is not None and abs(lag - 21) < 0.1


def test_without_a_label_nothing_is_mature() -> None:
    assert mature_until_us(coverage(AT, FRAUD, np.full(60_000, np.inf), 40), None) is None
