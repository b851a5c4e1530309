"""An estimator of the project's own, in use once mlops.toml names it: `estimator = "model:build"`."""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier


def build(params: dict[str, Any]) -> HistGradientBoostingClassifier:
    """Boosted trees that take text columns as categories; `params` is `[train.params]`.

    It is given a pandas frame whose text columns are categoricals with fixed categories. Stopping early on a random
    part of the rows would let it peek into the future of the others, so the number of trees is fixed.
    """
    return HistGradientBoostingClassifier(
        max_iter=int(params.get("trees", 200)),
        learning_rate=float(params.get("learning_rate", 0.06)),
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=7,
    )
