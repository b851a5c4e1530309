"""What the model servers of an endpoint wrote."""

from __future__ import annotations

from engine.deployment.serve_folder import replica_spec
from engine.errors import NotFound
from engine.lifecycle.parts import Parts
from engine.lifecycle.read_log import read_page
from engine.registry.queries.endpoints import get_deployment
from engine.wire.jobs import LogPage

TAIL_BYTES = 65_536


def read_serve_log(
    parts: Parts, name: str, deployment: int, replica: int, *, offset: int | None = None, limit: int = TAIL_BYTES
) -> LogPage:
    """From byte `offset` on; None: its last 64 kB, from the beginning of a line.

    A log that was cut since is read from its new beginning. Raises `NotFound` for what was never deployed there.
    """
    found = get_deployment(parts.reader, deployment)
    if found.endpoint != name:
        raise NotFound(f"Deployment {deployment} is not of {name}.", f"`mlops endpoints` lists what is behind {name}.")
    parts.refresh_log(deployment, replica)
    log = replica_spec(parts.home, deployment, replica).log
    try:
        size_bytes = log.stat().st_size
    except FileNotFoundError:
        size_bytes = 0
    over = found.status in ("stopped", "failed")
    if offset is None:
        return _tail(read_page([log], offset=max(0, size_bytes - TAIL_BYTES), limit=limit, over=over))
    return read_page([log], offset=offset if offset <= size_bytes else 0, limit=limit, over=over)


def _tail(page: LogPage) -> LogPage:
    """Without the rest of a line whose beginning is not on the page."""
    if not page.offset:
        return page
    return page.model_copy(update={"text": page.text.partition("\n")[2]})
