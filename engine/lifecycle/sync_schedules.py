"""Each project's schedules, as its newest code and its deployments want them.

The clock reads its table again when it hears of `schedule.changed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from engine.errors import EngineError
from engine.lifecycle.parts import Parts
from engine.project import parse_project
from engine.registry.events import ENGINE
from engine.registry.queries.schedules import ProjectSchedules, read_project_schedules
from engine.registry.tables import Schedule, now
from engine.registry.tx import Tx


@dataclass(frozen=True)
class Wanted:
    """One schedule as the project file asks for it."""

    kind: str
    every: str


def sync_all_schedules(parts: Parts) -> None:
    """Bring all projects' schedules up to date; those that are cost a reading and no writing. Safe to repeat."""
    stale = [project for project in read_project_schedules(parts.reader) if _changes(project)]
    if not stale:
        return

    def sync(tx: Tx) -> None:
        for project in read_project_schedules(tx):
            sync_schedules(tx, project)

    parts.writer.write_and_wait(sync)


def sync_schedules(tx: Tx, project: ProjectSchedules) -> None:
    """Write what differs, and tell of it."""
    for name, wanted in _changes(project).items():
        row = tx.first(Schedule, Schedule.name == name)
        if row is None and wanted is not None:
            row = tx.add(
                Schedule(name=name, kind=wanted.kind, project_id=project.id, every=wanted.every, created_at=now())
            )
        if row is None:
            continue
        if wanted is not None and (not row.enabled or row.every != wanted.every):
            # What would have come before is not caught up.
            row.created_at = now()
        row.enabled = wanted is not None
        row.every = wanted.every if wanted is not None else row.every
        tx.event(
            ENGINE, "schedule.changed", name, project.id,
            schedule=row.id, kind=row.kind, every=row.every, enabled=row.enabled,
        )  # fmt: skip


def _changes(project: ProjectSchedules) -> dict[str, Wanted | None]:
    """By name, what is not as it should be; None: it should rest."""
    wanted = wanted_schedules(project.name, project.config) if project.is_live else {}
    changes: dict[str, Wanted | None] = {
        name: schedule for name, schedule in wanted.items() if (name, schedule.every, True) not in project.schedules
    }
    return changes | {name: None for name, _, enabled in project.schedules if enabled and name not in wanted}


@lru_cache(maxsize=1024)
def wanted_schedules(name: str, config: str) -> Mapping[str, Wanted]:
    """What a project file asks for, by the schedule's name, while something of the model is live."""
    try:
        told = parse_project(config)
    except EngineError:
        # Code that an older program stored; the next `mlops add` is told what is wrong with it.
        return {}
    wanted = {} if told.watch.every == "never" else {f"check:{name}": Wanted("check", told.watch.every)}
    if "schedule" in told.retrain.on and told.retrain.schedule is not None:
        wanted[f"retrain:{name}"] = Wanted("retrain", told.retrain.schedule)
    return wanted
