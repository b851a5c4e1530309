"""A row per model with its whole loop, made for the home screen in one request."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from engine.wire.base import Body
from engine.wire.endpoints import Traffic


class Watched(Body):
    """How one model is looked after in production."""

    outcome: str | None = None
    """Of the newest check of captures that had rows enough: `quiet` or `alarm`; None: there is none."""
    checked_at: AwareDatetime | None = None
    drifted: list[str] = Field(default_factory=list)
    """Columns in that check, the strongest first."""
    waiting_rows: int = 0
    """Captured rows of the champion that no check has looked at, as far as they are compacted."""
    next_at: AwareDatetime | None = None
    """When the clock looks next; None: by hand only, or nothing serves."""
    alarms: int = 0
    """That are not closed: open, or acknowledged."""
    realised: list[float] = Field(default_factory=list)
    """The metric in the newest stretches of time that are labelled as far as they will be, oldest first, at most 20."""
    retrain: int | None = None
    """The newest retrain that is under way."""
    retrain_status: str | None = None
    retrain_note: str = ""
    """What it waits for, in one sentence."""


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
    live_version: int | None = None
    """The version of that deployment."""
    champion: int | None
    challenger: int | None
    challenger_share: float | None
    metric: str
    metric_history: list[float]
    """Test metric of the versions, oldest first, at most 20."""
    champion_metric: float | None = None
    """The champion's among them."""
    traffic: Traffic
    open_alarms: int
    needs: str
    """What a person must do, in a few words; empty: nothing. Rows that need somebody come first."""
    watched: Watched = Field(default_factory=Watched)


class Fleet(Body):
    """`GET /v1/fleet`."""

    rows: list[FleetRow]
