"""Small real bundles for tests: a model is fitted, written and described as packaging would do it.

`make_bundle(folder, "lightgbm" | "linear" | "skops", "binary" | "multiclass" | "regression")`
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.serving.features import encode_columns
from engine.serving.frame import pandas_frame
from engine.serving.manifest import (
    MANIFEST_NAME,
    Encoding,
    File,
    Golden,
    Input,
    Manifest,
    ServeSpec,
    dump_manifest,
)
from engine.serving.model import load_bundle
from engine.serving.program import program_sha256

INPUTS = (
    Input("amount", "number", nullable=False),
    Input("balance", "number"),
    Input("visits", "integer"),
    Input("member", "boolean", nullable=False),
    Input("country", "category", categories=("de", "fr", "it")),
)
"""Every type, with and without nulls."""

FILES = {"lightgbm": "model.txt", "linear": "model.json", "skops": "model.skops"}
CLASSES: dict[str, tuple[Any, ...]] = {"binary": ("no", "yes"), "multiclass": ("low", "mid", "high"), "regression": ()}


def make_columns(rows: int = 200, seed: int = 0) -> dict[str, list[Any]]:
    """Canonical columns for `INPUTS`, with nulls where they may be."""
    rng = np.random.default_rng(seed)
    balance, visits = rng.normal(50, 20, rows), rng.integers(0, 30, rows)
    countries = rng.choice(["de", "fr", "it", None], rows)
    return {
        "amount": rng.gamma(2.0, 30.0, rows).round(2).tolist(),
        "balance": [
            None if missing else value for missing, value in zip(rng.random(rows) < 0.1, balance.tolist(), strict=True)
        ],
        "visits": [
            None if missing else value for missing, value in zip(rng.random(rows) < 0.1, visits.tolist(), strict=True)
        ],
        "member": (rng.random(rows) < 0.5).tolist(),
        "country": countries.tolist(),
    }


def _with_nulls(values: list[Any], missing: np.ndarray) -> list[Any]:
    return [None if gone else value for gone, value in zip(missing, values, strict=True)]


def make_rows(rows: int = 5, seed: int = 1) -> list[dict[str, Any]]:
    """The same by row."""
    return by_row(make_columns(rows, seed))


def by_row(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Columns as rows."""
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def make_target(columns: dict[str, list[Any]], task: str) -> np.ndarray:
    """A target that depends on the columns: class codes, or a number."""
    amount = np.array(columns["amount"]) + np.array(columns["member"]) * 40
    if task == "regression":
        return amount * 2.0
    edges = np.quantile(amount, [0.6] if task == "binary" else [0.4, 0.7])
    return np.digitize(amount, edges)


def encoding_for(model_format: str, inputs: tuple[Input, ...] = INPUTS) -> tuple[Encoding, ...]:
    """Trees get codes and NaN, linear models one-hot and scaled numbers, skops nothing."""
    if model_format == "skops":
        return ()
    if model_format == "lightgbm":
        return tuple(Encoding(i.name, "code" if i.type == "category" else "number") for i in inputs)
    return tuple(
        Encoding(i.name, "onehot")
        if i.type == "category"
        else Encoding(i.name, "number")
        if i.type == "boolean"
        else Encoding(i.name, "standard", fill=20.0, mean=30.0, scale=15.0)
        for i in inputs
    )


def make_bundle(
    folder: Path,
    model_format: str = "lightgbm",
    task: str = "binary",
    *,
    name: str = "shop",
    inputs: tuple[Input, ...] = INPUTS,
    columns: dict[str, list[Any]] | None = None,
    trees: int = 5,
    leaves: int = 7,
    **manifest: Any,
) -> Manifest:
    """Fit a tiny model on made-up columns and write its bundle into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = columns or make_columns()
    target = (
        np.asarray(manifest.pop("target_values", None)) if "target_values" in manifest else make_target(columns, task)
    )
    encoding = encoding_for(model_format, inputs)
    content = _fit(model_format, task, inputs, encoding, columns, target, trees, leaves)
    path = folder / FILES[model_format]
    path.write_bytes(content)
    described = Manifest(
        **{
            "name": name,
            "task": task,
            "target": "bought",
            "inputs": inputs,
            "encoding": encoding,
            "model_format": model_format,
            "model_file": File(path.name, hashlib.sha256(content).hexdigest(), len(content)),
            "golden": Golden((), ()),
            "lineage": "run-1",
            "serving_sha256": program_sha256(),
            "classes": CLASSES[task],
            "id": "customer",
            "time": "seen_at",
            "ignored": ("note",),
            **manifest,
        }
    )
    return write_golden(folder, described, columns)


def write_golden(folder: Path, manifest: Manifest, columns: dict[str, list[Any]], rows: int = 4) -> Manifest:
    """Answer the first rows, and write the manifest with them as golden."""
    (folder / MANIFEST_NAME).write_bytes(dump_manifest(manifest))
    first = {name: values[:rows] for name, values in columns.items()}
    scores = load_bundle(folder).score_columns(first)
    golden = Golden(
        tuple(dict(zip(first, values, strict=True)) for values in zip(*first.values(), strict=True)),
        tuple(map(tuple, scores.tolist())),
    )
    manifest = msgspec.structs.replace(manifest, golden=golden)
    (folder / MANIFEST_NAME).write_bytes(dump_manifest(manifest))
    return manifest


def make_replica(folder: Path, *args: Any, **kwargs: Any) -> ServeSpec:
    """A replica's folder: the bundle in `bundle/` and its `serve.json`."""
    spec = ServeSpec(
        endpoint=kwargs.get("name", "shop"),
        version=3,
        deployment=7,
        replica=0,
        bundle="bundle",
        **kwargs.pop("spec", {}),
    )
    make_bundle(folder / "bundle", *args, **kwargs)
    (folder / "serve.json").write_bytes(msgspec.json.encode(spec))
    return spec


def _fit(
    model_format: str,
    task: str,
    inputs: tuple[Input, ...],
    encoding: tuple[Encoding, ...],
    columns: dict[str, list[Any]],
    target: np.ndarray,
    trees: int,
    leaves: int,
) -> bytes:
    if model_format == "skops":
        return _fit_skops(task, inputs, columns, target)
    matrix = encode_columns(inputs, encoding, columns)
    if model_format == "linear":
        return _fit_linear(task, matrix, target)
    return _fit_lightgbm(task, encoding, matrix, target, trees, leaves)


def _fit_lightgbm(
    task: str, encoding: tuple[Encoding, ...], matrix: np.ndarray, target: np.ndarray, trees: int, leaves: int
) -> bytes:
    import lightgbm

    categorical = [slot for slot, step in enumerate(encoding) if step.method == "code"]
    parameters = {
        "objective": task,
        "num_leaves": leaves,
        "min_data_in_leaf": 5,
        "num_threads": 1,
        "verbose": -1,
        "seed": 1,
        **({"num_class": 3} if task == "multiclass" else {}),
    }
    data = lightgbm.Dataset(matrix, target, categorical_feature=categorical, params={"verbose": -1})
    return lightgbm.train(parameters, data, num_boost_round=trees).model_to_string().encode()


def _fit_linear(task: str, matrix: np.ndarray, target: np.ndarray) -> bytes:
    from sklearn.linear_model import LogisticRegression, Ridge

    model = Ridge() if task == "regression" else LogisticRegression(max_iter=2000)
    model.fit(matrix, target)
    links = {"binary": "logistic", "multiclass": "softmax", "regression": "identity"}
    return json.dumps(
        {
            "coefficients": np.atleast_2d(model.coef_).tolist(),
            "intercept": np.atleast_1d(model.intercept_).tolist(),
            "link": links[task],
        }
    ).encode()


def _fit_skops(task: str, inputs: tuple[Input, ...], columns: dict[str, list[Any]], target: np.ndarray) -> bytes:
    import skops.io
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    forest = RandomForestRegressor if task == "regression" else RandomForestClassifier
    text = [column.name for column in inputs if column.type == "category"]
    numbers = [column.name for column in inputs if column.type != "category"]
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore"), text), (SimpleImputer(), numbers)),
        forest(5, random_state=0),
    )
    model.fit(pandas_frame(inputs, columns), target)
    return skops.io.dumps(model)
