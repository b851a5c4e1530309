"""What a worker would see in a file of orders."""

from __future__ import annotations

from typing import Any

COLUMNS: list[dict[str, Any]] = [
    {"name": "order_id", "type": "integer", "role": "id", "nulls": 0, "distinct": 100, "why": "unique", "seen": "1 …"},
    {"name": "shop", "type": "integer", "role": "feature", "nulls": 0, "distinct": 10, "why": "", "seen": "0 to 9"},
    {"name": "day", "type": "time", "role": "time", "nulls": 0, "distinct": 28, "why": "times", "seen": "2026-01-01 …"},
    {"name": "kind", "type": "category", "role": "ignored", "nulls": 7, "distinct": 90, "why": "codes", "seen": "a, b"},
    {"name": "returned", "type": "category", "role": "target", "nulls": 3, "distinct": 2, "why": "", "seen": "no, yes"},
]  # fmt: skip
_TASKS = {"returned": ("binary", "it holds two texts"), "shop": ("multiclass", "it holds 10 integers")}


def see(asked: dict[str, Any]) -> dict[str, Any]:
    """The result of a look."""
    name = asked["name"] or "orders"
    if asked["target"] is None:
        return {
            "name": name, "task": "", "rows": 100, "notes": [], "project_file": "",
            "columns": [_candidate(column) for column in COLUMNS],
        }  # fmt: skip
    return {
        "name": name, "task": "binary", "rows": 100, "columns": COLUMNS, "positive": asked["positive"] or "yes",
        "values": ["no", "yes"], "project_file": f'[project]\nname = "{name}"\n',
        "notes": ["Task binary, because it holds two texts (returned)."],
    }  # fmt: skip


def _candidate(column: dict[str, Any]) -> dict[str, Any]:
    task, why = _TASKS.get(column["name"], (None, "a time" if column["type"] == "time" else "nothing to learn"))
    return {key: column[key] for key in ("name", "type", "nulls", "distinct", "seen")} | {"task": task, "why": why}
