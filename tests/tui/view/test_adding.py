"""A project that is about to be, without a screen."""

from pathlib import Path

import pytest
from fakes.looks import COLUMNS, see

from engine.wire.looks import LookView
from mlops_tui.view.adding import (
    Draft,
    changed_fields,
    place_for,
    preview_cells,
    role_now,
    settings_lines,
    tasks_for,
    with_role,
)
from mlops_tui.view.files import Entry, Listing, file_cells, in_order
from mlops_tui.view.log_lines import level_tone

DRAFT = Draft("/data/orders.csv", "/data/orders", "returned")


def turned(draft: Draft, name: str, role: str) -> Draft:
    said = with_role(draft, COLUMNS, name, role)
    assert isinstance(said, Draft)
    return said


def roles(draft: Draft) -> dict[str, str]:
    return {column["name"]: role_now(column, draft)[0] for column in COLUMNS}


@pytest.mark.parametrize(
    ("name", "role"),
    [("shop", "feature"), ("kind", "feature"), ("order_id", "id"), ("shop", "id"), ("day", "time")],
)
def test_the_same_key_again_takes_it_back(name: str, role: str):
    once = turned(DRAFT, name, role)
    assert once != DRAFT
    assert roles(turned(once, name, role)) == roles(DRAFT)


def test_another_id_leaves_what_was_the_id_ignored():
    said = turned(DRAFT, "shop", "id")
    assert (roles(said)["shop"], roles(said)["order_id"]) == ("id", "ignored")
    assert said.id == "shop"
    used = turned(said, "order_id", "feature")
    assert (roles(used)["order_id"], used.use) == ("feature", ("order_id",))


def test_no_id_and_no_time_are_said_as_empty():
    assert turned(DRAFT, "order_id", "id").id == ""
    assert turned(DRAFT, "day", "time").time == ""
    assert roles(turned(DRAFT, "day", "time"))["day"] == "ignored"


@pytest.mark.parametrize(
    ("name", "role", "told"),
    [("returned", "id", "It is the target"), ("shop", "time", "a time is a time"), ("returned", "feature", "target")],
)
def test_what_cannot_be_is_a_sentence(name: str, role: str, told: str):
    said = with_role(DRAFT, COLUMNS, name, role)
    assert isinstance(said, str) and told in said


def test_a_time_that_is_left_out_cannot_be_a_feature():
    said = with_role(turned(DRAFT, "day", "time"), COLUMNS, "day", "feature")
    assert isinstance(said, str) and "no model here learns" in said


def test_the_command_line_says_all_that_was_said_and_quotes_it():
    draft = Draft("/data/my orders.csv", "/data/o'x", "re turned", name="o", id="", ignore=("a b",), use=("c",))
    assert draft.line() == (
        "mlops init '/data/my orders.csv' --target 're turned' --name o --id '' --ignore 'a b' --use c "
        "--folder '/data/o'\"'\"'x' && mlops add '/data/o'\"'\"'x'"
    )
    assert draft.line(makes_folder=True).startswith("mkdir -p ")


def test_changes_are_counted():
    assert changed_fields(DRAFT) == 0
    assert changed_fields(Draft("/d", "/e", "y", name="n", id="", ignore=("a", "b"))) == 4


def test_a_project_lies_beside_a_file_that_is_alone_and_else_in_a_folder_of_its_own():
    file = Entry("orders.csv", False)
    home = Path("/home/ada")
    assert place_for(Listing("/data", (file,), 0), "orders", home) == "/data"
    assert place_for(Listing("/data", (file,), 3), "orders", home) == "/data/orders"
    assert place_for(Listing("/data", (file,), 0, is_writable=False), "orders", home) == "/home/ada/orders"


def test_a_target_has_the_tasks_that_its_values_allow():
    assert tasks_for("integer", 2) == ("binary", "multiclass", "regression")
    assert tasks_for("integer", 500) == ("regression",)
    assert tasks_for("boolean", 2) == ("binary", "multiclass")


def test_what_a_person_said_stands_out_by_more_than_colour():
    draft = turned(DRAFT, "shop", "feature")
    assert preview_cells(COLUMNS[1], draft)["role"].text == "· ignored ✎"
    look = LookView.model_validate(see({"name": None, "target": "returned", "positive": None}))
    lines = [line.text for line in settings_lines(look, turned(draft, "order_id", "id"), is_there=True, width=78)]
    assert "i id        none, as you say ✎" in lines
    assert lines[-1].startswith("! mlops.toml is there")


def test_a_column_that_could_be_the_id_is_named_where_none_was_chosen():
    def told(distinct: int) -> list[str]:
        columns = [
            {"name": "ref", "type": "integer", "role": "feature", "nulls": 0, "distinct": distinct},
            *COLUMNS[1:],
        ]
        look = LookView(name="orders", task="binary", rows=100, columns=columns, notes=[], project_file="")
        return [line.text for line in settings_lines(look, DRAFT, is_there=False, width=78)]

    assert "i id        none, though ref differs in every row" in told(100)
    assert "i id        none: no column differs in every row" in told(99)


def test_folders_come_first_and_a_projects_file_before_them():
    entries = [Entry("b.csv", False), Entry("A", True), Entry("mlops.toml", False), Entry("a.csv", False)]
    assert [one.name for one in sorted(entries, key=in_order)] == ["mlops.toml", "A", "a.csv", "b.csv"]


def test_a_name_that_is_no_text_says_so(made_now):
    cells = file_cells(Entry("caf\udce9.csv", False), made_now)
    assert "no UTF-8" in cells["what"].text
    assert "\udce9" not in cells["name"].text


@pytest.fixture
def made_now():
    from fakes.wire_objects import NOW

    return NOW


@pytest.mark.parametrize(
    ("line", "tone"),
    [
        ("2026-01-01 12:00:00,000 - root - WARNING - few rows", "warn"),
        ("INFO: 3 errors were mended", "plain"),
        ('{"level": "error", "message": "x"}', "bad"),
        ("time=12 level=debug msg=x", "dim"),
        ("Traceback (most recent call last):", "bad"),
        ("polars.exceptions.ColumnNotFoundError: x", "bad"),
        ("/a.py:3: DeprecationWarning: gone soon", "warn"),
        ("[LightGBM] [Warning] No further splits", "warn"),
        ("Error handling is on", "plain"),
        ("an error of 0.3", "plain"),
    ],
)
def test_a_line_has_the_tone_of_the_level_it_names(line: str, tone: str):
    assert level_tone(line) == tone
