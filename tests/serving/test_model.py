import json
import threading
from pathlib import Path
from typing import Any

import lightgbm
import msgspec
import numpy as np
import pytest
from fakes.bundles import CLASSES, FILES, INPUTS, encoding_for, make_bundle, make_columns, make_rows

from engine.serving.features import encode_columns
from engine.serving.manifest import MANIFEST_NAME, dump_manifest, load_manifest
from engine.serving.model import load_bundle
from engine.serving.problems import BadBundle

FORMATS = [(model_format, task) for model_format in FILES for task in CLASSES]


@pytest.fixture(scope="module", params=FORMATS, ids="-".join)
def bundle_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    make_bundle(folder, *request.param)
    return folder


def change(folder: Path, **fields: Any) -> None:
    manifest = msgspec.structs.replace(load_manifest(folder), **fields)
    (folder / MANIFEST_NAME).write_bytes(dump_manifest(manifest))


def test_a_row_alone_and_in_a_batch_and_in_columns_has_the_same_scores(bundle_folder: Path) -> None:
    bundle = load_bundle(bundle_folder)
    columns, rows = make_columns(50, seed=3), make_rows(50, seed=3)
    scores = bundle.score_columns(columns)
    assert scores.shape == (50, len(bundle.manifest.classes) or 1)
    if bundle.manifest.classes:
        np.testing.assert_allclose(scores.sum(axis=1), 1.0)
    np.testing.assert_allclose([bundle.score_row(row) for row in rows], scores, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(
        bundle.model.score_rows([tuple(row.values()) for row in rows]), scores, rtol=1e-12, atol=1e-15
    )


def test_golden_rows_are_answered_as_at_packaging(bundle_folder: Path) -> None:
    load_bundle(bundle_folder).check_golden()


def test_a_golden_row_that_is_answered_otherwise_is_named(bundle_folder: Path) -> None:
    bundle = load_bundle(bundle_folder)
    golden = bundle.manifest.golden
    scores = (golden.scores[0], tuple(score + 1e-6 for score in golden.scores[1]), *golden.scores[2:])
    bundle.manifest = msgspec.structs.replace(bundle.manifest, golden=msgspec.structs.replace(golden, scores=scores))
    with pytest.raises(BadBundle, match="Golden row 1 is answered alone"):
        bundle.check_golden()


@pytest.mark.parametrize("task", CLASSES)
def test_trees_score_exactly_as_lightgbm_does(task: str, tmp_path: Path) -> None:
    make_bundle(tmp_path, "lightgbm", task)
    columns = make_columns(300, seed=9)
    columns["country"] = [*columns["country"][:-2], "never seen", ""]
    booster = lightgbm.Booster(model_file=tmp_path / "model.txt")
    expected = booster.predict(encode_columns(INPUTS, encoding_for("lightgbm"), columns))
    scores = load_bundle(tmp_path, threads=2).score_columns(columns)
    answered = scores[:, 1] if task == "binary" else scores.reshape(expected.shape)
    np.testing.assert_array_equal(answered, expected)


def test_linear_models_do_not_overflow(tmp_path: Path) -> None:
    make_bundle(tmp_path, "linear", "binary")
    bundle = load_bundle(tmp_path)
    for amount, expected in ((1e9, 1.0), (-1e9, 0.0)):
        row = {**make_rows(1)[0], "amount": amount}
        assert bundle.score_row(row)[1] == pytest.approx(expected)
        assert bundle.score_columns({name: [value] for name, value in row.items()})[0, 1] == pytest.approx(expected)


def test_threads_that_share_a_bundle_do_not_mix_up_their_rows(tmp_path: Path) -> None:
    make_bundle(tmp_path, trees=40)
    bundle = load_bundle(tmp_path)
    rows = make_rows(40)
    expected = [bundle.score_row(row) for row in rows]
    wrong: list[int] = []

    def ask(start: int) -> None:
        for turn in range(2000):
            index = (start + turn) % len(rows)
            if bundle.score_row(rows[index]) != expected[index]:
                wrong.append(index)

    threads = [threading.Thread(target=ask, args=(start,)) for start in (0, 13, 26)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_classes_may_stand_in_another_order_than_the_estimators(tmp_path: Path) -> None:
    columns = make_columns()
    labels = ["yes" if amount > 60 else "no" for amount in columns["amount"]]
    make_bundle(tmp_path, "skops", "binary", target_values=labels, classes=("yes", "no"))
    bundle = load_bundle(tmp_path)
    cheap, dear = ({**make_rows(1)[0], "amount": amount} for amount in (1.0, 500.0))
    assert bundle.score_row(cheap)[1] > 0.5 > bundle.score_row(dear)[1]


class TestRefusals:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        make_bundle(tmp_path, "linear")
        return tmp_path

    def refuse(self, folder: Path, sentence: str) -> None:
        with pytest.raises(BadBundle, match=sentence):
            load_bundle(folder)

    @pytest.mark.parametrize("change_bytes", [lambda b: b[:-1], lambda b: b + b" ", lambda b: b"[" + b[1:]])
    def test_a_model_file_with_another_hash(self, folder: Path, change_bytes: Any) -> None:
        path = folder / "model.json"
        path.write_bytes(change_bytes(path.read_bytes()))
        self.refuse(folder, "is damaged")

    def test_no_manifest(self, tmp_path: Path) -> None:
        self.refuse(tmp_path / "none", "no manifest.json")

    def test_a_manifest_of_another_version(self, folder: Path) -> None:
        document = json.loads((folder / MANIFEST_NAME).read_bytes())
        (folder / MANIFEST_NAME).write_text(json.dumps({**document, "format": 2}))
        self.refuse(folder, "not a bundle manifest of version 1")

    def test_a_model_file_that_is_missing(self, folder: Path) -> None:
        (folder / "model.json").unlink()
        self.refuse(folder, "cannot be read")

    def test_a_model_file_outside_of_the_bundle(self, folder: Path) -> None:
        file = load_manifest(folder).model_file
        change(folder, model_file=msgspec.structs.replace(file, path="../model.json"))
        self.refuse(folder, "outside")

    def test_classes_that_do_not_fit_the_task(self, folder: Path) -> None:
        change(folder, classes=("a", "b", "c"))
        self.refuse(folder, "3 classes do not fit the task binary")

    def test_coefficients_that_do_not_fit_the_encoding(self, folder: Path) -> None:
        change(folder, encoding=load_manifest(folder).encoding[1:])
        self.refuse(folder, "coefficients")

    def test_an_encoding_of_a_column_that_is_no_input(self, folder: Path) -> None:
        change(folder, inputs=load_manifest(folder).inputs[1:])
        self.refuse(folder, "'amount', which is none of its inputs")

    def test_trees_that_do_not_fit_the_encoding(self, tmp_path: Path) -> None:
        make_bundle(tmp_path, "lightgbm")
        change(tmp_path, encoding=load_manifest(tmp_path).encoding[1:])
        self.refuse(tmp_path, "takes 5 numbers a row, and the manifest encodes 4")

    def test_trees_that_do_not_fit_the_task(self, tmp_path: Path) -> None:
        make_bundle(tmp_path, "lightgbm", "multiclass")
        change(tmp_path, task="regression", classes=())
        self.refuse(tmp_path, "answers 3 numbers a row")

    def test_a_bundle_without_golden_rows(self, folder: Path) -> None:
        change(folder, golden=msgspec.structs.replace(load_manifest(folder).golden, rows=(), scores=()))
        with pytest.raises(BadBundle, match="no golden rows"):
            load_bundle(folder).check_golden()
