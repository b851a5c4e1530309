"""How a model's inputs and answers look now beside what it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from engine.errors import DamagedBlob, NotFound
from engine.lifecycle.parts import Parts
from engine.lifecycle.sync_schedules import wanted_schedules
from engine.lifecycle.watch_models import ENOUGH_ROWS, find_project_captures, likely_rows
from engine.registry.queries.checks import distance_history, get_check, newest_check, waiting_rows
from engine.registry.queries.models import get_model
from engine.registry.queries.projects import get_project
from engine.registry.queries.schedules import list_schedules
from engine.wire.monitoring import CheckView, Distribution, DriftView

HISTORY = 30
"""Checks of which the distances are shown."""

_DISTRIBUTIONS = TypeAdapter(dict[str, list[Distribution]])


def read_drift(parts: Parts, name: str, next_times: Mapping[int, datetime]) -> DriftView:
    """The newest check of the captures with its distributions. Raises `NotFound` for a model nobody knows."""
    project = get_project(parts.reader, name)
    newest = newest_check(parts.reader, project.id)
    check = get_check(parts.reader, name, newest.id) if newest is not None else None
    captured = find_project_captures(parts, project.id)
    waiting = waiting_rows(parts.reader, project.id) + round(sum(likely_rows(*found) for found in captured))
    return DriftView(
        check=check,
        distributions=_distributions(parts, newest.figures_sha256) if newest is not None else [],
        history=distance_history(parts.reader, project.id, HISTORY),
        waiting_rows=waiting,
        next_at=_next_at(parts, name, next_times),
        note=_note(parts, name, project.config, check, waiting),
    )


def _distributions(parts: Parts, sha256: str | None) -> list[Distribution]:
    """None where retention has removed them, or no one can read them any more: the figures say the rest."""
    if sha256 is None:
        return []
    try:
        return _DISTRIBUTIONS.validate_json(parts.blobs.read(sha256)).get("columns", [])
    except (NotFound, DamagedBlob, ValidationError):
        return []


def _next_at(parts: Parts, name: str, next_times: Mapping[int, datetime]) -> datetime | None:
    schedules = list_schedules(parts.reader, next_times).schedules
    return next((one.next_at for one in schedules if one.project == name and one.kind == "check"), None)


def _note(parts: Parts, name: str, config: str, check: CheckView | None, waiting: int) -> str:
    if get_model(parts.reader, name).champion is None:
        return f"Nothing of {name} serves yet: `mlops deploy {name}`."
    if f"check:{name}" not in wanted_schedules(name, config):
        told = f"It is looked at by hand only: `mlops check {name}`; {waiting:,} new rows wait."
    elif waiting < ENOUGH_ROWS:
        told = f"The next check waits for {ENOUGH_ROWS} new rows; {waiting:,} are there."
    else:
        told = ""
    return f"There is no check yet. {told}".strip() if check is None else told
