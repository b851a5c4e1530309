"""`models`, `show` and `approve`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import InvalidInput, NotFound
from mlops_tui.cli.console import Console
from mlops_tui.cli.names import need_version, positive_number, split_version
from mlops_tui.cli.options import AsJson, Override
from mlops_tui.cli.session import open_engine

if TYPE_CHECKING:
    from engine.client import EngineClient

verbs = typer.Typer()
_PANEL = "Release"


@verbs.command(rich_help_panel=_PANEL)
def models(as_json: AsJson = False) -> None:
    """List the models, their champions and their newest verdicts."""
    from mlops_tui.view.models import MODEL_HEADS, model_row
    from mlops_tui.view.times import utc_now

    with open_engine() as engine:
        found = engine.models()
    console = Console()
    if as_json:
        console.json(found)
    elif not found.models:
        console.say("No models yet.")
        console.next_command("mlops init DATA --target COLUMN")
    else:
        now = utc_now()
        console.table(MODEL_HEADS, [model_row(model, now) for model in found.models])


@verbs.command(rich_help_panel=_PANEL)
def show(
    what: Annotated[
        list[str],
        typer.Argument(metavar="WHAT", help="fraud@3, fraud, run 12, job 12 or snapshot 2.", show_default=False),
    ],
    as_json: AsJson = False,
) -> None:
    """Show one version, model, run, job or snapshot with all that is known of it."""
    words = [part for word in what for part in word.split()]
    if not words or len(words) > 2:
        raise InvalidInput("Show what?", "Write `mlops show fraud@3`, `mlops show fraud` or `mlops show run 12`.")
    with open_engine() as engine:
        if len(words) == 2:
            _show_numbered(engine, words[0], words[1], as_json)
            return
        name, number = split_version(words[0])
        if number is None:
            _show_model(engine, name, as_json)
        else:
            _show_version(engine, name, number, as_json)


@verbs.command(rich_help_panel=_PANEL)
def approve(
    version: Annotated[str, typer.Argument(metavar="NAME@V", help="Which version: fraud@3.", show_default=False)],
    override: Override = None,
    as_json: AsJson = False,
) -> None:
    """Record your approval of one version. One that did not pass needs --override with the reason."""
    name, number = need_version(version)
    with open_engine() as engine:
        approved = engine.approve(name, number, override=override)
    console = Console()
    if as_json:
        console.json(approved)
        return
    console.say(f"✓ {name}@{number} is approved by {approved.approval.by if approved.approval else '–'}.", "good")
    console.next_command(f"mlops deploy {name}@{number}")


def _show_numbered(engine: EngineClient, kind: str, text: str, as_json: bool) -> None:
    number = positive_number(text, f"the {kind}")
    if kind == "run":
        _show_run(engine, number, as_json)
    elif kind == "job":
        _show_job(engine, number, as_json)
    elif kind == "snapshot":
        _show_snapshot(engine, number, as_json)
    else:
        raise InvalidInput(f"{kind[:40]!r} is nothing with a number.", "Known: run, job, snapshot.")


def _show_version(engine: EngineClient, name: str, number: int, as_json: bool) -> None:
    from mlops_tui.view.models import INPUT_HEADS, input_row, verdict_lines, version_facts
    from mlops_tui.view.times import utc_now

    version = engine.version(name, number)
    console = Console()
    if as_json:
        console.json(version)
        return
    for line in verdict_lines(version):
        console.say(line.text, line.tone)
    console.say()
    console.facts(version_facts(version, utc_now()))
    console.say()
    console.table(INPUT_HEADS, [input_row(column) for column in version.inputs])


def _show_model(engine: EngineClient, name: str, as_json: bool) -> None:
    from mlops_tui.view.models import MODEL_HEADS, VERSION_HEADS, model_row, version_row
    from mlops_tui.view.projects import project_facts
    from mlops_tui.view.times import utc_now

    project = engine.project(name)
    try:
        model, versions = engine.model(name), engine.versions(name).versions
    except NotFound:
        model, versions = None, []
    console = Console()
    if as_json:
        console.json({"project": project, "model": model, "versions": versions})
        return
    now = utc_now()
    console.facts(project_facts(project, now))
    console.say()
    if model is None or not versions:
        console.say("No versions yet.")
        console.next_command(f"mlops train {name}")
        return
    console.table(MODEL_HEADS, [model_row(model, now)])
    console.say()
    console.table(VERSION_HEADS, [version_row(version, now) for version in versions])


def _show_run(engine: EngineClient, number: int, as_json: bool) -> None:
    from mlops_tui.view.runs import CANDIDATE_HEADS, candidate_row, run_facts
    from mlops_tui.view.times import utc_now

    run = engine.run(number)
    console = Console()
    if as_json:
        console.json(run)
        return
    console.facts(run_facts(run, utc_now()))
    if run.candidates:
        console.say()
        console.table(CANDIDATE_HEADS, [candidate_row(candidate) for candidate in run.candidates])


def _show_job(engine: EngineClient, number: int, as_json: bool) -> None:
    from mlops_tui.view.jobs import job_facts
    from mlops_tui.view.times import utc_now

    job = engine.job(number)
    if as_json:
        Console().json(job)
    else:
        Console().facts(job_facts(job, utc_now()))


def _show_snapshot(engine: EngineClient, number: int, as_json: bool) -> None:
    from mlops_tui.view.projects import snapshot_facts
    from mlops_tui.view.times import utc_now

    snapshot = engine.snapshot(number)
    if as_json:
        Console().json(snapshot)
    else:
        Console().facts(snapshot_facts(snapshot, utc_now()))
