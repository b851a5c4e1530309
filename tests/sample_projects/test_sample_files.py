"""Each sample is complete: a valid mlops.toml whose columns exist, code that builds, example rows that fit."""

from __future__ import annotations

import csv
import importlib.util
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from engine.project import Project, parse_project

SAMPLES = Path(__file__).parents[2] / "sample_projects"
FRAUD_COLUMNS = {
    "transaction_id", "occurred_at", "card_number", "merchant_category", "channel", "country", "amount",
    "amount_to_usual", "distance_km", "hours_since_last", "transactions_24h", "declines_24h", "new_merchant",
    "new_device", "customer_age", "account_age_days", "hour", "weekday",
}  # fmt: skip


def project(name: str) -> Project:
    return parse_project((SAMPLES / name / "mlops.toml").read_text(encoding="utf-8"))


def build(name: str, params: dict[str, Any]) -> Any:
    spec = importlib.util.spec_from_file_location(f"{name}_model", SAMPLES / name / "model.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        spec.loader.exec_module(module)
    return module.build(params)


@pytest.mark.parametrize("name", ["fraud", "tumour"])
def test_a_sample_is_named_after_its_folder_and_has_a_readme(name: str) -> None:
    assert project(name).name == name
    assert (SAMPLES / name / "README.md").read_text(encoding="utf-8").startswith(f"# {name}\n")


def test_the_tumour_data_is_the_wisconsin_data() -> None:
    with (SAMPLES / "tumour" / "data" / "tumours.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 569 and len({row["sample_id"] for row in rows}) == 569
    assert sum(row["diagnosis"] == "malignant" for row in rows) == 212
    assert {project("tumour").data.target, *project("tumour").data.columns} <= rows[0].keys()
    example = json.loads((SAMPLES / "tumour" / "rows.json").read_text(encoding="utf-8"))
    assert all(row.keys() == rows[0].keys() - {"diagnosis"} for row in example)


def test_the_fraud_example_rows_have_the_columns_the_simulator_writes() -> None:
    example = json.loads((SAMPLES / "fraud" / "rows.json").read_text(encoding="utf-8"))
    assert example and all(row.keys() == FRAUD_COLUMNS for row in example)
    data = project("fraud").data
    assert {data.id, data.time, *data.ignore, *data.columns} <= FRAUD_COLUMNS


@pytest.mark.parametrize(("name", "params"), [("tumour", {"inverse_penalty": 0.1}), ("fraud", {"trees": 3})])
def test_a_samples_estimator_takes_its_parameters(name: str, params: dict[str, Any]) -> None:
    estimator = build(name, params)
    assert next(iter(params.values())) in estimator.get_params().values()
