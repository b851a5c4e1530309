"""What the clock does for a schedule of kind `retrain`: one wish for the newest of the times that came.

After an engine that was down for three weeks three Mondays are due, and one training says as much as three: the older
two are passed over, and the newest says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from engine.lifecycle.advance_retrains import advance_retrains
from engine.lifecycle.parts import Parts
from engine.lifecycle.wish_retrain import give_up, unended, wish_retrain
from engine.registry.events import ENGINE
from engine.registry.queries.schedules import ScheduleRow
from engine.registry.tables import Project, ScheduleRun
from engine.registry.tx import Tx, col

NextTime = Callable[[str, datetime], datetime]
"""When a cron line or an interval comes next after a moment."""


def retrain_on_schedule(
    parts: Parts,
    next_time: NextTime,
    tx: Tx,
    row: ScheduleRow,
    nominal_at: datetime,
    *,
    time: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Callable[[], None] | None:
    """The clock's action, in the transaction that records the nominal time; gives what is done after it.

    One that is under way already is trained on the same rows: the wish is written down, and given up for it.
    """
    project = tx.get(Project, row.project_id) if row.project_id is not None else None
    if project is None:
        return None
    due = f"{nominal_at:%Y-%m-%d %H:%M} UTC"
    if next_time(row.every, nominal_at) <= time():
        tx.event(
            ENGINE, "schedule.passed_over", row.name, project.id,
            schedule=row.id, nominal_at=nominal_at.isoformat(), why="a later time of the schedule has come too",
        )  # fmt: skip
        return None
    missed = tx.count(
        ScheduleRun,
        ScheduleRun.schedule_id == row.id,
        col(ScheduleRun.nominal_at) < nominal_at,
        col(ScheduleRun.ran_at) >= nominal_at,
    )
    before = f", for {missed} missed {'time' if missed == 1 else 'times'} before it too" if missed else ""
    under_way = unended(tx, project.id or 0)
    wished = wish_retrain(
        tx, project, "schedule", f"schedule:{row.id}:{nominal_at:%Y-%m-%dT%H:%MZ}",
        reason=f"schedule `{row.every}`, due {due}{before}", by=ENGINE,
    )  # fmt: skip
    if wished is not None and under_way:
        give_up(tx, ENGINE, wished, f"Retrain {under_way[0].id} is under way already.")
    return partial(advance_retrains, parts)
