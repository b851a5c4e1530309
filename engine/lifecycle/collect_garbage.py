"""Remove what nobody speaks of any more, or only tell what that is, and why the rest is kept."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.blobs.store import TEMPORARY_AGE_S
from engine.errors import Conflict
from engine.lifecycle.caller import Caller
from engine.lifecycle.drop_blobs import GRACE_S, drop_blobs
from engine.lifecycle.parts import Parts
from engine.registry.queries.blobs import all_blobs
from engine.registry.queries.kept_captures import deleted_captures
from engine.registry.queries.spoken import spoken_hashes, training_data
from engine.registry.queries.unended import unended_jobs
from engine.registry.tx import Tx
from engine.wire.housekeeping import CollectGarbage, Garbage, GarbageLine

PATIENCE_S = 3.0
"""The house is kept every minute, in less than that."""
_KEPT = {
    "revision": ("code of projects", "a stored revision speaks of it"),
    "version": ("bundles of models", "a version can be released, or rolled back to"),
    "model_check": ("figures of checks", "kept as long as [retention] in config.toml says"),
    "job": ("files of jobs", "a job that is not over needs them"),
    "job_step": ("files of jobs", "a job that is not over needs them"),
}
"""Words for the tables that speak of files, in the order they are told."""


def collect_garbage(parts: Parts, caller: Caller, ask: CollectGarbage) -> Garbage:
    """Look, and unless it is a dry run remove; what was removed becomes an event.

    Raises:
        Conflict: a backup is being made, or something else is being removed.
    """
    if ask.dry_run:
        found = _look(parts, time.time())
        return _told(found, found.blobs, dry_run=True)
    if not parts.removal.acquire(timeout=PATIENCE_S):
        raise Conflict("A backup is being made, or something is being removed already.", "Ask again when it is done.")
    try:
        found = _look(parts, time.time())
        gone = drop_blobs(parts, sorted(found.blobs), now_s=found.at_s)
        for path in (*found.temporary, *found.captures):
            path.unlink(missing_ok=True)
        for folder in found.work:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        parts.removal.release()
    told = _told(found, {sha256: found.blobs[sha256] for sha256 in gone}, dry_run=False)
    parts.writer.write_and_wait(lambda tx: _record(tx, caller, told))
    return told


@dataclass(frozen=True)
class _Found:
    """What may go, with its bytes; and what is kept."""

    at_s: float
    blobs: dict[str, int]
    temporary: dict[Path, int]
    captures: dict[Path, int]
    work: dict[Path, int]
    kept: list[GarbageLine]


def _look(parts: Parts, at_s: float) -> _Found:
    # Files are listed before the registry is asked: what comes meanwhile is in neither list.
    files = parts.blobs.files()
    work = {path: _size(path) for path in (parts.home.root / "work").iterdir() if path.name.isdecimal()}
    begun = [*(parts.home.blobs / "tmp").iterdir(), *parts.home.captures.rglob("*.part*")]
    by_table = spoken_hashes(parts.reader)
    spoken = set().union(*by_table.values())
    listed = dict.fromkeys(all_blobs(parts.reader), (0, 0.0)) | files
    unspoken = {sha256: told for sha256, told in listed.items() if sha256 not in spoken}
    fresh = [size for size, came_s in unspoken.values() if came_s > at_s - GRACE_S]
    unended = unended_jobs(parts.reader).jobs
    given_up = [parts.home.captures / file for file in deleted_captures(parts.reader)]
    return _Found(
        at_s=at_s,
        blobs={sha256: size for sha256, (size, came_s) in unspoken.items() if came_s <= at_s - GRACE_S},
        temporary={path: _size(path) for path in begun if _age_s(path, at_s) > TEMPORARY_AGE_S},
        captures={path: _size(path) for path in given_up if path.is_file()},
        work={path: size for path, size in work.items() if int(path.name) not in unended},
        kept=[
            *_kept(parts, by_table, {sha256: size for sha256, (size, _) in files.items()}),
            *([_line("fresh files", fresh, "they came within the hour, and may be spoken of soon")] if fresh else []),
        ],
    )


def _kept(parts: Parts, by_table: dict[str, set[str]], files: dict[str, int]) -> list[GarbageLine]:
    """Each file once, under the first that speaks of it."""
    left = dict(files)

    def line(what: str, hashes: Iterable[str], why: str) -> GarbageLine:
        sizes = [left.pop(sha256) for sha256 in list(hashes) if sha256 in left]
        return GarbageLine(what=what, count=len(sizes), size_bytes=sum(sizes), why=why)

    told = [line(what, by_table.get(table, ()), why) for table, (what, why) in _KEPT.items()]
    told.insert(0, line("data of versions", training_data(parts.reader), "a version was made of it: its lineage"))
    told.insert(1, line("data of other runs", by_table.get("snapshot", ()), "a run speaks of it, though no version"))
    others = set().union(*by_table.values())
    told.append(line("other files", others, "the registry speaks of them"))
    return [one for one in told if one.count]


def _told(found: _Found, blobs: dict[str, int], *, dry_run: bool) -> Garbage:
    lines = [
        _line("stored files", blobs.values(), "no row of the registry speaks of them"),
        _line("temporary files", found.temporary.values(), "left half written, a day ago or more"),
        _line("captures", found.captures.values(), "given up by age or size"),
        _line("work folders", found.work.values(), "their jobs are over"),
    ]
    lines = [line for line in lines if line.count]
    return Garbage(dry_run=dry_run, gone=lines, kept=found.kept, freed_bytes=sum(line.size_bytes for line in lines))


def _line(what: str, sizes: Iterable[int], why: str) -> GarbageLine:
    known = list(sizes)
    return GarbageLine(what=what, count=len(known), size_bytes=sum(known), why=why)


def _size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; what goes meanwhile counts for nothing."""
    total = 0
    for at, _, names in os.walk(path):
        total += sum(_size(Path(at, name)) for name in names)
    with contextlib.suppress(FileNotFoundError):
        total += 0 if path.is_dir() else path.lstat().st_size
    return total


def _age_s(path: Path, at_s: float) -> float:
    try:
        return at_s - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _record(tx: Tx, caller: Caller, told: Garbage) -> None:
    counts = {line.what: line.count for line in told.gone}
    tx.event(caller, "garbage.collected", "home", removed=counts, freed_bytes=told.freed_bytes)
