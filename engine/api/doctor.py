"""`mlops doctor`: one finding for each thing the engine leans on, in plain words. Looking changes nothing."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import sqlite3
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

from engine.api.context import Context, DockerHealth, GatewayHealth
from engine.registry.queries.endpoints import list_endpoints
from engine.registry.queries.status import get_figures
from engine.settings import Home
from engine.wire.about import Finding

ROOM_BYTES = 1 << 30
"""Below this a training run or two fill the disk."""
_MODES = {"": 0o710, "run": 0o750} | dict.fromkeys(
    ("blobs", "captures", "gateway", "images", "logs", "serve", "work"), 0o700
)
_SQLITE_SAFE = (3, 51, 3)
_NOT_BEFORE = datetime(2025, 1, 1, tzinfo=UTC)


def examine(engine: Context) -> list[Finding]:
    """All findings, in a fixed order."""
    home = engine.parts.home
    return [
        check_folders(home),
        check_room(home.root),
        check_sqlite(sqlite3.sqlite_version_info),
        check_lightgbm(),
        check_gateway(engine.gateway()),
        check_docker(engine.docker(), _in_containers(engine)),
        check_clock(datetime.now(UTC), newest_file_at(home)),
        check_alarms(get_figures(engine.parts.reader).open_alarms),
    ]


def check_alarms(open_alarms: int) -> Finding:
    """Models that call for somebody. The engine itself is well with any number of them."""
    if not open_alarms:
        return Finding(what="alarms", ok=True, detail="No alarm is open.")
    are = "alarm is" if open_alarms == 1 else "alarms are"
    return Finding(what="alarms", ok=True, detail=f"{open_alarms} {are} open.", hint="See `mlops alarms`.")


def check_folders(home: Home) -> Finding:
    """Modes of the home and its folders: nobody else may read data, models or the registry."""
    wrong, missing = [], []
    for name, mode in _MODES.items():
        try:
            found = stat.S_IMODE((home.root / name).stat().st_mode)
        except FileNotFoundError:
            missing.append(name)
            continue
        if found & ~mode:
            wrong.append(f"{name or 'the home folder'} is {found:o} instead of {mode:o}")
    if missing:
        return Finding(
            what="home",
            ok=False,
            detail=f"{home.root} has no folder {' and no '.join(missing)} any more.",
            hint="Put it back from a copy, or start the engine again: it makes an empty one.",
        )
    if wrong:
        return Finding(
            what="home",
            ok=False,
            detail=f"{home.root} lets others in: {'; '.join(wrong)}.",
            hint="Start the engine again: it puts the modes right.",
        )
    return Finding(what="home", ok=True, detail=f"{home.root} belongs to this user, and lets nobody else in.")


def check_room(folder: Path) -> Finding:
    """Free bytes where the home lies."""
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1e9:,.1f} GB are free."
    if free < ROOM_BYTES:
        return Finding(what="disk", ok=False, detail=detail, hint="Make room, or move the home folder.")
    return Finding(what="disk", ok=True, detail=detail)


def check_sqlite(version: tuple[int, ...]) -> Finding:
    """The library's version."""
    told = ".".join(str(part) for part in version)
    if version < _SQLITE_SAFE:
        safe = "One connection alone writes and checkpoints, so an old flaw of this version cannot be met."
        return Finding(what="sqlite", ok=True, detail=f"SQLite {told}. {safe}")
    return Finding(what="sqlite", ok=True, detail=f"SQLite {told}.")


def check_lightgbm() -> Finding:
    """LightGBM and the OpenMP library it needs, found without loading either."""
    if importlib.util.find_spec("lightgbm") is None:
        return Finding(
            what="lightgbm",
            ok=False,
            detail=f"LightGBM is not installed for {sys.executable}, so trees can be neither fitted nor served.",
            hint="Install what requirements.lock lists.",
        )
    if not _has_libgomp():
        return Finding(
            what="lightgbm",
            ok=False,
            detail="LightGBM is there, but the system's libgomp.so.1, which it needs, is not.",
            hint="Install it; on Debian and Ubuntu: apt-get install libgomp1.",
        )
    return Finding(what="lightgbm", ok=True, detail="LightGBM and its OpenMP library are there.")


def _has_libgomp() -> bool:
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        spec = importlib.util.find_spec("sklearn")
        beside = Path(spec.origin).parent.parent if spec and spec.origin else Path()
        return any(beside.glob("scikit_learn.libs/libgomp*"))
    return True


def check_gateway(health: GatewayHealth) -> Finding:
    """The one process that listens on a network address."""
    if health.alive:
        return Finding(what="gateway", ok=True, detail="The gateway answers.")
    if not health.note:
        return Finding(what="gateway", ok=True, detail="Nothing has been released, so no gateway runs.")
    return Finding(what="gateway", ok=False, detail=health.note, hint="logs/gateway.log says more.")


def check_docker(health: DockerHealth, in_containers: list[str]) -> Finding:
    """Whether containers can be started; `in_containers`: the endpoints that live in some."""
    if health.ok:
        detail = f"{health.reason} A model server is a container where mlops.toml does not say otherwise."
        return Finding(what="docker", ok=True, detail=detail)
    if health.ok is not None and in_containers:
        told = f"{health.reason} In containers: {', '.join(in_containers)}."
        return Finding(what="docker", ok=False, detail=told, hint=health.hint)
    detail = f"{health.reason} A model server is a process of this user."
    return Finding(what="docker", ok=True, detail=detail, hint=health.hint)


def _in_containers(engine: Context) -> list[str]:
    found = list_endpoints(engine.parts.reader).endpoints
    return [each.name for each in found if any(one.runtime == "docker" for one in each.deployments)]


def newest_file_at(home: Home) -> datetime:
    """When the registry was last written, by the file system's clock."""
    written = [path.stat().st_mtime for path in (home.database, Path(f"{home.database}-wal")) if path.exists()]
    return datetime.fromtimestamp(max(written, default=0.0), UTC)


def check_clock(now: datetime, newest: datetime) -> Finding:
    """The system's clock: sane, and not behind what was already written."""
    if now < _NOT_BEFORE or (newest - now).total_seconds() > 5.0:
        return Finding(
            what="clock",
            ok=False,
            detail=f"The clock says {now:%Y-%m-%d %H:%M:%S} UTC, earlier than things that have happened.",
            hint="Set the clock; schedules and time stamps go by it.",
        )
    cores = len(os.sched_getaffinity(0))
    return Finding(what="clock", ok=True, detail=f"{now:%Y-%m-%d %H:%M:%S} UTC; {cores} cores for this engine.")
