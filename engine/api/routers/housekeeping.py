"""Copies of everything, and the removal of what nobody needs. Both take minutes where there is much."""

from __future__ import annotations

from fastapi import APIRouter

from engine.api.context import InEngine
from engine.api.roles import Admin
from engine.lifecycle.collect_garbage import collect_garbage
from engine.lifecycle.make_backup import make_backup
from engine.wire.housekeeping import BackupMade, CollectGarbage, Garbage, MakeBackup

router = APIRouter(prefix="/v1", tags=["housekeeping"])


@router.post("/backups", status_code=201)
def back_up(engine: InEngine, caller: Admin, body: MakeBackup) -> BackupMade:
    """Copy registry, stored files, captures and settings into a new folder; every hash in it is checked."""
    return make_backup(engine.parts, caller, body)


@router.post("/gc")
def collect(engine: InEngine, caller: Admin, body: CollectGarbage) -> Garbage:
    """Remove what no row speaks of, or with `dry_run` only tell what that is."""
    return collect_garbage(engine.parts, caller, body)
