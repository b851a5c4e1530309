"""The newest rows that a version was made from: the world as it was when the gate said yes.

With `data.time` they are the test rows, which lie after all that was learnt; without one, the rows that were captured
in production, whose labels came after the source was written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from engine.data.profile import build_profile
from engine.data.schema import describe
from engine.project import Project
from engine.training.split import Split
from engine.wire.base import FileEntry

FEWEST_ROWS = 500
"""Fewer are too few to tell what is usual."""
NEWEST_FILE = "newest.json"


def captured_rows(sources: Sequence[Mapping[str, Any]]) -> int:
    """How many of a snapshot's rows are captures; they stand after those of the source."""
    return sum(int(source["rows"]) for source in sources if source.get("format") == "captures")


def store_newest(folder: Path, project: Project, frame: pl.DataFrame, split: Split, captured: int) -> FileEntry | None:
    """Write the profile of the newest rows to `folder`; None: there are too few, and nothing is written."""
    newest = frame[split.test] if project.data.time is not None else frame.tail(captured)
    if not FEWEST_ROWS <= newest.height < frame.height:
        return None
    left_out = [name for name in (project.data.id, *project.data.ignore) if name is not None]
    profile = build_profile(newest, describe(newest, project), leave_out=left_out, time=project.data.time)
    content = json.dumps(profile, ensure_ascii=False).encode()
    (folder / NEWEST_FILE).write_bytes(content)
    return FileEntry(path=NEWEST_FILE, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
