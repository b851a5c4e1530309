"""`check`, `drift`, `alarms`, `acknowledge` and `close`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import InvalidInput
from mlops_tui.cli.console import Console
from mlops_tui.cli.failures import failure_of
from mlops_tui.cli.names import need_model
from mlops_tui.cli.options import AsJson, ModelName, NoWait
from mlops_tui.cli.session import open_engine

if TYPE_CHECKING:
    from engine.wire.monitoring import AlarmStatus, AlarmView, CheckView

verbs = typer.Typer()
_PANEL = "Watch"

EXIT_BY_OUTCOME = {"quiet": 0, "alarm": 1, "insufficient": 4}
_STATUSES: tuple[AlarmStatus, ...] = ("open", "acknowledged", "closed")
_SHOWN_CALM = 12

AlarmId = Annotated[int, typer.Argument(metavar="ID", min=1, help="An alarm's number.", show_default=False)]
Note = Annotated[str, typer.Option("--note", "-m", help="Why, for the audit.", show_default=False)]


@verbs.command(rich_help_panel=_PANEL)
def check(
    name: ModelName,
    data: Annotated[
        Path | None, typer.Option(help="Look at this file instead of what was captured; raises no alarm.")
    ] = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Look at what a model is sent now. Exit code 0 all is quiet, 1 something moved, 4 too few rows to judge."""
    from mlops_tui.cli.waiting import wait_for_job

    checked = need_model(name, "mlops check")
    console = Console()
    with open_engine() as engine:
        if data is None:
            begun = engine.check(checked)
        else:
            begun = engine.check(checked, data_sha256=engine.upload(str(data)).sha256, data_name=data.name)
        if no_wait:
            if as_json:
                console.json(begun)
            else:
                console.say(f"Job {begun.id} looks at {checked}.")
                console.next_command(f"mlops logs {begun.id} -f")
            return
        job = wait_for_job(engine, begun.id)
        number = job.result.get("check")
        found = engine.check_of(checked, number) if isinstance(number, int) else None
    if as_json:
        console.json({"job": job, "check": found})
    if found is None:
        raise failure_of(job)
    if not as_json:
        _show_check(console, found)
    raise typer.Exit(EXIT_BY_OUTCOME[found.outcome])


@verbs.command(rich_help_panel=_PANEL)
def drift(
    name: ModelName,
    every_column: Annotated[bool, typer.Option("--all", help="Every column, not only the strongest.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the newest check column by column: what moved, how far, and what an alarm would have needed."""
    from mlops_tui.view.monitoring import DRIFT_HEADS, drift_lines, drift_rows
    from mlops_tui.view.times import utc_now

    checked = need_model(name, "mlops drift")
    with open_engine() as engine:
        found = engine.drift(checked)
        alarms = [] if as_json else [one for one in engine.alarms(model=checked, limit=1).alarms if _is_unended(one)]
    console = Console()
    if as_json:
        console.json(found)
        return
    for line in drift_lines(found, alarms, utc_now()):
        console.say(line.text, line.tone)
    rows = drift_rows(found, None if every_column else _SHOWN_CALM)
    if rows:
        console.say()
        console.table(DRIFT_HEADS, rows)
    left = len(found.check.figures) - len(rows) if found.check is not None else 0
    if left:
        console.note(f"{left} calm columns more: --all.", "dim")
    console.next_command(*_what_next(checked, alarms, looked=found.check is not None))


@verbs.command(rich_help_panel=_PANEL)
def alarms(
    name: Annotated[str | None, typer.Argument(help="Of this model only.")] = None,
    status: Annotated[str | None, typer.Option(help="Only these: " + ", ".join(_STATUSES) + ".")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Of closed ones.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List alarms: what somebody should look at first, then what is over."""
    from mlops_tui.view.monitoring import ALARM_HEADS, alarm_lines, alarm_row
    from mlops_tui.view.times import utc_now

    wanted = next((known for known in _STATUSES if known == status), None)
    if status is not None and wanted is None:
        raise InvalidInput(f"{status!r} is no state of an alarm.", f"Known: {', '.join(_STATUSES)}.")
    with open_engine() as engine:
        found = engine.alarms(model=name, status=wanted, limit=limit)
    console = Console()
    if as_json:
        console.json(found)
        return
    if not found.alarms:
        console.say("No alarms.")
        return
    unended = [alarm for alarm in found.alarms if _is_unended(alarm)]
    for alarm in unended:
        for line in alarm_lines(alarm):
            console.say(line.text, line.tone)
        console.say()
    now = utc_now()
    console.table(ALARM_HEADS, [alarm_row(alarm, now) for alarm in found.alarms])
    if found.next_before is not None:
        console.note(f"There are older ones: --limit {min(5 * limit, 1000)}.", "dim")


@verbs.command(rich_help_panel=_PANEL)
def acknowledge(alarm_id: AlarmId, note: Note = "", as_json: AsJson = False) -> None:
    """Say that you look after an alarm. It stays until it is over, and calls again only if it grows."""
    with open_engine() as engine:
        already = engine.alarm(alarm_id).status == "acknowledged"
        alarm = engine.acknowledge(alarm_id, note=note)
    _show_answered(alarm, as_json, already)


@verbs.command(rich_help_panel=_PANEL)
def close(alarm_id: AlarmId, note: Note = "", as_json: AsJson = False) -> None:
    """Close an alarm: it is over, or was expected. It opens no more for what it was about until that has been calm."""
    with open_engine() as engine:
        already = engine.alarm(alarm_id).status == "closed"
        alarm = engine.close_alarm(alarm_id, note=note)
    _show_answered(alarm, as_json, already)


def _show_check(console: Console, found: CheckView) -> None:
    from mlops_tui.view.monitoring import check_lines

    for line in check_lines(found):
        console.say(line.text, line.tone)
    if found.outcome == "alarm" and found.source == "captures":
        console.next_command(f"mlops drift {found.model}", f"mlops alarms {found.model}")
    elif found.outcome == "insufficient" and found.source == "captures":
        console.next_command(f"mlops drift {found.model}")


def _show_answered(alarm: AlarmView, as_json: bool, already: bool) -> None:
    from mlops_tui.view.monitoring import alarm_lines

    console = Console()
    if as_json:
        console.json(alarm)
        return
    if already:
        console.note(f"Alarm {alarm.id} was {alarm.status} already; nothing has changed.")
    for line in alarm_lines(alarm):
        console.say(line.text, line.tone)


def _is_unended(alarm: AlarmView) -> bool:
    return alarm.status != "closed"


def _what_next(name: str, alarms: list[AlarmView], *, looked: bool) -> list[str]:
    if alarms:
        return [f"mlops alarms {name}"]
    return [] if looked else [f"mlops check {name}"]
