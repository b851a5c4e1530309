"""One engine per home: started by whoever needs it, ended when told, found again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from fakes.engine_process import EngineProcess, end_everything

from engine.client import EngineClient, connect, ensure_engine, launch
from engine.client.launch import answers
from engine.errors import DiskFull, EngineError, EngineUnreachable, InvalidConfig, VersionMismatch
from engine.lock import take_lock
from engine.registry.migrate import bring_up_to_date
from engine.settings import Home


def end(client: EngineClient) -> None:
    client.down()
    client.wait_until_down()


def test_a_client_starts_an_engine_where_none_runs(home: Home) -> None:
    with connect(home) as client:
        about = client.about()
        assert (about.home, about.role) == (str(home.root), "admin")
        started = psutil.Process(about.pid)
        assert started.ppid() != os.getpid(), "it outlives the client"
        assert os.getsid(about.pid) != os.getsid(0), "it does not end with the client's terminal"
        end(client)
    gone, _ = psutil.wait_procs([started], timeout=30)
    assert gone == [started]


def test_a_second_client_uses_the_engine_that_runs(engine: EngineProcess) -> None:
    with connect(engine.home) as client:
        assert client.about().pid == engine.pid


def test_clients_that_race_share_one_engine(home: Home) -> None:
    failures: list[EngineError] = []
    pids: list[int] = []

    def race() -> None:
        try:
            with connect(home) as client:
                pids.append(client.about().pid)
        except EngineError as error:
            failures.append(error)

    racers = [threading.Thread(target=race) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert failures == []
    assert len(pids) == 6
    assert len(set(pids)) == 1
    with connect(home) as client:
        end(client)


def test_a_second_engine_says_who_runs_already(engine: EngineProcess) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "engine", "--home", str(engine.home.root)], capture_output=True, text=True
    )
    assert second.returncode == 1
    assert second.stderr.splitlines()[0] == f"Another engine (process {engine.pid}) runs for {engine.home.root}."
    with engine.client() as client:
        assert client.about().pid == engine.pid


def test_sigterm_ends_it_cleanly(engine: EngineProcess) -> None:
    assert engine.stop() == 0
    assert not engine.home.engine_socket.exists()
    assert not engine.home.stopped_mark.exists(), "a signal is nobody's wish that it stay down"


def test_sigterm_ends_it_while_somebody_follows_the_stream(engine: EngineProcess) -> None:
    with engine.client() as client:
        stream = client.stream()
        next(stream)
        assert engine.stop() == 0
        with pytest.raises(EngineUnreachable):
            next(stream)


def test_a_closed_terminal_does_not_end_it(engine: EngineProcess) -> None:
    os.kill(engine.pid, signal.SIGHUP)
    with engine.client() as client:
        assert client.about().pid == engine.pid


def test_down_is_remembered_until_the_owner_starts_it_again(engine: EngineProcess) -> None:
    home = engine.home
    with engine.client() as client:
        end(client)
    with pytest.raises(EngineUnreachable, match="mlops down"):
        ensure_engine(home, start=False)
    assert not answers(home)
    with connect(home) as client:
        assert not home.stopped_mark.exists()
        assert [event.verb for event in client.events().events] == ["engine.stopped"]
        end(client)


def test_an_engine_that_died_is_started_again_by_anyone_of_its_owner(engine: EngineProcess) -> None:
    engine.kill()
    assert engine.home.engine_socket.exists(), "it left its socket behind"
    ensure_engine(engine.home, start=False)
    with EngineClient(engine.home) as client:
        assert client.about().pid != engine.pid
        end(client)


def test_a_broken_config_is_told_to_whoever_starts_it(home: Home) -> None:
    home.config.write_text("[jobs]\nslot = 3\n")
    with pytest.raises(InvalidConfig, match="slot") as broken:
        connect(home)
    assert broken.value.hint == "Did you mean `slots`?"
    home.config.write_text('[gateway]\nport = "x"\n')
    with pytest.raises(InvalidConfig, match=r"`gateway\.port`") as broken:
        connect(home)
    assert broken.value.hint == "Mend that key."
    assert not answers(home)


def test_a_registry_of_a_newer_program_is_left_alone(home: Home) -> None:
    import sqlite3

    bring_up_to_date(home.database)
    with sqlite3.connect(home.database) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(VersionMismatch, match="newer mlops"):
        connect(home)


def test_a_home_that_is_held_by_something_that_does_not_answer_is_told(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = take_lock(home)
    monkeypatch.setattr(launch, "READY_WITHIN_S", 1.0)
    with pytest.raises(EngineUnreachable, match=r"holds .*, but does not answer"):
        ensure_engine(home)
    os.close(lock)


@pytest.fixture
def full_disk(home: Home) -> Iterator[Home]:
    """A home on a disk of its own, with no room left."""
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=0710", "tmpfs", home.root])
    if made.returncode != 0:
        pytest.skip("only root can mount a small disk to fill")
    home.prepare()
    filler = home.root / "filler"
    with contextlib.suppress(OSError):
        filler.write_bytes(b"x" * 1_000_000)
    yield home
    end_everything(home)
    subprocess.run(["umount", home.root], check=True)


def test_a_full_disk_is_told_and_leaves_nothing_half_made(full_disk: Home) -> None:
    with pytest.raises(DiskFull) as full:
        connect(full_disk)
    assert "full" in full.value.message
    assert not answers(full_disk)
    (full_disk.root / "filler").unlink()
    subprocess.run(["mount", "-o", "remount,size=16m", full_disk.root], check=True)
    with connect(full_disk) as client:
        assert client.status().last_event == 0
        end(client)


def test_a_home_that_cannot_be_written_is_told(home: Home) -> None:
    home.lock.symlink_to("/dev/null/lock")
    with pytest.raises(EngineUnreachable, match="cannot run in"):
        connect(home)


def test_nothing_in_the_home_is_open_to_others(engine: EngineProcess) -> None:
    allowed = {engine.home.root: 0o710, engine.home.run: 0o750, engine.home.engine_socket: 0o660}
    for found in (engine.home.root, *engine.home.root.rglob("*")):
        mode = found.lstat().st_mode & 0o777
        assert mode & ~allowed.get(found, 0o700) == 0, f"{found.name} is {mode:o}"


def test_the_engine_holds_no_science(engine: EngineProcess) -> None:
    with engine.client() as client:
        assert [finding.what for finding in client.doctor() if not finding.ok] == []
        client.fleet()
    mapped = Path(f"/proc/{engine.pid}/maps").read_text()
    for library in ("numpy", "polars", "pandas", "scipy", "sklearn", "lib_lightgbm"):
        assert library not in mapped, library


def test_a_folder_named_engine_is_not_the_engine(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    with connect(home) as client:
        end(client)
