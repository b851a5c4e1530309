"""The same predictions through the built-in gateway, over loopback."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.load import Figures, ask_once, ask_until_ready, http_request, load
from tests.bench.model_server import CONNECTIONS, Server, one_row, request
from tests.bench.report import Result, of_load


def measure(server: Server, folder: Path, seconds: float) -> Iterator[Result]:
    """The figures of one gateway in front of one model server."""
    with _gateway(server, folder) as address:
        for connections in CONNECTIONS:
            seen, by = _load(address, server.spec.endpoint, folder, connections, seconds)
            judged = 4_000 if connections == 16 else None
            yield from of_load("gateway, one row", seen, per_second=judged, note=f"asked by {by}")


@contextmanager
def _gateway(server: Server, folder: Path) -> Iterator[tuple[str, int]]:
    folder.mkdir()
    control, spec = folder / "control", server.spec
    command = [sys.executable, "-m", "engine.gateway", str(folder), str(control), "127.0.0.1", "0"]
    child = subprocess.Popen([*command, "--log", str(folder / "log")])
    try:
        ask_until_ready(control, http_request("GET", "/status"), child)
        backend = {"deployment": 1, "version": spec.version, "weight": 10_000, "sockets": [str(server.socket)]}
        routes = {"generation": 1, "endpoints": {spec.endpoint: {"backends": [backend]}}}
        status, told = ask_once(control, http_request("PUT", "/routes", json.dumps(routes).encode()))
        if status != 200:
            raise RuntimeError(f"the gateway refused its routes: {told!r}")
        found = json.loads(ask_once(control, http_request("GET", "/status"))[1])
        yield found["host"], found["port"]
    finally:
        child.terminate()
        child.wait(30)


def _load(
    address: tuple[str, int], endpoint: str, folder: Path, connections: int, seconds: float
) -> tuple[Figures, str]:
    """wrk leaves more of two cores to what is measured, so it is used where it is."""
    if wrk := shutil.which("wrk"):
        return _wrk(wrk, address, endpoint, folder, connections, seconds), "wrk"
    return load(address, request(endpoint, one_row()), connections=connections, seconds=seconds), "our own load"


def _wrk(
    wrk: str, address: tuple[str, int], endpoint: str, folder: Path, connections: int, seconds: float
) -> Figures:  # fmt: skip
    script = folder / "post.lua"
    body = one_row().decode()
    script.write_text(
        f"wrk.method = 'POST'\nwrk.body = [==[{body}]==]\nwrk.headers['content-type'] = 'application/json'\n",
        encoding="utf-8",
    )
    duration = max(1, round(seconds))
    url = f"http://{address[0]}:{address[1]}/predict/{endpoint}"
    said = subprocess.run(
        [wrk, "-t1", f"-c{connections}", f"-d{duration}s", "--latency", "-s", str(script), url],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    answers, took = re.search(r"(\d+) requests in ([\d.]+)s", said).groups()  # type: ignore[union-attr]
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    failures = int(refused[1]) if refused else 0
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    failures += sum(map(int, broken.groups())) if broken else 0
    return Figures(
        connections, int(answers) - failures, failures, float(took), _latency(said, "50"), _latency(said, "99")
    )


def _latency(said: str, percent: str) -> float:
    value, unit = re.search(rf"^ +{percent}% +([\d.]+)(us|ms|s)$", said, re.MULTILINE).groups()  # type: ignore[union-attr]
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]
