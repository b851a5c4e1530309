"""Events of the audit chain, by page."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from engine.registry.core import EVENT, PROJECT
from engine.registry.queries.event_filter import event_filter
from engine.registry.queries.paging import bounded
from engine.registry.reader import Source
from engine.wire.events import EventList, EventView


def list_events(
    source: Source,
    *,
    after: int = 0,
    limit: int = 100,
    project: str | None = None,
    verb: str | None = None,
    actor: str | None = None,
    newest: bool = False,
    before: int | None = None,
    matching: str = "",
) -> EventList:
    """Events with a sequence number above `after`, oldest first; `newest` gives the last `limit` of them instead.

    `verb` may end in `*` for all that begin so; `matching` is a filter as in `event_filter`. `next_after` is where the
    page that follows begins, None at the end; a full page of `newest` has `next_before` instead, to pass as `before`.
    """
    limit = bounded(limit)
    found = _selected(project=project, verb=verb, actor=actor).where(EVENT.c.seq > after)
    if before is not None:
        found = found.where(EVENT.c.seq < before)
    if (wanted := event_filter(matching)) is not None:
        found = found.where(wanted)
    found = found.order_by(EVENT.c.seq.desc() if newest else EVENT.c.seq).limit(limit)
    with source.connection() as connection:
        events = [EventView.model_validate(row, from_attributes=True) for row in connection.execute(found)]
    if newest:
        earlier = events[-1].seq if len(events) == limit else None
        return EventList(events=events[::-1], next_after=None, next_before=earlier)
    return EventList(events=events, next_after=events[-1].seq if len(events) == limit else None)


def last_event(source: Source) -> int:
    """Sequence number of the newest event; 0 when there is none."""
    with source.connection() as connection:
        return int(connection.execute(select(func.max(EVENT.c.seq))).scalar() or 0)


def _selected(*, project: str | None, verb: str | None, actor: str | None) -> Any:
    found = select(*EVENT.c, PROJECT.c.name.label("project")).select_from(
        EVENT.outerjoin(PROJECT, PROJECT.c.id == EVENT.c.project_id)
    )
    if project is not None:
        found = found.where(PROJECT.c.name == project)
    if verb is not None and verb.endswith("*"):
        found = found.where(EVENT.c.verb.startswith(verb[:-1], autoescape=True))
    elif verb is not None:
        found = found.where(EVENT.c.verb == verb)
    if actor is not None:
        found = found.where(EVENT.c.actor == actor)
    return found
