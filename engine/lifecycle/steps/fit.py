"""Step `fit` of a training job: the candidates and the best of them."""

from __future__ import annotations

from engine.errors import InvalidInput
from engine.lifecycle.parts import Parts
from engine.lifecycle.steps.step import Apply, Posted, checked
from engine.registry.core import CANDIDATE
from engine.registry.recording import set_metrics
from engine.registry.tables import Job, Run
from engine.registry.tx import Tx
from engine.registry.upsert import upsert
from engine.wire.work import FitResult


def prepare(parts: Parts, posted: Posted) -> Apply:
    """Check that the best candidate is one that was fitted."""
    result = checked(posted, FitResult)
    best = next((found for found in result.candidates if found.name == result.best), None)
    if best is None or best.status != "fitted":
        raise InvalidInput(f"The best candidate {result.best[:80]!r} is none that was fitted.", job=posted.job_id)

    def apply(tx: Tx, job: Job) -> None:
        run_id = job.run_id or 0
        rows = [
            found.model_dump(include={"name", "kind", "params", "status", "note"})
            | {"run_id": run_id, "best": found is best}
            for found in result.candidates
        ]
        tx.execute(_SET_CANDIDATE, rows)
        for found in result.candidates:
            set_metrics(tx, run_id, found.name, found.metrics)
        set_metrics(tx, run_id, "", best.metrics)
        run = tx.get(Run, run_id)
        if run is not None:
            run.split, run.environment = result.split, dict(result.environment)

    return apply


_SET_CANDIDATE = upsert(CANDIDATE)
