"""The clock: does what the schedule table says, once for each nominal time.

APScheduler keeps the time and nothing else. Its store is in memory and rebuilt from the table, and each schedule has
one entry there, for its next nominal time alone: after a jump of the clock by ten years there is one entry to run, not
five million. What a time was missed for (a stopped engine, a jump) is ours: an interval catches up its newest nominal
time, a cron line each of them, the newest hundred at most. `schedule_run` has one row for each nominal time, written in
the transaction that acts, so that nothing happens twice. Once a clock that was years ahead is put right, what ran by it
is no reason to rest until those years have passed.
"""

# APScheduler 3 has no annotations.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger

from engine.cron import plain_cron
from engine.errors import EngineError, InvalidInput
from engine.jobs.nominal import interval_s, newest_multiple, next_multiple
from engine.jobs.put_back import PutBack
from engine.registry.core import SCHEDULE_RUN
from engine.registry.queries.schedules import ScheduleRow, read_schedules
from engine.registry.reader import Reader
from engine.registry.tables import Schedule, ScheduleRun, now
from engine.registry.tx import Tx, col
from engine.registry.writer import Writer

log = logging.getLogger(__name__)

Action = Callable[[Tx, ScheduleRow, datetime], Callable[[], None] | None]
"""Acts in the transaction that records the run; what it gives back is called after the commit, in a thread of the
clock."""

HOUSEKEEPING = "housekeeping"
HOUSEKEEPING_EVERY = "60s"

CATCH_UP_LIMIT = 100
_AT_ONCE = 16
_ONCE = "once:"
"""Before the id of what is no schedule."""
RETRY_S = 5.0
LOOK_S = 15.0
"""Between two looks whether the wall clock was put back."""
RUNS_KEPT = timedelta(days=7)
"""Rows of intervals older than this tell nobody anything: the newest one alone keeps a time from being run twice."""


class Clock:
    """Runs the schedules from `start` to `stop`; `actions` are by kind of schedule."""

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        actions: Mapping[str, Action],
        *,
        time: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._actions = actions
        self._time = time
        self._lock = threading.Lock()
        self._reloading = threading.Lock()
        self._next: dict[int, datetime] = {}
        self._ending = threading.Event()
        self._put_back = PutBack(time)
        self._looking = threading.Thread(target=self._look_for_jumps, name="clock", daemon=True)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(4)},
            # Late is better than never: whether a nominal time still counts is decided by the table.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Make sure housekeeping is scheduled, catch up what was missed, and begin."""
        self._writer.write_and_wait(_ensure_housekeeping)
        self._scheduler.start()
        self.reload()
        self._looking.start()

    def stop(self) -> None:
        """Begin nothing new, and wait for what runs."""
        self._ending.set()
        if self._looking.is_alive():
            self._looking.join()
        if self._scheduler.running:
            # It must not be stopped amid a look at what is due, which would then fail; to list waits for one under way.
            self._scheduler.pause()
            self._scheduler.get_jobs()
            self._scheduler.shutdown(wait=True)

    def soon(self, call: Callable[[], object], name: str) -> None:
        """Do something once, now, in a thread of the clock. Returns at once; of several that wait, one runs."""
        if self._scheduler.running:
            # One that runs may have looked already: the next must not be dropped for it.
            self._scheduler.add_job(
                _guarded, args=[call, name], id=f"{_ONCE}{name}", replace_existing=True, max_instances=_AT_ONCE
            )

    def reload(self) -> None:
        """Read the schedule table again."""
        with self._reloading:
            self._reload()

    def _reload(self) -> None:
        rows = {row.id: row for row in self._rows() if row.enabled}
        for job in self._scheduler.get_jobs():
            if not job.id.startswith(_ONCE) and int(job.id) not in rows:
                self._drop(job.id)
        with self._lock:
            self._next = {known: at for known, at in self._next.items() if known in rows}
        for row in rows.values():
            self._arm(row)

    def _look_for_jumps(self) -> None:
        while not self._ending.wait(LOOK_S):
            if self._put_back.seen():
                log.warning("the clock was put back; all schedules are set anew")
                _guarded(self.reload, "reload")

    def _rows(self) -> list[ScheduleRow]:
        return read_schedules(self._reader, until=self._time())

    def _drop(self, entry: str) -> None:
        try:
            self._scheduler.remove_job(entry)
        except JobLookupError:
            # It has rung meanwhile; when it is to ring again, it finds that it is switched off.
            log.debug("schedule %s rang while it was taken away", entry)

    def next_times(self) -> dict[int, datetime]:
        """When each schedule is due next, by its id."""
        with self._lock:
            return dict(self._next)

    def _arm(self, row: ScheduleRow) -> None:
        try:
            due = due_times(row.every, row.last_nominal_at, row.created_at, self._time())
            at = due[0] if due else next_time(row.every, self._time())
        except EngineError as error:
            # It rests until it is mended; the others go on.
            log.error("schedule %s never rings: %s", row.name, error)
            return
        with self._lock:
            self._next[row.id] = at
        self._enter(row.id, at, self._ring, at)

    def _ring(self, schedule_id: int, nominal_at: datetime) -> None:
        try:
            for row in self._rows():
                if row.id == schedule_id and row.enabled:
                    self.fire(row, nominal_at)
        except EngineError as error:
            log.error("schedule %d, due %s: %s", schedule_id, nominal_at.isoformat(), error)
        except Exception:
            log.exception("schedule %d, due %s", schedule_id, nominal_at.isoformat())
        finally:
            self._rearm(schedule_id, nominal_at)

    def _rearm(self, schedule_id: int, nominal_at: datetime) -> None:
        if not self._scheduler.running:
            return
        try:
            rows = self._rows()
        except EngineError as error:
            log.error("schedule %d: %s", schedule_id, error)
            # Its one entry is used up: without another one it would never ring again.
            self._enter(schedule_id, datetime.now(UTC) + timedelta(seconds=RETRY_S), self._rearm, nominal_at)
            return
        for row in rows:
            if row.id == schedule_id and row.enabled:
                # A run that failed before its row was written is not tried again at once, but at its next time.
                last = max(filter(None, (row.last_nominal_at, nominal_at)))
                self._arm(row.after(last))

    def _enter(
        self, schedule_id: int, at: datetime, call: Callable[[int, datetime], None], nominal_at: datetime
    ) -> None:
        self._scheduler.add_job(
            call,
            DateTrigger(run_date=at, timezone=UTC),
            args=[schedule_id, nominal_at],
            id=str(schedule_id),
            replace_existing=True,
        )

    def fire(self, row: ScheduleRow, nominal_at: datetime) -> bool:
        """Act for one nominal time; False: it was acted for already, or for a later one of an interval."""
        action = self._actions[row.kind]

        def act(tx: Tx) -> tuple[bool, Callable[[], None] | None]:
            if _has_run(tx, row, nominal_at, self._time()):
                return False, None
            tx.add(ScheduleRun(schedule_id=row.id, nominal_at=nominal_at, ran_at=now()))
            if interval_s(row.every) is not None:
                _forget_old(tx, row.id, nominal_at)
            return True, action(tx, row, nominal_at)

        fired, afterwards = self._writer.write_and_wait(act)
        if afterwards is not None:
            afterwards()
        return fired


def _guarded(call: Callable[[], object], name: str) -> None:
    try:
        call()
    except EngineError as error:
        log.error("%s: %s", name, error)
    except Exception:
        log.exception("%s", name)


def next_time(every: str, after: datetime) -> datetime:
    """The first nominal time after a moment.

    Raises:
        InvalidInput: neither an interval nor a cron line, or a line that never comes.
    """
    seconds = interval_s(every)
    if seconds is not None:
        return next_multiple(seconds, after)
    found = _cron(every).get_next_fire_time(None, after + timedelta(microseconds=1))
    if found is None:
        raise InvalidInput(f"The cron line {every!r} never comes.", "Look at its day and month.")
    at: datetime = found.astimezone(UTC)
    return at


def due_times(every: str, last: datetime | None, begun: datetime, until: datetime) -> list[datetime]:
    """Nominal times that were missed: after the last one that ran (or after the schedule began), up to a moment.

    Of an interval only the newest, of a cron line the newest hundred, oldest first. A schedule that never ran missed
    nothing from before it began, and a clock that was put back finds nothing missed.
    """
    # A schedule that was changed, or rested, begins anew.
    since = max(last, begun) if last is not None else begun
    seconds = interval_s(every)
    if seconds is not None:
        newest = newest_multiple(seconds, until)
        return [newest] if newest > since else []
    found: list[datetime] = []
    # Backwards in growing steps: a line that comes each minute has millions of times in ten years.
    for hours in (1, 24, 24 * 31, 24 * 366, 24 * 366 * 100):
        start = max(since, until - timedelta(hours=hours))
        found = list(_cron_times(every, start, until))
        if len(found) >= CATCH_UP_LIMIT or start == since:
            break
    return found[-CATCH_UP_LIMIT:]


def _cron_times(every: str, since: datetime, until: datetime) -> Iterator[datetime]:
    at = next_time(every, since)
    while at <= until:
        yield at
        at = next_time(every, at)


def _cron(every: str) -> Any:
    try:
        return CronTrigger.from_crontab(plain_cron(every), timezone=UTC)
    except ValueError as error:
        raise InvalidInput(
            f"{every!r} is neither an interval nor a cron line: {error}.", "Use one such as `60s` or `0 3 * * 1`."
        ) from error


def _has_run(tx: Tx, row: ScheduleRow, nominal_at: datetime, at: datetime) -> bool:
    """A time of an interval also where a later one has; one that is still to come ran by a clock that was ahead."""
    if tx.get(ScheduleRun, (row.id, nominal_at)) is not None:
        return True
    later = col(ScheduleRun.nominal_at).between(nominal_at, at)
    return interval_s(row.every) is not None and tx.count(ScheduleRun, ScheduleRun.schedule_id == row.id, later) > 0


def _forget_old(tx: Tx, schedule_id: int, nominal_at: datetime) -> None:
    tx.execute(
        SCHEDULE_RUN.delete().where(
            SCHEDULE_RUN.c.schedule_id == schedule_id, SCHEDULE_RUN.c.nominal_at < nominal_at - RUNS_KEPT
        )
    )


def _ensure_housekeeping(tx: Tx) -> None:
    if tx.first(Schedule, Schedule.name == HOUSEKEEPING) is None:
        tx.add(Schedule(name=HOUSEKEEPING, kind=HOUSEKEEPING, every=HOUSEKEEPING_EVERY, created_at=now()))
