"""An endpoint that had traffic and has none any more: the alarm that no row can raise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from engine.lifecycle.compact_captures import Waiting
from engine.lifecycle.parts import Parts
from engine.project import interval_s, parse_project
from engine.registry.alarms import close_alarm, closed_by_hand, open_or_see_again, unended_alarm
from engine.registry.events import ENGINE
from engine.registry.queries.captures import Traffic, captured_traffic
from engine.registry.tables import Alias, Deployment, Endpoint, Project, Revision, Version, now
from engine.registry.tx import Tx

LONGER_THAN_EVER = 3.0
"""Silence counts from so many times the longest pause that was seen before: some endpoints sleep at weekends."""


def look_for_silence(parts: Parts, project_id: int, waiting: Sequence[Waiting]) -> None:
    """Raise or close the alarm, by capture files and by `waiting`, the segments that are not compacted yet."""
    traffic = captured_traffic(parts.reader, project_id)
    written = [written_at for found in waiting for size, written_at in found.segments.values() if size]
    fresh_at = datetime.fromtimestamp(max(written), UTC) if written else None
    last_at = max(filter(None, (traffic.last_at, fresh_at)), default=None)
    if last_at is None:
        return

    def judge(tx: Tx) -> None:
        traffic_came(tx, project_id, last_at)
        _judge(tx, project_id, last_at, traffic)

    parts.writer.write_and_wait(judge)


def traffic_came(tx: Tx, project_id: int, last_at: datetime) -> None:
    """A request came at this time: an alarm about a silence that began before is over."""
    alarm = unended_alarm(tx, project_id, "silence")
    if alarm is not None and alarm.changed_from is not None and last_at > alarm.changed_from:
        close_alarm(tx, ENGINE, alarm, "traffic is back")


def is_silent(silent_s: float, after_s: float, longest_gap_s: float) -> bool:
    """Longer than was asked for, and much longer than it ever was.

    >>> is_silent(90_000, 86_400, 3_600), is_silent(90_000, 86_400, 60 * 3_600)
    (True, False)
    """
    return silent_s >= max(after_s, LONGER_THAN_EVER * longest_gap_s)


def _judge(tx: Tx, project_id: int, last_at: datetime, traffic: Traffic) -> None:
    project = tx.get(Project, project_id)
    revision = tx.get(Revision, project.revision_id or 0) if project else None
    version = _serving(tx, project_id)
    if project is None or revision is None or version is None:
        return
    after = parse_project(revision.config).watch.silent_after
    silent_s = (now() - last_at).total_seconds()
    if after is None or not is_silent(silent_s, interval_s(after), traffic.longest_gap_s):
        return
    expected = closed_by_hand(tx, project_id, "silence", version.number)
    if expected is not None and expected.changed_from is not None and expected.changed_from >= last_at:
        return
    open_or_see_again(
        tx, project_id, "silence", version.number,
        subject="traffic",
        message=(
            f"No request has come to {project.name} for {_long(silent_s)}; "
            f"the longest pause before was {_long(traffic.longest_gap_s)}."
        ),
        hint=(
            "Look at whoever sends the requests, and at `mlops endpoints`; it closes by itself when traffic is back, "
            "or by `mlops close {id}` if it is expected."
        ),
        evidence={"silent_s": round(silent_s), "longest_gap_s": round(traffic.longest_gap_s)},
        check_id=None,
        changed_from=last_at,
        seen_at=now(),
    )  # fmt: skip


def _serving(tx: Tx, project_id: int) -> Version | None:
    """The champion, where something of the endpoint is live."""
    endpoint = tx.first(Endpoint, Endpoint.project_id == project_id)
    alias = tx.get(Alias, (project_id, "champion"))
    if endpoint is None or alias is None:
        return None
    if not tx.count(Deployment, Deployment.endpoint_id == endpoint.id, Deployment.status == "live"):
        return None
    return tx.get(Version, alias.version_id)


def _long(seconds: float) -> str:
    for unit, name in ((86_400.0, "days"), (3_600.0, "hours")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 60:.0f} minutes"
