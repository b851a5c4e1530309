"""The project's own estimator: `estimator = "model:build"` in mlops.toml."""

from __future__ import annotations

from typing import Any

from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def build(params: dict[str, Any]) -> Pipeline:
    """Scaled logistic regression; `params` is `[train.params]`.

    It is given a pandas frame of the measurements and stored by skops, which takes scikit-learn's own classes. A
    measurement that is missing when the model is asked counts as the median one.
    """
    penalty = float(params.get("inverse_penalty", 1.0))
    return make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(C=penalty, max_iter=2000)
    )
