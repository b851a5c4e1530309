"""A file of which nobody has said what is to be learnt."""

from pathlib import Path

from engine.data.first_look import look_first


def test_each_column_tells_what_learning_it_would_be(tmp_path: Path):
    file = tmp_path / "a.csv"
    lines = (f"{i % 2},{i * 0.5},abc,2026-01-{i % 28 + 1:02d},{'' if i % 5 else 'xyz'[i % 3]}," for i in range(60))
    file.write_text("yes,price,same,day,class,empty\n" + "\n".join(lines) + "\n")
    found = {one.name: one for one in look_first(str(file)).columns}
    assert {name: one.task for name, one in found.items()} == {
        "yes": "binary", "price": "regression", "same": None, "day": None, "class": "multiclass", "empty": None
    }  # fmt: skip
    assert found["same"].why == "every row has the same value"
    assert found["empty"].why == "no row has a value"
    assert (found["class"].nulls, found["class"].distinct) == (48, 3)
    assert look_first(str(file)).rows == 60
    assert found["price"].seen == "0 to 29.5"


def test_semicolons_and_decimal_commas_of_an_old_spreadsheet_are_read(tmp_path: Path):
    file = tmp_path / "müll.csv"
    lines = (f"Köln;{i},5;{i % 3};{'ja' if i % 4 else 'nein'}" for i in range(80))
    file.write_bytes(("Ort;Größe;Stufe;Gekündigt\n" + "\r\n".join(lines)).encode("cp1252"))
    found = {one.name: (one.type, one.task) for one in look_first(str(file)).columns}
    assert found == {
        "Ort": ("category", None), "Größe": ("number", "regression"), "Stufe": ("integer", "multiclass"),
        "Gekündigt": ("category", "binary"),
    }  # fmt: skip


def test_why_a_column_cannot_be_learnt_is_said_without_naming_it_again(tmp_path: Path):
    file = tmp_path / "a.csv"
    file.write_text("note,y\n" + "".join(f"text {i},{i % 2}\n" for i in range(60)))
    assert look_first(str(file)).columns[0].why == "holds 60 different texts in 60 rows: neither classes nor a quantity"
