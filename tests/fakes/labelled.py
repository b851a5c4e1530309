"""A served model whose captures and labels come in, with the worker's own code and no process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from fakes.core import ADA, CY, Worked, add, claim, go_live, train

from engine.lifecycle.deploy_version import deploy_version
from engine.lifecycle.label_model import label_model
from engine.lifecycle.parts import Parts
from engine.lifecycle.receive_file import receive_file
from engine.lifecycle.start_attempt import start_attempt
from engine.monitoring.label_join import CAPTURE_SCHEMA
from engine.registry.tables import CaptureFile, now
from engine.wire.endpoints import Deploy
from engine.wire.monitoring import AskLabel
from engine.wire.work import LabelOrder, LabelResult
from engine.worker.label import take_labels
from engine.worker.session import Session

START = datetime(2026, 3, 1, tzinfo=UTC)

Said = Sequence[tuple[str, Any]]
"""Ids and outcomes."""


class Deaf:
    """An engine that hears progress and tells nothing."""

    def progress(self, job_id: int, report: Any) -> None:
        return


def serve(parts: Parts) -> None:
    """fraud@1 serves; the gate saw an average precision of 0.7 [0.6, 0.8]."""
    add(parts, parts.home.root / "p")
    train(parts)
    go_live(parts, deploy_version(parts, ADA, "fraud", Deploy(version=1)).id)


def capture(parts: Parts, number: int, *, good: bool, first: int = 0) -> list[tuple[str, int]]:
    """Predicted rows, one a minute, and their truth; `good` answers know it."""
    rng = np.random.default_rng(first)
    truth = (rng.random(number) < 0.5).astype(int)
    score = np.clip(0.5 + (truth - 0.5) * (0.6 if good else -0.4) + rng.normal(0, 0.2, number), 0, 1)
    ids = [str(first + at) for at in range(number)]
    times = [START + timedelta(minutes=first + at) for at in range(number)]
    columns: dict[str, Any] = {name: [None] * number for name in CAPTURE_SCHEMA}
    columns |= {"id": ids, "version": [1] * number, "received_at": times, "probability": score, "request_id": ids}
    folder = parts.home.captures / "fraud"
    folder.mkdir(exist_ok=True)
    name = f"c{first}.parquet"
    pl.DataFrame(columns, schema=CAPTURE_SCHEMA).write_parquet(folder / name)  # type: ignore[arg-type]
    row = CaptureFile(project_id=1, name=name, version=1, rows=number, size_bytes=1, created_at=now())
    parts.writer.write_and_wait(lambda tx: tx.add(row))
    return list(zip(ids, truth.tolist(), strict=True))


def ask(parts: Parts, said: Said, *, head: str = "id,y", file: str = "outcomes.csv") -> None:
    """Send a file of outcomes and ask for it to be taken in."""
    text = "\n".join([head, *(f"{key},{outcome}" for key, outcome in said)]) + "\n"
    upload = receive_file(parts, CY, [text[:10].encode(), text[10:].encode()])
    label_model(parts, CY, "fraud", AskLabel(sha256=upload.sha256, file=file))


def work(parts: Parts) -> tuple[Worked, LabelOrder, LabelResult]:
    """What a worker makes of the next file; not posted yet."""
    worked = claim(parts)
    order = start_attempt(parts, worked.job_id, worked.attempt)
    told = LabelOrder.model_validate(order.args)
    return worked, told, take_labels(told, Session(order, Deaf()))  # type: ignore[arg-type]


def label(parts: Parts, said: Said) -> dict[str, Any]:
    """The whole way of one file; the job's result."""
    ask(parts, said)
    worked, _, result = work(parts)
    answer = worked.post("label", result.model_dump(mode="json"))
    again = worked.post("label", result.model_dump(mode="json"))
    assert answer.job.status == again.job.status == "succeeded"
    return answer.job.result
