"""Running model servers for tests: the real process, in a folder short enough for a Unix socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import httpx


class Replica:
    """One `python -m engine.serving FOLDER`; a context manager that ends it."""

    def __init__(self, folder: Path, command: Sequence[str] = (), **environment: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [*command, sys.executable, "-m", "engine.serving", str(folder)],
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            text=True,
        )
        self.client = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(folder / "s")), base_url="http://replica", timeout=30
        )

    def __enter__(self) -> Replica:
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.stderr.close()

    @property
    def stderr(self) -> IO[str]:
        """What the server says."""
        assert self.process.stderr is not None
        return self.process.stderr

    def wait_until_ready(self, timeout_s: float = 60) -> None:
        """Connect until somebody listens, which the server does only when it is ready."""
        deadline = time.monotonic() + timeout_s
        while not self.listens():
            assert self.process.poll() is None, f"the server ended: {self.stderr.read()}"
            assert time.monotonic() < deadline, "the server did not become ready"
            time.sleep(0.005)
        assert self.client.get("/v2/health/ready").json() == {"ready": True}

    def listens(self) -> bool:
        """Whether somebody accepts connections on its socket."""
        # Not by httpx, which leaves the socket of a refused connection to the garbage collector.
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.folder / "s")) == 0

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def predict(self, body: Any, **kwargs: Any) -> httpx.Response:
        """Rows as JSON to `/predict/shop`."""
        return self.client.post("/predict/shop", json=body, **kwargs)


def run_to_end(folder: Path, **environment: str) -> tuple[int, str]:
    """A server that is expected to refuse: its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "engine.serving", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )
    return done.returncode, done.stderr
