"""What a check found becomes alarms: opened once for a cause, seen again, and closed when it has been calm.

An alarm that a person closed stays closed for what it was about, until that has been calm or another version reigns:
"it is expected" is said once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from engine.monitoring.alarm_budget import DriftedColumn
from engine.registry.alarms import close_alarm, open_or_see_again, unended_alarm, waved_off_alarms
from engine.registry.events import ENGINE
from engine.registry.tables import Alarm, ModelCheck, Project, now
from engine.registry.tx import Tx
from engine.wire.work import QualityFinding

CALM_CHECKS = 3
"""Checks in a row without what an alarm is about, after which it is over."""

_ANSWERS = "the answers"
_SHOWN = 4
"""Columns that a message names."""


def raise_alarms(
    tx: Tx,
    project: Project,
    version: int,
    check: ModelCheck,
    drifted: Sequence[DriftedColumn],
    faults: Sequence[QualityFinding],
) -> list[Alarm]:
    """Bring a model's drift and quality alarms up to date with one check of enough rows; gives those that are unended.

    `drifted` stands strongest first; `faults` are the findings that alarm.
    """
    causes = {_name(one): one.sentence for one in drifted}
    drift = _bring_up_to_date(tx, project, version, check, "drift", causes)
    causes = {}
    for fault in faults:
        causes.setdefault(fault.column or fault.fault, fault.message.rstrip("."))
    quality = _bring_up_to_date(tx, project, version, check, "quality", causes)
    return [alarm for alarm in (drift, quality) if alarm is not None]


def _name(moved: DriftedColumn) -> str:
    """A column's own, and of the answers that they are: the target's name alone would be taken for its truth."""
    return f"{_ANSWERS} ({moved.column})" if moved.kind == "prediction" else moved.column


def _bring_up_to_date(
    tx: Tx,
    project: Project,
    version: int,
    check: ModelCheck,
    kind: Literal["drift", "quality"],
    found: Mapping[str, str],
) -> Alarm | None:
    """`found` has a sentence by column, the strongest first."""
    project_id = project.id or 0
    alarm = unended_alarm(tx, project_id, kind)
    expected: set[str] = set()
    for waved_off in waved_off_alarms(tx, project_id, kind, version, CALM_CHECKS):
        columns = set(waved_off.evidence.get("columns", []))
        _see_waved_off(waved_off, seen=bool(columns & set(found)))
        expected |= columns
    news = {column: told for column, told in found.items() if column not in expected}
    if news:
        return open_or_see_again(
            tx, project_id, kind, version,
            subject=", ".join(news),
            message=_message(project.name, version, kind, news),
            hint=_hint(project.name, kind),
            evidence={"columns": list(news), "told": news, "rows": check.rows},
            check_id=check.id,
            changed_from=check.first_at,
            seen_at=now(),
        )  # fmt: skip
    if alarm is None:
        return None
    alarm.calm_checks += 1
    if alarm.calm_checks >= CALM_CHECKS:
        close_alarm(tx, ENGINE, alarm, f"{CALM_CHECKS} checks in a row saw nothing of it")
        return None
    return alarm


def _see_waved_off(alarm: Alarm, *, seen: bool) -> None:
    if not seen:
        alarm.calm_checks += 1
        return
    alarm.calm_checks = 0
    alarm.times_seen += 1
    alarm.last_seen_at = now()


def _message(name: str, version: int, kind: Literal["drift", "quality"], found: Mapping[str, str]) -> str:
    first, *others = found
    if kind == "quality":
        more = f"; {len(others)} more: {_some(others)}" if others else ""
        return f"{found[first]}{more}."
    look = "look" if others or first.startswith(_ANSWERS) else "looks"
    return f"{_some(list(found))} no longer {look} like what {name}@{version} was trained on; {first}: {found[first]}."


def _some(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    return ", ".join(columns[:_SHOWN]) + more


def _hint(name: str, kind: Literal["drift", "quality"]) -> str:
    if kind == "quality":
        return (
            f"`mlops drift {name}` shows it; mend what sends the rows, for nothing is retrained on them meanwhile; "
            "`mlops close {id}` if it is expected."
        )
    return (
        f"`mlops drift {name}` shows it; `mlops retrain {name}` trains on what is labelled; "
        "`mlops close {id}` if it is expected."
    )
