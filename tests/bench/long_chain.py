"""A registry with a long audit chain, written where no engine runs: a valid one, which `mlops verify` finds whole."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.registry.events import event_hash
from engine.settings import Home

_VERBS = ("job.queued", "job.started", "run.finished", "version.registered", "version.approved", "alias.moved")
_INSERT = """
    INSERT INTO event (seq, at, actor, role, verb, subject, project_id, evidence, prev_hash, hash)
    VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)
"""


def lengthen(home: Home, until: int) -> None:
    """More events, until there are so many."""
    database = sqlite3.connect(home.database)
    with database:
        seq, last = database.execute("SELECT seq, hash FROM event_head").fetchone() or (0, "0" * 64)
        rows = list(_rows(seq, last, until))
        if rows:
            database.executemany(_INSERT, rows)
            database.execute("UPDATE event_head SET seq = ?, hash = ?", (rows[-1][0], rows[-1][-1]))
    database.close()


def _rows(seq: int, last: str, until: int) -> Iterator[tuple[Any, ...]]:
    begin = datetime.now(UTC) - timedelta(seconds=until)
    for number in range(seq + 1, until + 1):
        told: dict[str, Any] = {
            "at": begin + timedelta(seconds=number),
            "actor": ("ada", "ben", "cy")[number % 3],
            "role": "operator",
            "verb": _VERBS[number % len(_VERBS)],
            "subject": f"fraud@{number % 97}",
            "evidence": {"job": number, "verdict": "pass", "why": "evidence of an event like any other"},
        }
        this = event_hash(last, seq=number, project=None, **told)
        at = told["at"].strftime("%Y-%m-%d %H:%M:%S.%f")
        evidence = json.dumps(told["evidence"])
        yield number, at, told["actor"], told["role"], told["verb"], told["subject"], evidence, last, this
        last = this
