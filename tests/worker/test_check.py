"""The job `check`, on real files, without an engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from fakes.bundles import INPUTS, make_bundle, make_columns
from fakes.watched import Watched, times

from engine.data.profile import build_score_profile
from engine.errors import BadData
from engine.monitoring.answers import answer_names, answers_of_scores
from engine.serving.model import load_bundle

ALL = ("size", "count", "member", "town")


def rows(count: int, *, seed: int, shift: float = 0.0, timed: bool = True) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    made = pl.DataFrame(
        {
            "size": rng.normal(50.0 + 10.0 * shift, 10.0, count),
            "count": rng.integers(0, 9, count),
            "member": rng.random(count) < 0.4,
            "town": rng.choice(["Arles", "Bern", "Cork"], count, p=[0.5, 0.3, 0.2]),
        }
    )
    return made.with_columns(times(count, first=seed * 10**6)) if timed else made


def spoiled(column: str, word: str, every: int) -> pl.Expr:
    """The column as text, with a word instead of every so many values."""
    hit = pl.int_range(pl.len()) % every == 0
    return pl.when(hit).then(pl.lit(word)).otherwise(pl.col(column).cast(pl.String)).alias(column)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    made = Watched(tmp_path / "w")
    made.learn(rows(8000, seed=0))
    return made


def test_captures_like_the_training_data_are_quiet(watched: Watched) -> None:
    told = watched.check(watched.capture(rows(1000, seed=1)))
    assert told.rows == 1000 and told.reference_rows == 8000
    assert sorted(one.column for one in told.columns) == sorted(ALL)
    assert told.findings == [] and watched.decide(told).outcome == "quiet"
    assert set(watched.drawn()) == set(ALL)
    assert (told.first_at, told.last_at) == (rows(1000, seed=1)["at"].min(), rows(1000, seed=1)["at"].max())


def test_what_moved_is_found_across_files(watched: Watched) -> None:
    files = [watched.capture(rows(400, seed=seed, shift=1.0), f"f{seed}") for seed in (1, 2, 3)]
    told = watched.check(*files)
    assert told.rows == 1200
    assert watched.decide(told).drifted == ("size",)


def test_with_too_few_rows_nothing_is_measured(watched: Watched) -> None:
    told = watched.check(watched.capture(rows(499, seed=1, shift=5.0)))
    assert (told.rows, told.columns, told.figures) == (499, [], None)
    assert watched.check(watched.capture(rows(500, seed=1))).figures is not None


def test_no_captures_are_too_few(watched: Watched) -> None:
    told = watched.check()
    assert (told.rows, told.first_at, told.figures) == (0, None, None)


def test_a_file_that_retention_removed_is_passed_over(watched: Watched) -> None:
    told = watched.check(watched.capture(rows(700, seed=1)), "gone.parquet")
    assert told.rows == 700


def test_rows_are_put_in_the_order_of_their_time(watched: Watched) -> None:
    walk = rows(2000, seed=1).with_columns(size=pl.Series(np.repeat(np.random.default_rng(3).normal(50, 10, 40), 50)))
    mixed = walk.sample(fraction=1.0, shuffle=True, seed=5)
    for frame in (walk, mixed):
        figures = {one.column: one for one in watched.check(watched.capture(frame)).columns}
        assert figures["size"].effective_rows < 100
        assert figures["count"].effective_rows > 1500


def test_an_input_that_no_file_has_is_missing(watched: Watched) -> None:
    told = watched.check(watched.capture(rows(700, seed=1).drop("size")))
    assert [(one.fault, one.column) for one in told.findings] == [("missing_column", "size")]
    assert watched.decide(told).outcome == "alarm"


def test_an_input_that_only_some_files_have_is_measured_where_it_is(watched: Watched) -> None:
    files = watched.capture(rows(700, seed=1), "a"), watched.capture(rows(700, seed=2).drop("size"), "b")
    told = watched.check(*files)
    assert told.findings == []
    assert next(one for one in told.columns if one.column == "size").null_share == 0.0


def test_a_column_of_another_type_is_a_fault_and_what_fits_is_measured(watched: Watched) -> None:
    texts = rows(700, seed=1).with_columns(
        pl.when(pl.int_range(pl.len()) % 10 == 0)
        .then(pl.lit("old"))
        .otherwise(pl.col("count").cast(pl.String))
        .alias("count")
    )
    told = watched.check(watched.capture(texts))
    assert ("type", "count") in [(one.fault, one.column) for one in told.findings]
    assert "'old'" in told.findings[0].message
    assert "count" not in watched.decide(told).drifted


def test_dropped_captures_are_told(watched: Watched) -> None:
    told = watched.check(watched.capture(rows(700, seed=1)), dropped=3)
    assert [(one.fault, one.alarming) for one in told.findings] == [("dropped", False)]


def test_answers_are_compared_with_those_on_test_rows_of_that_version_only(watched: Watched) -> None:
    rng = np.random.default_rng(2)
    watched.predictions = build_score_profile({"y": rng.beta(2, 8, 3000)}, None)
    same = watched.capture(rows(800, seed=1), "a", probability=rng.beta(2, 8, 800))
    other = watched.capture(rows(800, seed=2), "b", version=2, probability=rng.beta(8, 2, 800))
    told = watched.check(same, other)
    answers = [one for one in told.columns if one.kind == "prediction"]
    assert [one.column for one in answers] == ["y"]
    assert watched.decide(told).drifted == ()
    moved = watched.capture(rows(800, seed=3), "c", probability=rng.beta(3, 8, 800))
    assert watched.decide(watched.check(moved)).drifted == ("y",)
    assert watched.drawn()["y"]["kind"] == "prediction"


def test_answers_of_several_classes_are_compared_class_by_class(tmp_path: Path) -> None:
    watched, rng = Watched(tmp_path / "w"), np.random.default_rng(2)
    scores = rng.dirichlet([1, 1, 1], 3000)
    watched.learn(rows(8000, seed=0), task="multiclass", predictions=None)
    names = ["y: a", "y: b", "y: c"]
    watched.predictions = build_score_profile({name: scores[:, at] for at, name in enumerate(names)}, None)
    told = watched.check(watched.capture(rows(800, seed=1), scores=rng.dirichlet([1, 1, 3], 800).tolist()))
    assert [one.column for one in told.columns if one.kind == "prediction"] == names
    assert "y: c" in watched.decide(told).drifted


PROJECT = """
[project]
name = "made"
task = "binary"
[data]
source = "x.csv"
target = "wanted"
missing = ["", "?"]
[data.columns.amount]
max = 100000.0
"""


@pytest.fixture
def given(tmp_path: Path) -> Watched:
    """A real bundle, and files that somebody gives."""
    made = Watched(tmp_path / "w", PROJECT)
    folder = tmp_path / "bundle"
    make_bundle(folder, "linear", "binary")
    files = [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]
    columns = pl.DataFrame(make_columns(4000, seed=1), schema_overrides={"visits": pl.Int64})
    bundle = load_bundle(folder)
    scores = bundle.score_columns({name: columns[name] for name in columns.columns})
    answers = {name: values.to_numpy() for name, values in answers_of_scores(bundle.manifest, scores).items()}
    assert list(answers) == answer_names(bundle.manifest)
    made.use(columns, files, predictions=build_score_profile(answers, None))
    return made


def csv(frame: pl.DataFrame) -> bytes:
    return frame.write_csv(null_value="?").encode()


def check_file(given: Watched, content: bytes, name: str = "may.csv") -> Any:
    return given.check(source="data", data_sha256=given.blob(content), data_name=name)


def test_a_file_like_the_training_data_is_quiet_without_its_target(given: Watched) -> None:
    told = check_file(given, csv(pl.DataFrame(make_columns(1500, seed=2))))
    assert told.rows == 1500 and told.findings == []
    assert {one.column for one in told.columns if one.kind == "prediction"} == set(answer_names(load(given)))
    assert given.decide(told).outcome == "quiet"


def load(given: Watched) -> Any:
    import msgspec

    from engine.serving.manifest import Manifest

    file = next(file for file in given.bundle if file.path == "manifest.json")
    blob = given.root / "blobs" / file.sha256[:2] / file.sha256[2:]
    return msgspec.json.decode(blob.read_bytes(), type=Manifest)


def test_a_file_whose_columns_moved_drifts_and_so_do_the_answers(given: Watched) -> None:
    moved = pl.DataFrame(make_columns(1500, seed=2)).with_columns(pl.col("amount") * 3)
    drifted = given.decide(check_file(given, csv(moved))).drifted
    assert "amount" in drifted and len(drifted) == 2


@pytest.mark.parametrize("name", ["may.parquet", "may.jsonl"])
def test_other_formats_are_told_by_their_name(given: Watched, name: str, tmp_path: Path) -> None:
    frame = pl.DataFrame(make_columns(900, seed=2))
    path = tmp_path / name
    frame.write_parquet(path) if name.endswith("parquet") else frame.write_ndjson(path)
    told = check_file(given, path.read_bytes(), name)
    assert given.decide(told).outcome == "quiet" and len(told.columns) == len(INPUTS) + 1


def test_columns_that_are_missing_new_or_of_another_type_are_findings_not_errors(given: Watched) -> None:
    odd = pl.DataFrame(make_columns(900, seed=2)).drop("balance").with_columns(
        pl.lit("n").alias("colour"),
        spoiled("visits", "many", 3),
    )  # fmt: skip
    told = check_file(given, csv(odd))
    assert {(one.fault, one.column, one.alarming) for one in told.findings} >= {
        ("missing_column", "balance", True), ("new_column", "colour", False), ("type", "visits", True),
    }  # fmt: skip
    assert not [one for one in told.columns if one.kind == "prediction"]


def test_a_file_that_cannot_be_read_says_so_by_its_own_name(given: Watched) -> None:
    with pytest.raises(BadData, match=r"may\.parquet"):
        check_file(given, b"PAR1 is not enough", "may.parquet")


def test_a_name_that_is_none_harms_nothing(given: Watched) -> None:
    content = csv(pl.DataFrame(make_columns(600, seed=2)))
    assert check_file(given, content, "../../../evil.csv").rows == 600
    assert check_file(given, content, "..").rows == 600


def test_a_sorted_file_is_not_taken_for_one_that_came_in_that_order(given: Watched) -> None:
    moved = pl.DataFrame(make_columns(1500, seed=2)).with_columns(country=pl.lit("xx")).sort("amount")
    half = pl.concat([moved.head(750), pl.DataFrame(make_columns(750, seed=3))])
    told = check_file(given, csv(half))
    country = next(one for one in told.columns if one.column == "country")
    assert country.new_values == ["xx"]
    assert "country" in given.decide(told).drifted


def test_a_file_without_a_time_is_taken_as_it_stands_unless_it_is_sorted(given: Watched) -> None:
    rng = np.random.default_rng(5)
    wanders = np.repeat(rng.normal(40.0, 12.0, 60), 25) + rng.normal(size=1500)
    frame = pl.DataFrame(make_columns(1500, seed=2)).with_columns(amount=pl.Series(wanders))

    def worth(file: pl.DataFrame) -> float | None:
        told = check_file(given, csv(file))
        return next(one.effective_rows for one in told.columns if one.column == "amount")

    assert (worth(frame) or 0.0) < 100
    assert worth(frame.sort("country", maintain_order=True)) == 1500


def test_the_distributions_are_json_that_the_terminal_draws(watched: Watched) -> None:
    told = watched.check(watched.capture(rows(1000, seed=1)))
    assert told.figures is not None
    path = watched.root / "work" / "1" / told.figures.path
    assert path.stat().st_size == told.figures.size_bytes
    assert {"column", "kind", "edges", "labels", "reference", "current"} == set(
        json.loads(path.read_bytes())["columns"][0]
    )
