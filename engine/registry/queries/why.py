"""Why a version came to be, and what became of it: the chain from the alarm to the metric after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from engine.registry.core import (
    ALARM,
    ALIAS,
    APPROVAL,
    CANDIDATE,
    CHECK_FIGURE,
    DEPLOYMENT,
    EVENT,
    MODEL_CHECK,
    PERFORMANCE_WINDOW,
    PROJECT,
    RETRAIN,
    RUN,
    SNAPSHOT,
    VERSION,
)
from engine.registry.queries.models import WEIGHTS, no_version
from engine.registry.queries.projects import project_id
from engine.registry.queries.realised import pooled, realised
from engine.registry.reader import Source
from engine.wire.events import EventView
from engine.wire.monitoring import ChainLink, WhyView, WindowView

_LAST_WINDOWS = 4
_SHOWN = 4
_MOST_EVENTS = 200


def read_why(source: Source, name: str, number: int) -> WhyView:
    """The chain of one version, in the order of time. Raises `NotFound`."""
    with source.connection() as connection:
        of = project_id(connection, name)
        version = connection.execute(
            select(VERSION).where(VERSION.c.project_id == of, VERSION.c.number == number)
        ).first()
        if version is None:
            raise no_version(name, number)
        return _Chain(connection, name, version).read()


@dataclass(frozen=True)
class _Takeover:
    at: datetime
    before: int | None
    seq: int


class _Chain:
    def __init__(self, connection: Connection, name: str, version: Row[Any]) -> None:
        self._connection, self._name, self._version = connection, name, version
        self._project_id: int = version.project_id
        self._what = f"{name}@{version.number}"
        self._run = self._one(select(RUN).where(RUN.c.id == version.run_id))
        self._retrain = self._one(select(RETRAIN).where(RETRAIN.c.run_id == version.run_id))
        self._alarm = self._of(ALARM, self._retrain.alarm_id if self._retrain is not None else None)
        self._takeovers = self._read_takeovers()

    def read(self) -> WhyView:
        links = [
            *self._data(), *self._check(), *self._alarms(), *self._retrains(), *self._training(), *self._approval(),
            *self._releases(), *self._ends(),
        ]  # fmt: skip
        before, during, after = self._windows()
        if told := realised(before, during, after):
            at = max(window.ends_at for window in (before, during, after) if window is not None)
            links.append(ChainLink(at=at, what="performance", text=told))
        return WhyView(
            model=self._name,
            version=self._version.number,
            chain=[*sorted((link for link in links if link.what != "performance"), key=lambda link: link.at),
                   *(link for link in links if link.what == "performance")],
            metric=self._metric,
            before=before,
            during=during,
            after=after,
            events=self._events(),
        )  # fmt: skip

    @property
    def _metric(self) -> str:
        judged_by: str | None = self._version.evidence.get("metric")
        if judged_by is not None:
            return judged_by
        project = self._one(select(PROJECT.c.metric).where(PROJECT.c.id == self._project_id))
        return project.metric if project is not None else ""

    def _data(self) -> list[ChainLink]:
        snapshot = self._of(SNAPSHOT, self._version.snapshot_id)
        if snapshot is None:
            return []
        captured = sum(int(one.get("rows", 0)) for one in snapshot.sources if one.get("format") == "captures")
        told = f"Snapshot {snapshot.id} has {snapshot.rows:,} rows"
        told += f", {captured:,} of them captured and labelled since." if captured else "."
        at = snapshot.created_at
        if self._run is not None and self._run.started_at is not None:
            # The same rows may have been a snapshot before.
            at = max(at, self._run.started_at)
        return [ChainLink(at=at, what="data", text=told, refs={"snapshot": snapshot.id})]

    def _check(self) -> list[ChainLink]:
        check = self._of(MODEL_CHECK, self._alarm.check_id if self._alarm is not None else None)
        if check is None:
            return []
        figures = select(CHECK_FIGURE).where(CHECK_FIGURE.c.check_id == check.id, CHECK_FIGURE.c.drifted)
        found = sorted(self._connection.execute(figures), key=lambda row: -(row.distance or 0.0))
        columns = [f"{row.column} {row.distance:.2f}" if row.distance is not None else row.column for row in found]
        shown = ", ".join(columns[:_SHOWN]) + (f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else "")
        stretch = _stretch(check.first_at, check.last_at)
        told = (
            f"Check {check.id} looked at {check.rows:,} rows{stretch}: {f'drift in {shown}' if shown else 'no drift'}."
        )
        return [ChainLink(at=check.created_at, what="check", text=told, refs={"check": check.id})]

    def _alarms(self) -> list[ChainLink]:
        alarm = self._alarm
        if alarm is None:
            return []
        refs = {"alarm": alarm.id}
        links = [
            ChainLink(
                at=alarm.opened_at, what="alarm", refs=refs,
                text=_sentence(f"{alarm.kind.capitalize()} alarm {alarm.id}: {alarm.message}"),
            )
        ]  # fmt: skip
        if alarm.acknowledged_at is not None:
            told = f"{alarm.acknowledged_by} acknowledged alarm {alarm.id}"
            links.append(ChainLink(at=alarm.acknowledged_at, what="alarm", text=f"{told}.", refs=refs))
        if alarm.closed_at is not None:
            why = f": {alarm.note}" if alarm.note else ""
            told = _sentence(f"Alarm {alarm.id} was closed by {alarm.closed_by}{why}")
            links.append(ChainLink(at=alarm.closed_at, what="alarm", text=told, refs=refs))
        return links

    def _retrains(self) -> list[ChainLink]:
        retrain = self._retrain
        if retrain is None:
            return []
        asked = select(RETRAIN).where(RETRAIN.c.id <= retrain.id).order_by(RETRAIN.c.id)
        same = RETRAIN.c.id == retrain.id
        if retrain.alarm_id is not None:
            same = or_(same, RETRAIN.c.alarm_id == retrain.alarm_id)
        return [link for row in self._connection.execute(asked.where(same)) for link in self._retrain_links(row)]

    def _retrain_links(self, retrain: Row[Any]) -> list[ChainLink]:
        refs: dict[str, Any] = {"retrain": retrain.id}
        told = f"Retrain {retrain.id} was asked for by {retrain.created_by}: {retrain.reason}"
        links = [ChainLink(at=retrain.created_at, what="retrain", text=_sentence(told), refs=refs)]
        began = self._one(
            select(EVENT)
            .where(EVENT.c.verb == "retrain.began", EVENT.c.subject == f"retrain {retrain.id}")
            .order_by(EVENT.c.seq.desc())
        )
        if began is not None:
            links.append(
                ChainLink(
                    at=began.at, what="retrain", text=_began(retrain, began),
                    refs=refs | {"job": retrain.job_id, "event": began.seq},
                )
            )  # fmt: skip
        if retrain.run_id != self._version.run_id and retrain.ended_at is not None:
            ended = f"Retrain {retrain.id} ended"
            if retrain.version is not None:
                ended += f" with {self._name}@{retrain.version}, judged `{retrain.verdict}`"
            told = _sentence(f"{ended}: {retrain.note}" if retrain.note else ended)
            links.append(ChainLink(at=retrain.ended_at, what="retrain", text=told, refs=refs))
        return links

    def _training(self) -> list[ChainLink]:
        run, version = self._run, self._version
        candidates = list(
            self._connection.execute(select(CANDIDATE.c.name).where(CANDIDATE.c.run_id == version.run_id))
        )
        learnt = sum(int(run.split.get(side, 0)) for side in ("train", "validation")) if run is not None else 0
        refs = {"run": version.run_id, "job": run.job_id if run is not None else None}
        links = []
        if run is not None:
            took = _took(run.started_at, version.created_at)
            since = self._learnt_since()
            if since is not None:
                learnt = int(run.split.get("new", 0))
            among = f"the best of {len(candidates)} candidates" if len(candidates) > 1 else "the only candidate"
            changed = f" since the change of {since:%Y-%m-%d %H:%M}" if since is not None else ""
            until = f" up to {version.trained_until:%Y-%m-%d %H:%M}" if version.trained_until is not None else ""
            # By hand the reason is a person's; a retrain has told it already.
            why = f" ({version.reason})" if version.reason and self._retrain is None else ""
            told = f"Run {run.id} by {version.created_by}{why} learnt from {learnt:,} rows{changed}{until}{took}: "
            told += f"{version.candidate}, {among}."
            links.append(ChainLink(at=run.started_at or run.created_at, what="train", text=told, refs=refs))
        reason = version.reasons[0] if version.reasons else "no reason is recorded"
        told = _sentence(f"{self._what} was judged `{version.outcome}`: {reason}")
        return [*links, ChainLink(at=version.created_at, what="verdict", text=told, refs=refs)]

    def _learnt_since(self) -> datetime | None:
        """Where the candidate that became the version knows the rows since a change alone."""
        chosen = self._one(
            select(CANDIDATE.c.params).where(
                CANDIDATE.c.run_id == self._version.run_id, CANDIDATE.c.name == self._version.candidate
            )
        )
        since = chosen.params.get("learnt_from") if chosen is not None else None
        return datetime.fromisoformat(since) if since is not None else None

    def _approval(self) -> list[ChainLink]:
        approval = self._one(select(APPROVAL).where(APPROVAL.c.version_id == self._version.id))
        if approval is None:
            return []
        how = "by itself, for it passed" if approval.automatic else f"by {approval.approved_by}"
        why = f"; the verdict was overridden: {approval.override}" if approval.override else ""
        told = _sentence(f"{self._what} was approved {how}{why}")
        return [ChainLink(at=approval.approved_at, what="approval", text=told)]

    def _releases(self) -> list[ChainLink]:
        found = select(DEPLOYMENT).where(DEPLOYMENT.c.version_id == self._version.id).order_by(DEPLOYMENT.c.id)
        links = []
        for row in self._connection.execute(found):
            refs = {"deployment": row.id}
            share = f"{row.target_weight / WEIGHTS:.0%}"
            if row.live_at is not None:
                told = (
                    f"Deployment {row.id} took {share} of the traffic as a {_RUNTIMES.get(row.runtime, row.runtime)}"
                    f"{_took(row.created_at, row.live_at)}."
                )
                links.append(ChainLink(at=row.live_at, what="release", text=told, refs=refs))
            elif row.status == "failed":
                told = _sentence(f"Deployment {row.id} failed: {row.note}")
                links.append(ChainLink(at=row.ended_at or row.created_at, what="release", text=told, refs=refs))
        for moved in self._takeovers:
            over = f"{self._what} took over from {self._name}@{moved.before}." if moved.before else (
                f"{self._what} is the first champion."
            )  # fmt: skip
            links.append(ChainLink(at=moved.at, what="takeover", text=over, refs={"event": moved.seq}))
        return links

    def _ends(self) -> list[ChainLink]:
        """When another version took over from it."""
        moved = select(EVENT).where(
            EVENT.c.project_id == self._project_id, EVENT.c.verb == "alias.moved", EVENT.c.subject != self._what
        )
        return [
            ChainLink(
                at=row.at, what="end", text=f"{row.subject} took over from {self._what}.", refs={"event": row.seq}
            )
            for row in self._connection.execute(moved.order_by(EVENT.c.seq))
            if row.evidence.get("before") == self._version.number
        ]

    def _read_takeovers(self) -> list[_Takeover]:
        moved = select(EVENT).where(
            EVENT.c.project_id == self._project_id, EVENT.c.verb == "alias.moved", EVENT.c.subject == self._what
        )
        rows = self._connection.execute(moved.order_by(EVENT.c.seq))
        return [_Takeover(row.at, row.evidence.get("before"), row.seq) for row in rows]

    def _windows(self) -> tuple[WindowView | None, WindowView | None, WindowView | None]:
        """Before, during, after: of the version that reigned before, up to the change and since; and of this one."""
        earlier = self._champion_before()
        changed = self._alarm.changed_from if self._alarm is not None else None
        theirs = self._mature(earlier) if earlier is not None else []
        before = [row for row in theirs if changed is None or row.ends_at <= changed]
        during = [row for row in theirs if changed is not None and row.ends_at > changed]
        ours = self._mature(self._version.number)
        return (pooled(before[-_LAST_WINDOWS:]), pooled(during), pooled(ours))

    def _champion_before(self) -> int | None:
        if self._alarm is not None:
            return int(self._alarm.version)
        if self._takeovers:
            return self._takeovers[0].before
        reigns = self._one(
            select(VERSION.c.number)
            .join_from(ALIAS, VERSION, VERSION.c.id == ALIAS.c.version_id)
            .where(ALIAS.c.project_id == self._project_id, ALIAS.c.name == "champion")
        )
        return reigns.number if reigns is not None and reigns.number != self._version.number else None

    def _mature(self, number: int) -> Sequence[Row[Any]]:
        found = select(PERFORMANCE_WINDOW).where(
            PERFORMANCE_WINDOW.c.project_id == self._project_id,
            PERFORMANCE_WINDOW.c.version == number,
            PERFORMANCE_WINDOW.c.metric == self._metric,
            PERFORMANCE_WINDOW.c.mature,
            PERFORMANCE_WINDOW.c.value.is_not(None),
        )
        return list(self._connection.execute(found.order_by(PERFORMANCE_WINDOW.c.starts_at)))

    def _events(self) -> list[EventView]:
        subjects = [self._what]
        if self._retrain is not None:
            subjects += [f"retrain {self._retrain.id}"]
        if self._alarm is not None:
            subjects += [f"alarm {self._alarm.id}"]
        found = (
            select(*EVENT.c, PROJECT.c.name.label("project"))
            .join_from(EVENT, PROJECT, and_(PROJECT.c.id == EVENT.c.project_id))
            .where(EVENT.c.project_id == self._project_id, EVENT.c.subject.in_(subjects))
            .order_by(EVENT.c.seq)
            .limit(_MOST_EVENTS)
        )
        return [EventView.model_validate(row, from_attributes=True) for row in self._connection.execute(found)]

    def _one(self, asked: Any) -> Row[Any] | None:
        row: Row[Any] | None = self._connection.execute(asked.limit(1)).first()
        return row

    def _of(self, table: Any, key: int | None) -> Row[Any] | None:
        return self._one(select(table).where(table.c.id == key)) if key is not None else None


_RUNTIMES = {"process": "local process", "docker": "container"}


def _began(retrain: Row[Any], began: Row[Any]) -> str:
    waited = _duration((began.at - retrain.created_at).total_seconds())
    after = retrain.judge_after
    there = f"{retrain.rows_there:,} of {retrain.rows_needed:,} rows needed"
    since = f" labelled after {after:%Y-%m-%d %H:%M}" if after is not None else " labelled"
    verb = "was" if retrain.rows_there == 1 else "were"
    if began.evidence.get("at_once"):
        return f"{began.actor} had retrain {retrain.id} begin at once, when {there}{since} {verb} there."
    return f"Retrain {retrain.id} began after {waited}, when {there}{since} {verb} there."


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}."


def _stretch(first: datetime | None, last: datetime | None) -> str:
    return "" if first is None or last is None else f" ({first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M})"


def _took(since: datetime | None, until: datetime) -> str:
    return "" if since is None else f" in {_duration((until - since).total_seconds())}"


def _duration(seconds: float) -> str:
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
