"""What a person says goes before what a look sees; what the data cannot be is refused in a sentence."""

from pathlib import Path
from typing import Any

import pytest

from engine.data.corrections import Corrections
from engine.data.look import Look, look
from engine.data.project_file import write_project_file
from engine.errors import EngineError
from engine.project import parse_project


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    file = tmp_path / "orders.csv"
    lines = (f"{i},{i % 10},2026-01-{i % 28 + 1:02d},{i % 3},{('no', 'yes')[i % 2]},x{i % 4}" for i in range(100))
    file.write_text("order_id,shop,day,stars,returned,kind\n" + "\n".join(lines) + "\n")
    return file


def see(file: Path, target: str = "returned", **said: Any) -> Look:
    found = look(str(file), target, said=Corrections(**said))
    assert parse_project(write_project_file(found)).data.target == target
    return found


def roles(found: Look) -> dict[str, str]:
    return {column.name: column.role for column in found.columns}


def test_nothing_said_leaves_all_as_it_is_seen(orders: Path):
    assert roles(see(orders)) == {
        "order_id": "id", "shop": "feature", "day": "time", "stars": "feature", "returned": "target", "kind": "feature"
    }  # fmt: skip


def test_no_id_and_no_time_can_be_said(orders: Path):
    found = roles(see(orders, id="", time=""))
    assert (found["order_id"], found["day"]) == ("ignored", "ignored")


def test_columns_are_ignored_and_used_as_they_are_said_to_be(orders: Path):
    found = roles(see(orders, id="", use=("order_id",), ignore=("kind", "day")))
    assert (found["order_id"], found["kind"], found["day"]) == ("feature", "ignored", "ignored")


def test_the_positive_value_is_the_one_that_is_said(orders: Path):
    assert see(orders).positive == "yes"
    assert see(orders, positive="no").positive == "no"
    assert see(orders).values == ("no", "yes")


def test_the_task_is_the_one_that_is_said(orders: Path):
    assert see(orders, "stars").task == "multiclass"
    found = see(orders, "stars", task="regression")
    assert (found.task, found.positive) == ("regression", None)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"id": "shop"}, "'shop' is to be the id, and has 10 different values in 100 rows."),
        ({"time": "shop"}, "'shop' is to be the time, and holds integer values."),
        ({"id": "gone"}, "'gone', which is to be id, is no column"),
        ({"ignore": ("returned",)}, "'returned' is to be ignored, and is the target already."),
        ({"ignore": ("kind",), "use": ("kind",)}, "'kind' is to be used, and is ignored already."),
        ({"use": ("day",)}, "'day' holds times"),
        ({"positive": "maybe"}, "'maybe'"),
        ({"task": "regression"}, "The task is regression, and the target 'returned' holds text"),
        ({"ignore": ("shop", "stars", "kind")}, "No column is left to learn 'returned' from"),
    ],
)
def test_what_the_data_cannot_be_is_refused_in_a_sentence(orders: Path, said: dict[str, Any], told: str):
    with pytest.raises(EngineError) as refused:
        see(orders, **said)
    assert told in refused.value.message
