"""One version to read: its verdict, what it may do, and what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.clean import clean
from mlops_tui.view.figures import metric, several, share, size
from mlops_tui.view.times import age, exact
from mlops_tui.view.verdict import verdict_with_evidence
from mlops_tui.view.width import fit, width_of

if TYPE_CHECKING:
    from engine.wire.models import VersionView

NAMES = 14
"""The column in which values begin."""
_WIDEST_NAME = 32


def version_page(version: VersionView, now: datetime, width: int) -> list[Cell]:
    """All of it, in the order a person asks: is it good, does it serve, where does it come from."""
    headline, *evidence = verdict_with_evidence(version, width)
    sections = (
        [headline, standing(version), *evidence],
        [Cell("release", "strong"), *_facts(release_facts(version, now))],
        [Cell("made from", "strong"), *_facts(lineage_facts(version, now))],
        [Cell("on test", "strong"), *_facts([(key, cell(metric(value))) for key, value in _metrics(version)])],
        [Cell("inputs", "strong"), *_facts(input_facts(version))],
    )
    return [line for section in sections for line in (*section, Cell(""))][:-1]


def standing(version: VersionView) -> Cell:
    """Whether it serves, and what can be done about it."""
    if version.share:
        champion = " as the champion" if "champion" in version.aliases else ""
        return Cell(f"● serves {share(version.share)} of the traffic{champion}; R goes back to the one before", "good")
    if version.approval is not None:
        return Cell("→ approved, serves nothing: D releases it", "busy")
    outcome = version.verdict.outcome
    if outcome == "pass":
        return Cell("→ A approves it, then D releases it", "busy")
    why = "the gate refused it" if outcome == "fail" else "too little is known to judge it"
    return Cell(f"→ {why}; A approves it all the same, with a reason on record", "warn")


def release_facts(version: VersionView, now: datetime) -> list[tuple[str, Cell]]:
    """Its approval, aliases and traffic."""
    approval = version.approval
    if approval is None:
        approved = Cell("○ not yet; A approves it", "dim")
    else:
        how = "by the project's own rule" if approval.automatic else f"by {clean(approval.by)}"
        against = f", against the gate: {clean(approval.override)}" if approval.override else ""
        approved = Cell(
            f"{'!' if against else '✓'} {how}, {age(approval.at, now)} ({exact(approval.at)}){against}",
            "warn" if against else "good",
        )
    serves = f"{share(version.share)} of the traffic" if version.share else "none"
    champion = " · ★ champion" if "champion" in version.aliases else ""
    others = " ".join(alias for alias in version.aliases if alias != "champion")
    return [
        ("approved", approved),
        ("traffic", cell(f"{serves}{champion}", "good" if version.share else "dim")),
        *([("aliases", cell(others))] if others else []),
    ]


def lineage_facts(version: VersionView, now: datetime) -> list[tuple[str, Cell]]:
    """Data, code, parameters, environment, seed; by whom and why. Hashes are whole, to be copied."""
    made = version.lineage
    commit = clean(made.git_commit) + (" and changes since" if made.git_dirty else "") if made.git_commit else "no git"
    return [
        ("when", cell(f"{exact(version.created_at)} ({age(version.created_at, now)})")),
        ("by", cell(made.by)),
        ("why", cell(made.reason or None)),
        ("run", cell(f"{made.run_id}, seed {made.seed}  (:show run {made.run_id})")),
        ("data", cell(f"snapshot {made.snapshot_id}  (:show snapshot {made.snapshot_id})")),
        ("", cell(made.snapshot_sha256, "dim")),
        ("code", cell(commit)),
        ("", cell(made.code_sha256, "dim")),
        ("candidate", cell(made.candidate)),
        *((f"  {clean(key)}", cell(_shown(value))) for key, value in made.params.items()),
        ("environment", cell(None if not made.environment else f"{len(made.environment)} facts")),
        *((f"  {clean(key)}", cell(value)) for key, value in made.environment.items()),
        ("target", cell(f"{version.target} ({version.task})")),
        ("classes", cell(", ".join(str(one) for one in version.classes) or None)),
        ("threshold", cell(None if version.threshold is None else metric(version.threshold))),
        ("id, time", cell(f"{version.id_column or '–'}, {version.time_column or '–'}")),
        (
            "bundle",
            cell(f"{several(len(version.bundle), 'file')}, {size(sum(one.size_bytes for one in version.bundle))}"),
        ),
        *(("", cell(f"{one.path}  {one.sha256[:12]}", "dim")) for one in version.bundle),
    ]


def input_facts(version: VersionView) -> list[tuple[str, Cell]]:
    """The columns it takes, in order."""
    return [(clean(str(one.get("name"))), _input(one)) for one in version.inputs]


def _input(column: Mapping[str, Any]) -> Cell:
    known = column.get("categories") or []
    few = ", ".join(str(one) for one in known[:6]) + (f", … {len(known)} in all" if len(known) > 6 else "")
    null = "may be null" if column.get("nullable") else "never null"
    return cell(" · ".join(part for part in (str(column.get("type")), null, few) if part))


def _metrics(version: VersionView) -> list[tuple[str, float]]:
    return sorted(version.metrics.items(), key=lambda one: (one[0] != version.metric, one[0]))


def _facts(facts: list[tuple[str, Cell]]) -> list[Cell]:
    width = min(max((width_of(name) for name, _ in facts), default=0), _WIDEST_NAME)
    width = max(width, NAMES - 3)
    return [Cell(f"  {fit(name, width)} {value.text}", value.tone) for name, value in facts]


def _shown(value: Any) -> str:
    return metric(value) if isinstance(value, float) else str(value)
