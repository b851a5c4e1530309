"""What a check found becomes alarms: opened once for a cause, seen again, and closed when it has been calm.

An alarm that a person closed stays closed for what it was about, until that has been calm or another version reigns:
"it is expected" is said once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from engine.registry.alarms import close_alarm, closed_by_hand, open_or_see_again, unended_alarm
from engine.registry.events import ENGINE
from engine.registry.tables import Alarm, ModelCheck, Project, now
from engine.registry.tx import Tx
from engine.wire.work import ColumnFigures, QualityFinding

__all__ = ["CALM_CHECKS", "open_or_see_again", "raise_alarms"]

CALM_CHECKS = 3
"""Checks in a row without what an alarm is about, after which it is over."""

_SHOWN = 4
"""Columns that a message names."""


def raise_alarms(
    tx: Tx,
    project: Project,
    version: int,
    check: ModelCheck,
    drifted: Sequence[ColumnFigures],
    findings: Sequence[QualityFinding],
) -> list[Alarm]:
    """Bring a model's drift and quality alarms up to date with one check of enough rows; gives those that are unended.

    `drifted` stands strongest first; `findings` are those that alarm.
    """
    drift = _bring_up_to_date(tx, project, version, check, "drift", {one.column: one for one in drifted})
    quality = _bring_up_to_date(tx, project, version, check, "quality", _by_column(findings))
    return [alarm for alarm in (drift, quality) if alarm is not None]


_Found = Mapping[str, ColumnFigures | QualityFinding]


def _by_column(findings: Sequence[QualityFinding]) -> _Found:
    found: dict[str, QualityFinding] = {}
    for finding in findings:
        found.setdefault(finding.column, finding)
    return found


def _bring_up_to_date(
    tx: Tx, project: Project, version: int, check: ModelCheck, kind: Literal["drift", "quality"], found: _Found
) -> Alarm | None:
    project_id = project.id or 0
    alarm = unended_alarm(tx, project_id, kind)
    waved_off = None if alarm is not None else _waved_off(tx, project_id, kind, version)
    expected = set(waved_off.evidence.get("columns", [])) if waved_off is not None else set()
    if waved_off is not None:
        _see_waved_off(waved_off, seen=bool(expected & set(found)))
    news = {column: what for column, what in found.items() if column not in expected}
    if news:
        return open_or_see_again(
            tx, project_id, kind, version,
            subject=", ".join(news),
            message=_message(project.name, version, kind, news),
            hint=_hint(project.name, kind),
            evidence={"columns": list(news), "figures": [what.model_dump(mode="json") for what in news.values()]},
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


def _waved_off(tx: Tx, project_id: int, kind: Literal["drift", "quality"], version: int) -> Alarm | None:
    alarm = closed_by_hand(tx, project_id, kind, version)
    return alarm if alarm is not None and alarm.calm_checks < CALM_CHECKS else None


def _see_waved_off(alarm: Alarm, *, seen: bool) -> None:
    if not seen:
        alarm.calm_checks += 1
        return
    alarm.calm_checks = 0
    alarm.times_seen += 1
    alarm.last_seen_at = now()


def _message(name: str, version: int, kind: Literal["drift", "quality"], found: _Found) -> str:
    if kind == "quality":
        first, *more = (what.message for what in found.values() if isinstance(what, QualityFinding))
        return f"{first.rstrip('.')}; and {_count(len(more), 'more fault')}." if more else first
    told = [f"{column} ({_distance(what)})" for column, what in found.items() if isinstance(what, ColumnFigures)]
    shown = ", ".join(told[:_SHOWN]) + (f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else "")
    moved = "no longer look" if len(told) > 1 else "no longer looks"
    return f"{shown} {moved} like what {name}@{version} was trained on."


def _distance(figures: ColumnFigures) -> str:
    """The figure that stands out most."""
    told: list[tuple[bool, str]] = [
        (figures.new_share >= 0.01, f"{figures.new_share:.1%} new values"),
        (
            abs(figures.null_share - figures.reference_null_share) >= 0.02,
            f"{figures.null_share:.1%} missing, was {figures.reference_null_share:.1%}",
        ),
    ]
    if figures.distance is not None:
        told.append((True, f"{_NAMES.get(figures.kind, 'distance')} {figures.distance:.2f}"))
    strong = figures.distance is not None and figures.distance >= 0.1
    chosen = told[::-1] if strong else told
    return next((text for holds, text in chosen if holds), "moved")


_NAMES: Mapping[str, str] = {"number": "KS", "category": "JS", "prediction": "distance"}


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


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
