"""The gate: from plain figures to `pass`, `fail` or `insufficient`.

Pure and light, for it runs inside the engine's transaction; the worker computes the figures
(`engine.evaluation.judge`). The rules, in order:

1. Fewer than `min_rows_per_class` test rows of a class (regression: test rows in all): nothing is judged.
2. `at_least` or `at_most`: the figure itself must reach the line. The line is a person's, so the interval is shown
   beside it but does not move it.
3. With a champion: not worse by more than a margin. Passes when the lower end of the interval of the paired
   difference lies above minus the margin. Left out, the margin is 2.8 standard errors of that difference, so that an
   equally good model passes seven times in eight, but never more than 5 % of the champion's figure; such a margin
   measures the noise and grants nothing, so a model that is shown to be worse at all fails. With a margin of one's
   own it fails when it is shown to be worse by more than that. In between it is `insufficient`.
4. Without a champion: better than the trivial baseline, by the lower end of the interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from engine.project import LOSSES, Gate, MetricName

Outcome = Literal["pass", "fail", "insufficient"]

MARGIN_IN_ERRORS = 2.8
MARGIN_SHARE = 0.05
"""Of the champion's figure: the default margin's upper limit."""
TEST_SHARE = 0.2
"""Of all rows: those that land on the test side."""
WORN_AFTER_USES = 20
"""Runs judged on the same test rows after which the verdict asks for fresh ones."""
_FARTHEST = 100
"""Times the present test rows; beyond that more rows are no answer, and none are promised."""


class Comparison(BaseModel):
    """The candidate against another model on the same test rows."""

    model_config = ConfigDict(frozen=True)

    against: str
    """`fraud@3`, or what the trivial baseline answers."""
    value: float
    """The other model's metric."""
    difference: float
    """In units of the metric, turned so that above 0 the candidate is better."""
    se: float
    """Paired standard error of the difference."""
    lower: float
    upper: float
    """Ends of its two-sided 90 % interval: each is wrong one time in twenty."""


class GateFigures(BaseModel):
    """What a worker measured on the test rows; all that the gate sees."""

    model_config = ConfigDict(frozen=True)

    metric: MetricName
    value: float | None
    """The candidate's metric; None where the rows do not define it (a class without rows)."""
    lower: float | None = None
    upper: float | None = None
    """Its 90 % interval."""
    test_rows: int
    rows_per_class: dict[str, int] = {}
    """Test rows by label, of every class that a model or a test row knows; empty for regression."""
    baseline: Comparison | None = None
    champion: Comparison | None = None
    champion_problem: str = ""
    """Why there is a champion and no comparison with it, as a sentence."""
    test_after: str | None = None
    """With `data.time`: test rows lie after this time (ISO 8601)."""
    test_uses: int = 0
    """Runs that the project's test rows had judged before."""


@dataclass(frozen=True)
class Verdict:
    """What the gate decided."""

    outcome: Outcome
    reasons: tuple[str, ...]
    """Whole sentences, the deciding one first."""
    evidence: dict[str, Any]
    """The figures, with `margin`, `margin_chosen_by` and `rows_needed` (test rows in all) where they apply."""


@dataclass(frozen=True)
class _Finding:
    outcome: Outcome
    reason: str
    evidence: Mapping[str, Any]


def decide(figures: GateFigures, gate: Gate) -> Verdict:
    """Judge one candidate by its figures.

    >>> few = GateFigures(metric="rmse", value=1.0, test_rows=6)
    >>> decide(few, Gate()).outcome
    'insufficient'
    """
    findings = _few_rows(figures, gate.min_rows_per_class) or _judge(figures, gate)
    outcome: Outcome = "pass"
    for possible in ("insufficient", "fail"):
        if any(finding.outcome == possible for finding in findings):
            outcome = possible
    deciding_first = sorted(findings, key=lambda finding: finding.outcome != outcome)
    evidence: dict[str, Any] = figures.model_dump()
    for finding in reversed(deciding_first):
        evidence |= finding.evidence
    reasons = [finding.reason for finding in deciding_first]
    if figures.test_uses >= WORN_AFTER_USES:
        reasons.append(
            f"The test rows have judged {figures.test_uses} runs before this one, so good luck adds up; "
            "fresh data would make the verdict worth more."
        )
    return Verdict(outcome, tuple(reasons), evidence)


def _judge(figures: GateFigures, gate: Gate) -> list[_Finding]:
    if figures.value is None:
        told = f"{figures.metric} is not defined on the {figures.test_rows:,} test rows."
        return [_Finding("insufficient", told, {})]
    findings = [*_threshold(figures, figures.value, gate)]
    if figures.champion is not None:
        findings.append(_against_champion(figures, figures.value, figures.champion, gate.margin))
        findings += _below_baseline(figures, figures.value)
    elif figures.champion_problem:
        findings.append(_Finding("insufficient", figures.champion_problem, {}))
    elif figures.baseline is not None:
        findings.append(_against_baseline(figures, figures.value, figures.baseline))
    return findings


def _few_rows(figures: GateFigures, least: int) -> list[_Finding]:
    after = f" after {_moment(figures.test_after)}" if figures.test_after else ""
    counts: Mapping[str, int] = figures.rows_per_class or {"": figures.test_rows}
    short = sorted((count, label) for label, count in counts.items() if count < least)
    findings = []
    for count, label in short[:5]:
        missing = least - count
        of_class = f" of class {label!r}" if label else ""
        # With a cut-off in time all new rows come after it; a hash sends one in five to the test side.
        more = missing if figures.test_after else math.ceil(missing / TEST_SHARE)
        findings.append(
            _Finding(
                "insufficient",
                f"{count:,} test rows{of_class}{after}, and {least:,} are needed: about {more:,} more "
                f"rows{of_class} would do.",
                {"rows_needed": figures.test_rows + missing, "rows_missing": more},
            )
        )
    if len(short) > len(findings):
        told = f"{len(short) - len(findings)} more classes have fewer than {least:,} test rows."
        findings.append(_Finding("insufficient", told, {}))
    return findings


def _threshold(figures: GateFigures, value: float, gate: Gate) -> list[_Finding]:
    line = gate.at_most if figures.metric in LOSSES else gate.at_least
    if line is None:
        return []
    asked = f"at most {_show(line)}" if figures.metric in LOSSES else f"at least {_show(line)}"
    reached = value <= line if figures.metric in LOSSES else value >= line
    told = f"{_candidate(figures, value)}; {asked} is asked for"
    if figures.lower is not None and figures.upper is not None and figures.lower < line < figures.upper:
        told += f", and its 90 % interval [{_show(figures.lower)}, {_show(figures.upper)}] reaches to both sides of it"
    return [_Finding("pass" if reached else "fail", told + ".", {"line": line})]


def _against_champion(figures: GateFigures, value: float, champion: Comparison, own_margin: float | None) -> _Finding:
    cap = MARGIN_SHARE * abs(champion.value)
    margin = min(MARGIN_IN_ERRORS * champion.se, cap) if own_margin is None else own_margin
    shown_worse_below = 0.0 if own_margin is None else -margin
    told = (
        f"{_candidate(figures, value)}; champion {champion.against} has {_show(champion.value)}; "
        f"{_difference(champion)}, margin {_show(margin)}"
    )
    evidence: dict[str, Any] = {
        "margin": margin,
        "margin_chosen_by": "power of the test rows" if own_margin is None else "gate.margin",
    }
    if champion.lower >= -margin:
        return _Finding("pass", f"{told}: not worse.", evidence)
    if champion.upper < shown_worse_below:
        return _Finding("fail", f"{told}: worse.", evidence)
    limit = cap if own_margin is None else own_margin
    needed = _rows_to_tell(figures.test_rows, champion.se, limit)
    return _undecided(f"{told}: these rows cannot tell", needed, evidence)


def _below_baseline(figures: GateFigures, value: float) -> list[_Finding]:
    """Where a champion has become worthless, a model that is no worse than it may be so, too."""
    baseline = figures.baseline
    if baseline is None or baseline.upper >= 0:
        return []
    told = f"{_candidate(figures, value)}; {baseline.against} has {_show(baseline.value)}; {_difference(baseline)}"
    return [_Finding("fail", f"{told}: worse than the trivial baseline.", {})]


def _against_baseline(figures: GateFigures, value: float, baseline: Comparison) -> _Finding:
    told = f"{_candidate(figures, value)}; {baseline.against} has {_show(baseline.value)}; {_difference(baseline)}"
    if baseline.lower > 0:
        return _Finding("pass", f"{told}: better than the trivial baseline.", {})
    if baseline.difference <= 0:
        return _Finding("fail", f"{told}: no better than the trivial baseline.", {})
    needed = _rows_to_tell(figures.test_rows, baseline.se, baseline.difference)
    return _undecided(f"{told}: these rows cannot tell it from the trivial baseline", needed, {})


def _undecided(told: str, needed: int | None, evidence: dict[str, Any]) -> _Finding:
    if needed is None:
        return _Finding("insufficient", f"{told}, and no realistic number would.", evidence)
    return _Finding("insufficient", f"{told}; about {needed:,} test rows could.", evidence | {"rows_needed": needed})


def _rows_to_tell(rows: int, se: float, effect: float) -> int | None:
    """Test rows at which `effect` would be 2.8 standard errors; None when out of reach.

    Where the present rows should have been enough and the draw was unlucky, twice as many are asked for.
    """
    if effect <= 0:
        return None
    needed = math.ceil(rows * (MARGIN_IN_ERRORS * se / effect) ** 2) if se / effect < _FARTHEST else None
    if needed is None or needed > rows * _FARTHEST:
        return None
    return needed if needed > rows else 2 * rows


def _candidate(figures: GateFigures, value: float) -> str:
    after = f" after {_moment(figures.test_after)}" if figures.test_after else ""
    return f"{figures.metric} {_show(value)} on {figures.test_rows:,} test rows{after}"


def _difference(comparison: Comparison) -> str:
    size = _show(abs(comparison.difference))
    told = (
        "the same" if not comparison.difference else f"{'better' if comparison.difference > 0 else 'worse'} by {size}"
    )
    return f"{told} [{_show(comparison.lower, sign=True)}, {_show(comparison.upper, sign=True)}]"


def _moment(at: str) -> str:
    """To the minute, in UTC; the row that is cut at lies within that minute."""
    try:
        told = datetime.fromisoformat(at)
    except ValueError:
        return at
    return f"{told.astimezone(UTC) if told.tzinfo is not None else told:%Y-%m-%d %H:%M} UTC"


def _show(number: float, *, sign: bool = False) -> str:
    """Four significant digits, whole above 10,000."""
    if abs(number) >= 10_000:
        return f"{number:+,.0f}" if sign else f"{number:,.0f}"
    return f"{number:+.4g}" if sign else f"{number:.4g}"
