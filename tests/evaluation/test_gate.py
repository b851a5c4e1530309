import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.gate import Comparison, GateFigures, decide
from engine.project import Gate

NUMBERS = st.floats(-10, 10)
ERRORS = st.floats(0, 5)


def against(difference: float, se: float, *, value: float = 0.7, name: str = "fraud@3") -> Comparison:
    return Comparison(
        against=name,
        value=value,
        difference=difference,
        se=se,
        lower=difference - 1.645 * se,
        upper=difference + 1.645 * se,
    )


def figures(**changed: object) -> GateFigures:
    plain = {
        "metric": "average_precision",
        "value": 0.71,
        "lower": 0.68,
        "upper": 0.74,
        "test_rows": 1204,
        "rows_per_class": {"False": 1100, "True": 104},
    }
    return GateFigures.model_validate(plain | changed)


def test_a_better_model_passes_and_the_reason_holds_every_figure() -> None:
    verdict = decide(figures(champion=against(0.02, 0.01, value=0.69)), Gate())
    assert verdict.outcome == "pass"
    assert verdict.reasons == (
        "average_precision 0.71 on 1,204 test rows; champion fraud@3 has 0.69; better by 0.02 [+0.00355, +0.03645], "
        "margin 0.028: not worse.",
    )
    assert verdict.evidence["margin"] == pytest.approx(0.028)
    assert verdict.evidence["margin_chosen_by"] == "power of the test rows"


def test_the_same_model_again_passes() -> None:
    assert decide(figures(champion=against(0.0, 0.0)), Gate()).outcome == "pass"
    assert decide(figures(champion=against(0.0, 0.0)), Gate(margin=0.0)).outcome == "pass"


def test_a_model_shown_to_be_worse_fails_under_the_default_margin() -> None:
    verdict = decide(figures(champion=against(-0.02, 0.01)), Gate())
    assert verdict.outcome == "fail"
    assert "worse by 0.02" in verdict.reasons[0]


def test_between_worse_and_not_worse_it_is_undecided_and_names_the_rows_needed() -> None:
    verdict = decide(figures(champion=against(-0.014, 0.01)), Gate())
    assert verdict.outcome == "insufficient"
    assert verdict.evidence["rows_needed"] > 1204
    assert f"{verdict.evidence['rows_needed']:,} test rows could" in verdict.reasons[0]


def test_the_default_margin_never_exceeds_five_percent_of_the_champion() -> None:
    verdict = decide(figures(champion=against(0.0, 0.1, value=0.7)), Gate())
    assert verdict.evidence["margin"] == pytest.approx(0.035)
    assert verdict.outcome == "insufficient"
    assert verdict.evidence["rows_needed"] == pytest.approx(1204 * (2.8 * 0.1 / 0.035) ** 2, rel=0.01)


def test_a_margin_of_ones_own_is_taken_as_it_is() -> None:
    worse = against(-0.02, 0.005)
    assert decide(figures(champion=worse), Gate(margin=0.05)).outcome == "pass"
    assert decide(figures(champion=worse), Gate(margin=0.02)).outcome == "insufficient"
    assert decide(figures(champion=worse), Gate(margin=0.01)).outcome == "fail"


def test_too_few_rows_of_a_class_name_the_class_and_the_rows_missing() -> None:
    verdict = decide(figures(rows_per_class={"no": 40, "yes": 7}), Gate())
    assert verdict.outcome == "insufficient"
    assert verdict.reasons == (
        "7 test rows of class 'yes', and 20 are needed: about 65 more rows of class 'yes' would do.",
    )


def test_after_a_cut_off_every_missing_row_counts_and_the_cut_off_is_named() -> None:
    told = decide(figures(rows_per_class={"no": 40, "yes": 7}, test_after="2026-03-01T14:05:09.123456+02:00"), Gate())
    assert "after 2026-03-01 12:05 UTC, and" in told.reasons[0]
    assert "about 13 more rows" in told.reasons[0]


def test_a_regression_needs_rows_as_well() -> None:
    few = GateFigures(metric="rmse", value=1.0, test_rows=6)
    assert decide(few, Gate()).outcome == "insufficient"


@pytest.mark.parametrize(
    ("metric", "gate", "outcome"),
    [
        ("average_precision", Gate(at_least=0.7), "pass"),
        ("average_precision", Gate(at_least=0.71), "pass"),
        ("average_precision", Gate(at_least=0.72), "fail"),
        ("log_loss", Gate(at_most=0.72), "pass"),
        ("log_loss", Gate(at_most=0.70), "fail"),
    ],
)
def test_a_line_is_reached_by_the_figure_itself(metric: str, gate: Gate, outcome: str) -> None:
    verdict = decide(figures(metric=metric, baseline=against(0.3, 0.01)), gate)
    assert verdict.outcome == outcome
    assert "its 90 % interval [0.68, 0.74] reaches to both sides" in verdict.reasons[0]


def test_a_failed_line_is_told_before_what_passed() -> None:
    verdict = decide(figures(champion=against(0.02, 0.01)), Gate(at_least=0.9))
    assert verdict.outcome == "fail"
    assert "at least 0.9 is asked for" in verdict.reasons[0]
    assert len(verdict.reasons) == 2


def test_without_a_champion_the_trivial_baseline_must_be_beaten() -> None:
    def judged(difference: float, se: float) -> str:
        return decide(figures(baseline=against(difference, se, value=0.1)), Gate()).outcome

    assert judged(0.6, 0.05) == "pass"
    assert judged(0.01, 0.05) == "insufficient"
    assert judged(0.0, 0.0) == "fail"
    assert judged(-0.1, 0.05) == "fail"


def test_what_is_worse_than_the_trivial_baseline_fails_though_the_champion_is_no_better() -> None:
    champion = against(0.0, 0.001, value=0.1)
    assert decide(figures(champion=champion, baseline=against(-0.06, 0.01)), Gate()).outcome == "fail"
    assert decide(figures(champion=champion, baseline=against(-0.01, 0.01)), Gate()).outcome == "pass"


def test_a_champion_that_cannot_be_compared_leaves_it_undecided() -> None:
    verdict = decide(figures(champion_problem="fraud@3 asks for a column 'x' that is gone."), Gate())
    assert verdict.outcome == "insufficient"
    assert verdict.reasons == ("fraud@3 asks for a column 'x' that is gone.",)


def test_a_metric_that_is_not_defined_is_undecided() -> None:
    assert decide(figures(metric="r2", value=None), Gate()).outcome == "insufficient"


def test_worn_test_rows_are_told_of() -> None:
    assert "judged 25 runs" in decide(figures(test_uses=25), Gate()).reasons[-1]


@given(difference=NUMBERS, se=ERRORS, value=NUMBERS, own=st.none() | st.floats(0, 3), count=st.integers(0, 19))
def test_too_few_rows_never_pass(difference: float, se: float, value: float, own: float | None, count: int) -> None:
    judged = figures(champion=against(difference, se, value=value), rows_per_class={"a": 500, "b": count})
    assert decide(judged, Gate(margin=own)).outcome == "insufficient"


@given(difference=NUMBERS, se=ERRORS, value=NUMBERS, own=st.none() | st.floats(0, 3), gain=st.floats(0, 5))
def test_a_better_figure_is_never_judged_worse(
    difference: float, se: float, value: float, own: float | None, gain: float
) -> None:
    rank = {"fail": 0, "insufficient": 1, "pass": 2}
    before = decide(figures(champion=against(difference, se, value=value)), Gate(margin=own)).outcome
    after = decide(figures(champion=against(difference + gain, se, value=value)), Gate(margin=own)).outcome
    assert rank[after] >= rank[before]


@given(difference=NUMBERS, se=ERRORS, value=NUMBERS, own=st.none() | st.floats(0, 3))
def test_every_verdict_has_a_reason_and_needs_more_rows_than_there_are(
    difference: float, se: float, value: float, own: float | None
) -> None:
    verdict = decide(figures(champion=against(difference, se, value=value)), Gate(margin=own))
    assert verdict.reasons
    assert verdict.evidence.get("rows_needed", 1205) > 1204


def test_figures_survive_json() -> None:
    whole = figures(champion=against(0.1, 0.01), baseline=against(0.3, 0.02))
    assert GateFigures.model_validate_json(whole.model_dump_json()) == whole


def test_the_gate_is_light_enough_for_the_engine() -> None:
    program = (
        "import sys, engine.evaluation.gate; "
        "print([m for m in ('numpy', 'polars', 'pandas', 'scipy', 'sklearn', 'lightgbm') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
