"""`backup`, `restore` and `gc`: what is kept, elsewhere and here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mlops_tui.cli.console import Console
from mlops_tui.cli.options import AsJson
from mlops_tui.cli.session import open_engine

verbs = typer.Typer()
_PANEL = "Engine"
_NAMED = 20


@verbs.command(rich_help_panel=_PANEL)
def backup(
    folder: Annotated[
        Path, typer.Argument(help="Where backups go, outside the home: another disk.", show_default=False)
    ],
    full: Annotated[
        bool, typer.Option("--full", help="Share no file with the backup before, so that none depends on it.")
    ] = False,
    allow_damaged: Annotated[
        bool, typer.Option("--allow-damaged", help="Leave damaged and missing stored files out, naming them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy everything that cannot be made again, while the engine runs; every hash is checked."""
    from mlops_tui.cli.waiting import detachable
    from mlops_tui.view.housekeeping import backup_facts

    console = Console()
    with open_engine() as engine:
        console.note("Copying and checking; where there is much it takes minutes.")
        with detachable("mlops audit"):
            made = engine.back_up(str(folder.expanduser().absolute()), full=full, allow_damaged=allow_damaged)
    if as_json:
        console.json(made)
        return
    console.facts(backup_facts(made))
    _tell_left_out(console, made.left_out)
    console.next_command(f"mlops restore {made.folder} --home FOLDER")


@verbs.command(rich_help_panel=_PANEL)
def restore(
    folder: Annotated[Path, typer.Argument(help="One backup: the folder that `backup` printed.", show_default=False)],
    home: Annotated[
        Path | None, typer.Option(help="The new or empty home, instead of $MLOPS_HOME.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a home of a backup. Every hash is checked first; no engine may run there."""
    from engine.client.restore import restore as restore_backup
    from engine.settings import Home, find_home
    from mlops_tui.cli.root import DETACHED
    from mlops_tui.view.housekeeping import restored_facts

    console = Console()
    target = Home(home.expanduser().absolute()) if home is not None else find_home()
    console.note(f"Checking and copying into {target.root}; where there is much it takes minutes.")
    try:
        made = restore_backup(folder.expanduser(), target)
    except KeyboardInterrupt:
        console.note("Stopped; what was copied is not used. The same command begins anew.")
        raise typer.Exit(DETACHED) from None
    if as_json:
        console.json(made)
        return
    console.facts(restored_facts(made))
    _tell_left_out(console, made.left_out)
    if made.retried_jobs:
        console.say(f"Jobs that ran when it was made wait again: {', '.join(map(str, made.retried_jobs))}.")
    console.say("Released models come back when the engine starts. Projects' own folders are no part of a backup.")
    console.next_command(f"mlops --home {made.home} up", f"mlops --home {made.home} verify")


@verbs.command(rich_help_panel=_PANEL)
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go, and why.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what nothing speaks of any more; tells what goes, what is kept, and why."""
    from mlops_tui.view.figures import size
    from mlops_tui.view.housekeeping import GARBAGE_HEADS, garbage_rows

    with open_engine() as engine:
        found = engine.collect_garbage(dry_run=dry_run)
    console = Console()
    if as_json:
        console.json(found)
        return
    if not found.gone:
        console.say("Nothing is to be removed.")
    else:
        console.say(f"{'Would go' if dry_run else 'Gone'}: {size(found.freed_bytes)}.", "strong")
        console.table(GARBAGE_HEADS, garbage_rows(found.gone))
    if found.kept:
        console.say()
        console.say("Kept:", "strong")
        console.table(GARBAGE_HEADS, garbage_rows(found.kept))
    if dry_run and found.gone:
        console.next_command("mlops gc")


def _tell_left_out(console: Console, left_out: Sequence[str]) -> None:
    for name in left_out[:_NAMED]:
        console.say(f"✗ left out: {name}", "bad")
    if len(left_out) > _NAMED:
        console.say(f"✗ left out: {len(left_out) - _NAMED} more", "bad")
