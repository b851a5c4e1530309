"""The filter of the audit chain, as a person types it: `who:ada what:approved model:fraud` and plain words."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, func, literal, not_

from engine.registry.core import EVENT, PROJECT

_PROJECT = func.coalesce(PROJECT.c.name, "")
_FIELDS: dict[str, ColumnElement[Any]] = {
    "who": EVENT.c.actor,
    "what": EVENT.c.verb,
    "model": _PROJECT,
    "to": EVENT.c.subject,
}
_BLANK = literal(" ")
_ALL = EVENT.c.actor + _BLANK + EVENT.c.role + _BLANK + EVENT.c.verb + _BLANK + EVENT.c.subject + _BLANK + _PROJECT
_EVIDENCE = cast(EVENT.c.evidence, String)


def event_filter(matching: str) -> ColumnElement[bool] | None:
    """What an event must hold; None where everything does.

    All parts must occur: `who:`, `what:`, `model:` and `to:` in the actor, verb, project and subject, a plain word in
    any of them, the role or the evidence. Upper and lower case of ASCII letters are the same; `!` in front turns the
    whole round.
    """
    text = matching.strip()
    inverse, parts = text.startswith("!"), text.lstrip("!").split()
    if not parts:
        return None
    wanted = and_(*map(_condition, parts))
    return not_(wanted) if inverse else wanted


def _condition(part: str) -> ColumnElement[bool]:
    name, colon, value = part.partition(":")
    if colon and name.lower() in _FIELDS:
        return _FIELDS[name.lower()].icontains(value, autoescape=True)
    # Evidence is stored as JSON, in which other than ASCII letters are written as escapes.
    escaped = json.dumps(part)[1:-1]
    return _ALL.icontains(part, autoescape=True) | _EVIDENCE.icontains(escaped, autoescape=True)
