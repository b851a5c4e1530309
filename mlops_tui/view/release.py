"""What an order about a release will change, as it is shown before it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, cell, mark
from mlops_tui.view.clean import clean
from mlops_tui.view.figures import several, share

if TYPE_CHECKING:
    from engine.wire.endpoints import ReleasePreview, ReleaseStep

_TITLES = {
    "approve": "Approve {}?",
    "deploy": "Deploy {}?",
    "promote": "Make {} the champion?",
    "rollback": "Roll {} back?",
}


def release_title(seen: ReleasePreview) -> str:
    """The question."""
    about = seen.name if seen.verb == "rollback" or seen.version is None else f"{seen.name}@{seen.version}"
    return _TITLES[seen.verb].format(about)


def release_facts(seen: ReleasePreview) -> list[tuple[str, Cell]]:
    """From what to what, line by line; then on whose word, and on what evidence."""
    facts = [] if seen.verb == "approve" or seen.refusal is not None else [("champion", _champion(seen))]
    facts += [("traffic" if at == 0 else "", _step(step)) for at, step in enumerate(seen.steps)]
    if seen.approves:
        facts.append(("approval", Cell("is recorded as yours, for good", "warn")))
    elif seen.approved_by is not None:
        facts.append(("approval", cell(f"✓ by {seen.approved_by} already", "good")))
    if seen.outcome is not None:
        facts.append(("verdict", mark(seen.outcome)))
        facts += [("", cell(reason)) for reason in seen.reasons]
    if seen.verb == "approve" and seen.refusal is None:
        facts.append(("after this", cell("it may be deployed; nothing is released by it", "dim")))
    return facts


def is_so_already(seen: ReleasePreview) -> bool:
    """The order would change nothing."""
    if seen.refusal is not None or seen.approves:
        return False
    return seen.champion_before == seen.champion_after and all(
        step.before == step.after and step.deployment is not None and not step.ends for step in seen.steps
    )


def asks_for_its_name(seen: ReleasePreview) -> bool:
    """A champion that answers requests goes out of service."""
    return seen.champion_before != seen.champion_after and any(
        step.version == seen.champion_before and step.before > 0 for step in seen.steps
    )


def _champion(seen: ReleasePreview) -> Cell:
    before, after = _version(seen.champion_before), _version(seen.champion_after)
    return Cell(f"stays {after}", "dim") if before == after else Cell(f"{before} → {after}", "strong")


def _version(number: int | None) -> str:
    return "none" if number is None else f"@{number}"


def _step(step: ReleaseStep) -> Cell:
    moved = f"@{step.version}  {share(step.before)} → {share(step.after)}"
    how = f"{several(step.replicas, 'replica')} ({clean(step.runtime)})"
    if step.deployment is None:
        if step.after == 0:
            return Cell(f"@{step.version}  starts and ends again, without traffic", "warn")
        return Cell(f"{moved} once it is ready: new, {how}", "good")
    if step.ends and step.before == 0:
        return Cell(f"@{step.version}  gets no traffic any more: deployment {step.deployment} ends, {how}", "warn")
    if step.ends:
        return Cell(f"{moved}, then deployment {step.deployment} ends, {how}", "warn")
    if step.before == step.after:
        return Cell(f"@{step.version}  {share(step.before)} as before, deployment {step.deployment}, {how}", "dim")
    return Cell(f"{moved}, deployment {step.deployment} goes on, {how}")
