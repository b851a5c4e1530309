"""How the values of a snapshot's columns lie, from its stored profile."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from engine.lifecycle.parts import Parts
from engine.registry.queries.snapshots import profile_of
from engine.wire.runs import ColumnProfile, SnapshotProfile

BINS = 24
TOP = 20


def read_snapshot_profile(parts: Parts, snapshot_id: int) -> SnapshotProfile:
    """Raises `NotFound`: there is no such snapshot; `DamagedBlob`: its profile cannot be read."""
    told: Mapping[str, Any] = json.loads(parts.blobs.read(profile_of(parts.reader, snapshot_id)))
    return SnapshotProfile(
        snapshot=snapshot_id, rows=int(told["rows"]), columns=[_column(column) for column in told["columns"]]
    )


def _column(told: Mapping[str, Any]) -> ColumnProfile:
    edges, counts = told.get("edges") or [], told.get("counts") or []
    return ColumnProfile(
        column=str(told["name"]),
        type=str(told["type"]),
        nulls=int(told["nulls"]),
        distinct=int(told["distinct"]),
        minimum=told.get("min"),
        median=median_of(edges, counts),
        maximum=told.get("max"),
        mean=told.get("mean"),
        std=told.get("std"),
        bins=even_bins(told.get("min"), edges, counts),
        top=[(str(name), int(count)) for name, count in (told.get("categories") or [])[:TOP]],
    )


def median_of(edges: Sequence[float], counts: Sequence[int]) -> float | None:
    """The edge below which half of the rows lie; `counts[i]` rows lie up to `edges[i]`. None without rows.

    >>> median_of([1.0, 2.0, 9.0], [1, 2, 1])
    2.0
    """
    if not edges or not sum(counts):
        return None
    return edges[bisect_left(list(accumulate(counts)), sum(counts) / 2)]


def even_bins(low: float | None, edges: Sequence[float], counts: Sequence[int]) -> list[float]:
    """Shares in bins of one width; the stored ones are finer, and lie where the rows do.

    >>> even_bins(0.0, [0.5, 1.0], [3, 1])[::23]
    [0.0, 0.25]
    """
    total = sum(counts)
    if low is None or not total:
        return []
    high = edges[-1]
    if high <= low:
        return [1.0]
    bins = [0.0] * BINS
    for edge, count in zip(edges, counts, strict=True):
        bins[min(int((edge - low) / (high - low) * BINS), BINS - 1)] += count / total
    return bins
