"""Events of the audit chain as rows of a screen, and one of them whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_tui.view.cell import Cell, cell, number
from mlops_tui.view.clean import clean
from mlops_tui.view.columns import Column
from mlops_tui.view.events import event_row
from mlops_tui.view.figures import several
from mlops_tui.view.times import age, exact
from mlops_tui.view.width import fit

if TYPE_CHECKING:
    from engine.wire.events import EventView, Verification

AUDIT_COLUMNS = (
    Column("event", 7, right=True),
    Column("when", 8, rank=1),
    Column("who", 8, widest=16),
    Column("did", 18, widest=24),
    Column("to", 14, widest=32),
    Column("role", 8, rank=4),
    Column("evidence", 18, rank=2, widest=400),
)

_LONGEST = 200_000
"""Characters of one value that are shown where it is read whole."""
_INDENT = "  "


def audit_cells(event: EventView, now: datetime) -> dict[str, Cell]:
    """The cells of one event, by column."""
    *_, evidence = event_row(event)
    return {
        "event": number(str(event.seq)),
        "when": cell(age(event.at, now)),
        "who": cell(event.actor),
        "did": cell(event.verb, "strong"),
        "to": cell(event.subject),
        "role": cell(event.role, "dim"),
        "evidence": evidence,
    }


def no_event_cells(seq: int) -> dict[str, Cell]:
    """In place of an event that is not there, though one after it is: an unbroken chain has no gaps."""
    return {"event": number(str(seq), "bad"), "did": Cell("✗ missing: :verify tells more", "bad")}


def audit_lines(event: EventView, now: datetime) -> list[Cell]:
    """One event, whole."""
    facts = (
        ("event", str(event.seq)),
        ("when", f"{exact(event.at)} ({age(event.at, now)})"),
        ("who", f"{event.actor}, as {event.role}"),
        ("did", event.verb),
        ("to", event.subject),
        ("model", event.project or "–"),
        ("hash", event.hash),
        ("before", event.prev_hash if event.seq > 1 else f"{event.prev_hash} (this is the first)"),
    )
    lines = [Cell(f"{fit(name, VALUES_FROM)}{clean(value)}") for name, value in facts]
    if not event.evidence:
        return [*lines, Cell(""), Cell("It carries no evidence.", "dim")]
    return [*lines, Cell(""), Cell("Evidence", "strong"), *map(Cell, evidence_lines(event.evidence))]


VALUES_FROM = 10
"""The column in which the values of an event begin."""


def evidence_lines(value: Any, depth: int = 0) -> Iterator[str]:
    """Evidence as lines, nested by indentation; long values are whole."""
    pairs = value.items() if isinstance(value, dict) else ((f"{at + 1}.", one) for at, one in enumerate(value))
    for name, one in pairs:
        begun = f"{_INDENT * depth}{clean(str(name))}"
        if isinstance(one, dict | list) and one:
            yield begun
            yield from evidence_lines(one, depth + 1)
        else:
            yield f"{begun}  {_leaf(one)}"


def _leaf(value: Any) -> str:
    # Text as it is, all else as JSON has it: `null`, `true`, `[]`.
    return clean(value if isinstance(value, str) else json.dumps(value), longest=_LONGEST)


def verified(found: Verification) -> Cell:
    """What a verification came to, in one sentence."""
    wrong = []
    if found.broken_event is not None:
        wrong.append(f"event {found.broken_event:,} does not fit the one before it")
    for word, files in (("damaged", found.damaged), ("missing", found.missing)):
        if files:
            wrong.append(f"{several(len(files), 'file')} {'is' if len(files) == 1 else 'are'} {word}")
    if wrong:
        named = "".join(f" · {clean(sha256)}" for sha256 in (*found.damaged, *found.missing))
        return Cell(f"{'; '.join(wrong)}{named}", "bad")
    return Cell(f"{several(found.events, 'event')} and {several(found.blobs, 'file')} hash as recorded", "good")
