"""A row per model with its whole loop, made for the home screen in one request."""

from __future__ import annotations

from pydantic import AwareDatetime

from engine.wire.base import Body
from engine.wire.endpoints import Traffic


class FleetRow(Body):
    """One model's loop: data, train, gate, live."""

    name: str
    task: str
    data_rows: int | None
    data_at: AwareDatetime | None
    train_status: str | None
    """Of the newest run."""
    train_fraction: float | None
    train_at: AwareDatetime | None
    job_id: int | None
    """The training job that runs or waits now."""
    last_job_id: int | None = None
    """The job of the newest run, over or not; None for a run that a script of one's own logged."""
    gate: str | None
    """Outcome of the newest verdict."""
    gate_version: int | None
    live_status: str | None
    """Of the endpoint's newest deployment that is not stopped."""
    champion: int | None
    challenger: int | None
    challenger_share: float | None
    metric: str
    metric_history: list[float]
    """Test metric of the versions, oldest first, at most 20."""
    traffic: Traffic
    open_alarms: int
    needs: str
    """What a person must do, in a few words; empty: nothing. Rows that need somebody come first."""


class Fleet(Body):
    """`GET /v1/fleet`."""

    rows: list[FleetRow]
