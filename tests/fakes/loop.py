"""A released model, and what makes it be trained again: alarms, labels, verdicts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fakes.core import ADA, add, go_live, train, write_project

from engine.lifecycle.add_project import add_project
from engine.lifecycle.deploy_version import deploy_version
from engine.lifecycle.parts import Parts
from engine.registry.alarms import close_alarm, open_or_see_again
from engine.registry.events import ENGINE, Actor
from engine.registry.queries.retrains import list_retrains
from engine.registry.tables import Alarm, LabelSummary, PerformanceWindow, Project, now
from engine.registry.tx import Tx
from engine.wire.endpoints import Deploy
from engine.wire.monitoring import AlarmKind, RetrainView
from engine.wire.projects import AddProject

HOUR = timedelta(hours=1)


def release(parts: Parts, folder: Path, more: str = "", name: str = "fraud", approval: str = "manual") -> None:
    """A project whose file has `more` lines, and a first version of it that serves."""
    add(parts, folder, name, approval)
    if more:
        say(parts, folder, more, name, approval)
    train(parts, name)
    go_live(parts, deploy_version(parts, ADA, name, Deploy(version=1)).id)


def say(parts: Parts, folder: Path, more: str, name: str = "fraud", approval: str = "manual") -> None:
    """Store the project's code again, with `more` lines in its file."""
    write_project(folder, name, approval)
    file = folder / "mlops.toml"
    file.write_text(file.read_text() + more)
    add_project(parts, ADA, AddProject(folder=str(folder)))


def open_alarm(
    parts: Parts,
    kind: AlarmKind = "drift",
    version: int = 1,
    changed_from: datetime | None = None,
    subject: str = "amount",
) -> int:
    """The alarm's number."""

    def write(tx: Tx) -> int:
        alarm = open_or_see_again(
            tx, 1, kind, version, subject=subject, message=f"{subject} is not what it was.", hint="Look.",
            evidence={"columns": [subject]}, check_id=None, changed_from=changed_from, seen_at=now(),
        )  # fmt: skip
        return alarm.id or 0

    return parts.writer.write_and_wait(write)


def close(parts: Parts, alarm_id: int, by: Actor = ENGINE, note: str = "it is calm again") -> None:
    def write(tx: Tx) -> None:
        alarm = tx.get(Alarm, alarm_id)
        assert alarm is not None
        close_alarm(tx, by, alarm, note)

    parts.writer.write_and_wait(write)


def labelled(parts: Parts, rows: int, *, rare: int | None = None, begins: datetime | None = None) -> None:
    """So many rows of this hour and the next are labelled and mature, half of each class unless `rare` of one."""
    start = begins or now() + HOUR
    ones = rows // 2 if rare is None else rare
    bucket = {
        "starts_at": start.isoformat(), "ends_at": (start + HOUR).isoformat(), "captured": rows, "labelled": rows,
        "by_class": {"0": rows - ones, "1": ones},
    }  # fmt: skip

    def write(tx: Tx) -> None:
        tx.session.merge(
            LabelSummary(
                project_id=1, until_label_file=1, until_capture_file=1, captured=rows, labelled=rows, buckets=[bucket],
                mature_until=start + 2 * HOUR, updated_at=now(),
            )
        )  # fmt: skip

    parts.writer.write_and_wait(write)


def realised(parts: Parts, version: int, value: float, begins: datetime, labelled: int = 500) -> None:
    """A settled window of an hour."""

    def write(tx: Tx) -> None:
        project = tx.get(Project, 1)
        assert project is not None
        tx.add(
            PerformanceWindow(
                project_id=1, version=version, starts_at=begins, ends_at=begins + HOUR, rows=labelled,
                labelled=labelled, metric="average_precision", value=value, lower=value - 0.05, upper=value + 0.05,
                se=0.03, mature=True, tested=True,
            )
        )  # fmt: skip

    parts.writer.write_and_wait(write)


def retrains(parts: Parts) -> list[RetrainView]:
    """Oldest first."""
    return list_retrains(parts.reader).retrains[::-1]


def states(parts: Parts) -> list[str]:
    return [one.status for one in retrains(parts)]


def edit(parts: Parts, table: Any, key: Any, **values: Any) -> None:
    """Set columns of a row."""

    def write(tx: Tx) -> None:
        row = tx.get(table, key)
        assert row is not None
        for name, value in values.items():
            setattr(row, name, value)

    parts.writer.write_and_wait(write)
