"""A verdict with its evidence as bars of text."""

from typing import Any

import pytest
from fakes import wire_objects as made

from engine.wire.models import VersionView
from mlops_tui.view.verdict import Bar, bar_lines, verdict_with_evidence
from mlops_tui.view.width import width_of

EVIDENCE: dict[str, Any] = {
    "value": 0.71, "lower": 0.69, "upper": 0.73, "test_rows": 4000, "rows_per_class": {"0": 3950, "1": 50},
    "line": 0.6, "margin": 0.02, "margin_chosen_by": "power of the test rows", "test_uses": 2,
    "champion": {"against": "fraud@2", "value": 0.70, "difference": 0.01, "lower": -0.01, "upper": 0.03},
}  # fmt: skip


def version(**changes: Any) -> VersionView:
    told = made.version(3)
    return told.model_copy(update={"verdict": told.verdict.model_copy(update={"evidence": EVIDENCE | changes})})


def text(shown: VersionView, width: int = 100) -> str:
    return "\n".join(line.text for line in verdict_with_evidence(shown, width))


def test_it_tells_the_figures_the_champion_the_line_and_the_margin():
    told = text(version())
    for part in ("0.71 [0.69, 0.73]", "champion @2", "at least", "+0.01 [-0.01, +0.03]", "0.02 worse still counts"):
        assert part in told, part
    assert "4,000 test rows · 0: 3,950 · 1: 50" in told
    assert "had judged 2 runs before" in told


def test_the_margin_and_no_difference_are_marked_on_the_bar():
    lines = verdict_with_evidence(version(), 100)
    bar = next(line.text for line in lines if "difference " in line.text and "●" in line.text)
    places = [bar.index(glyph) for glyph in ("┊", "├", "●", "┤")]
    assert places == sorted(places)
    assert bar[places[1] : places[3]].count("┼") == 1


def test_without_a_champion_the_trivial_baseline_is_what_it_is_compared_with():
    baseline = {"against": "class frequencies", "value": 0.1, "difference": 0.6, "lower": 0.5, "upper": 0.7}
    told = text(version(champion=None, baseline=baseline, margin=None))
    assert "difference to class frequencies" in told
    assert "margin" not in told


def test_few_rows_say_how_many_are_needed_and_why_nothing_is_compared():
    told = text(version(value=None, champion=None, rows_needed=9000, champion_problem="fraud@2 cannot be loaded."))
    assert "about 9,000 test rows could tell" in told
    assert "fraud@2 cannot be loaded." in told


def test_evidence_of_a_shape_nobody_knows_is_no_error():
    assert "pass" in text(version(value="x", champion=[1], baseline="?", rows_per_class=7, test_rows=None, line={}))


@pytest.mark.parametrize("width", [20, 50, 60, 80, 200])
def test_bars_never_reach_over_the_width(width: int):
    bars = [Bar("now", 0.5, 0.2, 0.9), Bar("line", 0.4, glyph="┊")]
    assert all(width_of(line.text) <= max(width, 40) for line in bar_lines(bars, width, marks={0.0: "0"}))


def test_an_interval_of_no_width_is_a_point():
    (line, scale) = bar_lines([Bar("now", 1.0, 1.0, 1.0)], 80)
    assert "├" not in line.text
    assert "●" in line.text
    assert scale.text.strip() == "1"
