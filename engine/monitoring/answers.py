"""A model's answers as columns that checks compare: what it said about its test rows, and what it says now."""

from __future__ import annotations

from typing import Any

import polars as pl

from engine.data.profile import build_score_profile
from engine.serving.manifest import Manifest

MOST_CLASSES = 10
"""Of a model with more classes the first are looked at."""


def answer_names(manifest: Manifest) -> list[str]:
    """One column for the probability of the positive class, or for the value, named after the target; one for each
    class where there are several, as `species: setosa`. A name that an input has is left out.
    """
    names = [manifest.target]
    if manifest.task == "multiclass":
        names = [f"{manifest.target}: {label}" for label in manifest.classes[:MOST_CLASSES]]
    taken = {column.name for column in manifest.inputs}
    return [name for name in names if name not in taken]


def answers_of_scores(manifest: Manifest, scores: Any) -> dict[str, pl.Series]:
    """By name, from scores of shape (rows, classes), (rows, 1) for regression."""
    names = answer_names(manifest)
    places = range(len(names)) if manifest.task == "multiclass" else [-1]
    return {name: pl.Series(name, scores[:, place]) for name, place in zip(names, places, strict=False)}


def answers_of_captures(manifest: Manifest, captured: pl.DataFrame) -> dict[str, pl.Series]:
    """By name, from the columns `probability`, `value` and `scores` of captures."""
    names = answer_names(manifest)
    if manifest.task == "multiclass":
        every = captured["scores"].cast(pl.List(pl.Float64))
        return {name: every.list.get(place, null_on_oob=True).rename(name) for place, name in enumerate(names)}
    column = "value" if manifest.task == "regression" else "probability"
    return {name: captured[column].cast(pl.Float64).rename(name) for name in names}


def captured_answers(manifest: Manifest) -> list[str]:
    """The columns of captures that hold them."""
    return {"multiclass": ["scores"], "regression": ["value"], "binary": ["probability"]}[manifest.task]


def profile_answers(manifest: Manifest, scores: Any, times: pl.Series | None) -> dict[str, Any] | None:
    """The profile of the answers to the test rows, as `engine.data.profile` makes it; None without rows.

    `times` are those of the rows, where the project has a time.
    """
    answers = answers_of_scores(manifest, scores)
    if not answers or not len(scores):
        return None
    return build_score_profile({name: values.to_numpy() for name, values in answers.items()}, times)
