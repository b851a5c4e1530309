"""`label` and `performance`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_tui.cli.console import Console
from mlops_tui.cli.failures import failure_of
from mlops_tui.cli.names import need_model
from mlops_tui.cli.options import AsJson, ModelName, NoWait
from mlops_tui.cli.session import open_engine

verbs = typer.Typer()
_PANEL = "Watch"


@verbs.command(rich_help_panel=_PANEL)
def label(
    name: ModelName,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Outcomes: the row's id, the target, and a time where there is one.")
    ],
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Give the outcomes of what was predicted. They may come late, in parts, again or corrected."""
    from engine.wire.monitoring import LabelCounts
    from mlops_tui.cli.waiting import wait_for_job
    from mlops_tui.view.labels import COUNT_HEADS, count_rows, labelled_line

    model = need_model(name, "mlops label")
    console = Console()
    given = file.expanduser()
    with open_engine() as engine:
        begun = engine.label(model, engine.upload(given).sha256, given.name[:200])
        if no_wait:
            if as_json:
                console.json(begun)
            else:
                console.say(f"Job {begun.id} takes in {given.name}.")
                console.next_command(f"mlops logs {begun.id} -f")
            return
        job = wait_for_job(engine, begun.id)
        if job.status == "succeeded":
            whole = engine.labels(model)
    if as_json:
        console.json({"job": job, "counts": job.result or None})
    if job.status != "succeeded":
        raise failure_of(job)
    if as_json:
        return
    counts = LabelCounts.model_validate(job.result)
    console.table(COUNT_HEADS, count_rows(counts))
    for example in counts.examples:
        console.note(f"! {example}", "warn")
    if counts.refused > len(counts.examples):
        console.note(f"! and {counts.refused - len(counts.examples):,} refused lines more.", "warn")
    console.say(labelled_line(whole))
    console.next_command(f"mlops performance {model}")


@verbs.command(rich_help_panel=_PANEL)
def performance(name: ModelName, as_json: AsJson = False) -> None:
    """Show what a model's answers were worth by the labels that came, against what the gate promised."""
    from mlops_tui.view.labels import WINDOW_HEADS, performance_lines, window_row

    model = need_model(name, "mlops performance")
    with open_engine() as engine:
        found = engine.performance(model)
    console = Console()
    if as_json:
        console.json(found)
        return
    for line in performance_lines(model, found):
        console.say(line.text, line.tone)
    if found.windows:
        console.say()
        console.table(WINDOW_HEADS, [window_row(model, window, found) for window in found.windows])
    elif not found.labelled:
        console.next_command(f"mlops label {model} FILE")
