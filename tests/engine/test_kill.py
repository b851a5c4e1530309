"""kill -9 at any moment: what was acknowledged is kept, nothing is told twice, the next engine goes on."""

from __future__ import annotations

import math
import threading

import pytest
from fakes.engine_process import EngineProcess

from engine.client import Connected, EngineClient
from engine.errors import EngineError
from engine.wire.events import EventView
from engine.wire.runs import LogRun

FAILPOINTS = ("writer.begin", "writer.written", "writer.committed")


def log_until_it_dies(engine: EngineProcess, project: str, enough: threading.Event) -> list[int]:
    acknowledged = []
    with engine.client() as own:
        try:
            while True:
                acknowledged.append(own.log_run(LogRun(project=project, metrics={"x": 1.0})).id)
                if len(acknowledged) >= 5:
                    enough.set()
        except EngineError:
            return acknowledged


def test_a_killed_engine_keeps_what_it_acknowledged(engine: EngineProcess, project: str) -> None:
    acknowledged: list[list[int]] = []
    signals = [threading.Event() for _ in range(4)]
    writers = [
        threading.Thread(target=lambda one: acknowledged.append(log_until_it_dies(engine, project, one)), args=(one,))
        for one in signals
    ]
    for writer in writers:
        writer.start()
    for one in signals:
        assert one.wait(60)
    engine.kill()
    for writer in writers:
        writer.join()
    engine.start()
    with engine.client() as client:
        kept = {run.id for run in client.runs(project=project, limit=1000).runs}
        told = [event.evidence["run"] for event in client.events(verb="run.logged", limit=1000).events]
        verified = client.verify()
    ids = [number for numbers in acknowledged for number in numbers]
    assert set(ids) <= kept
    assert len(ids) == len(set(ids))
    assert sorted(told) == sorted(kept), "each run and its event are there together, once"
    assert verified.broken_event is None


@pytest.mark.parametrize("place", FAILPOINTS)
def test_an_engine_that_dies_while_it_writes_has_written_all_or_nothing(
    engine: EngineProcess, project: str, place: str
) -> None:
    engine.stop()
    engine.start(MLOPS_FAILPOINT=f"{place}:4")
    acknowledged = log_until_it_dies(engine, project, threading.Event())
    assert engine.process is not None
    engine.process.wait(30)
    engine.start()
    with engine.client() as client:
        kept = {run.id for run in client.runs(project=project, limit=1000).runs}
        told = [event.evidence["run"] for event in client.events(verb="run.logged").events]
        assert client.verify().broken_event is None
    assert set(acknowledged) <= kept
    assert sorted(told) == sorted(kept)
    assert len(kept) - len(acknowledged) in (0, 1), "at most the one whose answer was lost"


def test_a_stream_resumes_across_a_kill_and_loses_nothing(
    engine: EngineProcess, client: EngineClient, project: str
) -> None:
    start = client.status().last_event
    breaks: list[str] = []
    with engine.client() as own:
        stream = own.stream(start, patience_s=math.inf, lost=lambda error: breaks.append(error.message))
        assert next(stream) == Connected(start)
        seen = []
        for round_number in range(3):
            for _ in range(3):
                client.log_run(LogRun(project=project))
            if round_number == 1:
                # Killed with news on its way that nobody has read yet.
                engine.kill()
                engine.start()
            while len(seen) < 3 * (round_number + 1):
                news = next(stream)
                if isinstance(news, EventView):
                    seen.append(news.seq)
    assert seen == list(range(start + 1, start + 10))
    assert len(breaks) >= 1


def test_a_patient_client_outlasts_a_restart(engine: EngineProcess, client: EngineClient) -> None:
    engine.kill()
    answers: list[int] = []
    with EngineClient(engine.home, patience_s=60) as patient:
        asking = threading.Thread(target=lambda: answers.append(patient.about().pid))
        asking.start()
        engine.start()
        asking.join()
    assert answers == [engine.pid]
