"""Node tables of loaded trees: every index lies inside its table.

skops checks types, not contents, and scikit-learn follows a tree's indices without looking: a forged file could make
the server read foreign memory. See https://github.com/scikit-learn/scikit-learn/pull/34558.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.serving.problems import BadBundle


def check_trees(estimator: Any) -> None:
    """Check every tree inside a loaded estimator.

    Raises:
        BadBundle: an index points outside of its table, or back.
    """
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
    from sklearn.tree._tree import Tree

    for part in parts(estimator):
        if isinstance(part, Tree):
            nodes = part.__getstate__()["nodes"]
            inner = nodes["left_child"] != -1
            _check(nodes["left_child"], nodes["right_child"], nodes["feature"], inner, part.n_features)
        elif isinstance(part, TreePredictor):
            nodes = part.nodes
            inner = nodes["is_leaf"] == 0
            _check(nodes["left"], nodes["right"], nodes["feature_idx"], inner, None)
            sets = nodes["bitset_idx"][inner & (nodes["is_categorical"] != 0)]
            if len(sets) and int(sets.max()) >= min(len(part.raw_left_cat_bitsets), len(part.binned_left_cat_bitsets)):
                raise _forged()


def _check(left: Any, right: Any, feature: Any, inner: Any, features: int | None) -> None:
    """Children come after their parent in both kinds of table, so no walk can go in a circle."""
    import numpy as np

    parents = np.flatnonzero(inner)
    for child in (left[inner].astype(np.int64), right[inner].astype(np.int64)):
        if ((child <= parents) | (child >= len(left))).any():
            raise _forged()
    used = feature[inner].astype(np.int64)
    if (used < 0).any() or (features is not None and (used >= features).any()):
        raise _forged()


def _forged() -> BadBundle:
    return BadBundle("A tree of the model points outside of its own table; the file is damaged or forged.")


def parts(root: Any) -> Iterator[Any]:
    """Every object that an estimator holds, itself included, each once."""
    import numpy as np

    seen: set[int] = set()
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, str | bytes | int | float | type(None)):
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list | tuple | set):
            waiting += part
        elif isinstance(part, np.ndarray):
            waiting += part.ravel().tolist() if part.dtype == object else []
        else:
            waiting += vars(part).values() if hasattr(part, "__dict__") else []
