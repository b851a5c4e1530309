"""The load generator counts what is answered, and what is not."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
load = importlib.import_module("tests.bench.load")
report = importlib.import_module("tests.bench.report")


@contextmanager
def server(*statuses: int, body: bytes = b"{}") -> Iterator[tuple[str, int]]:
    """Answers with each status in turn, again and again; closes the connection at status 0."""
    numbers = count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            status = statuses[next(numbers) % len(statuses)]
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield ("127.0.0.1", listening.server_address[1])
        finally:
            listening.shutdown()
            thread.join()


REQUEST = load.http_request("POST", "/predict/x", b'{"a": 1}')


def test_an_answer_in_many_pieces_is_read_whole() -> None:
    body = b"x" * 1_000_000
    with server(200, body=body) as address:
        assert load.ask_once(address, REQUEST) == (200, body)


def test_error_answers_are_failures_and_no_answers() -> None:
    with server(200, 503) as address:
        seen = load.load(address, REQUEST, connections=1, seconds=0.1, warm_up_s=0.05)
    assert seen.answers > 0 and abs(seen.answers - seen.failures) <= 1


def test_a_closed_connection_ends_the_measurement_instead_of_flattering_it() -> None:
    with server(200, 200, 0) as address, pytest.raises(load.NoAnswer, match="closed"):
        load.load(address, REQUEST, connections=1, seconds=5.0)


def test_a_missed_target_is_called_missed() -> None:
    slow = report.Result("engine: start", 2.0, "s", 1.5)
    few = report.Result("API: writes", 100, "/s", 500, "more")
    assert "MISSED ≤ 1.50" in slow.line() and "MISSED ≥ 500" in few.line()
    assert report.Result("free", 1.0, "s").reached is None
