"""Have a worker look at a file of data, so that `mlops init` can write a project file."""

from __future__ import annotations

from engine.lifecycle.caller import Caller
from engine.lifecycle.parts import Parts
from engine.registry.queries.jobs import get_job
from engine.registry.queue import enqueue
from engine.registry.tx import Tx
from engine.wire.jobs import JobView
from engine.wire.looks import AskLook


def look_at_data(parts: Parts, caller: Caller, ask: AskLook) -> JobView:
    """Put the job into the queue; its `result` will be a `LookView`. The worker, not the engine, opens the file."""

    def ask_for_it(tx: Tx) -> JobView:
        job = enqueue(tx, caller, "look", args=ask.model_dump(mode="json"))
        return get_job(tx, job.id or 0)

    answer = parts.writer.write_and_wait(ask_for_it)
    parts.poke_jobs()
    return answer
