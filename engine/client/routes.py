"""The table of calls: one method for each route of the API, in the order of the loop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter

from engine.client.call import Call, Route, fill, get, path, post
from engine.wire.about import About, EngineStatus, Finding, StopEngine
from engine.wire.base import Failure
from engine.wire.endpoints import (
    Deploy,
    DeploymentList,
    DeploymentView,
    EndpointList,
    EndpointView,
    ReleasePreview,
    ReleaseVerb,
    Rollback,
)
from engine.wire.events import EventList, Verification
from engine.wire.fleet import Fleet
from engine.wire.housekeeping import BackupMade, CollectGarbage, Garbage, MakeBackup
from engine.wire.jobs import JobList, JobStatus, JobView, LogPage, ScheduleList
from engine.wire.looks import AskLook
from engine.wire.models import ApproveVersion, ModelList, ModelView, VersionList, VersionView
from engine.wire.monitoring import (
    AlarmList,
    AlarmStatus,
    AlarmView,
    AnswerAlarm,
    AskCheck,
    AskLabel,
    AskRetrain,
    CheckList,
    CheckView,
    DriftView,
    LabelList,
    PerformanceView,
    RetrainAnswer,
    RetrainList,
    RetrainView,
    Upload,
    WhyView,
)
from engine.wire.projects import AddedProject, AddProject, ProjectList, ProjectView, TrainAnswer, TrainProject
from engine.wire.runs import (
    Curve,
    LoggedRun,
    LogRun,
    RunList,
    RunView,
    SnapshotList,
    SnapshotProfile,
    SnapshotView,
)

if TYPE_CHECKING:
    # A quarter of what the bodies cost to import, and only workers speak of it.
    from engine.wire.work import FinishedStep, FinishStep, ReportProgress, WorkOrder

_STORES_CODE_S = 300.0
"""A code tree may be large, and its bytes are made durable."""
_HASHES_FILES_S = 1800.0
_HASHES_ALL_S = 7200.0


def _nothing(_: bytes) -> None:
    return None


def _findings(answer: bytes) -> list[Finding]:
    return TypeAdapter(list[Finding]).validate_json(answer)


class Routes:
    """What can be asked of an engine. `EngineClient` answers, `AsyncEngineClient` is awaited."""

    @Route
    def about(self) -> Call[About]:
        """Who answers, and as whom it sees the caller."""
        return get("/v1/about", About)

    @Route
    def status(self) -> Call[EngineStatus]:
        """The engine at a glance."""
        return get("/v1/status", EngineStatus)

    @Route
    def doctor(self) -> Call[list[Finding]]:
        """What is well and what is not, a line each."""
        return Call("GET", "/v1/doctor", _findings, repeatable=True)

    @Route
    def down(self, *, all: bool = False) -> Call[None]:
        """End the engine, and remember it; with `all` also workers, gateway and model servers. Answers before it goes.

        Then wait with `wait_until_down`.
        """
        body = fill(StopEngine, all=all)
        return Call("POST", "/v1/down", _nothing, body=body, timeout_s=120.0)

    @Route
    def look(
        self,
        file: str,
        target: str | None,
        *,
        name: str | None = None,
        relative_to: str | None = None,
        task: str | None = None,
        id: str | None = None,
        time: str | None = None,
        positive: str | None = None,
        ignore: Sequence[str] = (),
        use: Sequence[str] = (),
    ) -> Call[JobView]:
        """Have a worker look at a file of data; the job's `result` is a `LookView`. See `AskLook`."""
        body = fill(
            AskLook, path=file, target=target, name=name, relative_to=relative_to, task=task, id=id, time=time,
            positive=positive, ignore=tuple(ignore), use=tuple(use),
        )  # fmt: skip
        return post("/v1/looks", body, JobView)

    @Route
    def projects(self) -> Call[ProjectList]:
        """All registered projects, by name."""
        return get("/v1/projects", ProjectList)

    @Route
    def project(self, name: str) -> Call[ProjectView]:
        """One project."""
        return get(path("projects", name), ProjectView)

    @Route
    def add_project(self, folder: str) -> Call[AddedProject]:
        """Register the project in an absolute folder, or store its code again."""
        body = fill(AddProject, folder=folder)
        return post("/v1/projects", body, AddedProject, timeout_s=_STORES_CODE_S, repeatable=True)

    @Route
    def train(
        self, name: str, *, reason: str = "", seed: int | None = None, key: str | None = None
    ) -> Call[TrainAnswer]:
        """Queue a training run. The same `key` asked for twice is the same job."""
        body = fill(TrainProject, reason=reason, seed=seed, key=key)
        return post(
            path("projects", name, "train"), body, TrainAnswer, timeout_s=_STORES_CODE_S, repeatable=key is not None
        )

    @Route
    def jobs(
        self,
        *,
        status: JobStatus | None = None,
        project: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Call[JobList]:
        """Jobs, newest first."""
        return get("/v1/jobs", JobList, status=status, project=project, limit=limit, before=before)

    @Route
    def job(self, job_id: int) -> Call[JobView]:
        """One job."""
        return get(path("jobs", job_id), JobView)

    @Route
    def job_log(self, job_id: int, *, offset: int = 0, limit: int = 65_536) -> Call[LogPage]:
        """What a job printed, from a byte on, at most `limit` bytes of it. Hostile text, not cleaned."""
        return get(path("jobs", job_id, "log"), LogPage, offset=offset, limit=limit)

    @Route
    def cancel(self, job_id: int) -> Call[JobView]:
        """Cancel a job, with all its processes."""
        return Call("POST", path("jobs", job_id, "cancel"), JobView.model_validate_json, repeatable=True)

    @Route
    def work(self, job_id: int) -> Call[WorkOrder]:
        """What there is to do."""
        from engine.wire.work import WorkOrder

        return get(path("jobs", job_id, "work"), WorkOrder)

    @Route
    def finish_step(self, job_id: int, step: str, result: FinishStep) -> Call[FinishedStep]:
        """A step's result; its files lie in the work folder. Repeating it finishes it once."""
        from engine.wire.work import FinishedStep

        return post(
            path("jobs", job_id, "steps", step), result, FinishedStep, timeout_s=_HASHES_FILES_S, repeatable=True
        )

    @Route
    def progress(self, job_id: int, report: ReportProgress) -> Call[None]:
        """How far it is; points of curves are durable when this returns."""
        return Call("POST", path("jobs", job_id, "progress"), _nothing, body=report, repeatable=True)

    @Route
    def fail(self, job_id: int, failure: Failure) -> Call[JobView]:
        """The worker gives up, for a reason that trying again would not mend."""
        from engine.wire.work import ReportFailure

        return post(path("jobs", job_id, "fail"), ReportFailure(failure=failure), JobView, repeatable=True)

    @Route
    def runs(
        self,
        *,
        project: str | None = None,
        limit: int = 100,
        before: int | None = None,
        order_by: str | None = None,
        descending: bool = True,
    ) -> Call[RunList]:
        """Runs, newest first, or ordered by `metric.KEY`."""
        return get(
            "/v1/runs",
            RunList,
            project=project,
            limit=limit,
            before=before,
            order_by=order_by,
            descending=descending if order_by else None,
        )

    @Route
    def run(self, run_id: int) -> Call[RunView]:
        """One run with its candidates."""
        return get(path("runs", run_id), RunView)

    @Route
    def curves(self, run_id: int, *, most: int | None = None) -> Call[Curve]:
        """The recorded points of a run's metrics: all, or of each curve about `most`, evenly thinned out."""
        return get(path("runs", run_id, "curves"), Curve, most=most)

    @Route
    def log_run(self, run: LogRun) -> Call[LoggedRun]:
        """Record a finished run of a script of one's own."""
        return post("/v1/runs", run, LoggedRun)

    @Route
    def snapshots(
        self, project: str | None = None, *, limit: int = 100, before: int | None = None
    ) -> Call[SnapshotList]:
        """Snapshots of a project's data, or of all, newest first."""
        return get("/v1/snapshots", SnapshotList, project=project, limit=limit, before=before)

    @Route
    def snapshot(self, snapshot_id: int) -> Call[SnapshotView]:
        """One snapshot."""
        return get(path("snapshots", snapshot_id), SnapshotView)

    @Route
    def snapshot_profile(self, snapshot_id: int) -> Call[SnapshotProfile]:
        """How the values of a snapshot's columns lie."""
        return get(path("snapshots", snapshot_id, "profile"), SnapshotProfile)

    @Route
    def models(self) -> Call[ModelList]:
        """All models, by name."""
        return get("/v1/models", ModelList)

    @Route
    def model(self, name: str) -> Call[ModelView]:
        """One model."""
        return get(path("models", name), ModelView)

    @Route
    def versions(self, name: str) -> Call[VersionList]:
        """A model's versions, newest first."""
        return get(path("models", name, "versions"), VersionList)

    @Route
    def version(self, name: str, number: int) -> Call[VersionView]:
        """One version with its verdict, evidence and lineage."""
        return get(path("models", name, "versions", number), VersionView)

    @Route
    def approve(self, name: str, number: int, *, override: str | None = None) -> Call[VersionView]:
        """Record an approval; `override` is the reason where the version did not pass."""
        body = fill(ApproveVersion, override=override)
        return post(path("models", name, "versions", number, "approve"), body, VersionView)

    @Route
    def endpoints(self) -> Call[EndpointList]:
        """All endpoints, by name."""
        return get("/v1/endpoints", EndpointList)

    @Route
    def endpoint(self, name: str) -> Call[EndpointView]:
        """One endpoint with what is deployed behind it."""
        return get(path("endpoints", name), EndpointView)

    @Route
    def deployments(self, name: str, *, limit: int = 100, before: int | None = None) -> Call[DeploymentList]:
        """All that ever was behind an endpoint, newest first."""
        return get(path("endpoints", name, "deployments"), DeploymentList, limit=limit, before=before)

    @Route
    def preview_release(
        self, name: str, verb: ReleaseVerb, *, version: int | None = None, share: float | None = None
    ) -> Call[ReleasePreview]:
        """What an order would change, and whether the caller may give it; nothing is changed."""
        asked = None if share is None else str(share)
        return get(path("endpoints", name, "preview"), ReleasePreview, verb=verb, version=version, share=asked)

    @Route
    def deploy(
        self,
        name: str,
        *,
        version: int | None = None,
        share: float = 1.0,
        override: str | None = None,
        reason: str = "",
    ) -> Call[DeploymentView]:
        """Put a version behind its endpoint. Answers at once, status `starting`; follow it to `live` or `failed`."""
        body = fill(Deploy, version=version, share=share, override=override, reason=reason)
        return post(path("endpoints", name, "deploy"), body, DeploymentView)

    @Route
    def promote(
        self, name: str, *, version: int | None = None, override: str | None = None, reason: str = ""
    ) -> Call[DeploymentView]:
        """Deploy at full weight: the version becomes the champion."""
        body = fill(Deploy, version=version, override=override, reason=reason)
        return post(path("endpoints", name, "promote"), body, DeploymentView)

    @Route
    def rollback(self, name: str, *, reason: str = "") -> Call[DeploymentView]:
        """Back to the champion before."""
        return post(path("endpoints", name, "rollback"), fill(Rollback, reason=reason), DeploymentView)

    @Route
    def check(self, name: str, *, data_sha256: str | None = None, data_name: str = "") -> Call[JobView]:
        """Look at what a model was sent, or at an uploaded file; the job's `result` names the check and its outcome."""
        body = fill(AskCheck, data_sha256=data_sha256, data_name=data_name)
        return post(path("models", name, "checks"), body, JobView)

    @Route
    def checks(self, name: str, *, limit: int = 100, before: int | None = None) -> Call[CheckList]:
        """A model's checks, newest first."""
        return get(path("models", name, "checks"), CheckList, limit=limit, before=before)

    @Route
    def check_of(self, name: str, check_id: int) -> Call[CheckView]:
        """One check with the figures of each column."""
        return get(path("models", name, "checks", check_id), CheckView)

    @Route
    def drift(self, name: str) -> Call[DriftView]:
        """The newest check with its distributions, and how columns fared before."""
        return get(path("models", name, "drift"), DriftView)

    @Route
    def alarms(
        self,
        *,
        model: str | None = None,
        status: AlarmStatus | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Call[AlarmList]:
        """Alarms: those that are not closed first, then the closed ones, newest first."""
        return get("/v1/alarms", AlarmList, model=model, status=status, limit=limit, before=before)

    @Route
    def alarm(self, alarm_id: int) -> Call[AlarmView]:
        """One alarm with its evidence."""
        return get(path("alarms", alarm_id), AlarmView)

    @Route
    def acknowledge(self, alarm_id: int, *, note: str = "") -> Call[AlarmView]:
        """Say that somebody looks after it."""
        body = fill(AnswerAlarm, note=note)
        return post(path("alarms", alarm_id, "acknowledge"), body, AlarmView, repeatable=True)

    @Route
    def close_alarm(self, alarm_id: int, *, note: str = "") -> Call[AlarmView]:
        """Say that it is over, or was expected."""
        return post(path("alarms", alarm_id, "close"), fill(AnswerAlarm, note=note), AlarmView, repeatable=True)

    @Route
    def replica_log(
        self, name: str, deployment: int, replica: int, *, offset: int | None = None, limit: int = 65_536
    ) -> Call[LogPage]:
        """What a model server wrote, from a byte on, else its last lines. Hostile text, not cleaned."""
        where = path("endpoints", name, "deployments", deployment, "replicas", replica, "log")
        return get(where, LogPage, offset=offset, limit=limit)

    @Route
    def upload(self, file: Path | str) -> Call[Upload]:
        """Send a file of at most 2 GiB; it is stored by its hash, durably, when this answers."""
        answer = Upload.model_validate_json
        where = "/v1/uploads"
        return Call("POST", where, answer, file=Path(file), timeout_s=_HASHES_FILES_S, repeatable=True)

    @Route
    def label(self, name: str, sha256: str, file: str) -> Call[JobView]:
        """Take in an uploaded file of outcomes under its own name; the job's `result` is a `LabelCounts`."""
        body = fill(AskLabel, sha256=sha256, file=file)
        return post(path("models", name, "labels"), body, JobView, repeatable=True)

    @Route
    def labels(self, name: str) -> Call[LabelList]:
        """Files of outcomes, newest first, and how far captures are labelled."""
        return get(path("models", name, "labels"), LabelList)

    @Route
    def performance(self, name: str) -> Call[PerformanceView]:
        """What each version's answers were worth, window by window, and what the gate promised."""
        return get(path("models", name, "performance"), PerformanceView)

    @Route
    def retrain(self, name: str, *, reason: str = "", now: bool = False) -> Call[RetrainAnswer]:
        """Have a model trained again once it can be judged fairly, or now. One that is under way is the answer."""
        body = fill(AskRetrain, reason=reason, now=now)
        where = path("models", name, "retrain")
        return post(where, body, RetrainAnswer, timeout_s=_STORES_CODE_S, repeatable=True)

    @Route
    def retrains(self, *, model: str | None = None, limit: int = 100, before: int | None = None) -> Call[RetrainList]:
        """Retrains, newest first."""
        return get("/v1/retrains", RetrainList, model=model, limit=limit, before=before)

    @Route
    def retrain_of(self, retrain_id: int) -> Call[RetrainView]:
        """One retrain."""
        return get(path("retrains", retrain_id), RetrainView)

    @Route
    def why(self, name: str, number: int) -> Call[WhyView]:
        """How a version came to be and what became of it."""
        return get(path("models", name, "versions", number, "why"), WhyView)

    @Route
    def fleet(self) -> Call[Fleet]:
        """A row for each model, those that need somebody first."""
        return get("/v1/fleet", Fleet)

    @Route
    def schedules(self) -> Call[ScheduleList]:
        """What the clock does."""
        return get("/v1/schedules", ScheduleList)

    @Route
    def events(
        self,
        *,
        after: int | None = None,
        limit: int = 100,
        project: str | None = None,
        verb: str | None = None,
        actor: str | None = None,
        newest: Literal[True] | None = None,
        before: int | None = None,
        matching: str | None = None,
    ) -> Call[EventList]:
        """A page of the audit chain after a sequence number; with `newest` the last ones, below `before`.

        `matching` such as `who:ada what:approved model:fraud word`; `!` in front turns it round.
        """
        return get(
            "/v1/events",
            EventList,
            after=after,
            limit=limit,
            project=project,
            verb=verb,
            actor=actor,
            newest=newest,
            before=before,
            matching=matching,
        )

    @Route
    def verify(self) -> Call[Verification]:
        """Hash the chain of events and every stored file again."""
        return Call("POST", "/v1/verify", Verification.model_validate_json, timeout_s=_HASHES_ALL_S, repeatable=True)

    @Route
    def back_up(self, folder: str, *, full: bool = False, allow_damaged: bool = False) -> Call[BackupMade]:
        """Make a backup in an absolute folder; minutes where there is much."""
        body = fill(MakeBackup, folder=folder, full=full, allow_damaged=allow_damaged)
        return post("/v1/backups", body, BackupMade, timeout_s=_HASHES_ALL_S)

    @Route
    def collect_garbage(self, *, dry_run: bool = False) -> Call[Garbage]:
        """Remove what nobody speaks of any more, or only tell what that is."""
        return post("/v1/gc", fill(CollectGarbage, dry_run=dry_run), Garbage, timeout_s=_HASHES_ALL_S, repeatable=True)
