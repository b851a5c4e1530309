import numpy as np
import polars as pl
import pytest
from fakes.tables_of_data import made_project, mixed_frame

from engine.data.schema import describe
from engine.errors import BadData
from engine.training.encoding import Feature, features, fit_tables, left_out


def of(values: list[object], kind: str = "category") -> tuple[list[Feature], dict[str, pl.Series]]:
    dtype = {"category": pl.String, "number": pl.Float64}[kind]
    return [Feature("x", kind, True)], {"x": pl.Series(values, dtype=dtype)}


def test_features_are_what_is_no_target_id_time_or_ignored() -> None:
    project, frame = made_project(), mixed_frame(10)
    schema = describe(frame, project)
    assert [feature.name for feature in features(schema, project)] == ["size", "count", "member", "town"]
    assert left_out(schema, project) == ("at",)


def test_nothing_left_to_learn_from_is_refused() -> None:
    project, frame = made_project(), mixed_frame(10).select("key", "at", "answer")
    with pytest.raises(BadData, match="No column is left"):
        features(describe(frame, project), project)


def test_categories_are_by_frequency_and_then_by_text() -> None:
    tables = fit_tables("trees", *of(["b", "c", "c", "a", None]))
    assert tables.inputs[0].categories == ("c", "a", "b")


def test_of_many_categories_the_frequent_ones_are_kept_and_the_rest_are_unseen() -> None:
    values = [f"v{number:03}" for number in range(400)] + [f"v{number:03}" for number in range(300)]
    tables = fit_tables("trees", *of(values))
    assert len(tables.inputs[0].categories) == 255
    codes = tables.read({"x": pl.Series(["v000", "v399"])})
    assert codes[0, 0] == 0
    assert np.isnan(codes[1, 0])


def test_a_text_that_is_another_in_every_row_has_no_categories() -> None:
    tables = fit_tables("trees", *of([f"name {number}" for number in range(300)]))
    assert tables.inputs[0].categories == ()


def test_linear_columns_are_standardised_with_the_median_for_nulls() -> None:
    tables = fit_tables("linear", *of([1.0, 3.0, None, 100.0], "number"))
    matrix = tables.read({"x": pl.Series([1.0, 3.0, None, 100.0])})
    assert tables.encoding[0].fill == 3.0
    assert matrix[2] == matrix[1]
    assert matrix.mean() == pytest.approx(0)
    assert matrix.std() == pytest.approx(1)


@pytest.mark.parametrize("values", [[None, None], [5.0, 5.0], [0.1 + 0.2, 0.3], [1e300, -1e300]])
def test_constant_empty_and_huge_columns_stay_finite(values: list[float | None]) -> None:
    tables = fit_tables("linear", *of(values, "number"))
    assert np.isfinite(tables.read({"x": pl.Series(values, dtype=pl.Float64)})).all()
    assert np.abs(tables.read({"x": pl.Series([5.0, 6.0])})).max() < 1e301


def test_a_linear_matrix_stays_within_its_budget() -> None:
    names = [f"v{number % 200}" for number in range(150_000)]
    tables = fit_tables("linear", *of(names))
    assert len(tables.inputs[0].categories) <= 20_000_000 / 150_000
    assert len(fit_tables("trees", *of(names)).inputs[0].categories) == 200
