from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.profile import BINS, CATEGORIES, RESERVOIR_ROWS, build_profile, take_reservoir
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
