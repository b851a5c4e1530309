"""What is particular to local processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from fakes.bundles import make_bundle
from fakes.processes import end_processes

from engine.deployment.process_log import LIMIT_BYTES, bound_log, last_line, open_log
from engine.deployment.process_runtime import ProcessRuntime
from engine.deployment.runtime import ReplicaSpec
from engine.deployment.serve_folder import replica_spec
from engine.deployment.unix_http import ask
from engine.deployment.waker import Waker
from engine.settings import Home

PROGRAM = Path(__file__).parents[1] / "fakes" / "serving_program.py"


def until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.01)


@pytest.fixture
def runtime(home: Home) -> Iterator[ProcessRuntime]:
    made = ProcessRuntime(home, (sys.executable, str(PROGRAM)))
    yield made
    end_processes(made)


@pytest.fixture
def replica(home: Home) -> ReplicaSpec:
    spec = replica_spec(home, 7, 0)
    spec.folder.mkdir(parents=True)
    return spec


def test_a_model_server_sees_no_secrets_of_the_engine(
    runtime: ProcessRuntime, replica: ReplicaSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-7f3a")
    monkeypatch.setenv("DB_URL", "postgresql://u:canary-7f3a@h/d")
    runtime.start(replica)
    until(lambda: runtime.is_ready(replica))
    seen = (replica.folder / "environment").read_text()
    assert "canary-7f3a" not in seen
    assert "MLOPS_SERVE=7-0-" in seen


def test_it_leads_a_session_of_its_own(runtime: ProcessRuntime, replica: ReplicaSpec) -> None:
    pid = runtime.start(replica).pid or 0
    assert os.getsid(pid) == pid != os.getsid(0)


def test_the_reason_of_a_death_is_its_last_line_without_escapes(runtime: ProcessRuntime, replica: ReplicaSpec) -> None:
    (replica.folder / "behave").write_text("die \x1b[31mThe bundle\x1b]52;c;AAAA\x07 cannot be served.\x1b[0m\n\n")
    identity = runtime.start(replica)
    until(lambda: not runtime.runs(identity))
    assert runtime.last_words(replica) == "The bundle cannot be served."


def test_words_of_an_earlier_process_are_not_those_of_the_next(runtime: ProcessRuntime, replica: ReplicaSpec) -> None:
    (replica.folder / "behave").write_text("die early")
    first = runtime.start(replica)
    until(lambda: not runtime.runs(first))
    (replica.folder / "behave").write_text("answer")
    second = runtime.start(replica)
    until(lambda: runtime.is_ready(replica))
    runtime.stop(second, force=True)
    until(lambda: not runtime.runs(second))
    assert runtime.last_words(replica) == ""


def test_a_forced_end_takes_its_children_along(runtime: ProcessRuntime, replica: ReplicaSpec) -> None:
    (replica.folder / "behave").write_text("fork")
    identity = runtime.start(replica)
    until(lambda: runtime.is_ready(replica))
    children = psutil.Process(identity.pid).children()
    assert len(children) == 1
    runtime.stop(identity, force=True)
    psutil.wait_procs(children, timeout=10)
    assert not children[0].is_running()


def test_children_that_outlive_their_server_are_found(runtime: ProcessRuntime, replica: ReplicaSpec) -> None:
    (replica.folder / "behave").write_text("fork")
    identity = runtime.start(replica)
    until(lambda: runtime.is_ready(replica))
    child = psutil.Process(identity.pid).children()[0]
    until(lambda: "MLOPS_SERVE" in child.environ())
    assert [each.identity for each in runtime.ours()] == [identity]
    psutil.Process(identity.pid).kill()
    until(lambda: not runtime.runs(identity))
    assert [each.identity.pid for each in runtime.ours()] == [child.pid]


def test_another_home_s_servers_are_never_ours(runtime: ProcessRuntime, replica: ReplicaSpec, tmp_path: Path) -> None:
    runtime.start(replica)
    assert ProcessRuntime(Home(tmp_path)).ours() == []


def test_one_that_does_not_listen_to_sigterm_is_ended_by_force(runtime: ProcessRuntime, replica: ReplicaSpec) -> None:
    (replica.folder / "behave").write_text("ignore-term")
    identity = runtime.start(replica)
    until(lambda: runtime.is_ready(replica))
    runtime.stop(identity, force=False)
    assert runtime.runs(identity)
    runtime.stop(identity, force=True)
    until(lambda: not runtime.runs(identity))


def test_what_it_writes_is_bounded(runtime: ProcessRuntime, replica: ReplicaSpec) -> None:
    (replica.folder / "behave").write_text("spam")
    runtime.start(replica)
    until(lambda: runtime.is_ready(replica))
    assert replica.log.stat().st_size > LIMIT_BYTES
    runtime.tidy(replica)
    assert replica.log.stat().st_size == 0
    assert replica.log.with_name(replica.log.name + ".1").stat().st_size <= 1024 * 1024
    assert runtime.is_ready(replica)


def test_a_log_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with open_log(path) as log:
        log.write(b"x" * (LIMIT_BYTES + 1))
        bound_log(path)
        log.write(b"after\n")
    assert path.read_bytes() == b"after\n"
    assert last_line(path) == "after"
    assert last_line(tmp_path / "none") == ""


def test_the_real_model_server_serves_a_real_bundle(home: Home, replica: ReplicaSpec) -> None:
    from engine.deployment.serve_folder import _order
    from engine.registry.queries.rollouts import RolloutRow

    make_bundle(home.serve(7) / "bundle", "linear", "binary")
    row = RolloutRow(7, "fraud", 1, 3, 3, "running", "starting", 0, 10_000, True, "process", 1)
    (replica.folder / "captures").mkdir()
    (replica.folder / "serve.json").write_bytes(_order(row, 0, 1 << 24))
    runtime = ProcessRuntime(home)
    identity = runtime.start(replica)
    until(lambda: runtime.is_ready(replica) or not runtime.runs(identity))
    assert runtime.last_words(replica) == ""
    status, body = ask(replica.socket, "GET", "/v2/models/fraud", timeout_s=5.0)
    assert (status, b'"3"' in body) == (200, True)
    runtime.stop(identity, force=False)
    until(lambda: not runtime.runs(identity))


def test_the_sleeper_wakes_when_a_process_ends_or_somebody_pokes(runtime: ProcessRuntime, replica: ReplicaSpec) -> None:
    identity = runtime.start(replica)
    waker = Waker()
    waker.watch({identity.pid or 0})
    waker.poke()
    waker.sleep(60.0)
    runtime.stop(identity, force=True)
    assert not waker.has_seen_an_end
    waker.sleep(60.0)
    assert waker.has_seen_an_end
    assert not runtime.runs(identity)
    waker.watch({identity.pid or 0})
    assert waker.has_seen_an_end
    waker.watch(set())
    assert not waker.has_seen_an_end
    waker.close()


def test_a_poke_after_the_end_writes_into_nobodys_file(tmp_path: Path) -> None:
    waker = Waker()
    waker.close()
    # The lowest free numbers are given out first: these get those of the waker's pipe.
    files = [(tmp_path / name).open("wb") for name in ("one", "two")]
    waker.poke()
    for file in files:
        file.close()
    assert [(tmp_path / name).read_bytes() for name in ("one", "two")] == [b"", b""]
