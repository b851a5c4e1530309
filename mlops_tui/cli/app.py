"""All verbs, joined; `mlops` alone opens the terminal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mlops_tui.cli import (
    audit_verbs,
    backup_verbs,
    engine_verbs,
    job_verbs,
    label_verbs,
    model_verbs,
    monitor_verbs,
    predict_verb,
    project_verbs,
    release_verbs,
    retrain_verbs,
    service_verbs,
    train_verbs,
)
from mlops_tui.cli.root import RootCommand

app = typer.Typer(
    name="mlops",
    cls=RootCommand,
    help="From a file of data to a model that answers. Without a verb: the terminal.",
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 gate refused, 4 too little evidence, 5 engine unreachable, "
    "130 detached by ctrl-c.",
    invoke_without_command=True,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for group in (
    project_verbs,
    train_verbs,
    model_verbs,
    release_verbs,
    predict_verb,
    monitor_verbs,
    label_verbs,
    retrain_verbs,
    job_verbs,
    audit_verbs,
    engine_verbs,
    backup_verbs,
    service_verbs,
):
    app.add_typer(group.verbs)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("mlops-tui"))
        raise typer.Exit()


@app.callback()
def choose(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option(help="The home folder, instead of $MLOPS_HOME.", show_default=False)
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From a file of data to a model that answers. Without a verb: the terminal."""
    if home is not None:
        os.environ["MLOPS_HOME"] = str(home)
    if context.invoked_subcommand is None:
        from mlops_tui.open_terminal import open_terminal

        open_terminal()
