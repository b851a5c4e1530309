"""Somebody asks for a model to be trained again on all that is known by now."""

from __future__ import annotations

from engine.failpoint import failpoint
from engine.lifecycle.advance_retrains import advance
from engine.lifecycle.caller import Caller
from engine.lifecycle.parts import Parts
from engine.lifecycle.train_project import read_again
from engine.lifecycle.wish_retrain import unended, wish_retrain
from engine.registry.queries.jobs import get_job
from engine.registry.queries.projects import no_project
from engine.registry.queries.retrains import get_retrain
from engine.registry.tables import Project, Retrain
from engine.registry.tx import Tx
from engine.wire.monitoring import AskRetrain, RetrainAnswer


def retrain_model(parts: Parts, caller: Caller, name: str, ask: AskRetrain) -> RetrainAnswer:
    """Train it again as soon as enough is labelled to judge it fairly; with `now`, at once.

    One that is under way already is the answer, whoever asked for it first; with `now` it no longer waits. An admin's
    folder is stored again first when it has changed.

    Raises:
        NotFound: nobody knows the model.
        InvalidConfig, InvalidInput, TooLarge, Conflict: what is wrong with an admin's changed folder.
    """
    caller.need("operator", "have a model trained again")
    fresh = read_again(parts, name) if caller.may("admin") else None

    def ask_for_it(tx: Tx) -> RetrainAnswer:
        project = tx.first(Project, Project.name == name)
        if project is None:
            raise no_project(name)
        stored_again = fresh is not None and fresh.record(tx, caller, project)
        retrain = _under_way(tx, project) or _wish(tx, caller, project, ask.reason)
        if retrain.status != "training":
            advance(tx, project, retrain, at_once=ask.now, by=caller)
        tx.flush()
        job = get_job(tx, retrain.job_id) if retrain.job_id is not None else None
        return RetrainAnswer(retrain=get_retrain(tx, retrain.id or 0), job=job, stored_again=stored_again)

    answer = parts.writer.write_and_wait(ask_for_it)
    failpoint("job.enqueued")
    parts.poke_jobs()
    return answer


def _under_way(tx: Tx, project: Project) -> Retrain | None:
    """The one that is trained, else the one that waits longest."""
    there = unended(tx, project.id or 0)
    return next((one for one in there if one.status == "training"), there[0] if there else None)


def _wish(tx: Tx, caller: Caller, project: Project, reason: str) -> Retrain:
    wished = wish_retrain(
        tx, project, "hand", f"hand:{project.name}:{tx.head.seq + 1}",
        reason=reason or f"asked for by {caller.name}", by=caller,
    )  # fmt: skip
    assert wished is not None, "the number of the next event is nobody's cause yet"
    return wished
