"""Store a file that somebody sends, by its hash."""

from __future__ import annotations

from collections.abc import Iterable

from engine.blobs.store import Stored
from engine.errors import InvalidInput
from engine.lifecycle.caller import Caller
from engine.lifecycle.parts import Parts
from engine.lifecycle.stored_blobs import record_blobs
from engine.wire.monitoring import Upload


def receive_file(parts: Parts, caller: Caller, pieces: Iterable[bytes]) -> Upload:
    """Take the pieces as they come; when this answers, the file is durable and the registry knows it.

    Where a piece fails to come, nothing is stored.

    Raises:
        InvalidInput: there was not one byte.
        DiskFull, Unavailable: nothing was stored.
    """
    caller.need("operator", "send files")
    done: list[Stored] = []
    with parts.blobs.receive(done.append) as incoming:
        for piece in pieces:
            incoming.write(piece)
        if not incoming.size_bytes:
            raise InvalidInput("The file is empty.", "Give one with rows.")
    [stored] = done
    parts.writer.write_and_wait(lambda tx: record_blobs(tx, [stored]))
    return Upload(sha256=stored.sha256, size_bytes=stored.size_bytes)
