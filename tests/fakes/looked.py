"""A model that serves, what it captured, and what checks of it say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fakes.core import ADA, Worked, add, claim, go_live, train

from engine.lifecycle.check_model import check_model
from engine.lifecycle.deploy_version import deploy_version
from engine.lifecycle.parts import Parts
from engine.lifecycle.start_attempt import start_attempt
from engine.registry.core import ALARM
from engine.registry.queries.alarms import list_alarms
from engine.registry.queries.checks import get_check
from engine.registry.queries.events import list_events
from engine.registry.tables import CaptureFile, Project, now
from engine.registry.tx import Tx
from engine.wire.endpoints import Deploy
from engine.wire.monitoring import AlarmView, AskCheck, CheckView
from engine.wire.work import WorkOrder

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def serve(parts: Parts, folder: Path, name: str = "fraud", extra: str = "") -> int:
    """A project whose first version is live; its deployment. `extra` is added to its project file."""
    add(parts, folder, name)
    if extra:
        rewrite(parts, folder, extra)
    train(parts, name)
    return release(parts, name)


def rewrite(parts: Parts, folder: Path, extra: str) -> None:
    """Add to the project file, and store the code again."""
    from engine.lifecycle.add_project import add_project
    from engine.wire.projects import AddProject

    file = folder / "mlops.toml"
    file.write_text(file.read_text() + extra)
    add_project(parts, ADA, AddProject(folder=str(folder)))


def release(parts: Parts, name: str = "fraud", version: int | None = None) -> int:
    """Put a version behind the endpoint, at once."""
    deployed = deploy_version(parts, ADA, name, Deploy(version=version)).id
    go_live(parts, deployed)
    return deployed


def capture(
    parts: Parts, rows: int, *, version: int = 1, at: datetime = NOON, name: str = "fraud", lasting_s: float = 600.0
) -> int:
    """A file of captures as compaction records it; its id."""

    def write(tx: Tx) -> int:
        project = tx.first(Project, Project.name == name)
        assert project is not None
        number = tx.count(CaptureFile)
        return (
            tx.add(
                CaptureFile(
                    project_id=project.id or 0,
                    name=f"d1-r00-{number:08d}-0-to-{number + 1:08d}-0.parquet",
                    version=version,
                    rows=rows,
                    size_bytes=rows,
                    first_received_at=at,
                    last_received_at=at + timedelta(seconds=lasting_s),
                    created_at=now(),
                )
            ).id
            or 0
        )

    return parts.writer.write_and_wait(write)


def figures(column: str, *, drifted: bool = False, kind: str = "number", **other: Any) -> dict[str, Any]:
    """What was measured of a column that moved, or that did not."""
    return {
        "column": column, "kind": kind, "p_value": 1e-30 if drifted else 0.4, "distance": 0.4 if drifted else 0.02,
        "psi": 0.5 if drifted else 0.01, "wasserstein": 0.9 if drifted else 0.02, "null_share": 0.0,
        "reference_null_share": 0.0, "null_p_value": None, "effective_rows": 1000.0,
        "effective_reference_rows": 5000.0,
    } | other  # fmt: skip


def fault(column: str, message: str = "Column {} is empty.", *, alarming: bool = True) -> dict[str, Any]:
    return {"fault": "nulls", "column": column, "message": message.format(column), "alarming": alarming}


def result(
    worked: Worked, drifted: Sequence[str] = (), faults: Sequence[dict[str, Any]] = (), rows: int = 1000
) -> dict[str, Any]:
    """Of step `check`: columns a, b and c, of which some moved."""
    distributions = b'{"columns": [{"column": "a", "kind": "number", "reference": [0.5, 0.5], "current": [0.1, 0.9]}]}'
    return {
        "rows": rows, "reference_rows": 5000, "first_at": NOON.isoformat(),
        "last_at": (NOON + timedelta(hours=1)).isoformat(),
        "columns": [figures(column, drifted=column in drifted) for column in ("a", "b", "c")],
        "findings": list(faults),
        "figures": worked.leave("figures.json", distributions) if rows >= 500 else None,
    }  # fmt: skip


def begin(parts: Parts) -> tuple[Worked, WorkOrder]:
    """Start the check that waits."""
    worked = claim(parts)
    return worked, start_attempt(parts, worked.job_id, worked.attempt)


def look(
    parts: Parts,
    drifted: Sequence[str] = (),
    faults: Sequence[dict[str, Any]] = (),
    *,
    rows: int = 1000,
    name: str = "fraud",
) -> CheckView:
    """A whole check by hand of as many new captures."""
    capture(parts, rows, name=name)
    check_model(parts, ADA, name, AskCheck())
    worked, _ = begin(parts)
    done = worked.post("check", result(worked, drifted, faults, rows)).job
    return get_check(parts.reader, name, done.result["check"])


def alarms(parts: Parts) -> list[AlarmView]:
    """All of them, oldest first."""
    return sorted(list_alarms(parts.reader).alarms, key=lambda alarm: alarm.id)


def verbs(parts: Parts, prefix: str) -> list[str]:
    """Events whose verb begins so, oldest first."""
    return [
        event.verb for event in list_events(parts.reader, after=0, limit=1000).events if event.verb.startswith(prefix)
    ]


def count_alarms(parts: Parts) -> int:
    with parts.reader.connection() as connection:
        return len(list(connection.execute(ALARM.select())))
