"""The engine: how soon it is ready, what it takes while idle, and how fast its API reads and writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.client import EngineClient
from engine.client.failures import API_HEADER
from engine.settings import Home
from engine.wire.base import API_VERSION
from tests.bench.load import ask_until_ready, http_request, load
from tests.bench.report import Result, of_load

ROOT = Path(__file__).parents[2]
IDLE_S = 10.0
HEADERS = {API_HEADER: str(API_VERSION)}


@dataclass(frozen=True)
class Engine:
    """A running engine."""

    home: Home
    process: psutil.Process
    ready_s: float
    """From its start to its first answer."""


@contextmanager
def engine(home: Home) -> Iterator[Engine]:
    """An engine in a fresh home, until the end of `with`."""
    home.prepare()
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "engine", "--home", str(home.root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=home.root,
    )
    try:
        ask_until_ready(home.engine_socket, http_request("GET", "/v1/about", headers=HEADERS), child)
        yield Engine(home, psutil.Process(child.pid), time.perf_counter() - began)
    finally:
        child.terminate()
        child.wait(30)


def measure(running: Engine, seconds: float) -> Iterator[Result]:
    """The figures of one engine."""
    yield Result("engine: start to first answer", running.ready_s, "s", 1.5)
    yield from _idle(running.process)
    yield from _reads_and_writes(running.home, seconds)


def _idle(process: psutil.Process) -> Iterator[Result]:
    time.sleep(2.0)
    before = process.cpu_times()
    time.sleep(IDLE_S)
    after = process.cpu_times()
    used = (after.user + after.system) - (before.user + before.system)
    yield Result("engine, idle: memory", process.memory_info().rss / 2**20, "MiB", 150 * 1e6 / 2**20)
    yield Result("engine, idle: CPU", 100 * used / IDLE_S, "%", 1.0)


def _reads_and_writes(home: Home, seconds: float) -> Iterator[Result]:
    with EngineClient(home) as client:
        client.add_project(str(ROOT / "sample_projects" / "tumour"))
    run = {
        "project": "tumour",
        "params": {f"parameter_{number}": str(number / 3) for number in range(10)},
        "metrics": {f"metric_{number}": number / 7 for number in range(20)},
    }
    write = http_request("POST", "/v1/runs", json.dumps(run).encode(), HEADERS)
    for connections in (1, 16):
        seen = load(home.engine_socket, write, connections=connections, seconds=seconds)
        yield from of_load("API, durable runs", seen, per_second=500 if connections == 16 else None)
    for what, path in (("status", "/v1/status"), ("latest 100 runs", "/v1/runs?limit=100")):
        read = http_request("GET", path, headers=HEADERS)
        for connections in (1, 16):
            seen = load(home.engine_socket, read, connections=connections, seconds=seconds)
            yield from of_load(f"API, {what}", seen)
            if what == "latest 100 runs" and connections == 1:
                yield Result(f"API, {what}: p50", seen.p50_ms, "ms", 10.0)


def environment(home: Home) -> dict[str, str]:
    """For a command that is to use this home, compiled as it is where it is installed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"MLOPS_HOME": str(home.root)}
