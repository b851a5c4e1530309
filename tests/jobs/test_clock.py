"""Once per nominal time, whatever the clock does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from fakes.supervised import wait_for
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import Connection

from engine.errors import InvalidInput, Unavailable
from engine.jobs.clock import CATCH_UP_LIMIT, HOUSEKEEPING, Clock, due_times, next_time
from engine.jobs.nominal import interval_s, newest_multiple, next_multiple
from engine.jobs.put_back import PutBack
from engine.lifecycle.parts import Parts
from engine.registry.queries.schedules import ScheduleRow, list_schedules, read_schedules
from engine.registry.tables import Schedule, ScheduleRun, now
from engine.registry.tx import Tx

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


class Runs:
    """An action that remembers what it was asked for."""

    def __init__(self) -> None:
        self.acted: list[datetime] = []
        self.afterwards = 0

    def __call__(self, tx: Tx, row: ScheduleRow, nominal_at: datetime) -> Callable[[], None]:
        self.acted.append(nominal_at)
        return self._after

    def _after(self) -> None:
        self.afterwards += 1


def scheduled(parts: Parts, every: str, created_at: datetime = NOON) -> ScheduleRow:
    parts.writer.write_and_wait(lambda tx: tx.add(Schedule(name="s", kind="k", every=every, created_at=created_at)).id)
    return next(row for row in read_schedules(parts.reader) if row.name == "s")


@pytest.mark.parametrize("every", ["60s", "0 3 * * *"])
def test_a_nominal_time_is_acted_for_once(parts: Parts, every: str) -> None:
    runs = Runs()
    clock = Clock(parts.writer, parts.reader, {"k": runs})
    row = scheduled(parts, every)
    assert [clock.fire(row, NOON) for _ in range(3)] == [True, False, False]
    assert (runs.acted, runs.afterwards) == ([NOON], 1)


def test_an_action_that_fails_leaves_no_run_behind(parts: Parts) -> None:
    def fails(tx: Tx, row: ScheduleRow, nominal_at: datetime) -> None:
        raise InvalidInput("no")

    row = scheduled(parts, "60s")
    with pytest.raises(InvalidInput):
        Clock(parts.writer, parts.reader, {"k": fails}).fire(row, NOON)
    assert Clock(parts.writer, parts.reader, {"k": Runs()}).fire(row, NOON)


def test_an_interval_put_back_in_time_does_nothing_twice(parts: Parts) -> None:
    runs = Runs()
    clock = Clock(parts.writer, parts.reader, {"k": runs})
    row = scheduled(parts, "60s")
    assert clock.fire(row, NOON)
    assert not clock.fire(row, NOON - timedelta(hours=1))
    assert due_times("60s", NOON, NOON, NOON - timedelta(hours=1)) == []


class Hands:
    """A clock that goes where it is put."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.mark.parametrize("every", ["60s", "0 12 * * *"])
def test_a_clock_that_was_ten_years_ahead_stops_nothing_once_it_is_right_again(parts: Parts, every: str) -> None:
    runs, hands = Runs(), Hands(NOON + timedelta(days=3653))
    clock = Clock(parts.writer, parts.reader, {"k": runs}, time=hands)
    row = scheduled(parts, every)
    assert clock.fire(row, hands.at)
    hands.at = NOON
    assert [clock.fire(row, NOON) for _ in range(2)] == [True, False]
    (told,) = read_schedules(parts.reader, until=NOON)
    assert told.last_nominal_at == NOON
    assert due_times(every, told.last_nominal_at, NOON, NOON + timedelta(days=1)) == [NOON + timedelta(days=1)]


def test_an_hour_that_comes_twice_is_acted_for_once(parts: Parts) -> None:
    runs, hands = Runs(), Hands(NOON)
    clock = Clock(parts.writer, parts.reader, {"k": runs}, time=hands)
    row = scheduled(parts, "30m")
    for minutes in (0, 30, 60, 0, 30, 60, 90):
        hands.at = NOON + timedelta(minutes=minutes)
        clock.fire(row, hands.at)
    assert runs.acted == [NOON + timedelta(minutes=minutes) for minutes in (0, 30, 60, 90)]


def test_schedules_are_set_anew_when_the_clock_is_put_back(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.jobs.clock.LOOK_S", 0.01)
    hands = Hands(now() + timedelta(days=3653))
    row = scheduled(parts, "1d", created_at=hands.at)
    clock = Clock(parts.writer, parts.reader, {HOUSEKEEPING: Runs(), "k": Runs()}, time=hands)
    clock.start()
    try:
        assert clock.next_times()[row.id] > hands.at
        hands.at = now()
        wait_for(lambda: clock.next_times()[row.id] < hands.at + timedelta(days=2), "the schedule to be set anew")
    finally:
        clock.stop()


def test_a_clock_that_is_put_back_is_seen_once_and_one_that_is_put_forward_never() -> None:
    hands, steady = Hands(NOON), [0.0]
    looked = PutBack(hands, lambda: steady[0])
    seen = []
    for step_s, jump_s in ((15, 0), (15, -3600), (15, 0), (15, 3600), (15, -1)):
        steady[0] += step_s
        hands.at += timedelta(seconds=step_s + jump_s)
        seen.append(looked.seen())
    assert seen == [False, True, False, False, False]


def test_after_ten_years_an_interval_catches_up_once_and_a_cron_line_a_hundred_times() -> None:
    later = NOON + timedelta(days=3653)
    assert due_times("60s", NOON, NOON, later) == [later]
    for line in ("* * * * *", "0 3 * * 1", "0 0 1 1 *"):
        due = due_times(line, NOON, NOON, later)
        assert len(due) == min(CATCH_UP_LIMIT, 10 if line.endswith("1 1 *") else CATCH_UP_LIMIT)
        assert due == sorted(set(due))
        assert next_time(line, due[-1]) > later


def test_a_cron_line_catches_up_each_missed_time() -> None:
    last = datetime(2026, 3, 26, 3, tzinfo=UTC)
    assert due_times("0 3 * * *", last, last, NOON) == [last + timedelta(days=day) for day in (1, 2, 3)]


def test_daylight_saving_is_nobodys_business() -> None:
    # On 29 March 2026 clocks in Europe go forward at 01:00 UTC, on 25 October back.
    for day in (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
        due = due_times("30 1 * * *", day, day, day + timedelta(days=3))
        assert [at.hour * 60 + at.minute for at in due] == [90, 90, 90]


def test_a_schedule_that_never_ran_missed_nothing_from_before_it_began() -> None:
    assert due_times("0 3 * * *", None, NOON, NOON + timedelta(hours=1)) == []
    assert due_times("1d", None, NOON, NOON + timedelta(hours=1)) == []


def test_a_schedule_that_was_changed_or_rested_begins_anew() -> None:
    last, again = NOON - timedelta(days=30), NOON - timedelta(hours=1)
    assert due_times("0 3 * * *", last, again, NOON) == []
    assert due_times("0 3 * * *", last, NOON - timedelta(days=1), NOON) == [datetime(2026, 3, 29, 3, tzinfo=UTC)]


def test_a_line_that_means_nothing_keeps_no_other_schedule_from_ringing(parts: Parts) -> None:
    def write(tx: Tx) -> None:
        tx.add(Schedule(name="bad", kind="k", every="0 25 * * *", created_at=NOON))
        tx.add(Schedule(name="good", kind="k", every="0 3 * * *", created_at=NOON))

    parts.writer.write_and_wait(write)
    clock = Clock(parts.writer, parts.reader, {HOUSEKEEPING: Runs(), "k": Runs()}, time=lambda: NOON)
    clock.start()
    try:
        ids = {row.name: row.id for row in read_schedules(parts.reader)}
        assert {ids["good"], ids[HOUSEKEEPING]} == set(clock.next_times())
    finally:
        clock.stop()


@given(some.integers(1, 10**6), some.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=some.just(UTC)))
def test_multiples_lie_on_both_sides_of_a_moment(seconds: int, at: datetime) -> None:
    newest, following = newest_multiple(seconds, at), next_multiple(seconds, at)
    assert newest <= at < following
    assert following - newest == timedelta(seconds=seconds)
    assert next_multiple(seconds, newest) == following


@pytest.mark.parametrize("every", ["0s", "every day", "99 * * * *", "* * *", ""])
def test_what_is_no_schedule_is_refused(every: str) -> None:
    with pytest.raises(InvalidInput):
        interval_s(every)
        next_time(every, NOON)


def test_housekeeping_is_scheduled_and_rung(parts: Parts) -> None:
    runs = Runs()
    clock = Clock(parts.writer, parts.reader, {HOUSEKEEPING: runs, "k": runs})
    # Due since long: it is caught up as soon as the clock starts.
    row = scheduled(parts, "1d", created_at=NOON - timedelta(days=900))
    clock.start()
    try:
        wait_for(lambda: runs.afterwards > 0, "the schedule to be caught up")
        shown = list_schedules(parts.reader, clock.next_times()).schedules
        assert [one.name for one in shown] == [HOUSEKEEPING, "s"]
        assert all(one.next_at is not None and one.next_at > NOON for one in shown)
        wait_for(lambda: (clock.next_times().get(row.id) or NOON) > now(), "the next time to be set")
    finally:
        clock.stop()
    clock_again = Clock(parts.writer, parts.reader, {HOUSEKEEPING: Runs(), "k": Runs()})
    clock_again.start()
    clock_again.stop()
    assert len(list_schedules(parts.reader).schedules) == 2


def test_a_registry_that_cannot_be_read_for_a_while_stops_no_schedule(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.jobs.clock.RETRY_S", 0.0)
    row = scheduled(parts, "1d", created_at=NOON - timedelta(days=900))
    reader = BusyReader(parts)
    runs = Runs()
    clock = Clock(parts.writer, reader, {HOUSEKEEPING: runs, "k": runs})  # type: ignore[arg-type]
    clock.start()
    try:
        wait_for(lambda: reader.refused == 4, "the registry to be busy")
        wait_for(lambda: (clock.next_times().get(row.id) or NOON) > now(), "the schedule to be set again")
    finally:
        clock.stop()


class BusyReader:
    """Lets the clock start, and then refuses the next four reads."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._asked = 0
        self.refused = 0

    def connection(self) -> AbstractContextManager[Connection]:
        self._asked += 1
        if self._asked > 1 and self.refused < 4:
            self.refused += 1
            raise Unavailable("Too many read the registry at once.")
        return self._parts.reader.connection()


def test_old_runs_of_an_interval_are_forgotten(parts: Parts) -> None:
    clock = Clock(parts.writer, parts.reader, {"k": Runs()})
    row = scheduled(parts, "60s")
    for days in (0, 1, 9):
        clock.fire(row, NOON + timedelta(days=days))
    assert parts.writer.write_and_wait(lambda tx: tx.count(ScheduleRun)) == 1
