from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.profile import (
    BINS,
    CATEGORIES,
    COARSE_BINS,
    RESERVOIR_ROWS,
    build_profile,
    build_score_profile,
    coarse_edges,
    take_reservoir,
)
from engine.data.schema import describe
from engine.project import Project

Make = Callable[..., Project]


def profile_of(frame: pl.DataFrame, project: Project) -> dict[str, dict[str, object]]:
    made = build_profile(frame, describe(frame, project))
    assert json.loads(json.dumps(made)) == made
    return {column["name"]: column for column in made["columns"]}


def test_a_number_has_counts_between_fixed_edges(project: Make) -> None:
    values = np.random.default_rng(0).normal(size=5000)
    found = profile_of(pl.DataFrame({"x": [*values, None]}), project())["x"]
    assert sum(found["counts"]) == 5000  # type: ignore[arg-type]
    assert len(found["edges"]) == len(found["counts"]) == BINS  # type: ignore[arg-type]
    assert max(found["counts"]) <= 5000 / BINS + 1  # type: ignore[type-var]
    assert found["std"] == pytest.approx(values.std(ddof=1))
    assert found["null_share"] == pytest.approx(1 / 5001)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=400))
def test_the_empirical_distribution_is_exact_at_every_edge(numbers: list[float]) -> None:
    frame = pl.DataFrame({"x": numbers}, schema={"x": pl.Float64})
    project = Project.model_validate(
        {"project": {"name": "a", "task": "binary"}, "data": {"source": "a.csv", "target": "y"}}
    )
    found = profile_of(frame, project)["x"]
    below = np.cumsum(found["counts"])  # type: ignore[arg-type]
    assert below.tolist() == [sum(number <= edge for number in numbers) for edge in found["edges"]]  # type: ignore[attr-defined]


def test_categories_are_counted_and_the_rare_ones_summed(project: Make) -> None:
    cells = [f"c{i}" for i in range(CATEGORIES + 50)] + ["often"] * 9 + [None]
    found = profile_of(pl.DataFrame({"c": cells, "b": [True] * len(cells)}), project())
    assert found["c"]["categories"][0] == ["often", 9]  # type: ignore[index]
    assert found["c"]["other"] == 51
    assert found["b"]["categories"] == [["true", len(cells)]]


def test_an_empty_number_column_has_a_profile(project: Make) -> None:
    frame = pl.DataFrame({"x": [None, None]}, schema={"x": pl.Float64})
    assert profile_of(frame, project())["x"]["counts"] == []


def test_the_reservoir_is_the_same_for_the_same_seed_and_keeps_order() -> None:
    frame = pl.DataFrame({"x": range(RESERVOIR_ROWS * 3)})
    first = take_reservoir(frame, 7)
    assert first.height == RESERVOIR_ROWS
    assert first["x"].is_sorted()
    assert first.equals(take_reservoir(frame, 7))
    assert not first.equals(take_reservoir(frame, 8))
    assert take_reservoir(frame[:10], 7).equals(frame[:10])


def test_with_a_time_stretches_are_measured_in_its_order(project: Make) -> None:
    rows = 5000
    frame = pl.DataFrame({"x": np.repeat(np.arange(20.0), 250), "c": ["a"] * rows, "b": [True] * rows})
    stamps = pl.Series("at", np.arange(rows)).cast(pl.Datetime("us", "UTC"))
    in_order = frame.with_columns(stamps)
    mixed = in_order.sample(fraction=1.0, shuffle=True, seed=1)
    found = []
    for shown in (in_order, mixed):
        made = build_profile(shown, describe(shown, project()), time="at")
        assert json.loads(json.dumps(made)) == made
        found.append({column["name"]: column.get("stretches") for column in made["columns"]})
    assert found[0] == found[1]
    assert found[0]["x"][0]["inflation"] > 100
    assert found[0]["at"] is None
    assert "stretches" not in build_profile(in_order, describe(in_order, project()))["columns"][0]


def test_means_lie_within_their_bins(project: Make) -> None:
    values = np.random.default_rng(0).lognormal(size=3000)
    found = profile_of(pl.DataFrame({"x": values}), project())["x"]
    assert np.average(found["means"], weights=found["counts"]) == pytest.approx(values.mean())  # type: ignore[arg-type, call-overload]
    assert (np.array(found["means"]) <= np.array(found["edges"])).all()


def test_of_more_values_than_are_listed_cells_are_counted(project: Make) -> None:
    cells = [f"c{i}" for i in range(CATEGORIES + 50)] + [None]
    found = profile_of(pl.DataFrame({"c": cells}), project())["c"]
    assert sum(found["hashed"]) == CATEGORIES + 50  # type: ignore[arg-type]
    assert "hashed" not in profile_of(pl.DataFrame({"c": ["a", "b"]}), project())["c"]


def test_coarse_edges_keep_the_last_and_are_at_most_64() -> None:
    for edges in range(1, 300):
        kept = list(range(edges))[coarse_edges(edges)]
        assert kept[-1] == edges - 1 and len(kept) <= COARSE_BINS


def test_answers_have_a_profile_like_columns() -> None:
    scores = {"y": np.random.default_rng(0).random(2000)}
    made = build_score_profile(scores, pl.Series(np.arange(2000)).cast(pl.Datetime("us", "UTC")))
    assert made["rows"] == 2000
    assert [column["name"] for column in made["columns"]] == ["y"]
    assert made["columns"][0]["stretches"]
