"""Steady requests to a gateway, and what came of each."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

PER_SECOND = 50


@dataclass
class Traffic:
    """50 requests a second from five clients, of which one opens a connection for each."""

    port: int
    body: bytes = b'{"rows": [{}]}'
    endpoint: str = "fraud"
    seen: Counter[str] = field(default_factory=Counter)
    _done: threading.Event = field(default_factory=threading.Event)
    _clients: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Traffic:
        self._clients = [threading.Thread(target=self._ask, args=(each > 0,)) for each in range(5)]
        for client in self._clients:
            client.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        for client in self._clients:
            client.join()

    @property
    def requests(self) -> int:
        return sum(self.seen.values())

    def _ask(self, kept: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self._done.wait(5 / PER_SECOND):
            try:
                connection.request("POST", f"/predict/{self.endpoint}", self.body, {"content-type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
                self.seen["200" if answer.status == 200 else f"{answer.status} {text[:200]!r}"] += 1
            except (OSError, http.client.HTTPException) as error:
                self.seen[repr(error)] += 1
                connection.close()
            if not kept:
                connection.close()
        connection.close()
