"""Job `look`: a first look at a file of data, for `mlops init`."""

from __future__ import annotations

from dataclasses import asdict
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
    if not Path(ask.path).is_absolute():
        raise InvalidInput(f"{ask.path} is no absolute path.", "Give the path from / on.", file=ask.path)
    return _columns_of(ask, session) if ask.target is None else _project_of(ask, ask.target, session)


def _columns_of(ask: AskLook, session: Session) -> LookView:
    from engine.data.first_look import look_first
    from engine.data.look import derive_name

    seen = look_first(ask.path, relative_to=_folder(ask), told=lambda note: session.progress(note=note))
    name = ask.name or derive_name(ask.path)
    columns = [asdict(column) for column in seen.columns]
    return LookView(name=name, task="", rows=seen.rows, columns=columns, notes=[], project_file="")


def _project_of(ask: AskLook, target: str, session: Session) -> LookView:
    from engine.data.corrections import Corrections
    from engine.data.look import look
    from engine.data.project_file import write_project_file

    seen = look(
        ask.path,
        target,
        name=ask.name,
        relative_to=_folder(ask),
        said=Corrections(ask.task, ask.id, ask.time, ask.positive, ask.ignore, ask.use),
        told=lambda note: session.progress(note=note),
    )
    for note in seen.notes:
        print(note)  # noqa: T201
    return LookView(
        name=seen.name,
        task=seen.task,
        rows=seen.rows,
        columns=[
            {
                "name": column.name, "type": column.type, "role": column.role, "nulls": column.nulls,
                "distinct": column.distinct, "why": "; ".join(filter(None, (column.why, column.hint))),
                "seen": column.seen,
            }
            for column in seen.columns
        ],
        notes=seen.notes,
        project_file=write_project_file(seen),
        positive=None if seen.positive is None else str(seen.positive),
        values=tuple(str(value) for value in seen.values),
    )  # fmt: skip


def _folder(ask: AskLook) -> Path | None:
    return Path(ask.relative_to) if ask.relative_to else None
