import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from fakes.captured import EPOCH, fresh_rows, moments, write_captures, write_labels
from fakes.tables_of_data import made_project, mixed_frame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.data.fresh_rows import FreshFigures, read_fresh
from engine.data.schema import describe
from engine.data.snapshot import load_snapshot, take_snapshot
from engine.project import Project, parse_project
from engine.wire.work import FreshRows

SOURCE = 'source = "data.csv"\ntarget = "y"\n'


def project(data: str = 'id = "key"', task: str = "binary", **sections: str) -> Project:
    more = "\n".join(f"[{name}]\n{lines}" for name, lines in sections.items())
    return parse_project(f'[project]\nname = "made"\ntask = "{task}"\n[data]\n{SOURCE}{data}\n{more}')


def source(rows: int = 40) -> pl.DataFrame:
    return pl.DataFrame(
        {"key": range(rows), "x": [row / 4 for row in range(rows)], "y": [row % 2 for row in range(rows)]}
    )


def read(fresh: FreshRows, told: Project | None = None, frame: pl.DataFrame | None = None) -> FreshFigures:
    told, frame = told or project(), source() if frame is None else frame
    return read_fresh(fresh, told, frame, describe(frame, told))


def test_captures_with_labels_are_rows_of_the_source(tmp_path: Path) -> None:
    captures = write_captures(tmp_path, "a.parquet", {"x": [1.5, 2.5, 3.5]}, id=["100", "101", "102"])
    labels = write_labels(tmp_path, "1.parquet", ["1", "0"], id=["102", "100"])
    found = read(fresh_rows(tmp_path, [captures], [labels]))
    assert found.frame.rows() == [(100, 1.5, 0), (102, 3.5, 1)]
    assert found.frame.schema == source().schema
    assert found.notes() == ["2 captured rows with labels added."]
    assert found.to_dict()["path"] == f"captures/{tmp_path.name}"
    assert found.to_dict()["rows"] == 2


def test_the_source_beats_captures_however_the_id_is_written(tmp_path: Path) -> None:
    captures = write_captures(tmp_path, "a.parquet", {"x": [1.5, 2.5, 3.5]}, id=["7", "7.0", "99"])
    labels = write_labels(tmp_path, "1.parquet", ["1", "1"], id=["7", "99"])
    found = read(fresh_rows(tmp_path, [captures], [labels]))
    assert found.frame["key"].to_list() == [99]
    assert found.in_source == 1


def test_of_captures_of_one_id_the_first_counts_with_the_newest_label(tmp_path: Path) -> None:
    later = write_captures(tmp_path, "a.parquet", {"x": [9.0]}, id=["100"], received_at=[20])
    first = write_captures(tmp_path, "b.parquet", {"x": [1.0]}, id=["100"], received_at=[10])
    labels = [
        write_labels(tmp_path, "1.parquet", ["0"], id=["100"], labelled_at=[50]),
        write_labels(tmp_path, "2.parquet", ["1"], id=["100"], labelled_at=[40]),
    ]
    found = read(fresh_rows(tmp_path, [later, first], labels))
    assert found.frame.rows() == [(100, 1.0, 0)]


def test_rows_whose_labels_may_still_change_sides_are_left_out_by_event_time_or_else_by_when_they_came(
    tmp_path: Path,
) -> None:
    captures = write_captures(
        tmp_path, "a.parquet", {"x": [1.0, 2.0, 3.0]}, id=["100", "101", "102"],
        event_time=[5, 50, None], received_at=[500, 5, 11],
    )  # fmt: skip
    labels = write_labels(tmp_path, "1.parquet", ["1"] * 3, id=["100", "101", "102"])
    found = read(fresh_rows(tmp_path, [captures], [labels], EPOCH + timedelta(hours=10)))
    assert found.frame["key"].to_list() == [100]
    assert found.too_young == 2


def test_a_label_by_request_joins_and_a_row_without_an_id_gets_one_that_stays(tmp_path: Path) -> None:
    captures = write_captures(tmp_path, "a.parquet", {"x": [1.0, 2.0]}, request_id=["r", "r"], row_index=[0, 1])
    labels = write_labels(tmp_path, "1.parquet", ["1"], request_id=["r"], row_index=[1])
    frames = [read(fresh_rows(tmp_path, [captures], [labels])).frame for _ in range(2)]
    assert frames[0]["x"].to_list() == [2.0]
    assert frames[0]["key"][0] < 0
    assert frames[0].equals(frames[1])
    texts = source().with_columns(pl.col("key").cast(pl.String))
    assert read(fresh_rows(tmp_path, [captures], [labels]), frame=texts).frame["key"].to_list() == ["r:1"]


def test_without_an_id_every_labelled_capture_is_a_row(tmp_path: Path) -> None:
    captures = write_captures(tmp_path, "a.parquet", {"x": [1.0, 1.0]}, request_id=["r", "s"])
    labels = write_labels(tmp_path, "1.parquet", ["1", "1"], request_id=["r", "s"], row_index=[0, 0])
    told = project("", task="binary")
    assert read(fresh_rows(tmp_path, [captures], [labels]), told, source().drop("key")).rows == 2


def test_a_capture_that_is_no_row_of_this_data_is_left_out_and_counted(tmp_path: Path) -> None:
    captures = write_captures(
        tmp_path, "a.parquet", {"x": ["1.5", "high", "-3", "2.0", None, "1.0"]},
        id=["100", "101", "102", "103", "104", "no number"],
    )  # fmt: skip
    labels = write_labels(
        tmp_path, "1.parquet", ["1", "0", "0", "maybe", "1", "1"],
        id=["100", "101", "102", "103", "104", "no number"],
    )  # fmt: skip
    told = project(**{"data.columns.x": "min = 0.0\nnullable = false"})
    found = read(fresh_rows(tmp_path, [captures], [labels]), told)
    assert found.frame.rows() == [(100, 1.5, 1)]
    assert found.left_out == {
        "a value is not of its column's type": 1,
        "the label is none that the source knows": 1,
        "the id is none that 'key' may hold": 1,
        "an expectation is not met (x: min 0.0)": 1,
        "an expectation is not met (x: must be not null)": 1,
    }
    assert "1 captured row left out: an expectation is not met (x: min 0.0)." in found.notes()


@pytest.mark.parametrize(
    ("classes", "labels", "expected"),
    [
        ([0, 1], ["1", "0", "1.0", "true"], [1, 0, 1, 1]),
        ([False, True], ["true", "false", "1", "True"], [True, False, True, True]),
        (["no", "yes"], ["yes", "no", " yes", "yes"], ["yes", "no", "yes", "yes"]),
    ],
)
def test_a_label_is_said_in_the_sources_own_values(
    tmp_path: Path, classes: list[object], labels: list[str], expected: list[object]
) -> None:
    frame = source().with_columns(y=pl.Series(classes * 20))
    captures = write_captures(tmp_path, "a.parquet", {"x": [1.0, 2.0, 3.0, 4.0]}, id=["100", "101", "102", "103"])
    told = write_labels(tmp_path, "1.parquet", labels, id=["100", "101", "102", "103"])
    found = read(fresh_rows(tmp_path, [captures], [told]), frame=frame)
    assert found.frame["y"].to_list() == expected
    assert found.frame.schema == frame.schema


def test_numbers_to_be_learnt_keep_their_fractions(tmp_path: Path) -> None:
    frame = source().with_columns(y=pl.col("key") * 3)
    captures = write_captures(tmp_path, "a.parquet", {"x": [1.0, 2.0, 3.0]}, id=["100", "101", "102"])
    labels = write_labels(tmp_path, "1.parquet", ["1.5", "2", "inf"], id=["100", "101", "102"])
    found = read(fresh_rows(tmp_path, [captures], [labels]), project(task="regression"), frame)
    assert found.frame["y"].to_list() == [1.5, 2.0]
    assert found.left_out == {"the label is no number": 1}


def test_columns_that_captures_lack_are_null(tmp_path: Path) -> None:
    frame = source().with_columns(card=pl.lit("4711"), new=pl.lit(1.0))
    captures = write_captures(tmp_path, "a.parquet", {"x": [1.0]}, id=["100"])
    labels = write_labels(tmp_path, "1.parquet", ["1"], id=["100"])
    told = project('id = "key"\nignore = ["card"]', **{"data.columns.card": "nullable = false"})
    found = read(fresh_rows(tmp_path, [captures], [labels]), told, frame)
    assert found.frame.rows() == [(100, 1.0, 1, None, None)]


def test_a_file_that_retention_removed_meanwhile_is_passed_over(tmp_path: Path) -> None:
    captures = write_captures(tmp_path, "a.parquet", {"x": [1.0]}, id=["100"])
    labels = write_labels(tmp_path, "1.parquet", ["1"], id=["100"])
    assert read(fresh_rows(tmp_path, ["gone.parquet", captures], [labels])).rows == 1


_CAPTURES = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 30), st.floats(0, 9, allow_nan=False)), min_size=1, max_size=30
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(captured=_CAPTURES, labelled=st.sets(st.integers(0, 12)), cut=st.integers(0, 30), files=st.integers(1, 3))
def test_each_row_is_there_once_whatever_the_order_of_files(
    tmp_path: Path, captured: list[tuple[int, int, float]], labelled: set[int], cut: int, files: int
) -> None:
    names = [
        write_captures(
            tmp_path, f"{place}.parquet", {"x": [x for _, _, x in part]},
            id=[str(key) for key, _, _ in part], received_at=[at for _, at, _ in part],
        )
        for place in range(files) if (part := captured[place::files])
    ]  # fmt: skip
    keys = sorted(labelled)
    labels = write_labels(tmp_path, "1.parquet", [str(key % 2) for key in keys], id=[str(key) for key in keys])
    frame, until = source(24).filter(pl.col("key") >= 6), moments([cut])[0]
    found, turned = (read(fresh_rows(tmp_path, order, [labels], until), frame=frame) for order in (names, names[::-1]))
    expected = {key for key, at, _ in captured if key in labelled and key < 6 and at <= cut}
    assert found.frame["key"].sort().to_list() == sorted(expected)
    assert found.frame["y"].to_list() == [key % 2 for key in found.frame["key"]]
    firsts = {key: min(at for k, at, _ in captured if k == key) for key in expected}
    assert all(x in {v for k, at, v in captured if (k, at) == (key, firsts[key])} for key, x, _ in found.frame.rows())
    assert found.frame["key"].to_list() == turned.frame["key"].to_list()


def test_a_snapshot_holds_the_source_and_then_the_captures(tmp_path: Path) -> None:
    told, folder = made_project(), tmp_path / "captures" / "made"
    frame = mixed_frame(200)
    frame.write_csv(tmp_path / "data.csv")
    captures = write_captures(
        folder, "a.parquet", {"size": [55.0], "count": [3], "member": [True], "town": ["Bern"]}, id=["900"]
    )
    labels = write_labels(folder, "1.parquet", ["yes"], id=["900"])
    plain, other = ((tmp_path / name) for name in ("plain", "other"))
    plain.mkdir()
    other.mkdir()
    before = take_snapshot(told, tmp_path, plain)
    taken = take_snapshot(told, tmp_path, other, before.schema, fresh_rows(folder, [captures], [labels]))
    kept = load_snapshot(other / "data.parquet")
    assert kept[:200].equals(before.frame)
    assert kept[200:].rows() == [(900, None, 55.0, 3, True, "Bern", "yes")]
    result = taken.to_result()
    assert [entry["path"] for entry in result.sources] == ["data.csv", "captures/made"]
    assert result.rows == 201
    assert taken.sha256 != before.sha256
    assert "1 captured row with its label added." in taken.notes


def test_without_labelled_captures_a_snapshot_is_what_it_was_before(tmp_path: Path) -> None:
    told, folder = made_project(), tmp_path / "captures" / "made"
    mixed_frame(100).write_csv(tmp_path / "data.csv")
    labels = write_labels(folder, "1.parquet", ["yes"], id=["900"])
    results = []
    for name, fresh in (("plain", None), ("other", fresh_rows(folder, [], [labels]))):
        (tmp_path / name).mkdir()
        results.append(take_snapshot(told, tmp_path, tmp_path / name, None, fresh).to_result())
    assert json.dumps(results[0].model_dump()) == json.dumps(results[1].model_dump())
