"""`init` and `add`: from a file of data to a registered project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import Conflict, InvalidInput, NotFound
from mlops_tui.cli.console import Console
from mlops_tui.cli.failures import failure_of
from mlops_tui.cli.names import PROJECT_FILE
from mlops_tui.cli.options import AsJson
from mlops_tui.cli.session import open_engine

if TYPE_CHECKING:
    from engine.wire.jobs import JobView
    from engine.wire.looks import LookView

verbs = typer.Typer()
_PANEL = "Project"


@verbs.command(rich_help_panel=_PANEL)
def init(
    data: Annotated[str, typer.Argument(help="A CSV, Parquet or JSON lines file, or a quoted glob.")],
    target: Annotated[str, typer.Option("--target", "-t", help="The column to predict.")],
    name: Annotated[str | None, typer.Option(help="The project's name; left out: made from the file's.")] = None,
    folder: Annotated[Path, typer.Option(help="Where mlops.toml is written.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Write over an mlops.toml that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at a file of data and write a commented mlops.toml for it."""
    from mlops_tui.cli.waiting import wait_for_job

    place = folder.expanduser().absolute()
    file = place / PROJECT_FILE
    _check_place(place, file, force)
    source = Path(data).expanduser().absolute()
    if not any(sign in data for sign in "*?[") and not source.exists():
        raise NotFound(f"There is no file {data}.", "Give the path of a CSV, Parquet or JSON lines file.")
    with open_engine() as engine:
        begun = engine.look(str(source), target, name=name, relative_to=str(place))
        look = _look_of(wait_for_job(engine, begun.id))
    _write(file, look.project_file, force)
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


def _check_place(place: Path, file: Path, force: bool) -> None:
    if not place.is_dir():
        raise NotFound(f"There is no folder {place}.", "Make it first, or leave --folder out.")
    if file.exists() and not force:
        raise Conflict(f"{file} is there already.", "Give --force to write over it, or --folder for another place.")


def _look_of(job: JobView) -> LookView:
    from engine.wire.looks import LookView

    if job.status == "succeeded":
        return LookView.model_validate(job.result)
    raise failure_of(job)


def _write(file: Path, text: str, force: bool) -> None:
    """Whole or not at all, and never over a file that came in the meantime unless told to."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        if not force:
            file.touch(exist_ok=False)
        draft.replace(file)
    except FileExistsError:
        raise Conflict(f"{file} is there already.", "Give --force to write over it.") from None
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be written: {error.strerror}.", "Give --folder for another place."
        ) from error
    finally:
        draft.unlink(missing_ok=True)


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
