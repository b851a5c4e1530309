"""The chain of a version as lines to read, and what an alarm's next step is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.figures import count, metric
from mlops_tui.view.metrics import arrow
from mlops_tui.view.retrains import GLYPHS
from mlops_tui.view.times import duration

if TYPE_CHECKING:
    from engine.wire.models import VersionView
    from engine.wire.monitoring import AlarmView, ChainLink, RetrainView, WhyView, WindowView

_MOST_NAMED = 4
HANG = 20
"""The column in which the sentences of a chain begin."""


def chain_lines(why: WhyView, heading: str = "") -> list[Cell]:
    """A day at a time: when in UTC, how long after the link before, and what; then what the answers were worth."""
    lines = [cell(heading or f"Why {why.model}@{why.version}", "strong")]
    before: datetime | None = None
    for link in why.chain:
        if link.what == "performance":
            lines.append(_link_line(link, "", ""))
            continue
        if before is None or before.date() != link.at.date():
            lines.append(Cell(f"{link.at:%Y-%m-%d} UTC", "dim"))
        passed = 0.0 if before is None else (link.at - before).total_seconds()
        lines.append(_link_line(link, f"{link.at:%H:%M:%S}", f"+{duration(passed)}" if passed >= 1 else ""))
        before = link.at
    return lines + _worth_lines(why)


def _link_line(link: ChainLink, when: str, passed: str) -> Cell:
    glyph, tone = GLYPHS.get(link.what, ("·", "plain"))
    return cell(f"{glyph} {when:<8} {passed:>7}  {link.text}", tone)


def _worth_lines(why: WhyView) -> list[Cell]:
    named = (("before", why.before), ("while it rang", why.during), ("since", why.after))
    told = [_worth_line(when, window) for when, window in named if window is not None]
    heading = cell(f"{why.metric} {arrow(why.metric)} realised, with its 90 % interval", "dim")
    return [Cell(""), heading, *told] if told else []


def _worth_line(when: str, window: WindowView) -> Cell:
    ends = "" if window.lower is None else f"[{metric(window.lower)}, {metric(window.upper)}]"
    stretch = f"{window.starts_at:%b %d} to {window.ends_at:%b %d}"
    rows = f"{count(window.labelled)} rows"
    return cell(f"  {when:<13} @{window.version:<3} {metric(window.value):>7} {ends:<18} {rows:>10}  {stretch}")


def chain_of_alarm(alarm: AlarmView, retrain: RetrainView | None, why: WhyView | None) -> WhyView:
    """What came of an alarm; `why` is the chain of the version that `retrain` made, None where it made none.

    Of a version that another's retrain made only what is younger than the alarm belongs to it.
    """
    from engine.wire.monitoring import WhyView

    if why is not None and any(link.refs.get("alarm") == alarm.id for link in why.chain):
        return why
    links = [*_alarm_links(alarm), *_retrain_links(retrain)]
    if why is None:
        return WhyView(
            model=alarm.model, version=alarm.version, chain=sorted(links, key=lambda link: link.at), metric="",
            before=None, during=None, after=None,
        )  # fmt: skip
    told = {link.text for link in links}
    links += [link for link in why.chain if link.at >= alarm.opened_at and link.text not in told]
    return why.model_copy(update={"chain": sorted(links, key=lambda link: (link.what == "performance", link.at))})


def came_of(alarm: AlarmView, retrain: RetrainView | None) -> Cell | None:
    """In one sentence how far it has come; None where the chain itself tells."""
    if retrain is None or retrain.status == "given_up":
        if alarm.status == "closed":
            return Cell(f"Nothing came of alarm {alarm.id}: it is closed, and no version was trained for it.", "dim")
        return Cell(f"Nothing has come of alarm {alarm.id} yet: no retrain is under way for it.", "warn")
    if retrain.status == "training":
        return Cell(f"◐ Job {retrain.job_id} trains it again; a verdict comes next.", "busy")
    if retrain.status in ("waiting", "blocked"):
        verb = "waits" if retrain.status == "waiting" else "is blocked"
        return cell(f"○ Retrain {retrain.id} {verb}: {retrain.note}", "warn")
    return None


def _alarm_links(alarm: AlarmView) -> list[ChainLink]:
    told = [_link(alarm.opened_at, "alarm", f"{alarm.kind.capitalize()} alarm {alarm.id}: {alarm.message}")]
    if alarm.acknowledged_at is not None:
        told.append(_link(alarm.acknowledged_at, "alarm", f"{alarm.acknowledged_by} acknowledged alarm {alarm.id}"))
    if alarm.closed_at is not None:
        why = f": {alarm.note}" if alarm.note else ""
        told.append(_link(alarm.closed_at, "alarm", f"Alarm {alarm.id} was closed by {alarm.closed_by}{why}"))
    return told


def _retrain_links(retrain: RetrainView | None) -> list[ChainLink]:
    if retrain is None:
        return []
    asked = f"Retrain {retrain.id} was asked for by {retrain.by}: {retrain.reason or retrain.trigger}"
    links = [_link(retrain.created_at, "retrain", asked)]
    if retrain.ended_at is not None and retrain.version is None:
        ended = "was given up" if retrain.status == "given_up" else "made no version"
        links.append(_link(retrain.ended_at, "retrain", f"Retrain {retrain.id} {ended}: {retrain.note}"))
    return links


def _link(at: datetime, what: Literal["alarm", "retrain"], text: str) -> ChainLink:
    from engine.wire.monitoring import ChainLink

    return ChainLink(at=at, what=what, text=f"{text.rstrip(' .:')}.")


def answering(alarm: AlarmView, newest: Sequence[RetrainView]) -> RetrainView | None:
    """The retrain that answers an alarm, of the newest ones: the one under way, else the last that made a version.

    One that somebody else or another alarm asked for answers it as well, if it was not over when this one rang.
    """
    since = [
        one for one in newest if one.id == alarm.retrain_id or one.ended_at is None or one.ended_at >= alarm.opened_at
    ]
    under_way = [one for one in since if one.status in ("waiting", "blocked", "training")]
    made = [one for one in since if one.version is not None]
    return next(iter([*under_way, *made, *since]), None)


def next_step(alarm: AlarmView, retrain: RetrainView | None, version: VersionView | None) -> Cell:
    """What stands between an alarm and its end, with the key that does it."""
    if alarm.status == "closed":
        return _closed(alarm, retrain)
    if retrain is None or retrain.status == "given_up":
        begins = _FIRST_STEPS.get(alarm.kind, "r retrains it")
        return Cell(f"→ {begins}; a says you look after it; C closes it where it was expected", "strong")
    if retrain.status == "training":
        told = f"◐ job {retrain.job_id} trains it again (retrain {retrain.id}): l follows its log"
        return Cell(told, "busy")
    if retrain.status == "blocked" and alarm.kind == "quality":
        told = (
            f"○ this alarm blocks retrain {retrain.id} ({retrain.reason}): it goes on by itself once that is mended, or"
        )
        return cell(f"{told} C closes this as expected; r trains it now all the same", "warn")
    if retrain.status in ("waiting", "blocked"):
        return cell(f"○ retrain {retrain.id} {retrain.status}: {retrain.note} r trains it now all the same.", "warn")
    return _judged(retrain, version)


def _closed(alarm: AlarmView, retrain: RetrainView | None) -> Cell:
    """What goes on by itself now: bad data block every retrain that has not begun."""
    over = Cell("■ closed; w shows the whole chain", "dim")
    if alarm.kind != "quality" or alarm.closed_at is None or retrain is None or retrain.created_at > alarm.closed_at:
        return over
    told = f"■ closed; retrain {retrain.id} ({retrain.reason}), which it blocked,"
    if retrain.status == "training":
        return cell(f"{told} goes on by itself: job {retrain.job_id} trains it, l follows its log", "busy")
    if retrain.status == "blocked":
        return cell(f"{told} goes on by itself in a moment; r is not needed", "busy")
    if retrain.status == "waiting":
        return cell(f"{told} is blocked no more. {retrain.note}", "warn")
    if retrain.version is None or retrain.ended_at is None or retrain.ended_at < alarm.closed_at:
        return over
    return cell(f"{told} made {alarm.model}@{retrain.version}: v shows its verdict, w the whole chain", "good")


_FIRST_STEPS = {
    "quality": "mend what sends the rows, or r retrains it on them",
    "silence": "4 shows whether it answers; mend what sends the rows",
}
"""What may end an alarm, where training again is not the first thing to think of."""


def other_alarms(others: Sequence[AlarmView]) -> list[Cell]:
    """What else rings about the model, in one line; none where nothing does."""
    told = ", ".join(f"{one.id} ({one.kind}, {one.status})" for one in others[:_MOST_NAMED])
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    name = "alarm" if len(others) == 1 else "alarms"
    return [cell(f"! tab shows what else rings: {name} {told}{more}", "warn")] if others else []


def _judged(retrain: RetrainView, version: VersionView | None) -> Cell:
    if retrain.version is None or version is None:
        return cell(f"✗ retrain {retrain.id} made no version: {retrain.note} l shows its log, r tries again.", "bad")
    name = f"{version.model}@{version.number}"
    if "champion" in version.aliases:
        return cell(f"● {name} serves already; w shows the whole chain", "good")
    if version.approval is not None:
        return cell(f"✓ {name} is approved: D deploys it; v shows its verdict", "strong")
    if version.verdict.outcome == "pass":
        return cell(f"✓ {name} passed: v shows its verdict, A approves it, D also deploys it", "good")
    return cell(f"? {name}: {version.verdict.outcome}; v shows why, r trains it again", "warn")
