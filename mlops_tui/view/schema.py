"""The columns of a snapshot: how their values lie, what has changed since the snapshot before, what rows break."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_tui.view.cell import Cell, cell, number
from mlops_tui.view.clean import clean
from mlops_tui.view.columns import Column
from mlops_tui.view.figures import count, metric, share
from mlops_tui.view.sparkline import sparkline

if TYPE_CHECKING:
    from engine.wire.runs import ColumnProfile, SnapshotProfile, SnapshotView

NULLS_MOVED = 0.02
"""Of the rows: a smaller change of the share of nulls is not told."""
MEAN_MOVED = 0.1
"""In standard deviations of the snapshot before."""
RANGE_GREW = 0.1
"""Of the range before: ends that lie no farther out are not told."""

SCHEMA_COLUMNS = (
    Column("column", 14, widest=40),
    Column("type", 8, rank=1),
    Column("nulls", 6, rank=2, right=True),
    Column("distinct", 8, rank=3, right=True),
    Column("range", 19, rank=5, head="least … most"),
    Column("median", 9, rank=7, right=True),
    Column("values", 14, rank=6, widest=30),
    Column("told", 22, rank=4, widest=200, head="changed, broken"),
)


@dataclass(frozen=True)
class ColumnRow:
    """One column, of this snapshot or of the one before that is gone now."""

    name: str
    type: str
    nullable: bool
    nulls: int
    distinct: int
    rows: int
    profile: ColumnProfile | None
    """None: it is kept and not profiled, or the profile cannot be read."""
    changes: tuple[str, ...]
    failures: tuple[dict[str, Any], ...]
    gone: bool = False


def column_rows(
    snapshot: SnapshotView,
    profile: SnapshotProfile | None,
    before: SnapshotView | None,
    profile_before: SnapshotProfile | None,
) -> list[ColumnRow]:
    """The columns in the order of the data, then those that are gone."""
    now, then = _profiles(profile), _profiles(profile_before)
    known = {one["name"]: one for one in (before.data_schema.get("columns", []) if before else [])}
    rows = []
    for one in snapshot.data_schema.get("columns", []):
        name = one["name"]
        changes = (
            () if before is None else _changes(one, snapshot, known.get(name), before, now.get(name), then.get(name))
        )
        failures = tuple(failure for failure in snapshot.failures if failure.get("column") == name)
        rows.append(_row(one, snapshot.rows, now.get(name), changes, failures))
    here = {row.name for row in rows}
    rows += [_row(one, 0, then.get(name), ("gone",), (), gone=True) for name, one in known.items() if name not in here]
    return rows


def column_cells(row: ColumnRow) -> dict[str, Cell]:
    """The cells of one column, by column."""
    profile = row.profile
    broken = sum(int(failure.get("count", 0)) for failure in row.failures)
    told = " · ".join(row.changes)
    if broken:
        said = Cell(f"✗ {count(broken)} rows break a rule{' · ≠ ' + told if told else ''}", "bad")
    else:
        said = Cell(f"≠ {told}" if told else "", "warn")
    return {
        "column": cell(row.name, "dim" if row.gone else "strong"),
        "type": cell(row.type),
        "nulls": number(share(row.nulls / row.rows) if row.rows else "–"),
        "distinct": number(count(row.distinct)),
        "range": _range(profile),
        "median": number(_value(profile.median if profile else None)),
        "values": _values(profile),
        "told": said,
    }


def column_words(row: ColumnRow) -> str:
    """What a filter looks through."""
    broken = "broken" if row.failures else ""
    return f"{row.name} {row.type} {' '.join(row.changes)} {'changed' if row.changes else ''} {broken}".lower()


SCHEMA_ORDERS: dict[str, Callable[[ColumnRow], Any] | None] = {
    "what asks for a look first": lambda row: (not row.failures, not row.changes),
    "as in the data": None,
    "by name": lambda row: row.name,
    "most nulls first": lambda row: -row.nulls,
}
"""Orders that `s` walks through; None: as the data has them."""


def column_facts(row: ColumnRow) -> list[tuple[str, Cell]]:
    """All of one column."""
    profile = row.profile
    facts = [
        ("column", cell(row.name, "strong")),
        ("type", cell(f"{row.type}{', gone: the snapshot before has it' if row.gone else ''}")),
        ("nulls", cell(f"{row.nulls:,} ({share(row.nulls / row.rows) if row.rows else '–'})")),
        ("declared", cell("may be null" if row.nullable else "never null")),
        ("distinct", cell(f"{row.distinct:,}")),
    ]
    facts += [("≠ changed", cell(change, "warn")) for change in row.changes]
    if profile is None:
        return [*facts, ("values", cell("not profiled: it is kept beside the features", "dim"))]
    named = ("minimum", "median", "maximum", "mean", "std")
    facts += [(name, cell(_value(value))) for name in named if (value := getattr(profile, name)) is not None]
    if profile.bins:
        facts.append(("values", Cell(f"{sparkline(profile.bins, len(profile.bins))}  least to most", "busy")))
    return facts + [(f"= {clean(name, longest=40)}", cell(_of(rows, row.rows))) for name, rows in profile.top]


def _row(
    one: Mapping[str, Any],
    rows: int,
    profile: ColumnProfile | None,
    changes: tuple[str, ...],
    failures: tuple[dict[str, Any], ...],
    *,
    gone: bool = False,
) -> ColumnRow:
    return ColumnRow(
        name=str(one["name"]),
        type=str(one.get("type")),
        nullable=bool(one.get("nullable")),
        nulls=int(one.get("nulls") or 0),
        distinct=int(one.get("distinct") or 0),
        rows=rows,
        profile=profile,
        changes=changes,
        failures=failures,
        gone=gone,
    )


def _profiles(profile: SnapshotProfile | None) -> dict[str, ColumnProfile]:
    return {one.column: one for one in profile.columns} if profile else {}


def _changes(
    one: Mapping[str, Any],
    snapshot: SnapshotView,
    old: Mapping[str, Any] | None,
    before: SnapshotView,
    now: ColumnProfile | None,
    then: ColumnProfile | None,
) -> tuple[str, ...]:
    if old is None:
        return ("new",)
    changes = []
    if one.get("type") != old.get("type"):
        changes.append(f"was {clean(str(old.get('type')))}")
    if bool(one.get("nullable")) != bool(old.get("nullable")):
        changes.append("may be null now" if one.get("nullable") else "must not be null now")
    nulls, had = _share(one, snapshot.rows), _share(old, before.rows)
    if abs(nulls - had) >= NULLS_MOVED:
        changes.append(f"nulls {share(had)} → {share(nulls)}")
    return (*changes, *(_moved(now, then) if now and then else ()))


def _share(one: Mapping[str, Any], rows: int) -> float:
    return int(one.get("nulls") or 0) / rows if rows else 0.0


def _moved(now: ColumnProfile, then: ColumnProfile) -> Sequence[str]:
    """How the values lie now and lay then."""
    if now.top and then.top and then.distinct <= len(then.top):
        known = {name for name, _ in then.top}
        fresh = [clean(name, longest=20) for name, _ in now.top if name not in known]
        return [f"new: {', '.join(fresh[:3])}{' …' if len(fresh) > 3 else ''}"] if fresh else []
    moved = []
    if now.mean is not None and then.mean is not None and then.std:
        by = (now.mean - then.mean) / then.std
        if abs(by) >= MEAN_MOVED:
            moved.append(f"mean {metric(then.mean)} → {metric(now.mean)} ({by:+.1f} σ)")
    low, high = (then.minimum, then.maximum)
    if isinstance(low, float | int) and isinstance(high, float | int):
        far = RANGE_GREW * (high - low)
        if isinstance(now.minimum, float | int) and now.minimum < low - far:
            moved.append(f"min {metric(low)} → {metric(now.minimum)}")
        if isinstance(now.maximum, float | int) and now.maximum > high + far:
            moved.append(f"max {metric(high)} → {metric(now.maximum)}")
    return moved


def _value(value: float | str | None) -> str:
    if isinstance(value, str):
        return clean(value[:10] if value[4:5] == "-" else value, longest=20)
    return metric(value)


def _range(profile: ColumnProfile | None) -> Cell:
    if profile is None or profile.minimum is None:
        return cell(None)
    return Cell(f"{_value(profile.minimum)} … {_value(profile.maximum)}")


def _values(profile: ColumnProfile | None) -> Cell:
    if profile is None:
        return cell(None)
    if profile.bins:
        return Cell(sparkline(profile.bins, len(profile.bins)), "busy")
    return cell(", ".join(name for name, _ in profile.top[:5]) or None, "dim")


def _of(rows: int, whole: int) -> str:
    return f"{rows:,}{f' ({share(rows / whole)})' if whole else ''}"
