"""Record a run that somebody's own script has made."""

from __future__ import annotations

from concurrent.futures import Future

from engine.lifecycle.caller import Caller
from engine.lifecycle.parts import Parts
from engine.registry.queries.projects import project_id
from engine.registry.recording import insert_finished_run
from engine.registry.tx import Tx
from engine.wire.runs import LoggedRun, LogRun


def log_run(parts: Parts, caller: Caller, ask: LogRun) -> LoggedRun:
    """Durable when it returns. Raises `NotFound` for a project nobody knows."""
    return begin_log_run(parts, caller, ask).result()


def begin_log_run(parts: Parts, caller: Caller, ask: LogRun) -> Future[LoggedRun]:
    """The same without waiting: an event loop may await many at once, and they share one commit."""

    def record(tx: Tx) -> LoggedRun:
        with tx.connection() as connection:
            project = project_id(connection, ask.project)
        run_id = insert_finished_run(
            tx, project, caller.name, reason=ask.reason, params=ask.params, metrics=ask.metrics
        )
        tx.event(
            caller, "run.logged", f"run {run_id}", project,
            run=run_id, params=len(ask.params), metrics=len(ask.metrics),
        )  # fmt: skip
        return LoggedRun(id=run_id)

    return parts.writer.write(record)
