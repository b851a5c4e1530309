"""Alarms, as changes to the registry: open once for a cause, see again, acknowledge, close.

A model has at most one alarm of a kind that is not closed; the table's index holds that.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.project import LOSSES
from engine.registry.events import ENGINE, Actor
from engine.registry.tables import Alarm, Project, Version, now
from engine.registry.tx import Tx, col
from engine.wire.monitoring import AlarmKind

MADE_UP = 0.5
"""Of a loss, by a version that takes over: with less the alarm stays, for this is what was asked for."""

_OUTLIVED: tuple[AlarmKind, ...] = ("drift", "performance")
"""Kinds that are about one version: another that takes over ends them. Bad data and silence outlive a version."""


def unended_alarm(tx: Tx, project_id: int, kind: AlarmKind) -> Alarm | None:
    """The one that is open or acknowledged."""
    return tx.first(Alarm, Alarm.project_id == project_id, Alarm.kind == kind, Alarm.status != "closed")


def open_or_see_again(
    tx: Tx,
    project_id: int,
    kind: AlarmKind,
    version: int,
    subject: str,
    message: str,
    hint: str,
    evidence: dict[str, Any],
    check_id: int | None,
    changed_from: datetime | None,
    seen_at: datetime,
) -> Alarm:
    """The alarm of this kind, opened now or seen once more.

    `{id}` in the hint becomes the alarm's number. Names in `evidence["columns"]` are its causes: one that is new joins
    an alarm that is there, and wakes it if it was acknowledged. Told and evidence are those of the newest look. Drift
    or performance of another version is another cause, and closed first.
    """
    alarm = unended_alarm(tx, project_id, kind)
    if alarm is not None and alarm.version != version and kind in _OUTLIVED:
        close_alarm(tx, ENGINE, alarm, f"version {version} is looked at now")
        alarm = None
    if alarm is None:
        return _open(tx, project_id, kind, version, subject, message, hint, evidence, check_id, changed_from, seen_at)
    known = list(alarm.evidence.get("columns", []))
    joined = [column for column in evidence.get("columns", []) if column not in known]
    alarm.version = version
    alarm.times_seen += 1
    alarm.calm_checks = 0
    alarm.last_seen_at = max(seen_at, alarm.last_seen_at)
    alarm.message = message
    alarm.subject = ", ".join(known + joined) if known else subject
    held_to = {key: alarm.evidence[key] for key in ("held_to",) if key in alarm.evidence}
    alarm.evidence = evidence | held_to | ({"columns": known + joined} if known else {})
    if joined:
        alarm.status = "open"
        tx.event(
            ENGINE, "alarm.grew", f"alarm {alarm.id}", project_id,
            alarm=alarm.id, kind=kind, version=version, joined=joined, message=message, check=check_id,
        )  # fmt: skip
    return alarm


def _open(
    tx: Tx,
    project_id: int,
    kind: AlarmKind,
    version: int,
    subject: str,
    message: str,
    hint: str,
    evidence: dict[str, Any],
    check_id: int | None,
    changed_from: datetime | None,
    seen_at: datetime,
) -> Alarm:
    alarm = tx.add(
        Alarm(
            project_id=project_id,
            kind=kind,
            status="open",
            version=version,
            subject=subject,
            message=message,
            hint=hint,
            evidence=evidence,
            check_id=check_id,
            changed_from=changed_from,
            opened_at=now(),
            last_seen_at=seen_at,
        )
    )
    alarm.hint = hint.replace("{id}", str(alarm.id))
    tx.event(
        ENGINE, "alarm.opened", f"alarm {alarm.id}", project_id,
        alarm=alarm.id, kind=kind, version=version, about=subject, message=message, check=check_id,
        changed_from=changed_from.isoformat() if changed_from else None,
    )  # fmt: skip
    return alarm


def acknowledge_alarm(tx: Tx, actor: Actor, alarm: Alarm, note: str) -> None:
    """Somebody has seen it. Once more changes nothing."""
    if alarm.status != "open":
        return
    alarm.status, alarm.acknowledged_at, alarm.acknowledged_by = "acknowledged", now(), actor.name
    alarm.note = note or alarm.note
    tx.event(
        actor, "alarm.acknowledged", f"alarm {alarm.id}", alarm.project_id,
        alarm=alarm.id, kind=alarm.kind, version=alarm.version, note=note,
    )  # fmt: skip


def ask_a_person(tx: Tx, alarm: Alarm, why: str) -> None:
    """The engine can do no more about it: an alarm that somebody had acknowledged calls again."""
    alarm.status = "open"
    tx.event(
        ENGINE, "alarm.stayed", f"alarm {alarm.id}", alarm.project_id,
        alarm=alarm.id, kind=alarm.kind, version=alarm.version, about=alarm.subject, why=why,
    )  # fmt: skip


def close_alarm(tx: Tx, actor: Actor, alarm: Alarm, note: str) -> None:
    """It is over. Once more changes nothing."""
    if alarm.status == "closed":
        return
    alarm.status, alarm.closed_at, alarm.closed_by = "closed", now(), actor.name
    alarm.note = note or alarm.note
    tx.event(
        actor, "alarm.closed", f"alarm {alarm.id}", alarm.project_id,
        alarm=alarm.id, kind=alarm.kind, version=alarm.version, about=alarm.subject, note=note,
    )  # fmt: skip


def close_outlived(tx: Tx, project_id: int, version: int) -> None:
    """Close what is open about other versions: this one has taken over.

    A loss of performance that it was seen not to make up for stays, with the promise that it is held against.
    """
    project = tx.get(Project, project_id)
    name = project.name if project else str(project_id)
    taken = tx.first(Version, Version.project_id == project_id, Version.number == version)
    about_others = (col(Alarm.kind).in_(_OUTLIVED), Alarm.status != "closed", Alarm.version != version)
    for alarm in tx.all(Alarm, Alarm.project_id == project_id, *about_others, oldest=Alarm.id):
        if taken is not None and alarm.kind == "performance" and not mends_loss(tx, alarm, taken):
            _hold_against(tx, alarm, taken, f"{name}@{version}")
        else:
            close_alarm(tx, ENGINE, alarm, f"{name}@{version} took over")


def mends_loss(tx: Tx, alarm: Alarm, version: Version) -> bool:
    """Whether a version made up for half of the loss that an alarm of performance tells of, on the rows that judged it.

    True where that is not known: it was not compared with the version that the alarm is about.
    """
    about = tx.first(Version, Version.project_id == alarm.project_id, Version.number == alarm.version)
    project = tx.get(Project, alarm.project_id)
    compared = version.evidence.get("champion") or {}
    promised = (alarm.evidence.get("held_to") or (about.evidence if about is not None else {})).get("value")
    value = version.evidence.get("value")
    if project is None or compared.get("against") != f"{project.name}@{alarm.version}":
        return True
    if promised is None or value is None or version.evidence.get("metric") != alarm.subject:
        return True
    turn = -1.0 if alarm.subject in LOSSES else 1.0
    return bool(turn * (value - compared["value"]) >= MADE_UP * turn * (promised - compared["value"]))


def _hold_against(tx: Tx, alarm: Alarm, version: Version, name: str) -> None:
    """The alarm is about this version now, and about what the one before it had promised."""
    before = tx.first(Version, Version.project_id == alarm.project_id, Version.number == alarm.version)
    told = before.evidence if before is not None else {}
    held_to = alarm.evidence.get("held_to") or {key: told.get(key) for key in ("value", "lower", "upper")}
    alarm.evidence = alarm.evidence | {"held_to": held_to}
    alarm.version, alarm.calm_checks = version.number, 0
    tx.event(
        ENGINE, "alarm.stayed", f"alarm {alarm.id}", alarm.project_id,
        alarm=alarm.id, kind=alarm.kind, version=version.number, about=alarm.subject,
        why=f"{name} took over and is hardly better",
    )  # fmt: skip


def closed_by_hand(tx: Tx, project_id: int, kind: AlarmKind, version: int) -> Alarm | None:
    """The newest alarm of a kind, where a person closed it and it is about this version; None: nothing is waved off."""
    alarm = tx.first(Alarm, Alarm.project_id == project_id, Alarm.kind == kind, newest=Alarm.id)
    if alarm is None or alarm.status != "closed" or alarm.version != version or alarm.closed_by == ENGINE.name:
        return None
    return alarm


def waved_off_alarms(tx: Tx, project_id: int, kind: AlarmKind, version: int, calm_checks: int) -> list[Alarm]:
    """Those about this version that a person closed, and that have not been calm for so many checks since."""
    return tx.all(
        Alarm,
        Alarm.project_id == project_id,
        Alarm.kind == kind,
        Alarm.version == version,
        Alarm.status == "closed",
        Alarm.closed_by != ENGINE.name,
        col(Alarm.calm_checks) < calm_checks,
    )
