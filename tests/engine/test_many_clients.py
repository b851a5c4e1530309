"""Many at once, and whoever is not welcome."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import psutil
import pytest
from fakes.engine_process import EngineProcess

from engine.client import EngineClient
from engine.errors import EngineError, Forbidden
from engine.settings import Home
from engine.wire.runs import LogRun

CLIENTS = 16


def test_sixteen_clients_at_once_lose_nothing(engine: EngineProcess, client: EngineClient, project: str) -> None:
    logged: list[int] = []
    failures: list[EngineError] = []

    def work(number: int) -> None:
        try:
            with engine.client() as own:
                for step in range(10):
                    run = LogRun(project=project, params={"client": str(number)}, metrics={"step": step})
                    logged.append(own.log_run(run).id)
                    own.runs(project=project, limit=20)
                    own.fleet()
        except EngineError as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert len(set(logged)) == CLIENTS * 10
    found = client.runs(project=project, limit=1000).runs
    assert {run.id for run in found} >= set(logged)
    verified = client.verify()
    assert (verified.broken_event, verified.damaged, verified.missing) == (None, [], [])


def test_sixteen_followers_see_every_event_in_order(engine: EngineProcess, client: EngineClient, project: str) -> None:
    start = client.status().last_event
    seen: list[list[int]] = []
    ready = threading.Barrier(CLIENTS + 1)

    def follow() -> None:
        with engine.client() as own:
            numbers: list[int] = []
            for news in own.stream(start):
                if hasattr(news, "seq"):
                    numbers.append(news.seq)
                else:
                    ready.wait()
                if len(numbers) == 50:
                    break
            seen.append(numbers)

    followers = [threading.Thread(target=follow) for _ in range(CLIENTS)]
    for follower in followers:
        follower.start()
    ready.wait()
    for _ in range(50):
        client.log_run(LogRun(project=project))
    for follower in followers:
        follower.join()
    assert seen == [list(range(start + 1, start + 51))] * CLIENTS


def test_a_flood_of_bytes_costs_no_memory(engine: EngineProcess) -> None:
    process = psutil.Process(engine.pid)
    before = process.memory_info().rss
    chunk = b"10000\r\n" + b"[" * 65_536 + b"\r\n"
    for _ in range(4):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(engine.home.engine_socket))
            connection.sendall(
                b"POST /v1/runs HTTP/1.1\r\nhost: e\r\ncontent-type: application/json\r\n"
                b"transfer-encoding: chunked\r\n\r\n"
            )
            with pytest.raises(OSError, match=r"Broken pipe|reset"):
                for _ in range(5_000):
                    connection.sendall(chunk)
    assert process.memory_info().rss - before < 100_000_000
    with engine.client() as client:
        assert client.about().pid == engine.pid


def as_nobody(program: str) -> str:
    """Run Python as uid 65534, without any group."""
    become = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    # Imported before: the interpreter's own folder may be closed to others.
    imports = "import httpx, httpx_sse\nfrom engine.client import EngineClient\nfrom engine.settings import Home\n"
    done = subprocess.run([sys.executable, "-c", imports + become + program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def ask_as_nobody(home: Home, call: str) -> str:
    return as_nobody(f"""
from pathlib import Path
from engine.errors import EngineError
try:
    print(EngineClient(Home(Path({str(home.root)!r}))).{call})
except EngineError as error:
    print(type(error).__name__ + ":", error.message)
""")


root_only = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user to try it")


def let_in(home: Home) -> None:
    """As if the owner had opened the folders: then only the peer's identity stands between."""
    home.root.chmod(0o711)
    home.run.chmod(0o755)
    home.engine_socket.chmod(0o666)


@root_only
def test_another_user_does_not_start_an_engine_in_a_home_that_is_not_theirs(home: Home) -> None:
    said = as_nobody(f"""
from pathlib import Path
from engine.client import connect
from engine.errors import EngineError
try:
    connect(Home(Path({str(home.root)!r})))
except EngineError as error:
    print(type(error).__name__)
""")
    assert said == "Forbidden"
    assert not home.lock.exists()


@root_only
def test_another_user_cannot_reach_the_socket(engine: EngineProcess) -> None:
    assert ask_as_nobody(engine.home, "about()").startswith("Forbidden: You may not reach the engine")


@root_only
def test_another_user_who_reaches_the_socket_is_known_and_refused(engine: EngineProcess) -> None:
    let_in(engine.home)
    assert ask_as_nobody(engine.home, "about()") == "Forbidden: nobody has no role in this engine."


@root_only
def test_another_user_may_what_the_config_says_and_no_more(home: Home) -> None:
    home.config.write_text('[roles]\nviewer = ["nobody"]\n')
    engine = EngineProcess(home)
    engine.start()
    let_in(home)
    assert ask_as_nobody(home, "about().role") == "viewer"
    assert ask_as_nobody(home, "down()").startswith("Forbidden: nobody is viewer here")
    assert ask_as_nobody(home, "add_project('/tmp')").startswith("Forbidden: ")
    engine.stop()


@root_only
def test_another_user_cannot_replace_the_socket_or_read_the_registry(engine: EngineProcess) -> None:
    said = as_nobody(f"""
from pathlib import Path
home = Home(Path({str(engine.home.root)!r}))
for touch in (home.engine_socket.unlink, home.database.read_bytes, home.lock.read_bytes,
              (home.run / "other.sock").touch, home.stopped_mark.touch):
    try:
        touch()
        print("done")
    except PermissionError:
        print("refused")
""")
    assert Counter(said.split()) == {"refused": 5}


def test_a_guessed_token_is_in_no_log(engine: EngineProcess) -> None:
    canary = "canary-3f7a9c"
    with EngineClient(engine.home, token=canary) as guessing, pytest.raises(Forbidden):
        guessing.work(1)
    engine.stop()
    for log in Path(engine.home.logs).rglob("*"):
        if log.is_file():
            assert canary not in log.read_text()
    assert canary.encode() not in engine.home.database.read_bytes()
