"""`mlops down`: end the engine, and remember that somebody wanted it so."""

from __future__ import annotations

from engine.lifecycle.caller import Caller
from engine.lifecycle.parts import Parts
from engine.registry.tx import Tx
from engine.wire.about import StopEngine


def stop_engine(parts: Parts, caller: Caller, ask: StopEngine) -> None:
    """Returns before the engine ends, so that the answer still goes out."""

    def record(tx: Tx) -> None:
        tx.event(caller, "engine.stopped", "engine", all=ask.all)

    parts.writer.write_and_wait(record)
    parts.home.stopped_mark.touch(mode=0o600)
    parts.stop(ask.all)
