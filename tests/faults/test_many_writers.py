"""Many processes write at once through the API: no lock error, no lost update."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from fakes.core import write_project
from fakes.engine_process import EngineProcess

from engine.registry.events import verify_chain
from engine.registry.queries.runs import list_runs
from engine.registry.reader import Reader
from engine.settings import Home

# Without the client's imports, 64 of which would cost more than what is tried here.
PROGRAM = """
import http.client, json, socket, sys
path, who, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
connection = http.client.HTTPConnection("engine")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect(path)
done = []
for number in range(count):
    body = {"project": "fraud", "reason": f"{who}-{number}", "params": {"a": "1"}, "metrics": {"m": number}}
    headers = {"Content-Type": "application/json", **json.loads(sys.argv[4])}
    connection.request("POST", "/v1/runs", json.dumps(body), headers)
    answer = connection.getresponse()
    told = answer.read()
    assert answer.status == 200, told
    done.append(json.loads(told)["id"])
print(json.dumps(done))
"""


def write_at_once(home: Home, tmp_path: Path, processes: int, writes: int) -> None:
    from engine.wire.base import API_HEADER, API_VERSION

    engine = EngineProcess(home)
    engine.start()
    with engine.client() as client:
        client.add_project(str(write_project(tmp_path)))
    headers = json.dumps({API_HEADER: str(API_VERSION)})
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(home.engine_socket), str(who), str(writes), headers],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for who in range(processes)
    ]
    told = [writer.communicate(timeout=300) for writer in writers]
    assert [errors.decode() for writer, (_, errors) in zip(writers, told, strict=True) if writer.returncode] == []
    acknowledged = [run for output, _ in told for run in json.loads(output)]
    engine.kill()
    reader = Reader(home.database)
    try:
        reasons: Counter[str] = Counter()
        before: int | None = None
        while True:
            page = list_runs(reader, limit=1000, before=before)
            reasons.update(run.reason for run in page.runs)
            if (before := page.next_before) is None:
                break
        with reader.connection() as connection:
            assert verify_chain(connection).broken is None
    finally:
        reader.close()
    assert len(set(acknowledged)) == processes * writes
    assert reasons == Counter(f"{who}-{number}" for who in range(processes) for number in range(writes))


def test_eight_processes_lose_nothing_even_by_a_kill_afterwards(home: Home, tmp_path: Path) -> None:
    write_at_once(home, tmp_path, processes=8, writes=20)


@pytest.mark.slow
def test_sixty_four_processes_lose_nothing(home: Home, tmp_path: Path) -> None:
    write_at_once(home, tmp_path, processes=64, writes=200)
