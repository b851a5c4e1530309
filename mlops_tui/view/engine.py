"""The engine at a glance."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.figures import several
from mlops_tui.view.times import duration

if TYPE_CHECKING:
    from engine.wire.about import EngineStatus


def status_facts(status: EngineStatus, now: datetime) -> list[tuple[str, Cell]]:
    """Name and value, one a line."""
    about = status.about
    lasted = duration((now - about.started_at).total_seconds())
    return [
        ("engine", cell(f"● running for {lasted} · version {about.version} · process {about.pid}", "good")),
        ("home", cell(about.home)),
        ("you", cell(f"{about.user} · {about.role}")),
        (
            "projects",
            cell(
                f"{status.projects} · {several(status.versions, 'version')} · {several(status.endpoints, 'endpoint')}"
            ),
        ),
        ("alarms", alarms_cell(status.open_alarms)),
        ("jobs", cell(f"{status.jobs_running} running · {status.jobs_queued} waiting")),
        ("gateway", gateway_cell(status)),
        ("events", cell(status.last_event)),
    ]


def alarms_cell(open_alarms: int) -> Cell:
    """How many wait for an answer."""
    return cell(f"! {open_alarms} open: mlops alarms", "bad") if open_alarms else cell("✓ none is open", "good")


def gateway_cell(status: EngineStatus) -> Cell:
    """Whether released models can be reached, and why not."""
    if status.gateway_alive:
        return cell(f"● answers at {status.gateway_url}", "good")
    if status.gateway_url is None and not status.gateway_note:
        return cell("○ nothing is released yet, so nothing listens", "dim")
    return cell(f"✗ {status.gateway_note or 'does not answer'}", "bad")
