from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from engine.monitoring.label_join import (
    CAPTURE_SCHEMA,
    LABEL_SCHEMA,
    first_captures,
    join_labels,
    newest_labels,
    read_captures,
)
from engine.monitoring.label_news import label_news

DAY = datetime(2026, 1, 1, tzinfo=UTC)

Said = tuple[str, str, int | None]
"""Key, label, day on which it was known."""


def labels(said: Sequence[Said], by: str = "id") -> pl.DataFrame:
    rows = [
        {
            "id": key if by == "id" else None, "request_id": None if by == "id" else key,
            "row_index": None if by == "id" else 0, "label": label,
            "labelled_at": None if day is None else DAY + timedelta(day), "seen_at": DAY,
        }
        for key, label, day in said
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=LABEL_SCHEMA)


def captures(*ids: str | None, requests: Sequence[str] = ()) -> pl.DataFrame:
    names = requests or [f"r{at}" for at in range(len(ids))]
    return pl.DataFrame(
        {
            "id": list(ids), "request_id": list(names), "row_index": [0] * len(ids),
            "received_at": [DAY + timedelta(hours=at) for at in range(len(ids))],
        },
        schema_overrides={name: CAPTURE_SCHEMA[name] for name in ("id", "request_id", "row_index", "received_at")},
    )  # fmt: skip


def counted(said: pl.DataFrame) -> dict[str, str]:
    found = newest_labels(said)
    return dict(zip(found["id"], found["label"], strict=True))


def fold(said: Sequence[Said]) -> dict[str, str]:
    """The rule, word by word: the newer time counts; where one has none, the later."""
    state: dict[str, tuple[str, int | None]] = {}
    for key, label, day in said:
        known = state.get(key)
        if known is None or known[1] is None or day is None or day >= known[1]:
            state[key] = (label, day)
    return {key: label for key, (label, _) in state.items()}


keys = st.sampled_from("abc")
saying = st.tuples(keys, st.sampled_from(["yes", "no"]), st.none() | st.integers(0, 5))
timed = st.lists(
    st.tuples(keys, st.sampled_from(["yes", "no"]), st.integers(0, 50)), unique_by=lambda said: (said[0], said[2])
)


@given(st.lists(saying, max_size=12))
def test_of_two_labels_the_newer_counts_and_without_a_time_the_later(said: list[Said]) -> None:
    assert counted(labels(said)) == fold(said)


@given(timed, st.randoms(use_true_random=False), st.integers(1, 4))
def test_files_in_any_order_end_the_same_when_every_label_has_its_time(
    said: list[Said], random: Any, files: int
) -> None:
    parts = [said[at::files] for at in range(files)]
    random.shuffle(parts)
    stored = labels([])
    for part in parts:
        stored = pl.concat([stored, label_news(stored, labels(part), captures()).kept])
    assert counted(stored) == fold(sorted(said, key=lambda one: one[2] or 0))


@given(st.lists(st.lists(saying, max_size=6), max_size=5))
def test_leaving_out_what_says_nothing_new_changes_nothing(files: list[list[Said]]) -> None:
    stored = labels([])
    for part in files:
        stored = pl.concat([stored, label_news(stored, labels(part), captures()).kept])
    assert counted(stored) == fold([said for part in files for said in part])


def test_the_same_file_again_is_counted_and_not_kept() -> None:
    given_labels = labels([("a", "yes", 1), ("b", "no", 1)])
    first = label_news(labels([]), given_labels, captures("a"))
    again = label_news(first.kept, given_labels, captures("a"))
    assert (first.matched, first.early, first.repeated, first.corrected, first.kept.height) == (1, 1, 0, 0, 2)
    assert (again.matched, again.early, again.repeated, again.corrected, again.kept.height) == (1, 1, 2, 0, 0)


def test_corrections_are_counted_within_a_file_and_against_what_is_known() -> None:
    known = label_news(labels([]), labels([("a", "yes", 1)]), captures("a")).kept
    news = label_news(known, labels([("a", "no", 2), ("b", "no", None), ("b", "yes", None), ("b", "yes", None)]), known)
    assert (news.repeated, news.corrected) == (1, 2)
    assert counted(pl.concat([known, news.kept])) == {"a": "no", "b": "yes"}


def test_an_older_word_corrects_nothing() -> None:
    known = labels([("a", "yes", 5)])
    news = label_news(known, labels([("a", "no", 2)]), captures("a"))
    assert (news.corrected, news.kept.height) == (1, 0)


def test_labels_by_id_reach_every_capture_and_by_request_only_one() -> None:
    said = pl.concat([labels([("7", "yes", 1)]), labels([("r2", "no", 1)], by="request")])
    found = join_labels(captures("7", "7", None, "8"), newest_labels(said))
    assert found["label"].to_list() == ["yes", "yes", "no", None]


def test_of_a_label_by_id_and_one_by_request_the_newer_counts() -> None:
    early = pl.concat([labels([("a", "yes", 3)]), labels([("r0", "no", 1)], by="request")])
    late = pl.concat([labels([("a", "yes", 3)]), labels([("r0", "no", 5)], by="request")])
    assert join_labels(captures("a"), newest_labels(early))["label"].to_list() == ["yes"]
    assert join_labels(captures("a"), newest_labels(late))["label"].to_list() == ["no"]


def test_a_row_predicted_twice_is_one_row_with_its_first_inputs() -> None:
    assert first_captures(captures("a", None, "b", "a", None))["request_id"].to_list() == ["r0", "r1", "r2", "r4"]


def test_captures_of_different_times_have_one_shape_and_what_is_gone_is_left_out(tmp_path: Path) -> None:
    captures("7.0").write_parquet(tmp_path / "a.parquet")
    captures("7").drop("request_id").with_columns(label=pl.lit(3)).write_parquet(tmp_path / "b.parquet")
    found = read_captures(tmp_path, ["a.parquet", "gone.parquet", "b.parquet"], ["id", "request_id", "scores"])
    assert found["id"].to_list() == ["7", "7"]
    assert found["request_id"].to_list() == ["r0", None]
    assert read_captures(tmp_path, [], ["id", "version"]).schema == {"id": pl.String, "version": pl.Int64}
