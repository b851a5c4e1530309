"""How what somebody began has ended, from the events that tell of it: a job, a release."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell
from mlops_tui.view.clean import clean
from mlops_tui.view.figures import share

if TYPE_CHECKING:
    from engine.wire.events import EventView

_RELEASES = ("version.deployed", "version.promoted", "endpoint.rolled_back")
_KINDS = ("train", "check", "label")
"""Jobs that people ask for; others are the engine's own, or are waited for where they were begun."""


@dataclass(frozen=True)
class Begun:
    """What a person waits for, by what events are about: `job 12`, `fraud@3`."""

    by: str
    """The user whose doings are told of; empty: nobody's, for it is not known yet who sits here."""
    waits: Set[str] = frozenset()

    def after(self, event: EventView) -> tuple[Begun, Cell | None]:
        """What is waited for after an event, and a sentence where it ended something."""
        subject = event.subject
        if self.by and event.actor == self.by and _begins(event):
            return Begun(self.by, {*self.waits, subject}), None
        if event.verb == "version.registered" and (job := f"job {event.evidence.get('job')}") in self.waits:
            return Begun(self.by, self.waits - {job}), _judged(event)
        if event.verb == "check.done" and (job := f"job {event.evidence.get('job')}") in self.waits:
            return Begun(self.by, self.waits - {job}), _checked(event)
        told = _ending(event) if subject in self.waits else None
        return (self, None) if told is None else (Begun(self.by, self.waits - {subject}), told)


def _begins(event: EventView) -> bool:
    return event.verb in _RELEASES or (event.verb == "job.queued" and event.evidence.get("kind") in _KINDS)


def _judged(event: EventView) -> Cell:
    verdict = clean(str(event.evidence.get("verdict", "")))
    passed = verdict == "pass"
    sign, then = ("✓", "A approves it, D releases it") if passed else ("?", "3 shows why")
    return Cell(
        f"{sign} {clean(event.subject)} is trained and judged: {verdict}. {then}.", "good" if passed else "warn"
    )


def _checked(event: EventView) -> Cell:
    outcome = clean(str(event.evidence.get("outcome", "")))
    quiet = outcome == "quiet"
    then = "" if quiet else "; 5 shows its columns"
    return Cell(
        f"{'✓' if quiet else '!'} check of {clean(event.subject)}: {outcome}{then}.", "good" if quiet else "warn"
    )


def _ending(event: EventView) -> Cell | None:
    about = clean(event.subject)
    if (kind := event.evidence.get("kind")) and event.verb.startswith("job."):
        about = f"{about} ({clean(str(kind))} of {clean(event.project or '')})"
    why = clean(str(event.evidence.get("why") or event.evidence.get("reason") or ""))
    told = {
        "job.succeeded": Cell(f"✓ {about} is done.", "good"),
        "job.failed": Cell(f"✗ {about} failed: {why}", "bad"),
        "job.cancelled": Cell(f"■ {about} is cancelled.", "warn"),
        "deployment.failed": Cell(f"✗ {about} could not be released: {why}", "bad"),
    }
    if event.verb == "deployment.released":
        part = event.evidence.get("share")
        much = f" with {share(part)} of the traffic" if isinstance(part, int | float) else ""
        return Cell(f"● {about} is live{much}.", "good")
    return told.get(event.verb)
