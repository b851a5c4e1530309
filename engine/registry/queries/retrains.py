"""Wishes to train again, from their causes to their ends."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, exists, or_, select

from engine.errors import NotFound
from engine.registry.core import ALARM, LABEL_SUMMARY, PROJECT, RETRAIN, REVISION
from engine.registry.queries.paging import bounded, next_before
from engine.registry.queries.projects import project_id
from engine.registry.reader import Source
from engine.wire.monitoring import RetrainList, RetrainView

_MINDS_LABELS = and_(
    LABEL_SUMMARY.c.project_id == PROJECT.c.id,
    REVISION.c.id == PROJECT.c.revision_id,
    REVISION.c.config.contains("labels"),
)
"""Of what was ever labelled; a summary is long, and is read only where somebody counts."""
_UNENDED = RETRAIN.c.status.in_(("waiting", "blocked", "training"))


def list_retrains(
    source: Source, *, model: str | None = None, limit: int = 100, before: int | None = None
) -> RetrainList:
    """A page, newest first. Raises `NotFound` for a model nobody knows."""
    limit = bounded(limit)
    found = _selected().order_by(RETRAIN.c.id.desc()).limit(limit)
    if before is not None:
        found = found.where(RETRAIN.c.id < before)
    with source.connection() as connection:
        if model is not None:
            found = found.where(RETRAIN.c.project_id == project_id(connection, model))
        retrains = [_view(row) for row in connection.execute(found)]
    return RetrainList(retrains=retrains, next_before=next_before(retrains, limit))


def get_retrain(source: Source, retrain_id: int) -> RetrainView:
    """One of them. Raises `NotFound`."""
    with source.connection() as connection:
        row = connection.execute(_selected().where(RETRAIN.c.id == retrain_id)).first()
    if row is None:
        raise NotFound(
            f"There is no retrain {retrain_id}.", "`mlops retrains` lists what there is.", retrain=retrain_id
        )
    return _view(row)


def needs_a_look(source: Source) -> bool:
    """Whether a retrain is under way, or something may ask for one: an alarm that is open, or labels."""
    asks = ALARM.c.status != "closed", ALARM.c.kind.in_(("drift", "performance"))
    looked_for = select(
        or_(
            exists().where(_UNENDED),
            exists().where(*asks, ~exists().where(RETRAIN.c.alarm_id == ALARM.c.id)),
            exists().where(_MINDS_LABELS),
        )
    )
    with source.connection() as connection:
        return bool(connection.execute(looked_for).scalar())


def minding_labels(source: Source) -> list[int]:
    """Projects with labels that may ask for a retrain by their number, as far as their text tells."""
    found = select(LABEL_SUMMARY.c.project_id).where(_MINDS_LABELS)
    with source.connection() as connection:
        return list(connection.execute(found).scalars())


def _selected() -> Select[Any]:
    wanted = [column for column in RETRAIN.c if column.name not in ("project_id", "cause_key", "created_by")]
    by = (PROJECT.c.name.label("model"), RETRAIN.c.created_by.label("by"))
    return select(*wanted, *by).join_from(RETRAIN, PROJECT, PROJECT.c.id == RETRAIN.c.project_id)


def _view(row: Any) -> RetrainView:
    return RetrainView.model_validate(row, from_attributes=True)
