"""The demo's clients count what they get, failures above all."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

TOOLS = Path(__file__).parents[2] / "tools"
spec = importlib.util.spec_from_file_location("steady_traffic", TOOLS / "steady_traffic.py")
assert spec is not None and spec.loader is not None
steady_traffic = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = steady_traffic
spec.loader.exec_module(steady_traffic)

GOOD = (200, {"version": 1, "predictions": [{"label": True}]})


@contextmanager
def endpoint(answer: Callable[[int], tuple[int, object]]) -> Iterator[str]:
    """A server whose n-th request is answered by `answer(n)`; its URL."""
    numbers = count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            status, body = answer(next(numbers))
            told = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/predict/fraud"
        finally:
            server.shutdown()
            thread.join()


def test_answers_are_counted_by_version() -> None:
    with (
        endpoint(lambda n: (200, {"version": 1 + n // 5, "predictions": [{}]}) if n < 9 else GOOD) as url,
        steady_traffic.SteadyTraffic(url, [{"a": 1}] * 1000, clients=1, per_second=2000) as traffic,
    ):
        assert traffic.wait_for(2, 4, timeout_s=20)
    assert traffic.tally.by_version["2"] == 4 and traffic.tally.failures == []
    assert traffic.tally.answered == len(traffic.tally.latencies_s)


def test_an_error_status_and_an_answer_without_prediction_are_failures_and_the_client_goes_on() -> None:
    bad = {1: (503, {"error": "gone"}), 3: (200, {"version": 1, "predictions": []})}
    with (
        endpoint(lambda n: bad.get(n, GOOD)) as url,
        steady_traffic.SteadyTraffic(url, [{"a": 1}] * 1000, clients=1, per_second=2000) as traffic,
    ):
        assert traffic.wait_for(1, 10, timeout_s=20)
    first, second = traffic.tally.failures
    assert "503" in first and "not 1 predictions" in second


def test_nobody_there_is_a_failure_and_the_version_is_not_seen() -> None:
    with endpoint(lambda n: GOOD) as url:
        pass
    with steady_traffic.SteadyTraffic(url, [{}] * 1000, clients=1, per_second=1000) as traffic:
        assert not traffic.wait_for(1, 1, timeout_s=0.2)
        while not traffic.tally.failures:
            pass
    assert traffic.tally.answered == 0


def test_each_row_is_sent_once_and_what_is_left_is_told() -> None:
    rows = [{"id": number} for number in range(103)]
    with (
        endpoint(lambda n: (200, {"version": 1, "predictions": [{}] * (10 if n < 10 else 3)})) as url,
        steady_traffic.SteadyTraffic(url, rows, clients=1, per_second=1e9, rows_a_request=10) as traffic,
    ):
        traffic.finish()
    assert traffic.sent == 103 and traffic.tally.answered == 11 and traffic.tally.failures == []
