"""A project that is about to be: what was seen in its data, what a person says otherwise, and how that reads."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_tui.view.cell import Cell, Tone, cell, number
from mlops_tui.view.clean import clean
from mlops_tui.view.columns import Column
from mlops_tui.view.figures import count
from mlops_tui.view.files import PROJECT_FILE, Listing
from mlops_tui.view.width import fit

if TYPE_CHECKING:
    from engine.wire.looks import LookView

MOST_CLASSES = 200

TARGET_COLUMNS = (
    Column("column", 14, widest=60),
    Column("type", 8, rank=1),
    Column("would be", 11),
    Column("distinct", 8, rank=2, right=True),
    Column("nulls", 6, rank=3, right=True),
    Column("values", 16, rank=4, widest=300),
)
PREVIEW_COLUMNS = (
    Column("column", 14, widest=60),
    Column("role", 12),
    Column("type", 8, rank=1),
    Column("distinct", 8, rank=2, right=True),
    Column("nulls", 6, rank=3, right=True),
    Column("why", 16, rank=4, widest=300),
)

Seen = Mapping[str, Any]
"""A column of a look."""


@dataclass(frozen=True)
class Draft:
    """All that was said so far. None, or empty: as it is seen."""

    data: str
    """An absolute path or glob."""
    folder: str
    """Where mlops.toml goes."""
    target: str = ""
    name: str | None = None
    task: str | None = None
    id: str | None = None
    time: str | None = None
    positive: str | None = None
    ignore: tuple[str, ...] = ()
    use: tuple[str, ...] = ()

    def question(self) -> dict[str, Any]:
        """What the engine is asked, beside file and target."""
        return {
            "name": self.name, "relative_to": self.folder, "task": self.task, "id": self.id, "time": self.time,
            "positive": self.positive, "ignore": self.ignore, "use": self.use,
        }  # fmt: skip

    def as_seen(self) -> Draft:
        """The same data and target, nothing corrected."""
        return Draft(self.data, self.folder, self.target)

    @property
    def is_corrected(self) -> bool:
        """Something is said otherwise than it was seen."""
        return self != self.as_seen()

    def line(self, *, makes_folder: bool = False) -> str:
        """The command line that does the same."""
        words = ["mlops", "init", self.data, "--target", self.target]
        named = (("name", self.name), ("task", self.task), ("id", self.id), ("time", self.time))
        for option, value in (*named, ("positive", self.positive)):
            words += [] if value is None else [f"--{option}", value]
        for option, columns in (("ignore", self.ignore), ("use", self.use)):
            for column in columns:
                words += [f"--{option}", column]
        made = f"mkdir -p {shlex.quote(self.folder)} && " if makes_folder else ""
        first = shlex.join([*words, "--folder", self.folder])
        return f"{made}{first} && mlops add {shlex.quote(self.folder)}"


def place_for(listing: Listing, name: str, home: Path) -> str:
    """Where a project of a file in that folder goes: beside the file where it is alone, else a folder of its own.

    What lies in a project's folder is stored as its code, so it is no folder of other things.
    """
    is_alone = len(listing.entries) == 1 and not listing.others
    if not listing.is_writable:
        return str(home / name)
    return listing.folder if is_alone else str(Path(listing.folder) / name)


def tasks_for(kind: str, distinct: int) -> tuple[str, ...]:
    """Tasks that a target of this type can have.

    >>> tasks_for("integer", 3), tasks_for("number", 900), tasks_for("category", 2)
    (('multiclass', 'regression'), ('regression',), ('binary', 'multiclass'))
    """
    classes = ("binary", "multiclass") if distinct == 2 else ("multiclass",) if distinct <= MOST_CLASSES else ()
    if kind in ("number", "integer"):
        return (*classes, "regression") if kind == "integer" else ("regression",)
    return classes


def role_now(column: Seen, draft: Draft) -> tuple[str, bool]:
    """What a column is for, and whether a person said so."""
    name, seen = str(column["name"]), str(column.get("role"))
    said = (
        "id" if draft.id == name else "time" if draft.time == name
        else "ignored" if name in draft.ignore else "feature" if name in draft.use else ""
    )  # fmt: skip
    if said:
        return said, said != seen
    if (seen == "time" and draft.time is not None) or (seen == "id" and draft.id is not None):
        return "ignored", True
    return seen, False


def with_role(draft: Draft, columns: Sequence[Seen], name: str, wanted: str) -> Draft | str:
    """The draft with a column turned into an id, a time, a feature or nothing; pressed again, back again.

    A text: why that cannot be.
    """
    column = next((one for one in columns if one["name"] == name), None)
    if column is None or column.get("role") == "target":
        return "It is the target: esc goes back to choose another."
    if wanted in ("id", "time"):
        return _with_key(draft, columns, column, wanted)
    now, _ = role_now(column, draft)
    if now == "ignored" and column.get("type") == "time":
        return "It holds times, which no model here learns from; t makes it the time."
    wanted = "feature" if now == "ignored" else "ignored"
    plain = _without(draft, name)
    if column.get("role") == wanted and role_now(column, plain)[0] == wanted:
        return plain
    return (
        replace(plain, use=(*plain.use, name)) if wanted == "feature" else replace(plain, ignore=(*plain.ignore, name))
    )


def _with_key(draft: Draft, columns: Sequence[Seen], column: Seen, role: str) -> Draft | str:
    name = str(column["name"])
    if role == "time" and column.get("type") != "time":
        return f"It holds {column.get('type')} values, and a time is a time."
    seen = next((str(one["name"]) for one in columns if one.get("role") == role), "")
    if role_now(column, draft)[0] == role:
        chosen: str | None = "" if seen == name else None
    else:
        chosen = None if seen == name else name
    plain = _without(draft, name)
    changed = replace(plain, id=chosen) if role == "id" else replace(plain, time=chosen)
    if role == "id" and seen and chosen is not None and seen not in changed.ignore and chosen != seen:
        # What was the id is no feature by itself; a person may still use it.
        return replace(_without(changed, seen), id=chosen, ignore=(*_without(changed, seen).ignore, seen))
    return _without(changed, seen) if role == "id" and chosen is None and seen else changed


def _without(draft: Draft, name: str) -> Draft:
    """Nothing said of a column."""
    return replace(
        draft,
        ignore=tuple(one for one in draft.ignore if one != name),
        use=tuple(one for one in draft.use if one != name),
        id=None if draft.id == name else draft.id,
        time=None if draft.time == name else draft.time,
    )


def target_cells(column: Seen) -> dict[str, Cell]:
    """A column to learn, or not."""
    task = column.get("task")
    tone: Tone = "plain" if task else "dim"
    return {
        "column": cell(column.get("name"), "strong" if task else "dim"),
        "type": cell(column.get("type"), tone),
        "would be": cell(task, "busy") if task else Cell("✗ nothing", "dim"),
        "distinct": number(count(column.get("distinct")), tone),
        "nulls": number(count(column.get("nulls")), tone),
        "values": cell(column.get("seen") if task else column.get("why"), tone),
    }


def target_facts(column: Seen) -> list[tuple[str, Cell]]:
    """All of a column."""
    task = column.get("task")
    return [
        ("column", cell(column.get("name"), "strong")),
        ("type", cell(column.get("type"))),
        ("would be", cell(f"{task or 'nothing that can be learnt'}: {column.get('why')}", "busy" if task else "warn")),
        ("distinct", cell(f"{int(column.get('distinct') or 0):,}")),
        ("nulls", cell(f"{int(column.get('nulls') or 0):,}")),
        ("values", cell(column.get("seen"))),
    ]


_ROLE_TONES: dict[str, Tone] = {"target": "strong", "ignored": "dim", "id": "busy", "time": "busy"}
_ROLE_GLYPHS = {"target": "◎", "ignored": "·", "id": "#", "time": "◷", "feature": "✓"}


def preview_cells(column: Seen, draft: Draft) -> dict[str, Cell]:
    """A column and what it is for."""
    role, is_said = role_now(column, draft)
    tone = _ROLE_TONES.get(role, "plain")
    return {
        "column": cell(column.get("name"), tone),
        "role": cell(f"{_ROLE_GLYPHS.get(role, '·')} {role}{' ✎' if is_said else ''}", "warn" if is_said else tone),
        "type": cell(column.get("type")),
        "distinct": number(count(column.get("distinct"))),
        "nulls": number(count(column.get("nulls"))),
        "why": cell("said by you" if is_said else column.get("why") or column.get("seen"), "dim" if is_said else tone),
    }


def preview_facts(column: Seen, draft: Draft) -> list[tuple[str, Cell]]:
    """All of a column."""
    role, is_said = role_now(column, draft)
    return [
        ("column", cell(column.get("name"), "strong")),
        ("role", cell(f"{role}{', said by you' if is_said else ''}")),
        ("why", cell(column.get("why") or None)),
        ("type", cell(column.get("type"))),
        ("distinct", cell(f"{int(column.get('distinct') or 0):,}")),
        ("nulls", cell(f"{int(column.get('nulls') or 0):,}")),
        ("values", cell(column.get("seen"))),
    ]


def column_text(column: Seen) -> str:
    """What a filter looks through."""
    return " ".join(str(column.get(key) or "") for key in ("name", "type", "role", "task", "why")).lower()


def settings_lines(look: LookView, draft: Draft, *, is_there: bool, width: int) -> list[Cell]:
    """What the project will be, each with the key that changes it."""
    task, is_binary = draft.task or look.task, (draft.task or look.task) == "binary"
    positive = (draft.positive or look.positive or "–") if is_binary else "– (of binary tasks only)"
    there = [Cell(f"! {PROJECT_FILE} is there: asked before it is written over", "warn")] if is_there else []
    lines = [
        _setting("N name", draft.name or look.name, draft.name is not None),
        _setting("F folder", draft.folder, False),
        _setting("T task", _task_told(look, task, draft.task is not None), draft.task is not None),
        _setting("p positive", positive, draft.positive is not None),
        _setting("i id", _key_told(look, draft, "id"), draft.id is not None),
        _setting("t time", _key_told(look, draft, "time"), draft.time is not None),
    ]
    if width >= 100:
        return [_pair(lines[at], lines[at + 1], width) for at in range(0, len(lines), 2)] + there
    return lines + there


def changed_fields(draft: Draft) -> int:
    """How much is said otherwise than it was seen."""
    plain = draft.as_seen()
    told = sum(1 for name in ("name", "task", "id", "time", "positive") if getattr(draft, name) != getattr(plain, name))
    return told + len(draft.ignore) + len(draft.use)


def project_file_lines(text: str) -> list[Cell]:
    """An mlops.toml to read: comments dim, sections strong."""
    return [_toml_line(line) for line in text.splitlines()]


def _toml_line(line: str) -> Cell:
    tone: Tone = "dim" if line.startswith("#") else "strong" if line.startswith("[") else "plain"
    return Cell(clean(line), tone)


def _setting(name: str, value: str, is_said: bool) -> Cell:
    return Cell(f"{fit(name, 11)} {clean(value)}{' ✎' if is_said else ''}", "warn" if is_said else "plain")


def _pair(one: Cell, other: Cell, width: int) -> Cell:
    half = width // 2
    tone: Tone = "warn" if "warn" in (one.tone, other.tone) else "plain"
    return Cell(f"{fit(one.text, half - 1)} {other.text}", tone)


def _task_told(look: LookView, task: str, is_said: bool) -> str:
    why = next((note for note in look.notes if note.startswith("Task ")), "")
    return task if is_said or ", because " not in why else f"{task}: {why.partition(', because ')[2].rstrip('.')}"


def _key_told(look: LookView, draft: Draft, role: str) -> str:
    names = [str(one["name"]) for one in look.columns if role_now(one, draft)[0] == role]
    none = _no_key(look, draft) if role == "id" else "none: rows are split at random"
    return f"{names[0]}{': rows are split in its order' if role == 'time' else ''}" if names else none


def _no_key(look: LookView, draft: Draft) -> str:
    """Why no column is the id; one that could be is named."""
    if draft.id is not None:
        return "none, as you say"
    unique = [
        str(one["name"]) for one in look.columns
        if one.get("type") in ("integer", "category") and one.get("role") != "target"
        and not one.get("nulls") and int(one.get("distinct") or 0) >= look.rows > 0
    ]  # fmt: skip
    return f"none, though {unique[0]} differs in every row" if unique else "none: no column differs in every row"
