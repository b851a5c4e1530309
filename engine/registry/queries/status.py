"""The registry in a few figures."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from engine.registry.core import ALARM, ENDPOINT, EVENT_HEAD, GATEWAY_STATE, JOB, PROJECT, VERSION
from engine.registry.reader import Source


@dataclass(frozen=True)
class Figures:
    """How much there is."""

    projects: int
    jobs_running: int
    jobs_queued: int
    versions: int
    endpoints: int
    open_alarms: int
    last_event: int
    gateway_url: str | None
    """None: no gateway has an address yet."""


def get_figures(source: Source) -> Figures:
    """Count, in one statement."""
    jobs = select(func.count()).select_from(JOB)
    found = select(
        select(func.count()).select_from(PROJECT).scalar_subquery().label("projects"),
        jobs.where(JOB.c.status == "running").scalar_subquery().label("jobs_running"),
        jobs.where(JOB.c.status == "queued").scalar_subquery().label("jobs_queued"),
        select(func.count()).select_from(VERSION).scalar_subquery().label("versions"),
        select(func.count()).select_from(ENDPOINT).scalar_subquery().label("endpoints"),
        select(func.count()).select_from(ALARM).where(ALARM.c.status == "open").scalar_subquery().label("open_alarms"),
        select(EVENT_HEAD.c.seq).scalar_subquery().label("last_event"),
    )
    with source.connection() as connection:
        row = connection.execute(found).one()
        gateway = connection.execute(select(*GATEWAY_STATE.c["host", "port"])).first()
    url = f"http://{gateway.host}:{gateway.port}" if gateway else None
    counts = row._asdict() | {"last_event": row.last_event or 0}
    return Figures(**counts, gateway_url=url)
