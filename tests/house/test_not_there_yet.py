"""Keys of the design that nothing stands behind are refused by name, and only those."""

from __future__ import annotations

import pytest

from engine.errors import NotThereYet
from engine.project import NOT_THERE_YET, Project, parse_project

SMALLEST = {"project": {"name": "p", "task": "binary"}, "data": {"source": "d.csv", "target": "y"}}


def as_toml(tables: dict[str, dict[str, object]]) -> str:
    return "\n".join(
        f"[{name}]\n" + "\n".join(f"{key} = {value!r}" for key, value in keys.items()) for name, keys in tables.items()
    )


@pytest.mark.parametrize("key", sorted(NOT_THERE_YET))
def test_a_key_that_is_not_built_is_refused_as_not_there_yet(key: str) -> None:
    section, _, name = key.partition(".")
    tables = {table: dict(keys) for table, keys in SMALLEST.items()}
    tables.setdefault(section, {})[name or "every"] = "15m"
    with pytest.raises(NotThereYet, match=key):
        parse_project(as_toml(tables))


def test_the_smallest_project_is_accepted() -> None:
    assert parse_project(as_toml(SMALLEST)).name == "p"


def test_a_key_that_is_built_is_not_called_missing() -> None:
    for key in NOT_THERE_YET:
        section, _, name = key.partition(".")
        part = Project.model_fields.get(section)
        assert part is None or (name and name not in part.annotation.model_fields)
