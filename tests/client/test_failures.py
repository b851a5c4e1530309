from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.client import EngineClient, connect, ensure_engine
from engine.client import launch as launch_module
from engine.client.launch import lock_is_free
from engine.errors import EngineError, EngineUnreachable, InvalidInput, VersionMismatch
from engine.settings import Home
from engine.wire.jobs import JobView


class ScriptedServer:
    """Answers each connection with the next of the given bytes, then closes; keeps what it was sent."""

    def __init__(self, home: Home, *answers: bytes) -> None:
        self.asked: list[bytes] = []
        self._answers = answers
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(home.engine_socket))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        for answer in self._answers:
            connection, _ = self._socket.accept()
            with connection:
                self.asked.append(connection.recv(65_536))
                connection.sendall(answer)

    def close(self) -> None:
        self._thread.join(10)
        self._socket.close()


def http(status: int, body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d X" % status, b"content-length: %d" % len(body), b"connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@pytest.fixture
def asking(home: Home) -> Iterator[EngineClient]:
    with EngineClient(home) as client:
        yield client


def test_an_absent_engine_is_told_in_one_sentence(asking: EngineClient) -> None:
    with pytest.raises(EngineUnreachable, match="No engine answers") as absent:
        asking.about()
    assert absent.value.exit_code == 5
    assert "mlops up" in absent.value.hint


def test_a_socket_that_nobody_listens_on_is_an_absent_engine(home: Home, asking: EngineClient) -> None:
    left_behind = socket.socket(socket.AF_UNIX)
    left_behind.bind(str(home.engine_socket))
    left_behind.close()
    with pytest.raises(EngineUnreachable, match="No engine answers"):
        asking.about()


def test_an_engine_that_was_put_down_is_told_so(home: Home, asking: EngineClient) -> None:
    home.stopped_mark.touch()
    with pytest.raises(EngineUnreachable, match="mlops down"):
        asking.about()
    with pytest.raises(EngineUnreachable, match="mlops down"):
        ensure_engine(home, start=False)


def test_a_lost_answer_is_not_asked_for_again_where_it_might_be_done_twice(home: Home) -> None:
    server = ScriptedServer(home, b"")
    with EngineClient(home, patience_s=60) as client, pytest.raises(EngineUnreachable, match="may have been done"):
        client.train("fraud")
    server.close()
    assert len(server.asked) == 1


def test_a_lost_answer_is_asked_for_again_where_that_does_no_harm(home: Home) -> None:
    server = ScriptedServer(home, b"", http(404, b'{"code":"not_found","detail":"No."}'))
    with EngineClient(home, patience_s=60) as client, pytest.raises(Exception, match=r"No\."):
        client.project("fraud")
    server.close()
    assert len(server.asked) == 2


def test_an_engine_of_another_version_is_refused_whatever_it_answers(home: Home, asking: EngineClient) -> None:
    server = ScriptedServer(home, http(200, b"{}", b"x-mlops-api: 2"))
    with pytest.raises(VersionMismatch, match="version 2"):
        asking.about()
    server.close()
    assert b"x-mlops-api: 1" in server.asked[0]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (502, b"<html>", "status 502"),
        (500, b"[]", "status 500"),
        (404, b"", "status 404"),
        (502, b'{"detail": 3}', "3"),
        (503, b"Service Unavailable", "too many clients"),
    ],
)
def test_an_answer_that_is_no_problem_is_told_by_its_status(
    home: Home, asking: EngineClient, status: int, body: bytes, told: str
) -> None:
    server = ScriptedServer(home, http(status, body))
    with pytest.raises(EngineError, match=told):
        asking.about()
    server.close()


def test_an_answer_nobody_understands_is_a_mismatch(home: Home, asking: EngineClient) -> None:
    server = ScriptedServer(home, http(200, b'{"version": 7}'))
    with pytest.raises(VersionMismatch, match="About"):
        asking.about()
    server.close()


def test_a_job_without_a_body_is_asked_without_one(home: Home, asking: EngineClient) -> None:
    server = ScriptedServer(home, http(404, b'{"code":"not_found","detail":"No."}'))
    with pytest.raises(Exception, match=r"No\."):
        asking.cancel(3)
    server.close()
    assert server.asked[0].startswith(b"POST /v1/jobs/3/cancel HTTP/1.1")
    assert JobView.__name__ == "JobView"


def test_a_token_travels_in_the_header_only(home: Home) -> None:
    server = ScriptedServer(home, b"")
    with EngineClient(home, token="secret") as client, pytest.raises(EngineUnreachable) as lost:
        client.work(3)
    server.close()
    assert b"authorization: Bearer secret" in server.asked[0]
    assert "secret" not in str(lost.value) + lost.value.hint


def test_a_home_that_is_too_deep_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="too long"):
        connect(Home(tmp_path / ("x" * 120)))


def test_an_engine_that_says_nothing_but_dies_is_quoted(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = home.root / "python"
    broken.write_text("#!/bin/sh\necho first >&2; echo it broke >&2; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(launch_module.sys, "executable", str(broken))
    with pytest.raises(EngineUnreachable, match="ended while it started: it broke"):
        ensure_engine(home)


def test_a_lock_nobody_holds_is_free(home: Home) -> None:
    assert lock_is_free(home)
    home.lock.touch()
    assert lock_is_free(home)


def test_importing_the_client_costs_little() -> None:
    listed = subprocess.run(
        [sys.executable, "-c", "import sys, engine.client; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"asyncio", "httpx", "subprocess", "fastapi", "sqlalchemy", "numpy"} & set(listed)
