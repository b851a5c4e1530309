"""What a check says of a column agrees with the alarm that it raised."""

from typing import Any

import pytest
from fakes import watched_objects as seen
from fakes.drifted import channel

from mlops_tui.view.monitoring_rows import columns_of
from mlops_tui.view.monitoring_state import ColumnState, alarming_first, column_state


def state(shape: Any = None, findings: Any = (), **figures: Any) -> ColumnState:
    one = seen.figure("channel", **figures)
    drifted = ["channel"] if one.drifted else []
    return column_state(one, shape, seen.check(figures=[one], drifted=drifted, findings=list(findings)))


def fault(kind: str, column: str = "channel", **changes: Any) -> dict[str, Any]:
    return {"fault": kind, "column": column, "message": f"{column} is wrong.", "share": 0.4, "alarming": True} | changes


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ({"distance": 0.31, "p_value": 1e-40}, ("! drift", "KS 0.310")),
        ({"distance": 0.06, "psi": 0.3, "p_value": 1e-40}, ("! drift", "PSI 0.300")),
        ({"distance": 0.029, "p_value": 0.71, "null_share": 0.24}, ("! missing", "missing 24%")),
        ({"distance": 0.31, "p_value": 0.71, "null_share": 0.24}, ("! missing", "missing 24%")),
    ],
)
def test_a_column_that_drifted_shows_the_figure_that_made_it_so(figures: dict[str, Any], told: tuple[str, str]):
    found = state(drifted=True, **figures)
    assert (found.cell.text, f"{found.measure} {found.figure}") == told


def test_values_that_the_training_data_has_not_are_told_from_missing_ones():
    few = {"kind": "category", "drifted": True, "distance": 0.05, "p_value": 0.3}
    assert state(channel(), **few).cell.text == "! new"
    assert state(channel(current=[0.37, 0.35, 0.28, 0.0]), **few).cell.text == "! missing"
    assert state(None, **few).measure == "missing or new"


@pytest.mark.parametrize(
    ("kind", "told"),
    [("nulls", "! missing"), ("range", "! range"), ("stuck", "! stuck"), ("type", "! type"), ("dropped", "! quality")],
)
def test_a_fault_of_the_data_is_never_calm(kind: str, told: str):
    found = state(findings=[fault(kind)], distance=0.648, p_value=0.0)
    assert (found.cell.text, found.figure, found.told) == (told, "40%", "channel is wrong.")
    assert found.alarming and not found.tested


def test_a_fault_that_is_only_told_and_one_of_a_feature_with_the_answers_name_change_nothing():
    assert state(findings=[fault("nulls", alarming=False)]).cell.text == "· calm"
    assert state(findings=[fault("nulls")], kind="prediction").cell.text == "· calm"


@pytest.mark.parametrize(("p_value", "told"), [(0.2, "· chance"), (1e-20, "· usual"), (None, "· calm")])
def test_past_the_floor_without_an_alarm_says_why_not(p_value: float | None, told: str):
    found = state(distance=0.5, p_value=p_value)
    assert found.cell.text == told
    assert found.told.startswith("Past the floor, and no alarm") == (told != "· calm")


def test_what_is_an_alarm_stands_first_and_a_column_that_did_not_come_at_all_too():
    figures = [seen.figure("amount", distance=0.09), seen.figure("hour", distance=0.02)]
    check = seen.check(figures=figures, drifted=[], findings=[fault("stuck", "hour"), fault("missing_column", "city")])
    assert [one.column for one, _ in alarming_first(check, {})] == ["city", "hour", "amount"]
    city = columns_of(check)[0].row
    assert (city["state"].text, city["distance"].text, city["p"].text) == ("! missing", "40%", "–")
