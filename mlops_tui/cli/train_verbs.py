"""`train` and `runs`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import InvalidInput, NotFound
from mlops_tui.cli.console import Console
from mlops_tui.cli.failures import failure_of
from mlops_tui.cli.names import name_in_folder
from mlops_tui.cli.options import AsJson, NoWait, Reason
from mlops_tui.cli.session import open_engine

if TYPE_CHECKING:
    from engine.client import EngineClient
    from engine.wire.models import VersionView
    from engine.wire.projects import TrainAnswer

verbs = typer.Typer()
_PANEL = "Train"

EXIT_BY_OUTCOME = {"pass": 0, "fail": 3, "insufficient": 4}


@verbs.command(rich_help_panel=_PANEL)
def train(
    name: Annotated[str | None, typer.Argument(help="A project; left out: the one of ./mlops.toml.")] = None,
    reason: Reason = "",
    seed: Annotated[int | None, typer.Option(help="Another seed than the project's own.")] = None,
    key: Annotated[str | None, typer.Option(help="The same key asked for twice is the same job.")] = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Train a model and judge it. Exit code 0 passed, 3 refused by the gate, 4 too little evidence, 1 failed."""
    from mlops_tui.cli.waiting import wait_for_job

    asked = name or name_in_folder(Path())
    if asked is None:
        raise InvalidInput("No project is named, and there is no mlops.toml here.", "Say which: mlops train NAME.")
    console = Console()
    with open_engine() as engine:
        answer = _begin(engine, asked, reason, seed, key)
        _tell_begun(console, answer, as_json and no_wait)
        if no_wait:
            if as_json:
                console.json(answer)
            return
        job = wait_for_job(engine, answer.job.id)
        number = job.result.get("version")
        version = engine.version(asked, int(number)) if isinstance(number, int) else None
    if as_json:
        console.json({"job": job, "version": version})
    if version is None:
        raise failure_of(job)
    if not as_json:
        show_verdict(console, version)
    raise typer.Exit(EXIT_BY_OUTCOME[version.verdict.outcome])


@verbs.command(rich_help_panel=_PANEL)
def runs(
    name: Annotated[str | None, typer.Argument(help="Of this project only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    by: Annotated[str | None, typer.Option(help="Order by a metric, the best first: roc_auc, test.rmse …")] = None,
    as_json: AsJson = False,
) -> None:
    """List training runs, newest first."""
    from mlops_tui.view.metrics import less_is_better
    from mlops_tui.view.runs import RUN_HEADS, run_row
    from mlops_tui.view.times import utc_now

    order = f"metric.{by}" if by else None
    with open_engine() as engine:
        found = engine.runs(project=name, limit=limit, order_by=order, descending=not less_is_better(by or ""))
    console = Console()
    if as_json:
        console.json(found)
    elif not found.runs:
        console.say("No runs yet.")
        console.next_command(f"mlops train {name or 'NAME'}")
    else:
        now = utc_now()
        console.table(RUN_HEADS, [run_row(run, now) for run in found.runs])


def _begin(engine: EngineClient, name: str, reason: str, seed: int | None, key: str | None) -> TrainAnswer:
    try:
        return engine.train(name, reason=reason, seed=seed, key=key)
    except NotFound as error:
        if name == name_in_folder(Path()):
            raise NotFound(f"The project {name} is not registered yet.", "First `mlops add .`") from error
        raise


def _tell_begun(console: Console, answer: TrainAnswer, quiet: bool) -> None:
    if quiet:
        return
    if answer.stored_again:
        console.note("The project's folder has changed since it was stored; its code was stored again.")
    console.note(f"Job {answer.job.id} trains {answer.job.project}.")


def show_verdict(console: Console, version: VersionView) -> None:
    """The verdict on a version that was just judged, and what to type next."""
    from mlops_tui.view.models import verdict_lines

    for line in verdict_lines(version):
        console.say(line.text, line.tone)
    console.next_command(*_what_next(version))


def _what_next(version: VersionView) -> list[str]:
    name = f"{version.model}@{version.number}"
    if version.approval is not None and version.approval.automatic:
        return ["mlops endpoints"]  # the project says approval = "auto", so it is on its way already
    if version.verdict.outcome == "pass":
        return [f"mlops deploy {name}"]
    return [f"mlops show {name}", f'mlops deploy {name} --override "why all the same"']
