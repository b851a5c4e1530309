"""Named places where a test lets the process die, as `kill -9` or a power cut would.

`MLOPS_FAILPOINT=name` kills the process the first time it passes `failpoint("name")`, `MLOPS_FAILPOINT=name:3` the
third time. Without the variable a call costs one comparison. The names in use are `NAMES` and `OF_THE_LOOP`.
"""

from __future__ import annotations

import os
import signal

NAMES: tuple[str, ...] = (
    "writer.begin", "writer.written", "writer.committed",
    "blob.copied", "blob.fsynced", "blob.renamed", "blob.durable",
    "job.enqueued", "job.claimed", "job.spawned", "job.ended",
    "step.adopted", "step.finished",
    "migration.copied", "migration.migrated",
)  # fmt: skip
"""Of the registry, blobs and jobs. Other parts may name their own."""

OF_THE_LOOP: tuple[str, ...] = (
    "watch.begin", "watch.enqueued", "check.applied", "label.applied", "retrain.begin", "retrain.advanced",
)  # fmt: skip
"""Of what follows a release: looks at a model and at labels, and retrains."""

_armed, _, _count = os.environ.get("MLOPS_FAILPOINT", "").partition(":")
_left = int(_count or 1)


def failpoint(name: str) -> None:
    """Die here by SIGKILL if a test has armed this place."""
    global _left
    if _armed != name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
