"""Predictions per second through the gateway, measured with wrk: helpers for `make bench`.

`wrk` shares the machine with what it measures, so only figures of one run compare.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.deployment.builtin_gateway import BuiltinGateway
from engine.gateway.routes import FULL_WEIGHT, Backend, EndpointRoutes, Routes
from engine.settings import Home

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw. `failed`: answers that were not 2xx or 3xx, and socket errors."""

    connections: int
    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


@contextmanager
def gateway_before(shares: Mapping[Path, int], name: str = "bench") -> Iterator[int]:
    """The built-in gateway in a home of its own before model servers that listen on `shares`' sockets; its port.

    Shares are parts of 10,000, in order.
    """
    root = Path(tempfile.mkdtemp(prefix="mb", dir="/tmp"))
    home = Home(root)
    home.prepare()
    gateway = BuiltinGateway(home)
    try:
        port = gateway.start(0).port
        backends = tuple(
            Backend(number, number, share, (str(socket),)) for number, (socket, share) in enumerate(shares.items(), 1)
        )
        gateway.put_routes(Routes(1, {name: EndpointRoutes(backends)}))
        yield port
    finally:
        gateway.stop()
        shutil.rmtree(root, ignore_errors=True)


def full(socket: Path) -> dict[Path, int]:
    """All traffic to one model server."""
    return {socket: FULL_WEIGHT}


def load(url: str, body: bytes, connections: int, seconds: int = 5) -> Load:
    """Post `body` again and again over `connections` connections that are kept.

    Raises:
        FileNotFoundError: there is no wrk.
    """
    if shutil.which("wrk") is None:
        raise FileNotFoundError("wrk is not installed; on Debian: apt-get install wrk")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        text = body.decode().replace("\\", "\\\\").replace("'", "\\'")
        script.write(f"wrk.method = 'POST'\nwrk.body = '{text}'\nwrk.headers['content-type'] = 'application/json'\n")
        script.flush()
        arguments = ["-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script.name, url]
        told = subprocess.run(["wrk", *arguments], capture_output=True, text=True, check=True).stdout
    return read_load(told, connections)


def read_load(told: str, connections: int) -> Load:
    """What wrk printed, as figures."""
    failed = sum(int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", told))
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", told)
    failed += sum(map(int, errors.groups())) if errors else 0
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", told)
    assert rate is not None, told
    return Load(connections, float(rate[1]), _latency(told, 50), _latency(told, 99), failed)


def _latency(told: str, percent: int) -> float:
    found = re.search(rf"^\s*{percent}%\s+([0-9.]+)(us|ms|s)$", told, re.MULTILINE)
    assert found is not None, told
    return float(found[1]) * _UNITS[found[2]]
