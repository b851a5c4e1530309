"""`retrain`, `retrains`, `why` and `schedule`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import NotFound
from mlops_tui.cli.console import Console
from mlops_tui.cli.failures import failure_of
from mlops_tui.cli.names import need_model, split_version
from mlops_tui.cli.options import AsJson, ModelName, ModelVersion, NoWait, Reason
from mlops_tui.cli.session import open_engine
from mlops_tui.cli.train_verbs import EXIT_BY_OUTCOME, show_verdict

if TYPE_CHECKING:
    from engine.client import EngineClient

verbs = typer.Typer()
_PANEL = "Watch"


@verbs.command(rich_help_panel=_PANEL)
def retrain(
    name: ModelName,
    now: Annotated[bool, typer.Option("--now", help="Wait neither for labels nor for a fault to be mended.")] = False,
    reason: Reason = "",
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Train a model again on its source and all that was labelled since. Exit codes as of `train`; 0 while it waits."""
    from mlops_tui.cli.waiting import wait_for_job
    from mlops_tui.view.retrains import waiting_lines

    model = need_model(name, "mlops retrain")
    console = Console()
    with open_engine() as engine:
        answer = engine.retrain(model, reason=reason, now=now)
        if answer.stored_again and not as_json:
            console.note("The project's folder has changed since it was stored; its code was stored again.")
        if answer.job is None or no_wait:
            if as_json:
                console.json(answer)
            elif answer.job is not None:
                console.say(f"Job {answer.job.id} trains {model} (retrain {answer.retrain.id}).")
            else:
                for line in waiting_lines(answer.retrain):
                    console.say(line.text, line.tone)
                console.next_command(f"mlops retrains {model}", *([] if now else [f"mlops retrain {model} --now"]))
            return
        console.note(f"Job {answer.job.id} trains {model} (retrain {answer.retrain.id}: {answer.retrain.reason}).")
        job = wait_for_job(engine, answer.job.id)
        retrained = engine.retrain_of(answer.retrain.id)
        number = job.result.get("version")
        version = engine.version(model, int(number)) if isinstance(number, int) else None
    if as_json:
        console.json({"retrain": retrained, "job": job, "version": version})
    if version is None:
        raise failure_of(job)
    if not as_json:
        show_verdict(console, version)
        console.next_command(f"mlops why {model}@{version.number}")
    raise typer.Exit(EXIT_BY_OUTCOME[version.verdict.outcome])


@verbs.command(rich_help_panel=_PANEL)
def retrains(
    name: Annotated[str | None, typer.Argument(help="Of this model only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List retrains, newest first: what asked for each, what it waits for, what came of it."""
    from mlops_tui.view.retrains import RETRAIN_HEADS, retrain_row
    from mlops_tui.view.times import utc_now

    with open_engine() as engine:
        found = engine.retrains(model=name, limit=limit)
    console = Console()
    if as_json:
        console.json(found)
    elif not found.retrains:
        console.say("No retrains yet: an alarm, a schedule or new labels ask for one, as [retrain] in mlops.toml says.")
        console.next_command(f"mlops retrain {name or 'NAME'}")
    else:
        moment = utc_now()
        console.table(RETRAIN_HEADS, [retrain_row(one, moment) for one in found.retrains])
        if found.next_before is not None:
            console.note(f"There are older ones: --limit {min(5 * limit, 1000)}.", "dim")


@verbs.command(rich_help_panel=_PANEL)
def why(version: ModelVersion, as_json: AsJson = False) -> None:
    """Show why a version came to be and what became of it: data, alarm, retrain, verdict, release, and the metric
    before and after. Without a number: the champion, or where none serves the newest."""
    from mlops_tui.view.retrains import why_lines

    name, number = split_version(version)
    with open_engine() as engine:
        found = engine.why(name, number if number is not None else _newest(engine, name))
    console = Console()
    if as_json:
        console.json(found)
        return
    for line in why_lines(found):
        console.say(line.text, line.tone)


@verbs.command(rich_help_panel=_PANEL)
def schedule(as_json: AsJson = False) -> None:
    """List what the clock does: checks, retrains, housekeeping; when each was last due and is next. All times UTC."""
    from mlops_tui.view.retrains import SCHEDULE_HEADS, schedule_row
    from mlops_tui.view.times import utc_now

    with open_engine() as engine:
        found = engine.schedules()
    console = Console()
    if as_json:
        console.json(found)
    else:
        moment = utc_now()
        console.table(SCHEDULE_HEADS, [schedule_row(one, moment) for one in found.schedules])


def _newest(engine: EngineClient, name: str) -> int:
    model = engine.model(name)
    number = model.champion or model.latest
    if number is None:
        raise NotFound(f"{name} has no version yet.", f"Train it: `mlops train {name}`.", name=name)
    return number
