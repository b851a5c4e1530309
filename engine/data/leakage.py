"""Columns that all but tell the target: more often a leak, such as a field filled in afterwards, than luck."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from engine.project import Task

_NEARLY_ALL = 0.999
_MOST_GROUPS = 50


def find_leaks(frame: pl.DataFrame, target: str, task: Task, features: Sequence[str]) -> dict[str, str]:
    """Sentences by feature, for those that alone give the target in at least 99.9 % of the rows (or ranks)."""
    found = {}
    for name in features:
        pair = frame.select(feature=pl.col(name), target=pl.col(target)).drop_nulls()
        if pair.height < 2 or pair["feature"].n_unique() < 2:
            continue
        if task == "regression" and frame[name].dtype.is_numeric():
            told = _ranks_agree(pair)
        elif frame[name].dtype.is_numeric() and task == "binary":
            told = _parts_classes(pair) or _groups_tell(pair)
        else:
            told = task != "regression" and _groups_tell(pair)
        if told:
            found[name] = f"alone it all but gives {target!r}: is it known before the answer is?"
    return found


def _ranks_agree(pair: pl.DataFrame) -> bool:
    ranked = pair.select(pl.corr("feature", "target", method="spearman")).item()
    return ranked is not None and abs(ranked) >= _NEARLY_ALL


def _parts_classes(pair: pl.DataFrame) -> bool:
    """Area under the ROC curve, from ranks (Mann-Whitney), at least 0.999 in either direction."""
    first = pair["target"] == pair["target"].max()
    positive, negative = int(first.sum()), int((~first).sum())
    if not positive or not negative:
        return False
    ranks = float(pair["feature"].rank("average").filter(first).sum())
    area = (ranks - positive * (positive + 1) / 2) / (positive * negative)
    return max(area, 1 - area) >= _NEARLY_ALL


def _groups_tell(pair: pl.DataFrame) -> bool:
    """Naming each value's most frequent class is right nearly always, and clearly better than naming one class."""
    if pair["feature"].n_unique() > _MOST_GROUPS:
        return False
    counted = pair.group_by("feature", "target").len()
    right = counted.group_by("feature").agg(pl.col("len").max())["len"].sum()
    largest = pair["target"].value_counts()["count"].max()
    assert isinstance(largest, int)
    wrong_before, wrong_now = pair.height - largest, pair.height - right
    return right >= _NEARLY_ALL * pair.height and wrong_now <= 0.05 * wrong_before
