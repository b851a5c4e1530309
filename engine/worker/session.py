"""One attempt of one job, as the job's own code sees it: what to do, what is done, how to tell."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from engine.errors import EngineUnreachable, Unavailable, VersionMismatch
from engine.wire.base import Failure, StrictBody
from engine.wire.jobs import JobView
from engine.wire.runs import CurvePoint
from engine.wire.work import FinishedStep, FinishStep, ReportProgress, WorkOrder

_REPORT_EVERY_S = 0.5
_POINTS_AT_ONCE = 5000
_NOTE_LENGTH = 200

BUSY_LIMIT_S = 600.0
"""How long an engine that answers, but cannot take a report now (too busy, no room), is asked again. Below
`progress_limit_s`, after which a job is taken for hung."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 20.0

T = TypeVar("T")


class Reporter(Protocol):
    """The calls of `engine.client.EngineClient` that a worker makes."""

    def finish_step(self, job_id: int, step: str, result: FinishStep) -> FinishedStep:
        """Post a step's result."""

    def progress(self, job_id: int, report: ReportProgress) -> None:
        """Post progress and points of curves."""

    def fail(self, job_id: int, failure: Failure) -> JobView:
        """Give up."""


class Session:
    """Reports to the engine for one attempt.

    `patient` waits for an engine that is away until it is back; `hasty` does not wait, for what may be lost or can be
    told later. An engine that is there and cannot take what must be told is asked again for ten minutes, ever less
    often. Both answer `Fenced` when the attempt is over, which ends the worker. One thread only.
    """

    def __init__(
        self,
        order: WorkOrder,
        patient: Reporter,
        hasty: Reporter | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.order = order
        self.finished: dict[str, dict[str, Any]] = dict(order.finished)
        """Results of the steps that are finished, by step, those of earlier attempts too."""
        self._patient, self._hasty = patient, hasty or patient
        self._clock, self._sleep = clock, sleep
        self._told_at = -math.inf
        self._pid = os.getpid()
        self._step: str | None = None
        self._fraction: float | None = None
        self._note = ""
        self._points: list[CurvePoint] = []
        self._params: dict[str, dict[str, Any]] = {}

    @property
    def job_id(self) -> int:
        """Of the job."""
        return self.order.job_id

    @property
    def attempt(self) -> int:
        """Of this process, from 1."""
        return self.order.attempt

    @property
    def args(self) -> dict[str, Any]:
        """What the job was asked."""
        return self.order.args

    @property
    def folder(self) -> Path:
        """The one folder this attempt may write; files of results are named relative to it."""
        return Path(self.order.work_folder)

    def blob(self, sha256: str) -> Path:
        """The stored file of that hash. To be read only."""
        return Path(self.order.blobs_folder) / sha256[:2] / sha256[2:]

    def begin(self, step: str, note: str = "") -> None:
        """Say which step runs now. Told at once."""
        self._step, self._note = step, note[:_NOTE_LENGTH]
        self._report()

    def progress(self, fraction: float | None = None, note: str | None = None) -> None:
        """Say how far the whole job is, 0 to 1, and what it is doing. Told at most twice a second; may be lost.

        Each argument left out stays as it was. Call it often: a job that says nothing for longer than its limit is
        taken for hung.
        """
        if fraction is not None:
            self._fraction = min(1.0, max(0.0, fraction))
        if note is not None:
            self._note = note[:_NOTE_LENGTH]
        self._report_when_due()

    def params(self, candidate: str, params: Mapping[str, Any]) -> None:
        """A candidate begins, with these parameters. Kept until the engine has it."""
        self._params[candidate] = dict(params)
        self._report_when_due()

    def point(self, candidate: str, key: str, step: int, value: float) -> None:
        """One value of a curve. Kept until the engine has it, at the latest with the step's result.

        A value that is no finite number has no place on a curve and is left out.
        """
        if not math.isfinite(value):
            return
        self._points.append(CurvePoint(candidate=candidate, key=key, step=step, value=value))
        self._report_when_due()

    def step(self, name: str, result: StrictBody | Mapping[str, Any]) -> None:
        """Finish a step, once and for all. Waits for the engine, however long it is away, ten minutes if it is busy.

        Files that the result names must lie in `folder` by now, closed.

        Raises:
            Fenced: the attempt is over; nothing was stored.
            Unavailable: the engine could not take it in all that time.
            EngineError: the engine refuses the result.
        """
        self.flush()
        self._check_process()
        plain = result.model_dump(mode="json") if isinstance(result, StrictBody) else dict(result)
        self._insist(lambda: self._patient.finish_step(self.job_id, name, FinishStep(result=plain)))
        self.finished[name] = plain

    def flush(self) -> None:
        """Tell all points and parameters that are not told yet. Waits for the engine."""
        while self._points or self._params:
            self._insist(lambda: self._send(self._patient))

    def fail(self, failure: Failure) -> None:
        """Give up for a reason that another attempt would not mend. Waits for the engine."""
        self._check_process()
        self._insist(lambda: self._patient.fail(self.job_id, failure))

    def _insist(self, tell: Callable[[], T]) -> T:
        """Tell the engine, again and again while it answers that it cannot take it now; repeating does no harm."""
        give_up_at, pause_s = self._clock() + BUSY_LIMIT_S, _FIRST_PAUSE_S
        while True:
            try:
                return tell()
            except (EngineUnreachable, VersionMismatch):
                # The client has waited for an engine that is away; another engine's words will not become ours.
                raise
            except Unavailable:
                if self._clock() >= give_up_at:
                    raise
            self._sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            # It waits and does not hang: what the engine can hear of that, it hears.
            self._report()

    def _report_when_due(self) -> None:
        if self._clock() - self._told_at >= _REPORT_EVERY_S or len(self._points) >= _POINTS_AT_ONCE:
            self._report()

    def _report(self) -> None:
        try:
            self._send(self._hasty)
        except Unavailable:
            # Away, too busy, or out of room: all of it is told again, at the latest with the step's result.
            self._told_at = self._clock()

    def _send(self, reporter: Reporter) -> None:
        self._check_process()
        points, params = self._points[:_POINTS_AT_ONCE], dict(self._params)
        report = ReportProgress(step=self._step, fraction=self._fraction, note=self._note, points=points, params=params)
        reporter.progress(self.job_id, report)
        # Forgotten only now: what the engine did not answer is told again, and a point told twice is stored once.
        self._points = self._points[len(points) :]
        self._params = {name: value for name, value in self._params.items() if name not in params}
        self._told_at = self._clock()

    def _check_process(self) -> None:
        """A fork of project code that comes back here must not speak for the job."""
        if os.getpid() != self._pid:
            os._exit(70)
