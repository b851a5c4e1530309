from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from engine.monitoring.performance_rule import Promise, Window, judge_windows, pooled, read_promise

AT = datetime(2026, 1, 1, tzinfo=UTC)
PROMISE = Promise(0.6, 0.02)


def windows(*values: float | None, tested: int = 0, se: float = 0.04, days: float = 7) -> list[Window]:
    week = timedelta(days=days)
    return [
        Window(AT + at * week, AT + (at + 1) * week, 600, value, None if value is None else se, at < tested)
        for at, value in enumerate(values)
    ]


def judge(found: list[Window], less_is_better: bool = False, promise: Promise = PROMISE):  # type: ignore[no-untyped-def]
    return judge_windows(found, promise, alarms_per_year=1, less_is_better=less_is_better)


def test_a_large_loss_shows_in_one_window() -> None:
    loss = judge(windows(0.6, 0.61, 0.35)).loss
    assert loss is not None
    assert (loss.windows, loss.changed_from, round(loss.drop, 2)) == (1, AT + timedelta(days=14), 0.42)


def test_a_smaller_loss_shows_in_four_windows_together() -> None:
    assert judge(windows(0.523)).loss is None
    loss = judge(windows(0.523, 0.523, 0.523, 0.523)).loss
    assert loss is not None and loss.windows == 4 and loss.labelled == 2400


def test_a_loss_that_matters_to_nobody_is_silent_however_sure_it_is() -> None:
    assert judge(windows(*[0.575] * 8, se=0.0001), promise=Promise(0.6, 0.0001)).loss is None


def test_of_a_loss_metric_more_is_worse() -> None:
    assert judge(windows(0.9), less_is_better=True).loss is not None
    assert judge(windows(0.3), less_is_better=True).loss is None


def test_a_window_is_tested_once() -> None:
    assert judge(windows(0.3, tested=1)).loss is None
    assert judge(windows(0.3, 0.6, tested=1)).loss is None, "nor with those that come after it"


def test_two_windows_that_reach_the_promise_end_an_alarm() -> None:
    first = judge(windows(0.3, 0.62))
    assert first.loss is not None and first.calm == 1
    both = judge(windows(0.3, 0.62, 0.59))
    assert both.loss is None and both.calm == 2
    assert judge(windows(0.3, 0.62, 0.59, tested=2)).calm == 2
    relapsed = judge(windows(0.3, 0.62, 0.59, 0.31, tested=3))
    assert relapsed.loss is not None and relapsed.loss.changed_from == AT + timedelta(days=21)


def test_a_window_without_a_figure_says_nothing() -> None:
    assert judge(windows(None, 0.6)).loss is None
    assert judge(windows(None)).calm == 0


def test_windows_that_come_every_hour_must_say_more() -> None:
    rare, often = judge(windows(0.6, 0.6)), judge(windows(*[0.6] * 400, days=1 / 24))
    assert often.alpha < rare.alpha / 5


def test_a_promise_without_an_interval_is_none() -> None:
    assert read_promise(None) is None
    assert read_promise({"value": 0.6, "lower": None, "upper": 0.7}) is None
    found = read_promise({"value": 0.6, "lower": 0.55, "upper": 0.65})
    assert found is not None and round(found.se, 4) == 0.0304


def test_windows_together_are_as_sure_as_their_rows() -> None:
    value, se = pooled(windows(0.5, 0.7, se=0.04))
    assert round(value, 9) == 0.6
    assert round(se, 9) == round(0.04 / 2**0.5, 9)


def test_unchanged_years_raise_no_more_alarms_than_are_bearable() -> None:
    """Each window comes, is tested and is kept, for 400 years of weekly windows; the promise errs as well."""
    rng = random.Random(7)
    alarms = 0
    for _ in range(400):
        promise = Promise(rng.gauss(0.6, 0.02), 0.02)
        lived: list[Window] = []
        for at in range(52):
            week = timedelta(days=7)
            lived.append(Window(AT + at * week, AT + (at + 1) * week, 600, rng.gauss(0.6, 0.04), 0.04, False))
            found = judge(lived, promise=promise)
            lived[-1] = Window(**lived[-1].__dict__ | {"tested": True})
            if found.loss is not None:
                alarms += 1
                break
    assert alarms / 400 <= 0.5, "half of the bearable alarms are performance's"
    assert alarms > 0, "a rule that never speaks would pass as well"
