from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.data import snapshot
from engine.data.snapshot import SnapshotFigures, load_snapshot, take_snapshot
from engine.errors import BadData, DiskFull, EngineError, InvalidConfig, InvalidInput, NotFound
from engine.project import Project

Make = Callable[..., Project]
Take = Callable[..., SnapshotFigures]


@pytest.fixture
def take(tmp_path: Path, project: Make) -> Take:
    """Snapshot a text as `data.csv`."""

    def taking(content: str, task: str = "regression", **data: Any) -> SnapshotFigures:
        (tmp_path / "data.csv").write_text(content)
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        return take_snapshot(project(task, **data), tmp_path, out)

    return taking


def rows(count: int, line: str = "{i},{i}.5") -> str:
    return "".join(line.format(i=i) + "\n" for i in range(count))


def test_a_snapshot_is_canonical_parquet_with_its_hashes(take: Take, tmp_path: Path) -> None:
    figures = take("x,y\n" + rows(30))
    stored = tmp_path / "out" / figures.data.path
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == figures.data.sha256
    assert stored.stat().st_size == figures.data.size_bytes
    assert load_snapshot(stored).equals(figures.frame)
    result = figures.to_result()
    assert (result.rows, result.columns, result.left_out, result.failures) == (30, 2, 0, [])
    assert result.sources[0]["path"] == "data.csv"
    assert json.loads((tmp_path / "out" / figures.profile.path).read_text())["rows"] == 30


def test_the_same_rows_have_the_same_hash_in_any_format(take: Take, tmp_path: Path, project: Make) -> None:
    first = take("x,t,y\n" + rows(30, '{i},"a ""{i}""",{i}.5'))
    again = take("x,t,y\r\n" + rows(30, '{i},a ""{i}"",{i}.50\r').replace('""', '"'))
    first.frame.write_parquet(tmp_path / "data.parquet")
    first.frame.write_ndjson(tmp_path / "data.jsonl")
    others = [
        take_snapshot(project(source=name), tmp_path, tmp_path / "out") for name in ("data.parquet", "data.jsonl")
    ]
    assert {first.sha256} == {again.sha256, *(other.sha256 for other in others)}
    assert first.data.sha256 == again.data.sha256


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("7,7.5", "7,7.6"),
        lambda text: text.replace("x,", "z,"),
        lambda text: text + "3,3.5\n",
    ],
)
def test_another_cell_name_or_row_is_another_hash(change: Callable[[str], str], take: Take) -> None:
    text = "x,y\n" + rows(30)
    assert take(text).sha256 != take(change(text)).sha256


def test_rows_without_a_target_are_left_out_and_counted(take: Take) -> None:
    figures = take("x,y\n" + rows(25) + "7,\n8,NA\n")
    assert (figures.frame.height, figures.left_out) == (25, 2)
    assert figures.schema.columns[0].distinct == 25
    assert figures.notes


def refusal(take: Take, content: str, task: str = "regression", **data: Any) -> EngineError:
    with pytest.raises(EngineError) as caught:
        take(content, task, **data)
    assert caught.value.hint
    return caught.value


def test_a_missing_target_names_the_nearest_column(take: Take) -> None:
    error = refusal(take, "amount,clas\n1,2\n", target="class")
    assert isinstance(error, InvalidInput)
    assert error.message == "data.csv has no column 'class', which is to be the target."
    assert "Did you mean 'clas'?" in error.hint


def test_a_wrong_delimiter_is_suspected_where_the_header_is_one_field(take: Take) -> None:
    assert "is `delimiter` right?" in refusal(take, "a;b;y\n1;2;3\n").hint


def test_a_missing_header_is_suspected_where_names_are_numbers(take: Take) -> None:
    assert "should hold the columns' names" in refusal(take, "1,2,3\n4,5,6\n").hint


def test_a_source_that_is_gone_is_no_mistake_of_typing(tmp_path: Path, project: Make) -> None:
    with pytest.raises(NotFound, match=r"There is no file data\.csv") as caught:
        take_snapshot(project(), tmp_path, tmp_path)
    assert caught.value.exit_code == 1


def test_a_constant_target_is_refused(take: Take) -> None:
    assert "is constant: every row has 1" in refusal(take, "x,y\n" + rows(30, "{i},1"), "binary").message


def test_too_few_rows_are_refused(take: Take) -> None:
    assert "1 row with a target (1 more lacks a value" in refusal(take, "x,y\n1,2\n1,\n").message


def test_a_duplicate_id_is_named_with_its_lines(take: Take) -> None:
    error = refusal(take, "k,x,y\n" + rows(30, "k{i},{i},{i}.5") + "k3,1,1\n", id="k")
    assert isinstance(error, BadData)
    assert error.message == (
        "The id 'k3' occurs 2 times, at data.csv, line 5 and data.csv, line 32; 1 row repeats an id."
    )


@pytest.mark.parametrize(("role", "cell"), [("id", ""), ("time", "")])
def test_a_row_without_its_id_or_time_is_named(role: str, cell: str, take: Take) -> None:
    text = "k,x,y\n" + rows(9, "200{i},{i},{i}.5") + f"{cell},1,1\n"
    told = f"data.csv, line 11: no value in the {role} column 'k' ({{lack}} one)."
    assert refusal(take, text, **{role: "k"}).message == told.format(lack="1 row lacks")
    assert refusal(take, text + ",2,2\n", **{role: "k"}).message == told.format(lack="2 rows lack")


@pytest.mark.parametrize(
    ("task", "cell", "told"),
    [
        ("regression", "{i}x", "holds text"),
        ("regression", "2024-01-01", "holds times|is constant"),
        ("binary", "{i}", "30 values: 0, 1, 2, 3, 4 and 25 more"),
        ("binary", "{i}.5", "numbers with fractions"),
        ("multiclass", "{i}.5", "numbers with fractions"),
    ],
)
def test_a_target_that_the_task_cannot_learn_is_refused(task: str, cell: str, told: str, take: Take) -> None:
    with pytest.raises(BadData, match=told):
        take("x,y\n" + rows(30, "{i}," + cell), task)


def test_too_many_classes_are_refused(take: Take) -> None:
    assert "300 values; a model here" in refusal(take, "x,y\n" + rows(300, "{i},c{i}"), "multiclass").message


def test_a_positive_value_that_does_not_occur_is_refused(take: Take) -> None:
    text = "x,y\n" + rows(15, "{i},yes") + rows(15, "{i},no")
    assert isinstance(refusal(take, text, "binary", positive="ja"), InvalidConfig)
    assert take(text, "binary", positive="yes").frame.height == 30


def test_a_column_must_be_left_to_learn_from(take: Take) -> None:
    assert "No column is left" in refusal(take, "x,y\n" + rows(30), ignore=["x"]).message


def test_all_broken_expectations_are_told_with_their_rows(take: Take) -> None:
    expected = {
        "amount": {"min": 0.0, "max": 25, "nullable": False},
        "kind": {"allowed": ["a", "b"]},
        "n": {"allowed": [1, 2]},
    }
    text = "id,amount,kind,n,y\n" + rows(30, "r{i},{i},a,1,{i}.5") + "r90,-1,c,3,1\nr91,,b,2,2\nr92,7,,,\n"
    figures = take(text, id="id", columns=expected)
    told = {(failure.column, failure.rule): failure for failure in figures.failures}
    assert set(told) == {
        ("amount", "min"),
        ("amount", "max"),
        ("amount", "nullable"),
        ("kind", "allowed"),
        ("n", "allowed"),
    }
    low = told["amount", "min"]
    assert (low.count, low.rows, low.examples[0].where, low.examples[0].value, low.examples[0].id) == (
        1, 32, "data.csv, line 32", -1, "r90",
    )  # fmt: skip
    assert told["amount", "max"].count == 4
    assert len(told["amount", "max"].examples) == 4
    assert told["kind", "allowed"].examples[0].value == "c"
    assert figures.to_result().failures[0]["sentence"].startswith("amount: 1 row of 32 below 0.0 (first: data.csv")


def test_examples_stop_at_five(take: Take) -> None:
    figures = take("x,y\n" + rows(30), columns={"x": {"min": 100}})
    assert (figures.failures[0].count, len(figures.failures[0].examples)) == (30, 5)


def test_an_expectation_about_no_column_names_the_nearest(take: Take) -> None:
    assert "Did you mean 'amount'?" in refusal(take, "amount,y\n" + rows(30), columns={"amonut": {}}).hint


@pytest.mark.parametrize("rule", [{"min": 1}, {"max": 1}])
def test_a_text_has_no_range(rule: dict[str, Any], take: Take) -> None:
    assert isinstance(refusal(take, "x,y\n" + rows(30, "a{i},{i}.5"), columns={"x": rule}), InvalidConfig)


def test_allowed_values_must_be_of_the_columns_type(take: Take) -> None:
    text = "x,y\n" + rows(30)
    assert isinstance(refusal(take, text, columns={"x": {"allowed": ["abc"]}}), InvalidConfig)
    assert len(take(text, columns={"x": {"allowed": [1.0, 2]}}).failures) == 1


def test_a_full_disk_leaves_nothing_half_made(take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(snapshot.Path, "write_bytes", full)
    assert isinstance(refusal(take, "x,y\n" + rows(30)), DiskFull)
    assert list((tmp_path / "out").iterdir()) == []


def test_ignored_columns_are_kept_and_nothing_is_asked_of_them(take: Take) -> None:
    figures = take("x,odd,y\n" + rows(30, "{i},inf,{i}.5"), ignore=["odd"])
    assert figures.frame.columns == ["x", "odd", "y"]
    assert figures.frame["odd"].is_infinite().all()


def test_the_hash_does_not_depend_on_memory_layout(take: Take) -> None:
    frame = take("x,t,y\n" + rows(30, "{i},é{i},{i}.5")).frame
    chunked = pl.concat([frame[:7], frame[7:]], rechunk=False)
    assert snapshot.content_sha256(frame) == snapshot.content_sha256(chunked)
    nulled = frame.with_columns(pl.lit(None, dtype=pl.String).alias("t"))
    emptied = frame.with_columns(pl.lit("").alias("t"))
    assert snapshot.content_sha256(nulled) != snapshot.content_sha256(emptied)


def test_a_mistyped_name_in_ignore_is_refused_and_one_that_is_gone_is_noted(take: Take) -> None:
    text = "x,card_number,y\n" + rows(30, "{i},{i}4,{i}.5")
    assert "Did you mean 'card_number'?" in refusal(take, text, ignore=["card_numbr"]).hint
    assert take(text, ignore=["card_number", "gone"]).notes == (
        "`ignore` names 'gone', and the data has no such column.",
    )
