"""Step `judge` of a training job: the verdict, and the version, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from engine.blobs.store import Stored
from engine.errors import InvalidInput
from engine.evaluation.gate import GateFigures, Verdict, decide
from engine.lifecycle.advance_retrains import champion_of, record_verdict
from engine.lifecycle.parts import Parts
from engine.lifecycle.release import approve, place, release_plan
from engine.lifecycle.steps.bundle import manifest_entry, read_manifest, signature
from engine.lifecycle.steps.step import Apply, Posted, adopt, checked
from engine.lifecycle.stored_blobs import record_blobs
from engine.project import Project, parse_project
from engine.registry.events import ENGINE
from engine.registry.queries.models import last_number
from engine.registry.queue import end_job
from engine.registry.recording import set_metrics
from engine.registry.tables import Candidate, Job, Run, Version, now
from engine.registry.tx import Tx
from engine.wire.work import FitResult, JudgeResult, PackageResult


@dataclass(frozen=True)
class _Judged:
    """All that the transaction needs, read beforehand."""

    name: str
    project: Project
    result: JudgeResult
    figures: GateFigures
    package: PackageResult
    fit: FitResult
    signature: dict[str, Any]
    newest: Stored | None


def prepare(parts: Parts, posted: Posted) -> Apply:
    """Read figures, gate and manifest.

    The transaction decides the verdict, registers the next version whatever it is, ends run and job, and where the
    project releases by itself and the verdict is `pass`, approves and deploys.
    """
    result = checked(posted, JudgeResult)
    try:
        figures = GateFigures.model_validate(result.figures)
    except ValidationError as error:
        raise InvalidInput(f"The gate's figures are wrong: {error.errors()[0]['msg']}.", job=posted.job_id) from error
    package = PackageResult.model_validate(posted.finished["package"])
    judged = _Judged(
        name=posted.project,
        project=parse_project(posted.config),
        result=result,
        figures=figures,
        package=package,
        fit=FitResult.model_validate(posted.finished["fit"]),
        signature=signature(read_manifest(parts, package.files)),
        newest=adopt(parts, posted.folder, result.newest) if result.newest is not None else None,
    )

    def apply(tx: Tx, job: Job) -> None:
        version = _register(tx, job, judged)
        record_verdict(tx, job, version)
        if judged.project.release.approval == "auto" and version.outcome == "pass":
            approve(tx, ENGINE, judged.name, version, override=None, automatic=True)
            place(tx, ENGINE, judged.name, version, release_plan(judged.project, reason=_why(job)))

    return apply


def _register(tx: Tx, job: Job, judged: _Judged) -> Version:
    run = tx.get(Run, job.run_id)
    if run is None or run.snapshot_id is None:
        raise InvalidInput(f"Job {job.id} has no run with a snapshot to judge.", job=job.id)
    verdict = _decide(tx, run, judged)
    if judged.newest is not None:
        record_blobs(tx, [judged.newest])
    best = tx.get(Candidate, (run.id, judged.fit.best))
    version = tx.add(
        Version(
            project_id=run.project_id,
            number=last_number(tx, run.project_id) + 1,
            run_id=run.id or 0,
            snapshot_id=run.snapshot_id,
            revision_id=run.revision_id or 0,
            manifest_sha256=manifest_entry(judged.package.files).sha256,
            bundle=[file.model_dump() for file in judged.package.files],
            signature=judged.signature,
            candidate=judged.fit.best,
            params=best.params if best else {},
            metrics=judged.result.metrics,
            outcome=verdict.outcome,
            reasons=list(verdict.reasons),
            evidence=verdict.evidence,
            trained_until=judged.result.trained_until,
            predictions=judged.result.predictions,
            newest_sha256=judged.newest.sha256 if judged.newest is not None else None,
            created_at=now(),
            created_by=job.created_by,
            reason=job.reason,
        )
    )
    run.verdict, run.version = verdict.outcome, version.number
    set_metrics(tx, version.run_id, "", {f"test.{key}": value for key, value in judged.result.metrics.items()})
    tx.event(
        ENGINE, "version.registered", f"{judged.name}@{version.number}", run.project_id,
        version=version.number, run=run.id, job=job.id, verdict=verdict.outcome, reasons=list(verdict.reasons),
        manifest_sha256=version.manifest_sha256, by=job.created_by,
    )  # fmt: skip
    end_job(tx, ENGINE, job, "succeeded", result={"version": version.number, "verdict": verdict.outcome})
    return version


def _decide(tx: Tx, run: Run, judged: _Judged) -> Verdict:
    """The gate's verdict on figures that are brought up to date: how often the test rows judged, and who reigns."""
    figures = judged.figures.model_copy(update={"test_uses": tx.count(Version, Version.project_id == run.project_id)})
    champion = champion_of(tx, run.project_id)
    compared = figures.champion.against if figures.champion else None
    reigns = f"{judged.name}@{champion.number}" if champion else None
    if compared != reigns and not (reigns is not None and figures.champion_problem):
        told = f"The champion is {reigns} by now, and this model was compared with {compared or 'none'}: train again."
        figures = figures.model_copy(update={"champion": None, "champion_problem": told})
    return decide(figures, judged.project.gate)


def _why(job: Job) -> str:
    retrain = job.args.get("retrain")
    return "passed the gate" if retrain is None else f"passed the gate; retrain {retrain}"
