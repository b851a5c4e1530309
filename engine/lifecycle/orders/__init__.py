"""What a job's order takes from the registry when its first attempt begins: one function a kind of job.

It runs in the transaction that stores what it gives among the job's args. Raising ends the job with that reason.
"""

from collections.abc import Callable
from typing import Any

from engine.lifecycle.orders import check, label, train
from engine.lifecycle.parts import Parts
from engine.registry.tables import Job
from engine.registry.tx import Tx

Prepare = Callable[[Tx, Parts, Job], dict[str, Any]]
"""Gives plain JSON: `fresh` and `judge_after` among it stand in the `WorkOrder` itself."""

ORDERS: dict[str, Prepare] = {
    "check": check.prepare_order, "label": label.prepare_order, "train": train.prepare_order,
}  # fmt: skip
"""By kind; a kind that is not here needs nothing but its args."""
