"""How the values of a snapshot lie, as the terminal shows it."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.profile import build_profile
from engine.data.schema import ColumnSchema, Schema
from engine.errors import NotFound
from engine.lifecycle.parts import Parts
from engine.lifecycle.read_snapshot_profile import BINS, even_bins, median_of, read_snapshot_profile
from engine.lifecycle.stored_blobs import record_blobs
from engine.registry.tables import Project, Snapshot, now
from engine.registry.tx import Tx

FRAME = pl.DataFrame({"amount": [float(at) for at in range(101)], "country": ["de"] * 60 + ["fr"] * 40 + [None]})
SCHEMA = Schema(
    (ColumnSchema("amount", "number", True, 0, 101), ColumnSchema("country", "category", True, 1, 2)),
)


@pytest.fixture
def stored(parts: Parts) -> Parts:
    profile = parts.blobs.put(json.dumps(build_profile(FRAME, SCHEMA)).encode())

    def add(tx: Tx) -> None:
        record_blobs(tx, [profile])
        project = tx.add(
            Project(name="fraud", task="binary", folder="/p", metric="roc_auc", salt="s", added_at=now(), added_by="a")
        )
        tx.add(
            Snapshot(
                project_id=project.id or 0, sha256="a" * 64, rows=101, columns=2, size_bytes=1, data_sha256="b" * 64,
                profile_sha256=profile.sha256, data_schema=SCHEMA.to_dict(), sources=[], failures=[], created_at=now(),
            )
        )  # fmt: skip

    parts.writer.write_and_wait(add)
    return parts


def test_numbers_have_their_ends_their_middle_and_even_bins(stored: Parts) -> None:
    amount = read_snapshot_profile(stored, 1).columns[0]
    assert (amount.minimum, amount.median, amount.maximum) == (0.0, 50.0, 100.0)
    assert len(amount.bins) == BINS
    assert max(amount.bins) < 2 / BINS


def test_categories_have_the_most_frequent_with_their_rows(stored: Parts) -> None:
    country = read_snapshot_profile(stored, 1).columns[1]
    assert country.top == [("de", 60), ("fr", 40)]
    assert (country.nulls, country.bins, country.median) == (1, [], None)


def test_a_snapshot_nobody_took_has_none(parts: Parts) -> None:
    with pytest.raises(NotFound):
        read_snapshot_profile(parts, 9)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=300))
def test_no_row_is_lost_between_the_bins(values: list[int]) -> None:
    frame = pl.DataFrame({"x": [float(value) for value in values]})
    (told,) = build_profile(frame, Schema((ColumnSchema("x", "number", True, 0, len(set(values))),)))["columns"]
    assert sum(even_bins(told["min"], told["edges"], told["counts"])) == pytest.approx(1.0)
    middle = median_of(told["edges"], told["counts"])
    assert middle is not None
    assert min(values) <= middle <= max(values)
