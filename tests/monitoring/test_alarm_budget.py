"""The rule that decides: what counts, what is too small to matter, and what a check says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from engine.monitoring.alarm_budget import LARGEST_Q, Decision, decide
from engine.wire.work import ColumnFigures, QualityFinding


def column(name: str = "x", **more: Any) -> ColumnFigures:
    usual: dict[str, Any] = {
        "kind": "number", "p_value": 0.5, "distance": 0.01, "psi": 0.0, "wasserstein": 0.01, "null_share": 0.0,
        "reference_null_share": 0.0, "null_p_value": 1.0, "effective_rows": 1000.0, "effective_reference_rows": 9000.0,
    }  # fmt: skip
    return ColumnFigures.model_validate(usual | {"column": name} | more)


def fault(name: str, *, alarming: bool = True) -> QualityFinding:
    return QualityFinding(fault="stuck", column=name, message=f"{name} is stuck.", alarming=alarming)


def judge(*columns: ColumnFigures, findings: tuple[QualityFinding, ...] = (), **more: float) -> Decision:
    asked: dict[str, Any] = {"rows": 1000, "reference_rows": 9000, "alarms_per_year": 1.0, "checks_per_year": 365.0}
    return decide(columns, findings, **(asked | more))


def test_a_large_change_that_chance_does_not_explain_is_an_alarm() -> None:
    told = judge(column("x", p_value=1e-9, distance=0.25), column("y"))
    assert told.outcome == "alarm"
    assert told.drifted == ("x",)
    assert "0.25" in told.moved[0].sentence


def test_a_small_change_stays_quiet_however_certain_it_is() -> None:
    assert judge(column(p_value=0.0, distance=0.02, psi=0.01)).outcome == "quiet"


def test_a_large_change_that_chance_may_explain_stays_quiet() -> None:
    assert judge(column(p_value=0.01, distance=0.4)).outcome == "quiet"


def test_psi_speaks_for_a_change_that_the_distance_calls_small_but_not_of_few_rows() -> None:
    assert judge(column(p_value=1e-9, distance=0.06, psi=0.2)).drifted == ("x",)
    assert judge(column(p_value=1e-9, distance=0.06, psi=0.2, effective_rows=400.0)).drifted == ()


def test_what_is_usual_of_a_stretch_of_the_reference_is_never_drift() -> None:
    assert judge(column(p_value=0.0, distance=0.9, psi=3.0, within_usual=True)).outcome == "quiet"


def test_nulls_and_new_categories_have_floors_of_their_own() -> None:
    assert judge(column(null_p_value=1e-9, null_share=0.03)).moved[0].causes == ("nulls",)
    assert judge(column(null_p_value=1e-9, null_share=0.019)).drifted == ()
    new = {"kind": "category", "new_p_value": 1e-9, "new_values": ["app"]}
    assert judge(column(new_share=0.02, **new)).moved[0].causes == ("new_categories",)
    assert "'app'" in judge(column(new_share=0.02, **new)).moved[0].sentence
    assert judge(column(new_share=0.009, **new)).drifted == ()


def test_the_strongest_column_stands_first() -> None:
    told = judge(column("weak", p_value=0.0, distance=0.12), column("strong", p_value=1e-9, distance=0.5))
    assert told.drifted == ("strong", "weak")


def test_a_column_with_a_fault_of_quality_is_left_out_of_drift() -> None:
    moved = column("x", p_value=0.0, distance=0.9)
    told = judge(moved, findings=(fault("x"),))
    assert (told.outcome, told.drifted) == ("alarm", ())
    assert judge(moved, findings=(fault("x", alarming=False),)).drifted == ("x",)


def test_a_finding_that_is_only_told_is_no_alarm() -> None:
    told = judge(column(), findings=(fault("x", alarming=False),))
    assert told.outcome == "quiet"
    assert len(told.findings) == 1


def test_answers_drift_like_columns_even_where_a_column_of_that_name_is_broken() -> None:
    told = judge(column("y", kind="prediction", p_value=0.0, distance=0.3), findings=(fault("y"),))
    assert told.drifted == ("y",)


def test_the_budget_is_parted_among_the_checks_of_a_year_and_half_of_it_is_for_drift() -> None:
    assert judge(column(), alarms_per_year=2.0, checks_per_year=1000.0).threshold.q == pytest.approx(0.001)
    assert judge(column(), alarms_per_year=365.0, checks_per_year=12.0).threshold.q == LARGEST_Q


def test_more_checks_a_year_ask_for_more_evidence() -> None:
    moved = column(p_value=1e-4, distance=0.3)
    assert judge(moved, checks_per_year=365.0).drifted == ("x",)
    assert judge(moved, checks_per_year=35_040.0).drifted == ()


def test_the_strongest_of_many_columns_must_be_stronger_than_one_alone() -> None:
    moved = column("x", p_value=5e-4, distance=0.3)
    assert judge(moved).drifted == ("x",)
    assert judge(moved, *(column(f"y{at}") for at in range(50))).drifted == ()


def test_a_check_says_the_smallest_shift_that_it_could_have_seen() -> None:
    plenty, few = (judge(column(effective_rows=rows)).threshold for rows in (100_000.0, 40.0))
    assert plenty.smallest_distance == 0.1
    assert plenty.smallest_shift == pytest.approx(0.26, abs=0.01)
    assert few.smallest_distance is not None and few.smallest_distance > 0.3
    assert few.smallest_shift is not None and few.smallest_shift > 0.9
    assert judge(column(effective_rows=2.0)).threshold.smallest_shift is None
    assert judge(column(kind="category")).threshold.smallest_distance is None


def test_a_check_without_columns_is_quiet() -> None:
    assert judge().outcome == "quiet"
