from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import wire_objects as made

from engine.errors import BadData, DiskFull, EngineUnreachable, Fenced, Unavailable, VersionMismatch
from engine.wire.base import Failure
from engine.wire.jobs import JobView
from engine.wire.work import FinishedStep, FinishStep, ReportProgress, WorkOrder
from engine.worker.session import Session


class Ears:
    """Remembers reports; may be deaf, or say that the attempt is over."""

    def __init__(self) -> None:
        self.reports: list[ReportProgress] = []
        self.steps: dict[str, dict[str, Any]] = {}
        self.failures: list[Failure] = []
        self.refusal: Exception | None = None

    def _hear(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    def finish_step(self, job_id: int, step: str, result: FinishStep) -> FinishedStep:
        self._hear()
        self.steps[step] = result.result
        return FinishedStep(finished=True, job=made.job(id=job_id))

    def progress(self, job_id: int, report: ReportProgress) -> None:
        self._hear()
        self.reports.append(report)

    def fail(self, job_id: int, failure: Failure) -> JobView:
        self._hear()
        self.failures.append(failure)
        return made.job(id=job_id)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def order(tmp_path: Path) -> WorkOrder:
    return WorkOrder(
        job_id=7, attempt=2, kind="train", args={}, work_folder=str(tmp_path), blobs_folder="/blobs",
        finished={"snapshot": {"rows": 3}},
    )  # fmt: skip


@pytest.fixture
def session(order: WorkOrder, ears: Ears, clock: Clock) -> Session:
    return Session(order, ears, clock=clock, sleep=clock.sleep)


def test_progress_is_told_at_most_twice_a_second(session: Session, ears: Ears, clock: Clock) -> None:
    for fraction in (0.1, 0.2, 0.3):
        session.progress(fraction)
    clock.now += 0.6
    session.progress(note="fitting")
    assert [(report.fraction, report.note) for report in ears.reports] == [(0.1, ""), (0.3, "fitting")]


def test_fractions_and_notes_are_brought_into_bounds(session: Session, ears: Ears, clock: Clock) -> None:
    session.progress(1.5, "x" * 1000)
    assert (ears.reports[0].fraction, len(ears.reports[0].note)) == (1.0, 200)


@pytest.mark.parametrize("refusal", [EngineUnreachable("away"), Unavailable("too busy"), DiskFull("no room")])
def test_no_point_of_a_curve_is_lost_while_the_engine_cannot_take_it(
    order: WorkOrder, clock: Clock, ears: Ears, refusal: Unavailable
) -> None:
    hasty = Ears()
    hasty.refusal = refusal
    session = Session(order, ears, hasty, clock=clock)
    for step in range(12_000):
        clock.now += 0.01
        session.point("lightgbm", "log_loss", step, 1.0 / (step + 1))
    session.step("fit", {"best": "lightgbm"})
    assert [point.step for report in ears.reports for point in report.points] == list(range(12_000))
    assert all(len(report.points) <= 5000 for report in ears.reports)
    assert ears.steps == {"fit": {"best": "lightgbm"}}


class Recovering(Ears):
    """Refuses so often before it takes anything."""

    def __init__(self, refusal: Exception, times: int) -> None:
        super().__init__()
        self._refuse_with, self.times = refusal, times

    def _hear(self) -> None:
        if self.times > 0:
            self.times -= 1
            raise self._refuse_with


TELL: list[Callable[[Session], None]] = [
    lambda session: session.step("fit", {"best": "ridge"}),
    lambda session: session.fail(Failure(code="x", message="y")),
    lambda session: session.flush(),
]


@pytest.mark.parametrize("tell", TELL)
@pytest.mark.parametrize("refusal", [Unavailable("too busy"), DiskFull("no room")])
def test_an_engine_that_cannot_take_a_report_now_is_asked_again(
    order: WorkOrder, clock: Clock, refusal: Unavailable, tell: Callable[[Session], None]
) -> None:
    patient, hasty = Recovering(refusal, 12), Ears()
    hasty.refusal = refusal
    session = Session(order, patient, hasty, clock=clock, sleep=clock.sleep)
    session.point("ridge", "loss", 0, 1.0)
    tell(session)
    assert patient.steps or patient.failures or patient.reports
    assert len(clock.slept) == 12
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[-1] <= 20.0


def test_a_job_that_waits_for_room_goes_on_saying_so(order: WorkOrder, clock: Clock) -> None:
    patient, hasty = Recovering(DiskFull("no room"), 3), Ears()
    Session(order, patient, hasty, clock=clock, sleep=clock.sleep).step("fit", {})
    assert len(hasty.reports) == 3
    assert patient.steps == {"fit": {}}


def test_an_engine_that_stays_too_busy_is_given_up_after_ten_minutes(order: WorkOrder, clock: Clock) -> None:
    busy = Ears()
    busy.refusal = Unavailable("too busy")
    session = Session(order, busy, clock=clock, sleep=clock.sleep)
    with pytest.raises(Unavailable, match="too busy"):
        session.step("fit", {})
    assert 600 <= sum(clock.slept) <= 620
    assert "fit" not in session.finished


@pytest.mark.parametrize("refusal", [EngineUnreachable("away"), VersionMismatch("other words"), BadData("no")])
def test_what_waiting_does_not_mend_is_not_waited_for(order: WorkOrder, clock: Clock, refusal: Exception) -> None:
    session = Session(order, Recovering(refusal, 1), clock=clock, sleep=clock.sleep)
    with pytest.raises(type(refusal)):
        session.step("fit", {})
    assert clock.slept == []


def test_a_value_that_is_no_number_is_no_point(session: Session, ears: Ears) -> None:
    session.point("a", "loss", 0, float("nan"))
    session.point("a", "loss", 1, float("inf"))
    session.flush()
    assert ears.reports == []


def test_a_candidates_parameters_are_told_with_its_begin(session: Session, ears: Ears) -> None:
    session.params("ridge", {"alpha": 1.0})
    assert ears.reports[0].params == {"ridge": {"alpha": 1.0}}
    session.begin("package")
    assert ears.reports[1].params == {}
    assert ears.reports[1].step == "package"


def test_finished_steps_are_known_from_before_and_from_now(session: Session) -> None:
    assert session.finished == {"snapshot": {"rows": 3}}
    session.step("fit", {"best": "ridge"})
    assert session.finished["fit"] == {"best": "ridge"}


@pytest.mark.parametrize(
    "tell",
    [
        lambda session: session.begin("fit"),
        lambda session: session.progress(0.5),
        lambda session: session.step("fit", {}),
        lambda session: session.fail(Failure(code="x", message="y")),
    ],
)
def test_an_attempt_that_is_over_ends_the_job_function(
    tell: Callable[[Session], None], session: Session, ears: Ears
) -> None:
    ears.refusal = Fenced("over")
    with pytest.raises(Fenced):
        tell(session)
    assert "fit" not in session.finished


def test_blobs_lie_where_the_store_keeps_them(session: Session) -> None:
    assert session.blob("ab" + "c" * 62) == Path("/blobs/ab") / ("c" * 62)
