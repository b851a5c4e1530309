"""Writes `data/tumours.csv` again from the breast-cancer data that scikit-learn ships.

    python make_data.py

The file is committed, so nobody needs to run this. 569 tumours, 30 measurements each; source: W. H. Wolberg,
W. N. Street, O. L. Mangasarian, Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning Repository, 1995, CC BY 4.0.
scikit-learn's copy has no patient numbers, so `sample_id` is the row's place in it.
"""

from __future__ import annotations

import csv
from pathlib import Path

from sklearn.datasets import load_breast_cancer

DATA = Path(__file__).parent / "data" / "tumours.csv"


def column_name(feature: str) -> str:
    """`mean radius` → `radius_mean`, `radius error` → `radius_error`: what is measured comes first."""
    words = feature.split()
    if words[0] in {"mean", "worst"}:
        words = [*words[1:], words[0]]
    return "_".join(words)


def write(path: Path) -> int:
    """Write the CSV; the number of rows."""
    tumours = load_breast_cancer()
    header = ["sample_id", *map(column_name, tumours.feature_names), "diagnosis"]
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(header)
        for number, (measured, kind) in enumerate(zip(tumours.data, tumours.target, strict=True), start=1):
            values = [format(value, ".10g") for value in measured]
            rows.writerow([f"T{number:04d}", *values, tumours.target_names[kind]])
    return len(tumours.target)


if __name__ == "__main__":
    print(f"{write(DATA)} rows in {DATA}")
