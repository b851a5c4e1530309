"""Check everything that is kept: the chain of events, and every stored file."""

from __future__ import annotations

from engine.lifecycle.caller import Caller
from engine.lifecycle.parts import Parts
from engine.registry.events import verify_chain
from engine.registry.queries.blobs import all_blobs
from engine.registry.tx import Tx
from engine.wire.events import Verification


def verify_registry(parts: Parts, caller: Caller) -> Verification:
    """Hash all of it again; minutes where there is much. What was found becomes an event."""
    expected = all_blobs(parts.reader)
    with parts.reader.connection() as connection:
        chain = verify_chain(connection)
    files = parts.blobs.verify(expected)

    def record(tx: Tx) -> None:
        tx.event(
            caller, "registry.verified", "registry",
            events=chain.events, broken_event=chain.broken, why=chain.why,
            blobs=files.checked, damaged=files.damaged[:100], missing=files.missing[:100],
        )  # fmt: skip

    parts.writer.write_and_wait(record)
    return Verification(
        events=chain.events,
        broken_event=chain.broken,
        blobs=files.checked,
        damaged=files.damaged,
        missing=files.missing,
    )
