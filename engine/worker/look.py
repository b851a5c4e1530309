"""Job `look`: a first look at a file of data, for `mlops init`."""

from __future__ import annotations

from pathlib import Path

from engine.errors import InvalidInput
from engine.wire.looks import AskLook, LookView
from engine.worker.session import Session


def run_look(session: Session) -> None:
    """Look, and finish step `look` with a `LookView`.

    Raises:
        BadData, InvalidInput: as `engine.data.look.look`.
    """
    ask = AskLook.model_validate(session.args)
    session.begin("look", "starting")
    if "look" not in session.finished:
        view = look_at(ask, session)
        session.step("look", view.model_dump(mode="json"))


def look_at(ask: AskLook, session: Session) -> LookView:
    """What was seen, with the project's file to write."""
    from engine.data.look import look
    from engine.data.project_file import write_project_file

    if not Path(ask.path).is_absolute():
        raise InvalidInput(f"{ask.path} is no absolute path.", "Give the path from / on.", file=ask.path)
    folder = Path(ask.relative_to) if ask.relative_to else None
    seen = look(ask.path, ask.target, name=ask.name, relative_to=folder, told=lambda note: session.progress(note=note))
    for note in seen.notes:
        print(note)  # noqa: T201
    return LookView(
        name=seen.name,
        task=seen.task,
        rows=seen.rows,
        columns=[
            {
                "name": column.name, "type": column.type, "role": column.role, "nulls": column.nulls,
                "distinct": column.distinct, "why": column.why or column.hint, "seen": column.seen,
            }
            for column in seen.columns
        ],
        notes=seen.notes,
        project_file=write_project_file(seen),
    )  # fmt: skip
