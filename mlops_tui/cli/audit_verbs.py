"""`audit` and `verify`: who did what, and whether everything is still as it was written."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_tui.cli.console import Console
from mlops_tui.cli.options import AsJson
from mlops_tui.cli.session import open_engine

verbs = typer.Typer()
_PANEL = "Audit"
_NAMED = 20


@verbs.command(rich_help_panel=_PANEL)
def audit(
    name: Annotated[str | None, typer.Argument(help="Of this project only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    matching: Annotated[
        str | None,
        typer.Option("--filter", help="Such as 'who:ada what:approved model:fraud words'; ! turns it round."),
    ] = None,
    before: Annotated[int | None, typer.Option(min=1, help="Only events below this number.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who did what, when and on what evidence, the newest last."""
    from mlops_tui.view.events import EVENT_HEADS, event_row

    with open_engine() as engine:
        found = engine.events(project=name, limit=limit, newest=True, matching=matching, before=before)
    console = Console()
    if as_json:
        console.json(found)
        return
    if not found.events:
        asked = name or matching or before
        console.say("Nothing of this kind has happened." if asked else "Nothing has happened yet.")
        return
    ordered = sorted(found.events, key=lambda event: event.seq)
    console.table(EVENT_HEADS, [event_row(event) for event in ordered])


@verbs.command(rich_help_panel=_PANEL)
def verify(as_json: AsJson = False) -> None:
    """Hash every event and every stored file again. Exit code 1 when anything differs."""
    with open_engine() as engine:
        found = engine.verify()
    console = Console()
    wrong = found.broken_event is not None or found.damaged or found.missing
    if as_json:
        console.json(found)
    else:
        if found.broken_event is not None:
            console.say(f"✗ event {found.broken_event} does not fit the one before it", "bad")
        for word, files in (("damaged", found.damaged), ("missing", found.missing)):
            for sha256 in files[:_NAMED]:
                console.say(f"✗ {word}: file {sha256}", "bad")
            if len(files) > _NAMED:
                console.say(f"✗ {word}: {len(files) - _NAMED} more", "bad")
        if not wrong:
            console.say(f"✓ {found.events:,} events and {found.blobs:,} files are as they were written.", "good")
    if wrong:
        raise typer.Exit(1)
