"""Which candidates compete in a run, the simplest first."""

from __future__ import annotations

from pathlib import Path

from engine.project import Project
from engine.training.boosting import boostings
from engine.training.constant import Constant
from engine.training.estimator import ProjectEstimator
from engine.training.linear import Logistic, Ridge
from engine.training.model import Candidate

_MANY_ROWS = 20_000
"""From here on the penalty hardly matters and fits take seconds, so fewer are tried."""


def candidates(project: Project, code: Path, rows: int) -> tuple[Candidate, ...]:
    """The project's own estimator alone where it names one; else linear models and LightGBM.

    `rows` is how many train; the order is from simple to complex, and a tie goes to the simpler.
    """
    if project.train.estimator is not None:
        return (ProjectEstimator(code, project.train.estimator, dict(project.train.params)),)
    trees = boostings(rows)
    if project.task == "regression":
        return (*(Ridge(penalty) for penalty in (0.1, 0.01, 0.001)), *trees)
    penalties = (0.01, 1.0) if rows >= _MANY_ROWS else (0.01, 0.1, 1.0, 10.0)
    return (*(Logistic(penalty) for penalty in penalties), *trees)


NEW = "-new"
"""Ends the name of a candidate that is fitted on the rows since a change alone."""


def candidate_named(project: Project, code: Path, rows: int, name: str) -> Candidate:
    """The candidate of that name, with or without `NEW`, to fit it again.

    Raises:
        KeyError: these rows and this project have none of that name.
    """
    by_name: dict[str, Candidate] = {found.name: found for found in candidates(project, code, rows)}
    return Constant() if name == Constant.name else by_name.get(name) or by_name[name.removesuffix(NEW)]
