"""`init` and `add`: from a file of data to a registered project."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import NotFound
from mlops_tui.cli.console import Console
from mlops_tui.cli.failures import failure_of
from mlops_tui.cli.names import PROJECT_FILE
from mlops_tui.cli.options import AsJson
from mlops_tui.cli.session import open_engine
from mlops_tui.project_place import check_place, write_project_file

if TYPE_CHECKING:
    from engine.wire.jobs import JobView
    from engine.wire.looks import LookView

verbs = typer.Typer()
_PANEL = "Project"


class Task(StrEnum):
    """What a model learns to tell."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


@verbs.command(rich_help_panel=_PANEL)
def init(
    data: Annotated[str, typer.Argument(help="A CSV, Parquet or JSON lines file, or a quoted glob.")],
    target: Annotated[str, typer.Option("--target", "-t", help="The column to predict.")],
    name: Annotated[str | None, typer.Option(help="The project's name; left out: made from the file's.")] = None,
    folder: Annotated[Path, typer.Option(help="Where mlops.toml is written.")] = Path(),
    task: Annotated[Task | None, typer.Option(help="What is learnt; left out: seen from the target.")] = None,
    id_column: Annotated[
        str | None, typer.Option("--id", metavar="COLUMN", help="The id; left out: seen; '': none.")
    ] = None,
    time_column: Annotated[
        str | None,
        typer.Option("--time", metavar="COLUMN", help="When a row happened; left out: seen; '': never told."),
    ] = None,
    positive: Annotated[str | None, typer.Option(help="Of two values the one whose probability is answered.")] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="No feature, besides those it finds; may be repeated.")
    ] = None,
    use: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A feature, though it would ignore it; may be repeated.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an mlops.toml that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at a file of data and write a commented mlops.toml for it."""
    from mlops_tui.cli.waiting import wait_for_job

    place = folder.expanduser().absolute()
    file = place / PROJECT_FILE
    check_place(place, file, force)
    source = Path(data).expanduser().absolute()
    if not any(sign in data for sign in "*?[") and not source.exists():
        raise NotFound(f"There is no file {data}.", "Give the path of a CSV, Parquet or JSON lines file.")
    with open_engine() as engine:
        begun = engine.look(
            str(source), target, name=name, relative_to=str(place), task=task, id=id_column, time=time_column,
            positive=positive, ignore=ignore or (), use=use or (),
        )  # fmt: skip
        look = _look_of(wait_for_job(engine, begun.id))
    write_project_file(file, look.project_file, force)
    if as_json:
        Console().json({"look": look, "file": str(file)})
    else:
        _show_look(look, folder)


@verbs.command(rich_help_panel=_PANEL)
def add(
    folder: Annotated[Path, typer.Argument(help="The folder that holds mlops.toml.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Register the project in a folder, and store its code."""
    place = folder.expanduser().absolute()
    if not (place / PROJECT_FILE).exists():
        raise NotFound(
            f"There is no {PROJECT_FILE} in {place}.", "`mlops init DATA --target COLUMN` writes one from your data."
        )
    with open_engine() as engine:
        added = engine.add_project(str(place))
    from mlops_tui.view.figures import several

    console = Console()
    if as_json:
        console.json(added)
        return
    project = added.project
    state = f"{several(project.revision.files, 'file')}, {project.revision.tree_sha256[:12]}"
    done = "is registered" if added.changed else "was registered already, and nothing has changed"
    console.say(f"✓ {project.name} {done} ({project.task}, judged by {project.metric}; {state})", "good")
    console.next_command(f"mlops train {project.name}")


def _look_of(job: JobView) -> LookView:
    from engine.wire.looks import LookView

    if job.status == "succeeded":
        return LookView.model_validate(job.result)
    raise failure_of(job)


def _show_look(look: LookView, folder: Path) -> None:
    from mlops_tui.view.looks import COLUMN_HEADS, column_row

    console = Console()
    console.say(f"{look.name}: {look.task}, {look.rows:,} rows, {len(look.columns)} columns", "strong")
    console.table(COLUMN_HEADS, [column_row(column) for column in look.columns])
    for line in look.notes:
        console.say(f"· {line}")
    shown = "" if folder == Path() else f" {folder}"
    console.say(f"✓ {folder / PROJECT_FILE} is written: read it, and change what you know better.", "good")
    console.next_command(f"mlops add{shown or ' .'} && mlops train {look.name}")
