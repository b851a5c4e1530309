"""A load generator small enough to share two cores with what it measures: one thread, raw sockets, epoll.

It speaks just enough HTTP/1.1 for our own servers: kept-alive connections, one request at a time each, answers with a
content-length. A request costs it 15 to 20 µs, so one core of it asks about 50,000 times a second. wrk is a little
cheaper but cannot speak to a Unix socket; one generator for both keeps the figures comparable.
"""

from __future__ import annotations

import select
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

Address = Path | tuple[str, int]
"""A Unix socket, or host and port."""

_CONTENT_LENGTH = b"content-length:"


@dataclass(frozen=True)
class Figures:
    """What a load of `connections` saw. Times are for whole answers."""

    connections: int
    answers: int
    failures: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Answers with status 200 a second."""
        return self.answers / self.seconds


class NoAnswer(Exception):
    """The server closed the connection, or did not answer within the time limit."""


def http_request(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """The bytes of a request."""
    told = {"host": "bench", "content-type": "application/json", "content-length": str(len(body))} | (headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def connect(address: Address, timeout_s: float = 30.0) -> socket.socket:
    """A blocking connection."""
    if isinstance(address, Path):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout_s)
        connection.connect(str(address))
        return connection
    connection = socket.create_connection(address, timeout=timeout_s)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ask_once(address: Address, request: bytes, timeout_s: float = 30.0) -> tuple[int, bytes]:
    """One request on a connection of its own: status and body."""
    with connect(address, timeout_s) as connection:
        connection.sendall(request)
        answer = _Answer()
        while not answer.feed(connection.recv(262_144)):
            pass
        return answer.status, answer.body


def ask_until_ready(
    address: Address, request: bytes, server: subprocess.Popen[bytes], timeout_s: float = 30.0
) -> float:
    """Ask again until the answer is 200; seconds it took."""
    began = time.perf_counter()
    while time.perf_counter() - began < timeout_s:
        if server.poll() is not None:
            raise NoAnswer(f"the server of {address} ended with exit code {server.returncode}")
        try:
            if ask_once(address, request)[0] == 200:
                return time.perf_counter() - began
        except (OSError, NoAnswer):
            pass
        time.sleep(0.002)
    raise NoAnswer(f"{address} was not ready within {timeout_s:.0f} s")


def load(address: Address, request: bytes, *, connections: int, seconds: float, warm_up_s: float = 0.3) -> Figures:
    """Ask on so many connections at once, each again as soon as it has its answer, and count after the warm-up."""
    lines = [_Line(connect(address), request) for _ in range(connections)]
    try:
        _run(lines, warm_up_s)
        for line in lines:
            line.latencies_s.clear()
            line.failures = 0
        took = _run(lines, seconds)
    finally:
        for line in lines:
            line.connection.close()
    latencies = sorted(latency for line in lines for latency in line.latencies_s)
    if not latencies:
        raise NoAnswer(f"{address} gave no answer in {seconds:.1f} s")
    return Figures(
        connections,
        len(latencies),
        sum(line.failures for line in lines),
        took,
        1000 * latencies[len(latencies) // 2],
        1000 * latencies[int(len(latencies) * 0.99)],
    )


class _Answer:
    """Collects one answer."""

    def __init__(self) -> None:
        self._data = b""
        self._body_at = 0
        self._ends_at = 0

    def feed(self, data: bytes) -> bool:
        """Take more bytes; True once the answer is whole."""
        if not data:
            raise NoAnswer("the server closed the connection")
        self._data += data
        if not self._ends_at:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return False
            self._body_at = end + 4
            self._ends_at = self._body_at + _content_length(self._data[:end])
        return len(self._data) >= self._ends_at

    @property
    def status(self) -> int:
        return int(self._data[9:12])

    @property
    def body(self) -> bytes:
        return self._data[self._body_at : self._ends_at]


def _content_length(head: bytes) -> int:
    at = head.lower().find(_CONTENT_LENGTH)
    if at < 0:
        raise NoAnswer("an answer without content-length, which this generator does not read")
    line = head[at + len(_CONTENT_LENGTH) :]
    return int(line.split(b"\r\n", 1)[0])


class _Line:
    """One connection and what it saw."""

    def __init__(self, connection: socket.socket, request: bytes) -> None:
        self.connection = connection
        self.request = request
        self.latencies_s: list[float] = []
        self.failures = 0
        self._answer = _Answer()
        self._asked_at = 0.0

    def ask(self) -> None:
        self._answer = _Answer()
        self._asked_at = time.perf_counter()
        self.connection.sendall(self.request)

    def read(self) -> bool:
        """Take what has come; True once the answer is whole."""
        if not self._answer.feed(self.connection.recv(262_144)):
            return False
        if self._answer.status == 200:
            self.latencies_s.append(time.perf_counter() - self._asked_at)
        else:
            self.failures += 1
        return True


def _run(lines: list[_Line], seconds: float) -> float:
    """Ask for `seconds`, then take the last answers; the seconds it took."""
    by_number = {line.connection.fileno(): line for line in lines}
    poll = select.epoll()
    began = time.perf_counter()
    until = began + seconds
    waiting = len(lines)
    try:
        for number, line in by_number.items():
            poll.register(number, select.EPOLLIN)
            line.ask()
        while waiting:
            ready = poll.poll(30.0)
            if not ready:
                raise NoAnswer("no answer within 30 s")
            for number, _ in ready:
                line = by_number[number]
                if not line.read():
                    continue
                if time.perf_counter() < until:
                    line.ask()
                else:
                    waiting -= 1
    finally:
        poll.close()
    return time.perf_counter() - began
