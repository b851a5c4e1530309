"""What each screen is for, and the way on from it: the first lines of its help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops_tui.commands import Where

ABOUT: Mapping[Where, Sequence[str]] = {
    "fleet": (
        "Every model and its loop: data, training, verdict, what serves, drift.",
        "▲ needs somebody and stands on top: a opens its alarm, enter tells all.",
        "✓ done  ◐ under way  ● live  ✗ failed  ! look at it  ? not known  – none",
    ),
    "runs": ("Each training and what it came to. enter shows its candidates, l its log.",),
    "run": ("One training: candidates on validation rows (★ best), a verdict on test rows.",),
    "models": ("Each model and its newest verdict. enter lists its versions.",),
    "versions": ("What was trained, newest first. enter shows the evidence and the lineage.",),
    "version": (
        "Is it good, does it serve, where does it come from.",
        "A approves it, D releases it, R goes back to the one before; each asks first.",
    ),
    "deployments": ("What answers: weights, servers, latency and errors of the last minutes.",),
    "endpoint": ("Its versions and their servers, newest first. l follows what a server prints.",),
    "monitoring": ("Does what comes in look like the training data? enter shows its columns.",),
    "watched": ("One model in production: tab walks through its columns, checks and alarms.",),
    "check": ("One look at what came in: each column against the training data.",),
    "alarm": ("What changed, since when, and what can be done: r retrains, C closes.",),
    "why": ("The chain behind a version, oldest first: alarm, data, verdict, release.",),
    "data": ("Data as it was when it was trained on. enter shows columns and what changed.",),
    "snapshot": ("Its columns; ≠ has changed since the snapshot before, ✗ broke an expectation.",),
    "jobs": ("Everything that runs, waits or is over. l follows its log, X cancels it.",),
    "audit": ("Who did what, newest first. V verifies that nothing was changed since.",),
    "event": ("One event whole, with the hash that chains it to the one before.",),
    "errors": ("What went wrong in this terminal, newest first; y copies the newest, whole.",),
}
"""A screen that is not here says what it is by its keys."""
