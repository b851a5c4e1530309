"""`up` `down` `status` `doctor` `engine`: the engine itself."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_tui.cli.console import Console
from mlops_tui.cli.options import AsJson
from mlops_tui.cli.session import open_engine

if TYPE_CHECKING:
    from engine.wire.about import EngineStatus

verbs = typer.Typer()
_PANEL = "Engine"


@verbs.command(rich_help_panel=_PANEL)
def up(as_json: AsJson = False) -> None:
    """Start the engine in the background, where none runs."""
    with open_engine() as engine:
        status = engine.status()
    _show_status(status, as_json)


@verbs.command(rich_help_panel=_PANEL)
def status(as_json: AsJson = False) -> None:
    """Show the engine at a glance. Starts nothing: exit code 5 says that no engine runs."""
    with open_engine(start=False) as engine:
        found = engine.status()
    _show_status(found, as_json)


@verbs.command(rich_help_panel=_PANEL)
def down(
    everything: Annotated[
        bool, typer.Option("--all", help="Also end workers, the gateway and the model servers.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """End the engine. Released models go on answering, unless --all ends them too."""
    from engine.errors import EngineUnreachable

    try:
        with open_engine(start=everything) as engine:
            engine.down(all=everything)
            engine.wait_until_down()
        was_running = True
    except EngineUnreachable:
        if everything:
            raise
        was_running = False
    console = Console()
    if as_json:
        console.json({"stopped": was_running, "all": everything})
    elif not was_running:
        console.say("No engine was running.")
    elif everything:
        console.say("The engine, the gateway and all model servers have ended.")
    else:
        console.say("The engine has ended; released models go on answering.")
        console.next_command("mlops up", "mlops down --all")


@verbs.command(rich_help_panel=_PANEL)
def doctor(as_json: AsJson = False) -> None:
    """Look for what is wrong, and say how to mend it. Exit code 1 when something is."""
    from mlops_tui.view.cell import Cell, cell

    with open_engine() as engine:
        findings = engine.doctor()
    console = Console()
    if as_json:
        console.json(findings)
    else:
        for finding in findings:
            verdict = Cell("✓ well", "good") if finding.ok else Cell("✗ wrong", "bad")
            console.facts([(f"{verdict.text:8}", cell(f"{finding.what}: {finding.detail}", verdict.tone))])
            if finding.hint and not finding.ok:
                console.next_command(finding.hint)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@verbs.command(rich_help_panel=_PANEL)
def engine() -> None:
    """Run the engine here, in the foreground (for systemd). Ctrl-c or SIGTERM ends it cleanly."""
    from engine.settings import find_home

    sys.stdout.flush()
    # The engine takes this process's place: signals reach it, and its exit code is ours.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "engine", "--home", str(find_home().root)])  # noqa: S606


def _show_status(status: EngineStatus, as_json: bool) -> None:
    from mlops_tui.view.engine import status_facts
    from mlops_tui.view.times import utc_now

    console = Console()
    if as_json:
        console.json(status)
        return
    console.facts(status_facts(status, utc_now()))
