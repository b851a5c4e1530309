"""What the labels say becomes part of the registry: how far captures are labelled, realised performance, an alarm.

Called in the transaction of the step that looked at the labels, `label` or `check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from engine.errors import NotFound
from engine.monitoring.performance_rule import CALM_WINDOWS, Judgement, Loss, Window, judge_windows, read_promise
from engine.project import LOSSES, parse_project
from engine.registry.alarms import close_alarm, closed_by_hand, open_or_see_again, unended_alarm
from engine.registry.events import ENGINE
from engine.registry.tables import (
    Alarm,
    Alias,
    LabelSummary,
    PerformanceWindow,
    Project,
    Revision,
    Version,
    now,
)
from engine.registry.tx import Tx, col
from engine.wire.work import LabelledFigures


def apply_labelled(
    tx: Tx, project: Project, figures: LabelledFigures, *, metric: str, check_id: int | None = None
) -> Alarm | None:
    """Store what is known by the labels, and judge the champion by its windows that are mature and not judged yet.

    `metric` is what was measured: where the project's code names another one by now, nothing is judged, and the next
    look measures that. Gives the performance alarm that is unended afterwards; None: there is none.

    Raises:
        NotFound: the project's code is not stored.
    """
    revision = tx.get(Revision, project.revision_id)
    if revision is None:
        raise NotFound(f"The code of {project.name} is not stored.", f"Store it: `mlops add {project.folder}`.")
    told = parse_project(revision.config)
    _store_summary(tx, project, figures)
    champion = _champion(tx, project)
    if metric == told.metric:
        _store_windows(tx, project, figures, metric)
    if champion is None or metric != told.metric:
        return unended_alarm(tx, project.id or 0, "performance")
    return _judge(tx, project, champion, metric, told.watch.alarms_per_year, check_id)


def _store_summary(tx: Tx, project: Project, figures: LabelledFigures) -> None:
    row = LabelSummary(
        project_id=project.id or 0,
        until_label_file=figures.until_label_file,
        until_capture_file=figures.until_capture_file,
        captured=figures.captured,
        labelled=figures.labelled,
        buckets=[bucket.model_dump(mode="json") for bucket in figures.buckets],
        mature_until=figures.mature_until,
        updated_at=now(),
    )
    tx.session.merge(row)


def _store_windows(tx: Tx, project: Project, figures: LabelledFigures, metric: str) -> None:
    """What is not mature is written anew each time; a mature window stays, and whether it was judged."""
    for window in tx.all(PerformanceWindow, PerformanceWindow.project_id == project.id):
        if not window.mature or window.metric != metric:
            tx.session.delete(window)
    tx.flush()
    for found in figures.windows:
        known = tx.get(PerformanceWindow, (project.id, found.version, found.starts_at))
        row = PerformanceWindow(
            project_id=project.id or 0,
            metric=metric,
            tested=known is not None and known.tested,
            **{name: getattr(found, name) for name in type(found).model_fields},
        )
        tx.session.merge(row)
    tx.flush()


def _champion(tx: Tx, project: Project) -> Version | None:
    alias = tx.get(Alias, (project.id, "champion"))
    return tx.get(Version, alias.version_id) if alias else None


def _judge(
    tx: Tx, project: Project, champion: Version, metric: str, alarms_per_year: float, check_id: int | None
) -> Alarm | None:
    project_id = project.id or 0
    alarm = unended_alarm(tx, project_id, "performance")
    promise = read_promise(champion.evidence) if champion.evidence.get("metric") == metric else None
    rows = tx.all(
        PerformanceWindow,
        PerformanceWindow.project_id == project_id,
        PerformanceWindow.version == champion.number,
        col(PerformanceWindow.mature),
        oldest=PerformanceWindow.starts_at,
    )
    if promise is None or all(row.tested for row in rows):
        return alarm
    ours = alarm if alarm is not None and alarm.version == champion.number else None
    if ours is not None and "held_to" in ours.evidence:
        # It took over with the loss: what it promised itself is what was lost.
        promise = read_promise(ours.evidence["held_to"]) or promise
    waved_off = closed_by_hand(tx, project_id, "performance", champion.number) if ours is None else None
    judgement = judge_windows(
        [Window(row.starts_at, row.ends_at, row.labelled, row.value, row.se, row.tested) for row in rows],
        promise,
        alarms_per_year=alarms_per_year,
        less_is_better=metric in LOSSES,
    )
    for row in rows:
        row.tested = True
    if waved_off is not None and waved_off.calm_checks < CALM_WINDOWS:
        _see_waved_off(waved_off, judgement)
        return None
    if judgement.loss is not None:
        return _raise(tx, project, champion, metric, judgement.loss, rows[-1].ends_at, check_id)
    if ours is not None:
        return _calm_down(tx, ours, judgement.calm)
    return alarm


def _see_waved_off(alarm: Alarm, judgement: Judgement) -> None:
    """Somebody said that it is expected: that holds until performance was back once."""
    if judgement.loss is not None:
        alarm.times_seen += 1
        alarm.last_seen_at = now()
    alarm.calm_checks = min(judgement.calm, CALM_WINDOWS)


def _calm_down(tx: Tx, alarm: Alarm, calm: int) -> Alarm | None:
    alarm.calm_checks = calm
    if calm < CALM_WINDOWS:
        return alarm
    close_alarm(tx, ENGINE, alarm, f"{CALM_WINDOWS} windows in a row reach what was promised again")
    return None


def _raise(
    tx: Tx, project: Project, champion: Version, metric: str, loss: Loss, until: datetime, check_id: int | None
) -> Alarm:
    return open_or_see_again(
        tx,
        project.id or 0,
        "performance",
        champion.number,
        subject=metric,
        message=_message(f"{project.name}@{champion.number}", metric, loss, until),
        hint=(
            f"`mlops performance {project.name}` shows it; `mlops retrain {project.name}` trains on what is labelled; "
            "`mlops close {id}` if it is expected."
        ),
        evidence=_evidence(metric, loss),
        check_id=check_id,
        changed_from=loss.changed_from,
        seen_at=now(),
    )


def _evidence(metric: str, loss: Loss) -> dict[str, str | float | int]:
    figures: Mapping[str, float | int] = loss.evidence()
    return {"metric": metric, **figures}


def _message(version: str, metric: str, loss: Loss, until: datetime) -> str:
    moved = "rose" if metric in LOSSES else "fell"
    return (
        f"{metric} of {version} {moved} to {loss.realised:.4g}, where the gate saw {loss.promised:.4g} "
        f"({loss.drop:.0%} worse), by {loss.labelled:,} labelled rows up to {until:%Y-%m-%d}."
    )
