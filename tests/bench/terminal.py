"""The terminal, as a person at it sees it: the real program on a pseudo-terminal, with the engine up."""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from fakes.pty_terminal import PtyTerminal

from engine.client import EngineClient
from engine.settings import Home
from tests.bench.engine_alone import ROOT, engine, environment
from tests.bench.long_chain import lengthen
from tests.bench.report import Result
from tests.bench.steady_events import steady_events

MLOPS = Path(sys.executable).parent / "mlops"
STARTS = 5
OPENINGS = 3
EVENTS = 100_000
EVENTS_PER_S = 200.0
KEYS = 150
PROJECT = "tumour"
_CURSOR = re.compile(r"^▸ +(\d+)", re.MULTILINE)


def measure(home: Home) -> Iterator[Result]:
    """The figures of the terminal, in a home of its own."""
    with engine(home), EngineClient(home) as client:
        client.add_project(str(ROOT / "sample_projects" / PROJECT))
    lengthen(home, EVENTS)
    with engine(home):
        yield from _starts(home)
        yield from _openings(home)
        yield from _keys(home)


def _starts(home: Home) -> Iterator[Result]:
    first, useful = zip(*(_start(home) for _ in range(STARTS)), strict=True)
    yield _median("terminal: start to first paint", first, "s", 0.8)
    yield _median("terminal: start to the first model", useful, "s", 0.8)


def _start(home: Home) -> tuple[float, float]:
    began = time.perf_counter()
    with _terminal(home) as terminal:
        terminal.wait_for("Fleet")
        painted = time.perf_counter() - began
        terminal.wait_for(f"▸ {PROJECT}")
        return painted, time.perf_counter() - began


def _openings(home: Home) -> Iterator[Result]:
    yield _median(f"terminal: {EVENTS:,} events open", [_opening(home) for _ in range(OPENINGS)], "s", 0.5)


def _opening(home: Home) -> float:
    with _terminal(home) as terminal:
        terminal.wait_for(f"▸ {PROJECT}")
        began = time.perf_counter()
        _open_audit(terminal)
        return time.perf_counter() - began


def _keys(home: Home) -> Iterator[Result]:
    with _terminal(home) as terminal:
        terminal.wait_for(f"▸ {PROJECT}")
        _open_audit(terminal)
        quiet, per_key = _press_many(terminal)
        yield _of_keys("terminal: key to repaint", quiet, f"{per_key:,.0f} bytes a key")
        began, before = _newest(terminal), time.perf_counter()
        terminal.received_bytes = 0
        with steady_events(home, PROJECT, EVENTS_PER_S):
            terminal.wait_until(lambda: _newest(terminal) > began + EVENTS_PER_S, "events that stream in")
            streaming, _ = _press_many(terminal)
            spent = time.perf_counter() - before
        per_s = (_newest(terminal) - began) / spent
        bytes_per_s = terminal.received_bytes / spent
        yield _of_keys(f"terminal: the same, {EVENTS_PER_S:.0f} events a second", streaming, f"{per_s:.0f}/s came")
        yield Result("terminal: written while they stream", bytes_per_s / 1024, "KiB/s")


def _press_many(terminal: PtyTerminal) -> tuple[list[float], float]:
    """Milliseconds from each key to its repaint, and bytes written for each."""
    terminal.type("g")
    _take_for(terminal, 1.0)
    taken: list[float] = []
    before = terminal.received_bytes
    for at in range(KEYS):
        # Keys come while the terminal is at anything: drawing events, reading, or nothing at all.
        _take_for(terminal, 0.02 + 0.03 * (at % 7) / 7)
        stood, key = _cursor(terminal), "j" if at % 20 < 10 else "k"
        wanted = stood - 1 if key == "j" else stood + 1
        began = time.perf_counter()
        terminal.type(key)
        terminal.wait_until(lambda wanted=wanted: _cursor(terminal) == wanted, f"the row of event {wanted}")
        taken.append(1000 * (time.perf_counter() - began))
    return taken, (terminal.received_bytes - before) / KEYS


def _take_for(terminal: PtyTerminal, seconds: float) -> None:
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        terminal.read(left)


def _open_audit(terminal: PtyTerminal) -> None:
    terminal.type("8")
    terminal.wait_until(lambda: _CURSOR.search(terminal.screen.text) is not None and _newest(terminal) >= EVENTS)


def _cursor(terminal: PtyTerminal) -> int:
    found = _CURSOR.search(terminal.screen.text)
    return int(found[1]) if found else 0


def _newest(terminal: PtyTerminal) -> int:
    found = re.search(r"\d+/(\d+)  newest first", terminal.screen.text)
    return int(found[1]) if found else 0


def _terminal(home: Home) -> PtyTerminal:
    told = environment(home) | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    kept = {name: value for name, value in told.items() if name not in ("NO_COLOR", "SSH_CONNECTION")}
    return PtyTerminal([str(MLOPS)], kept, columns=120, lines=40)


def _median(name: str, times: Sequence[float], unit: str, target: float) -> Result:
    note = f"median of {len(times)}, {min(times):.2f} to {max(times):.2f}"
    return Result(name, statistics.median(times), unit, target, note=note)


def _of_keys(name: str, taken: Sequence[float], note: str) -> Result:
    p95 = statistics.quantiles(taken, n=20)[-1]
    return Result(f"{name}: p95", p95, "ms", 30.0, note=f"median {statistics.median(taken):.1f} ms, {note}")
