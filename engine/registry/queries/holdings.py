"""What lies beside the registry and belongs to it: for a backup, which copies both."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from engine.registry.core import (
    BLOB,
    CAPTURE_FILE,
    CAPTURE_OFFSET,
    EVENT_HEAD,
    LABEL_FILE,
    MODEL_CHECK,
    PROJECT,
    RUN,
    VERSION,
)
from engine.registry.reader import Source

_COUNTED = {"projects": PROJECT, "runs": RUN, "versions": VERSION, "checks": MODEL_CHECK}


@dataclass(frozen=True)
class Holdings:
    """Read at one moment."""

    blobs: dict[str, int]
    """Bytes by hash, the hashes sorted."""
    captures: list[str]
    """Files of captures and labels, as paths below `captures/`."""
    offsets: dict[tuple[int, int], tuple[int, int]]
    """(segment, byte) from which captures are not compacted yet, by (deployment, replica)."""
    last_event: int
    last_hash: str
    counts: dict[str, int]


def read_holdings(source: Source) -> Holdings:
    """All of it."""
    blobs = select(BLOB.c.sha256, BLOB.c.size_bytes).order_by(BLOB.c.sha256)
    captures = (
        select(PROJECT.c.name, CAPTURE_FILE.c.name.label("file"))
        .join(PROJECT, PROJECT.c.id == CAPTURE_FILE.c.project_id)
        .where(CAPTURE_FILE.c.deleted_at.is_(None))
    )
    labels = select(PROJECT.c.name, LABEL_FILE.c.name.label("file")).join(
        PROJECT, PROJECT.c.id == LABEL_FILE.c.project_id
    )
    offsets = select(*CAPTURE_OFFSET.c["deployment_id", "replica", "segment", "byte"])
    with source.connection() as connection:
        paths = [f"{row.name}/{row.file}" for row in connection.execute(captures)]
        paths += [f"{row.name}/labels/{row.file}" for row in connection.execute(labels)]
        head = connection.execute(select(EVENT_HEAD)).first()
        return Holdings(
            blobs={row.sha256: row.size_bytes for row in connection.execute(blobs)},
            captures=sorted(paths),
            offsets={(row.deployment_id, row.replica): (row.segment, row.byte) for row in connection.execute(offsets)},
            last_event=head.seq if head else 0,
            last_hash=head.hash if head else "",
            counts={
                name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
                for name, table in _COUNTED.items()
            },
        )
