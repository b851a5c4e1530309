"""A worker has finished a step: adopt its files, then apply its effect in one transaction, once."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import Conflict, Fenced, InvalidInput, NotFound
from engine.failpoint import failpoint
from engine.lifecycle.parts import Parts
from engine.lifecycle.steps import check, compact, fit, judge, label, look, package, snapshot
from engine.lifecycle.steps.step import Apply, Posted
from engine.registry.queries.jobs import get_job
from engine.registry.queries.work import WorkState, read_work_state
from engine.registry.queue import running_attempt
from engine.registry.tables import Job, JobStep, now
from engine.registry.tx import Tx
from engine.wire.jobs import ENDED
from engine.wire.work import TRAIN_STEPS, FinishedStep, FinishStep

_PREPARE: dict[str, Callable[[Parts, Posted], Apply]] = {
    "snapshot": snapshot.prepare,
    "fit": fit.prepare,
    "package": package.prepare,
    "judge": judge.prepare,
    "look": look.prepare,
    "compact": compact.prepare,
    "check": check.prepare,
    "label": label.prepare,
}

STEPS: dict[str, tuple[str, ...]] = {
    "train": TRAIN_STEPS,
    "look": ("look",),
    "compact": ("compact",),
    "check": ("check",),
    "label": ("label",),
}
"""By kind of job, in order."""


def finish_step(parts: Parts, job_id: int, attempt: int, step: str, ask: FinishStep) -> FinishedStep:
    """Take a step's result. The same step again answers as the first time and changes nothing.

    Raises:
        Fenced: the attempt is over, or the job is being cancelled: nothing counts.
        InvalidInput, Conflict: no such step, not its turn, or the result is not what it must be.
        DamagedBlob, NotFound: a file is not what or where it was reported.
        DiskFull: nothing was stored.
    """
    parts.pulse.hear(job_id, attempt)
    state = read_work_state(parts.reader, job_id)
    if answer := _finished_already(parts, state, attempt, step):
        return answer
    _check_turn(state, step)
    apply = _PREPARE[step](parts, _posted(parts, state, attempt, step, ask))
    failpoint("step.adopted")

    def finish(tx: Tx) -> FinishedStep:
        if _was_sent_twice(tx, job_id, attempt, step):
            return FinishedStep(finished=True, job=get_job(tx, job_id))
        job = running_attempt(tx, job_id, attempt)
        tx.add(JobStep(job_id=job_id, step=step, attempt=attempt, result=ask.result, finished_at=now()))
        apply(tx, job)
        return FinishedStep(finished=True, job=get_job(tx, job_id))

    answer = parts.writer.write_and_wait(finish)
    failpoint("step.finished")
    parts.pulse.hear(job_id, attempt)
    if answer.job.status in ENDED:
        parts.poke_jobs()
    if step == "judge":
        parts.poke_deployments()
    return answer


def _was_sent_twice(tx: Tx, job_id: int, attempt: int, step: str) -> bool:
    """The first of two was still at work when the second came; it may have ended the job by now."""
    job = tx.get(Job, job_id)
    return job is not None and job.attempt == attempt and tx.get(JobStep, (job_id, step)) is not None


def _finished_already(parts: Parts, state: WorkState, attempt: int, step: str) -> FinishedStep | None:
    if state.attempt != attempt:
        raise Fenced(
            f"Attempt {attempt} of job {state.job_id} is over: attempt {state.attempt} has begun.",
            "Stop: nothing of this attempt counts.",
            job=state.job_id,
            attempt=attempt,
        )
    if step not in state.finished:
        return None
    return FinishedStep(finished=True, job=get_job(parts.reader, state.job_id))


def _check_turn(state: WorkState, step: str) -> None:
    steps = STEPS[state.kind]
    if step not in steps:
        raise InvalidInput(f"A {state.kind} job has no step {step[:40]!r}.", f"Its steps: {', '.join(steps)}.")
    missing = [before for before in steps[: steps.index(step)] if before not in state.finished]
    if missing:
        raise Conflict(f"Step {step} of job {state.job_id} comes after {missing[0]}.", job=state.job_id)


def _posted(parts: Parts, state: WorkState, attempt: int, step: str, ask: FinishStep) -> Posted:
    if state.kind == "train" and state.project is None:
        raise NotFound(f"The project of job {state.job_id} is not there.", job=state.job_id)
    return Posted(
        job_id=state.job_id,
        attempt=attempt,
        step=step,
        result=ask.result,
        folder=parts.home.work(state.job_id, attempt),
        config=state.config,
        run_id=state.run_id,
        project=state.project or "",
        args=state.args,
        finished=state.finished,
    )
