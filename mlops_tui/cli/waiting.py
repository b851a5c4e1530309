"""Waiting for what a verb started: progress on a terminal, plain lines in a pipe, ctrl-c detaches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

import typer

from engine.errors import DeploymentFailed, EngineUnreachable, GatewayUnavailable, NotFound
from mlops_tui.cli.console import Console
from mlops_tui.cli.root import DETACHED
from mlops_tui.view.clean import clean

if TYPE_CHECKING:
    from engine.client import EngineClient
    from engine.wire.endpoints import DeploymentView
    from engine.wire.jobs import JobView

POLL_S = 0.25
"""How often the engine is asked: an answer costs it a millisecond."""

ENGINE_GONE_LIMIT_S = 600.0
"""How long a wait outlasts an engine that is gone; jobs and servers outlive it."""

GATEWAY_PATIENCE_S = 10.0
"""A gateway that died is back in a second; one whose port is taken stays away."""

T = TypeVar("T")

_OVER = frozenset({"succeeded", "failed", "cancelled"})


class Shown(Protocol):
    """Where progress is shown."""

    def update(self, fraction: float | None, text: str) -> None:
        """The newest state; `fraction` None: not known."""


class PlainLines:
    """A line on stderr whenever the words change."""

    def __init__(self) -> None:
        self._last = ""

    def update(self, fraction: float | None, text: str) -> None:
        """One line, once."""
        if text == self._last:
            return
        self._last = text
        percent = "" if fraction is None else f"{fraction:4.0%}  "
        Console().note(f"{percent}{text}")


class Bar:
    """One line that redraws itself, with the time so far and an estimate of the rest."""

    def __init__(self, progress: object) -> None:
        from rich.progress import Progress

        assert isinstance(progress, Progress)
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def update(self, fraction: float | None, text: str) -> None:
        """Redraw."""
        done = {} if fraction is None else {"total": 1.0, "completed": fraction}
        self._progress.update(self._task, description=clean(text, longest=80), **done)  # type: ignore[arg-type]


@contextmanager
def shown_progress() -> Iterator[Shown]:
    """A bar where stderr is a terminal, lines where it is not."""
    if not sys.stderr.isatty():
        yield PlainLines()
        return
    from rich.console import Console as RichConsole
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=RichConsole(stderr=True), transient=True, refresh_per_second=4) as progress:
        yield Bar(progress)


@contextmanager
def detachable(*how_to_follow: str) -> Iterator[None]:
    """Ctrl-c ends the wait and not the work, and says how to follow it."""
    try:
        yield
    except KeyboardInterrupt:
        console = Console()
        console.note("Detached; it goes on.")
        for line in how_to_follow:
            console.note(f"→ {line}")
        raise typer.Exit(DETACHED) from None


def wait_for_job(engine: EngineClient, job_id: int) -> JobView:
    """The job once it is over, however it ended."""
    with detachable(f"mlops logs {job_id} -f", f"mlops cancel {job_id}"), shown_progress() as shown:
        return _poll(lambda: engine.job(job_id), lambda job: _show_job(shown, job), shown)


def _show_job(shown: Shown, job: JobView) -> bool:
    over = job.status in _OVER
    if not over:
        words = (f"job {job.id}", job.step or job.status, job.note or job.waits_for)
        shown.update(job.fraction, " · ".join(word for word in words if word))
    return over


def wait_for_deployment(engine: EngineClient, begun: DeploymentView) -> DeploymentView:
    """The deployment once it is live.

    Raises:
        DeploymentFailed: it failed, or another took its place before it was live.
        GatewayUnavailable: all is ready but the gateway, and has been for a while.
    """
    what = f"{begun.endpoint}@{begun.version}"
    with detachable("mlops endpoints", f"mlops rollback {begun.endpoint}"), shown_progress() as shown:
        gateway = _GatewayWatch(engine, what)
        ended = _poll(
            lambda: _deployment(engine, begun), lambda now: _show_deployment(shown, gateway, what, now), shown
        )
    if ended is None:
        raise DeploymentFailed(f"{what} was replaced before it was live.", "See `mlops endpoints`.", id=begun.id)
    if ended.status == "failed":
        told = ended.note or "it did not become ready"
        raise DeploymentFailed(f"{what} was not released: {told.rstrip('.')}.", "The version before keeps the traffic.")
    return ended


class _GatewayWatch:
    """Ends a wait that a gateway without an address would make endless."""

    def __init__(self, engine: EngineClient, what: str) -> None:
        self._engine, self._what = engine, what
        self._wrong_since: float | None = None

    def look(self, now: DeploymentView) -> None:
        """Raises `GatewayUnavailable` once the gateway has been amiss for `GATEWAY_PATIENCE_S`."""
        wrong = self._engine.status().gateway_note if now.note else ""
        if not wrong:
            self._wrong_since = None
            return
        moment = time.monotonic()
        self._wrong_since = self._wrong_since or moment
        if moment - self._wrong_since >= GATEWAY_PATIENCE_S:
            raise GatewayUnavailable(
                f"{self._what} is ready, but not reached: {wrong.rstrip('.')}.",
                "It goes live by itself once the gateway can listen; another port is named under [gateway] in "
                "config.toml, before the engine starts.",
            )


def _deployment(engine: EngineClient, begun: DeploymentView) -> DeploymentView | None:
    try:
        found = engine.endpoint(begun.endpoint)
    except NotFound:
        return None
    return next((one for one in found.deployments if one.id == begun.id), None)


def _show_deployment(shown: Shown, gateway: _GatewayWatch, what: str, now: DeploymentView | None) -> bool:
    if now is None or now.status in ("live", "failed", "stopped"):
        return True
    gateway.look(now)
    shown.update(None, f"{what} · {now.status}" + (f" · {now.note}" if now.note else ""))
    return False


def ask_patiently(ask: Callable[[], T], tell: Callable[[str], None]) -> T:
    """The answer, also when the engine restarts meanwhile.

    Raises:
        EngineUnreachable: it stayed away for `ENGINE_GONE_LIMIT_S`.
    """
    until = time.monotonic() + ENGINE_GONE_LIMIT_S
    while True:
        try:
            return ask()
        except EngineUnreachable:
            if time.monotonic() > until:
                raise
            tell("the engine is gone; waiting for it to come back")
            time.sleep(POLL_S)


def _poll(ask: Callable[[], T], is_over: Callable[[T], bool], shown: Shown) -> T:
    while not is_over(answer := ask_patiently(ask, lambda text: shown.update(None, text))):
        time.sleep(POLL_S)
    return answer
