"""The chain of a version as lines to read, and what an alarm's next step is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.retrains import why_lines

if TYPE_CHECKING:
    from engine.wire.models import VersionView
    from engine.wire.monitoring import AlarmView, RetrainView, WhyView

HANG = 31
"""The column in which the sentences of a chain begin."""


def chain_lines(why: WhyView) -> list[Cell]:
    """When, how long after the link before, and what."""
    return [cell(line.text, line.tone) for line in why_lines(why)]


def next_step(alarm: AlarmView, retrain: RetrainView | None, version: VersionView | None) -> Cell:
    """What stands between an alarm and its end, with the key that does it."""
    if alarm.status == "closed":
        return Cell("■ closed; w shows the whole chain", "dim")
    if retrain is None or retrain.status == "given_up":
        return Cell("→ r retrains it; a says you look after it; C closes it where it was expected", "strong")
    if retrain.status == "training":
        told = f"◐ job {retrain.job_id} trains it again (retrain {retrain.id}): l follows its log"
        return Cell(told, "busy")
    if retrain.status in ("waiting", "blocked"):
        return cell(f"○ retrain {retrain.id} {retrain.status}: {retrain.note} r trains it now all the same.", "warn")
    return _judged(retrain, version)


def _judged(retrain: RetrainView, version: VersionView | None) -> Cell:
    if retrain.version is None or version is None:
        return cell(f"✗ retrain {retrain.id} made no version: {retrain.note} l shows its log, r tries again.", "bad")
    name = f"{version.model}@{version.number}"
    if "champion" in version.aliases:
        return cell(f"● {name} serves already; w shows the whole chain", "good")
    if version.approval is not None:
        return cell(f"✓ {name} is approved: D deploys it; v shows its verdict", "strong")
    if version.verdict.outcome == "pass":
        return cell(f"✓ {name} passed: v shows its verdict, A approves it, D approves and deploys it", "good")
    return cell(f"? {name}: {version.verdict.outcome}; v shows why, r trains it again", "warn")
