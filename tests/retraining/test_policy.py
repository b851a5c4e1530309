import doctest
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.retraining import policy
from engine.retraining.policy import Need, Stretch, There, Wish, World, decide, rows_needed, rows_there

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SINCE = datetime(2026, 5, 7, tzinfo=UTC)
NEED = Need(1000, 40, ("no", "yes"))
ENOUGH = There(1000, {"no": 960, "yes": 40})
READY = World(NOW, SINCE, NEED, ENOUGH, labels_come=True)
DRIFT = Wish("drift")


def test_the_examples_hold() -> None:
    assert doctest.testmod(policy).failed == 0


def test_a_model_is_trained_when_enough_is_there_and_nothing_stands_against_it() -> None:
    assert decide(DRIFT, READY).status == "training"


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (There(999, {"no": 900, "yes": 99}), "1 more labelled row after 2026-05-07 is needed (999 of 1,000"),
        (There(1, {"no": 1}), "999 more labelled rows after 2026-05-07 are needed (1 of 1,000 is there)."),
        (There(5000, {"no": 4999, "yes": 1}), "39 more rows labelled yes after 2026-05-07 are needed (1 of 40 is"),
        (There(5000, {"no": 5000}), "40 more rows labelled yes after 2026-05-07 are needed (0 of 40 are there)."),
    ],
)  # fmt: skip
def test_it_says_how_many_rows_are_missing(there: There, told: str) -> None:
    found = decide(DRIFT, replace(READY, there=there))
    assert (found.status, found.note[: len(told)]) == ("waiting", told)


def test_a_day_that_is_near_is_told_to_the_minute() -> None:
    found = decide(DRIFT, replace(READY, since=NOW - timedelta(hours=3), there=There(0, {})))
    assert "after 2026-06-01 09:00 UTC are needed" in found.note


def test_without_a_single_label_an_alarm_waits_and_says_so_and_the_clock_and_people_do_not() -> None:
    nothing = replace(READY, there=There(0, {}), labels_come=False)
    found = decide(DRIFT, nothing)
    assert found.status == "waiting"
    assert found.note.endswith("(0 of 1,000 are there), and no label has come yet.")
    assert decide(Wish("schedule"), nothing).status == "training"
    assert decide(Wish("hand"), nothing).status == "training"
    assert decide(Wish("hand"), replace(nothing, labels_come=True)).status == "waiting"


def test_without_a_champion_nothing_is_waited_for() -> None:
    assert decide(Wish("hand"), replace(READY, since=None, there=There(0, {}))).status == "training"


def test_a_fault_of_the_data_blocks_and_is_told() -> None:
    found = decide(DRIFT, replace(READY, fault="amount has nulls"))
    assert (found.status, found.note) == ("blocked", "Amount has nulls.")


def test_the_cool_down_holds_for_what_nobody_asked_for_by_hand() -> None:
    cooling = replace(READY, cool_until=NOW + timedelta(hours=5))
    found = decide(DRIFT, cooling)
    assert (found.status, found.note) == ("waiting", "It cools down until 2026-06-01 17:00 UTC.")
    assert decide(Wish("hand"), cooling).status == "training"
    assert decide(DRIFT, replace(READY, cool_until=NOW)).status == "training"


def test_what_an_alarm_asked_for_ends_with_the_alarm() -> None:
    found = decide(Wish("drift", "the alarm was closed by ada"), READY)
    assert (found.status, found.note) == ("given_up", "The alarm was closed by ada.")


def test_somebody_may_ask_not_to_wait_but_for_what_is_trained_already() -> None:
    world = replace(READY, there=There(0, {}), fault="amount has nulls", cool_until=NOW + timedelta(hours=5))
    assert decide(DRIFT, world, at_once=True).status == "training"
    found = decide(DRIFT, replace(world, before="retrain 3"), at_once=True)
    assert (found.status, found.note) == ("waiting", "Retrain 3 of the same model is trained first.")


def test_only_whole_mature_stretches_after_the_cut_off_count() -> None:
    days = [
        Stretch(SINCE + timedelta(day), SINCE + timedelta(day + 1), 100, {"no": 99, "yes": 1}) for day in range(-5, 9)
    ]
    found = rows_there(days, SINCE + timedelta(hours=1), SINCE + timedelta(days=5, hours=23))
    assert found == There(400, {"no": 396, "yes": 4})
    assert rows_there(days, SINCE, None).rows == 0


def test_a_later_try_needs_twice_the_rows_of_the_one_before() -> None:
    assert rows_needed({"no": 500, "yes": 500}, 20, tries=2, before=800).rows == 1600
    assert rows_needed({"no": 500, "yes": 500}, 20, before=800).rows == 500


@given(
    rarest=st.integers(1, 500), others=st.integers(0, 10_000), least=st.integers(1, 100), there=st.integers(0, 100_000)
)
def test_half_of_what_is_needed_holds_enough_of_the_rarest_class(
    rarest: int, others: int, least: int, there: int
) -> None:
    need = rows_needed({"a": rarest, "b": rarest + others}, least)
    share = rarest / (2 * rarest + others)
    assert need.rows / 2 * share >= least * (1 - 1e-9)
    found = decide(DRIFT, replace(READY, need=need, there=There(there, {"a": there, "b": there})))
    assert (found.status == "training") == (there >= need.rows)
