"""What has come of the wishes to train again, and what becomes of them now.

Everything is told from the registry as it is: open alarms, labels, jobs that have ended. So it may be called as often
as one likes, and an engine that was killed between an alarm and its retrain goes on where it was: a cause has one
retrain (`cause_key`), and a retrain one job (`retrain:ID`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from engine.errors import EngineError
from engine.failpoint import failpoint
from engine.lifecycle.parts import Parts
from engine.lifecycle.train_project import queue_training
from engine.lifecycle.wish_retrain import UNENDED, give_up, project_file, unended, wish_retrain
from engine.project import MOST_TRAININGS, interval_s
from engine.project import Project as ProjectFile
from engine.registry.alarms import ask_a_person, mends_loss
from engine.registry.events import ENGINE, Actor
from engine.registry.queries.retrains import minding_labels, needs_a_look
from engine.registry.tables import Alarm, Alias, Job, LabelSummary, Project, Retrain, Version, now
from engine.registry.tx import Tx, col
from engine.retraining.policy import (
    MOST_TRIES,
    Decision,
    Stretch,
    There,
    Trigger,
    Wish,
    World,
    decide,
    key_after_failure,
    labelled_since,
    rows_needed,
    rows_there,
    trainings,
)
from engine.wire.monitoring import RetrainTrigger
from engine.wire.work import LabelBucket

_OF_ALARMS = ("drift", "performance")


def advance_retrains(parts: Parts) -> None:
    """Bring all retrains up to date, and begin what may begin. Without any it costs a reading."""
    if not needs_a_look(parts.reader):
        return
    failpoint("retrain.begin")
    parts.writer.write_and_wait(advance_all)
    failpoint("retrain.advanced")
    parts.poke_jobs()


def advance_all(tx: Tx) -> None:
    """The same within a transaction."""
    _wish_for_alarms(tx)
    _wish_for_labels(tx)
    for project_id in sorted({one.project_id for one in tx.all(Retrain, col(Retrain.status).in_(UNENDED))}):
        project = tx.get(Project, project_id)
        for retrain in unended(tx, project_id) if project is not None else ():
            assert project is not None
            if retrain.status == "training":
                _follow_job(tx, retrain)
            elif retrain.status in UNENDED:
                advance(tx, project, retrain)


def advance(tx: Tx, project: Project, retrain: Retrain, *, at_once: bool = False, by: Actor = ENGINE) -> Decision:
    """Decide on one that has not begun, write down why it waits, and begin it if it may.

    Raises:
        NotFound: no code is stored. Only where somebody asked for it `at_once`: else it is given up for that.
    """
    decision = _decide(tx, project, retrain, at_once)
    if decision.status == "given_up":
        give_up(tx, ENGINE, retrain, decision.note)
    elif decision.status == "training":
        _begin(tx, project, retrain, by, at_once)
    elif (retrain.status, retrain.note) != (decision.status, decision.note):
        if retrain.status != decision.status:
            tx.event(
                ENGINE, f"retrain.{decision.status}", f"retrain {retrain.id}", retrain.project_id,
                retrain=retrain.id, why=decision.note,
            )  # fmt: skip
        retrain.status, retrain.note = decision.status, decision.note
    return decision


def record_verdict(tx: Tx, job: Job, version: Version) -> None:
    """The training that a retrain asked for has been judged; in the transaction that registers the version."""
    retrain = tx.first(Retrain, Retrain.job_id == job.id)
    if retrain is None or retrain.status not in UNENDED:
        return
    project = tx.get(Project, retrain.project_id)
    name = f"{project.name if project else ''}@{version.number}"
    retrain.status, retrain.note, retrain.ended_at = "done", "", now()
    retrain.run_id, retrain.version, retrain.verdict = job.run_id, version.number, version.outcome
    tx.event(
        ENGINE, "retrain.done", f"retrain {retrain.id}", retrain.project_id,
        retrain=retrain.id, alarm=retrain.alarm_id, job=job.id, version=version.number, verdict=version.outcome,
    )  # fmt: skip
    for other in unended(tx, retrain.project_id):
        answered = version.outcome == "pass" or other.trigger in ("schedule", "labels")
        if answered and other.status != "training" and other.trigger != "hand" and other.created_at <= job.created_at:
            give_up(tx, ENGINE, other, f"Retrain {retrain.id} was trained meanwhile: {name} ({version.outcome}).")
    alarm = tx.get(Alarm, retrain.alarm_id) if retrain.alarm_id is not None else None
    if project is not None and alarm is not None and not _answers(tx, alarm, version):
        _try_again(tx, project, retrain, alarm, name)


def _answers(tx: Tx, alarm: Alarm, version: Version) -> bool:
    """Whether a version is what its alarm asked for."""
    return version.outcome == "pass" and (alarm.kind != "performance" or mends_loss(tx, alarm, version))


def _try_again(tx: Tx, project: Project, retrain: Retrain, alarm: Alarm, name: str) -> None:
    """An alarm that is still there asks once more, for twice the rows: a new world is learnt from many."""
    tries = _tries(retrain) + 1
    if alarm.status == "closed" or tries > MOST_TRIES:
        return
    hardly = " and is hardly better" if retrain.verdict == "pass" else ""
    told = f"{_reason(alarm)}; {name} was judged `{retrain.verdict}`{hardly}, so with twice the rows"
    wish_retrain(tx, project, _trigger(retrain), f"alarm:{alarm.id}:{tries}", reason=told, by=ENGINE, alarm=alarm)


def _wish_for_alarms(tx: Tx) -> None:
    open_ones = tx.all(Alarm, col(Alarm.kind).in_(_OF_ALARMS), Alarm.status != "closed", oldest=col(Alarm.id))
    for alarm in open_ones:
        project = tx.get(Project, alarm.project_id)
        if project is not None:
            trigger = cast(RetrainTrigger, alarm.kind)
            wish_retrain(tx, project, trigger, f"alarm:{alarm.id}", reason=_reason(alarm), by=ENGINE, alarm=alarm)


def _wish_for_labels(tx: Tx) -> None:
    """As many labels more than the last training knew of as the project names."""
    for project_id in minding_labels(tx):
        project, summary = tx.get(Project, project_id), tx.get(LabelSummary, project_id)
        told = project_file(tx, project) if project is not None else None
        if project is None or summary is None or told is None:
            continue
        if told.retrain.labels is None or "labels" not in told.retrain.on:
            continue
        last = tx.first(
            Job, Job.project_id == project.id, Job.kind == "train", Job.status == "succeeded", newest=col(Job.id)
        )  # fmt: skip
        before = last.args.get("labelled_until", []) if last is not None else []
        more = labelled_since([(datetime.fromisoformat(at), rows) for at, rows in before], _stretches(summary))
        if more >= told.retrain.labels:
            since = f"run {last.run_id}" if last is not None else "the beginning"
            wish_retrain(
                tx, project, "labels", f"labels:{project.name}:{last.run_id if last is not None else 0}",
                reason=f"{more:,} labelled rows more than at {since}", by=ENGINE,
            )  # fmt: skip


def _decide(tx: Tx, project: Project, retrain: Retrain, at_once: bool) -> Decision:
    told = project_file(tx, project)
    if told is None:
        return Decision("given_up", f"The stored code of {project.name} is not understood; `mlops add` stores it anew.")
    alarm = tx.get(Alarm, retrain.alarm_id) if retrain.alarm_id is not None else None
    summary = tx.get(LabelSummary, project.id)
    world = _world(tx, project, told, retrain, alarm, summary)
    retrain.judge_after = world.since
    retrain.rows_needed, retrain.rows_there = world.need.rows, world.there.rows
    return decide(Wish(_trigger(retrain), _over(alarm)), world, at_once=at_once)


def _world(
    tx: Tx, project: Project, told: ProjectFile, retrain: Retrain, alarm: Alarm | None, summary: LabelSummary | None
) -> World:
    champion = champion_of(tx, project.id)
    since = judged_after(champion, alarm)
    per_class: dict[str, int] = champion.evidence.get("rows_per_class", {}) if champion else {}
    before = tx.first(Retrain, Retrain.cause_key == _key_before(retrain))
    need = rows_needed(
        {_class_name(name): count for name, count in per_class.items()},
        told.gate.min_rows_per_class,
        tries=_tries(retrain),
        before=before.rows_there if before is not None else 0,
    )
    there = rows_there(_stretches(summary), since, summary.mature_until) if summary is not None else There(0, {})
    others = [one for one in unended(tx, project.id or 0) if one.id != retrain.id and one.status == "training"]
    fault = tx.first(Alarm, Alarm.project_id == project.id, Alarm.kind == "quality", Alarm.status != "closed")
    return World(
        now=now(),
        since=since,
        need=need,
        there=there,
        labels_come=summary is not None and summary.labelled > 0,
        before=f"retrain {others[0].id}" if others else "",
        fault=_fault(fault) if fault is not None else "",
        cool_until=_cool_until(tx, project, told),
    )


def champion_of(tx: Tx, project_id: int | None) -> Version | None:
    """The version that serves at full weight."""
    alias = tx.get(Alias, (project_id, "champion"))
    return tx.get(Version, alias.version_id) if alias else None


def judged_after(champion: Version | None, alarm: Alarm | None) -> datetime | None:
    """Rows after it are the champion's and the change's alike; None: there is no champion.

    A model without `data.time` has no cut-off among its rows; what came since it was made counts.
    """
    if champion is None:
        return None
    changed = alarm.changed_from if alarm is not None else None
    known = champion.trained_until or champion.created_at
    return max(known, changed) if changed is not None else known


def _begin(tx: Tx, project: Project, retrain: Retrain, by: Actor, at_once: bool) -> None:
    try:
        job = queue_training(
            tx, by, project,
            reason=f"retrain {retrain.id}: {retrain.reason}"[:1000], key=f"retrain:{retrain.id}",
            args={"retrain": retrain.id},
        )  # fmt: skip
    except EngineError as error:
        if at_once:
            raise
        give_up(tx, ENGINE, retrain, error.message)
        return
    retrain.status, retrain.note = "training", ""
    retrain.job_id, retrain.run_id = job.id, job.run_id
    tx.event(
        by, "retrain.began", f"retrain {retrain.id}", retrain.project_id,
        retrain=retrain.id, alarm=retrain.alarm_id, job=job.id, run=job.run_id, at_once=at_once,
        rows_there=retrain.rows_there, rows_needed=retrain.rows_needed,
        judge_after=retrain.judge_after.isoformat() if retrain.judge_after else None,
    )  # fmt: skip


def _follow_job(tx: Tx, retrain: Retrain) -> None:
    job = tx.get(Job, retrain.job_id)
    if job is None or job.status == "failed":
        why = (job.failure or {}).get("message", "") if job is not None else ""
        _failed(tx, retrain, f"Job {retrain.job_id} failed: {why or 'it is not there'}".rstrip("."))
    elif job.status == "cancelled":
        give_up(tx, ENGINE, retrain, f"Job {job.id} was cancelled.")


def _failed(tx: Tx, retrain: Retrain, why: str) -> None:
    """A training that came to no verdict: its cause asks again after the cool-down, and at last a person is asked.

    The next wish is written with the end of this one, so that a kill leaves both or neither.
    """
    project = tx.get(Project, retrain.project_id)
    alarm = tx.get(Alarm, retrain.alarm_id) if retrain.alarm_id is not None else None
    again = key_after_failure(retrain.cause_key)
    over = project is None or retrain.trigger == "hand" or (alarm is not None and alarm.status == "closed")
    if project is None or over:
        give_up(tx, ENGINE, retrain, f"{why}.")
        return
    if again is None:
        told = f"{why}. It failed {MOST_TRAININGS} times: mend that, then `mlops retrain {project.name}`."
        give_up(tx, ENGINE, retrain, told)
        if alarm is not None:
            ask_a_person(tx, alarm, f"its retrain failed {MOST_TRAININGS} times")
        return
    time = f"training {trainings(again)} of {MOST_TRAININGS}"
    give_up(tx, ENGINE, retrain, f"{why}. It is tried again after the cool-down ({time}).")
    reason = retrain.reason.partition(_AFTER_FAILURE)[0]
    told = f"{reason}{_AFTER_FAILURE}{retrain.job_id} failed, {time}"
    wish_retrain(tx, project, _trigger(retrain), again, reason=told, by=ENGINE, alarm=alarm)


_AFTER_FAILURE = "; job "


def _over(alarm: Alarm | None) -> str:
    if alarm is None or alarm.status != "closed":
        return ""
    if alarm.closed_by != ENGINE.name:
        return f"the alarm was closed by {alarm.closed_by}"
    return f"alarm {alarm.id} is over: {alarm.note}"


def _fault(alarm: Alarm) -> str:
    fault = alarm.message.rstrip(".")
    return f"alarm {alarm.id} is open ({fault}): it goes on when that is mended, or after `mlops close {alarm.id}`"


def _cool_until(tx: Tx, project: Project, told: ProjectFile) -> datetime | None:
    last = tx.first(
        Retrain,
        Retrain.project_id == project.id,
        Retrain.trigger != "hand",
        col(Retrain.job_id).is_not(None),
        col(Retrain.ended_at).is_not(None),
        newest=col(Retrain.ended_at),
    )
    if last is None or last.ended_at is None:
        return None
    return last.ended_at + timedelta(seconds=interval_s(told.retrain.cooldown))


def _stretches(summary: LabelSummary) -> Sequence[Stretch]:
    buckets = [LabelBucket.model_validate(bucket) for bucket in summary.buckets]
    return [
        Stretch(
            one.starts_at,
            one.ends_at,
            one.labelled,
            {_class_name(name): count for name, count in one.by_class.items()},
        )
        for one in buckets
    ]


def _class_name(name: str) -> str:
    """The gate writes a boolean class as Python does, labels as JSON does."""
    return name.lower() if name in ("True", "False") else name


def _reason(alarm: Alarm) -> str:
    return f"{alarm.kind} alarm {alarm.id} ({alarm.subject})"


def _trigger(retrain: Retrain) -> Trigger:
    return cast(Trigger, retrain.trigger)


def _tries(retrain: Retrain) -> int:
    """Which of its alarm's it is, from 1: `alarm:7`, then `alarm:7:2`, however often their trainings failed."""
    parts = retrain.cause_key.partition("#")[0].split(":")
    return int(parts[2]) if parts[0] == "alarm" and len(parts) == 3 else 1


def _key_before(retrain: Retrain) -> str:
    tries = _tries(retrain)
    return f"alarm:{retrain.alarm_id}" + (f":{tries - 1}" if tries > 2 else "") if tries > 1 else ""
