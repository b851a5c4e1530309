"""One small HTTP request over a Unix socket, blocking: to the gateway's control side, or a model server's health."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

ANSWER_LIMIT_BYTES = 8 * 1024 * 1024


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(path: Path, method: str, target: str, body: bytes | None = None, *, timeout_s: float) -> tuple[int, bytes]:
    """Status and body of the answer.

    Raises:
        OSError: nobody listens there, or nothing came within `timeout_s` (of each wait, not of all of it).
    """
    connection = _UnixConnection(path, timeout_s)
    try:
        connection.request(method, target, body, {"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read(ANSWER_LIMIT_BYTES)
    except http.client.HTTPException as error:
        raise ConnectionError(f"not HTTP: {error!r}") from error
    finally:
        connection.close()
