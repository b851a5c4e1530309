"""LightGBM with defaults by the number of rows, stopped early on validation, the same trees for the same seed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from engine.project import Scalar, Task
from engine.training.encoding import Family
from engine.training.model import CandidateFailed, Floats, Lesson, ModelFile, Report, Side

_ROUNDS_UNSEEN = 100
"""Where there are no validation rows to stop by."""
_MOST_TREES = 3000
_PATIENCE = 50
_CELLS_FOR_MORE_THREADS = 50_000
"""Below, waking a second thread costs more than it does."""

_SIZES = ((1_000, (4, 8)), (20_000, (15, 31)), (float("inf"), (31, 63)))
"""Leaves of a tree worth trying below so many training rows."""

_OURS = {
    "binary_logloss": "log_loss", "multi_logloss": "log_loss", "average_precision": "average_precision",
    "auc": "roc_auc", "rmse": "rmse", "l1": "mae",
}  # fmt: skip
"""LightGBM's names of metrics in ours."""


@dataclass
class BoostedTrees:
    """A fitted booster."""

    booster: Any
    binary: bool
    found: dict[str, Scalar] = field(default_factory=dict)
    note: str = ""

    def scores(self, matrix: Any) -> Floats:
        """Shape (rows, classes); (rows, 1) for regression."""
        if not len(matrix):
            return np.empty((0, 2 if self.binary else self.booster.num_model_per_iteration()))
        answered: Floats = np.asarray(self.booster.predict(matrix), dtype=np.float64).reshape(len(matrix), -1)
        return np.hstack([1.0 - answered, answered]) if self.binary else answered

    def file(self) -> ModelFile:
        """LightGBM's own text."""
        return ModelFile("lightgbm", "model.txt", self.booster.model_to_string().encode())


@dataclass(frozen=True)
class Boosting:
    """Gradient-boosted trees of at most `leaves` leaves; `rounds` None: as many as validation says."""

    leaves: int
    learning_rate: float
    rounds: int | None = None
    kind: ClassVar[str] = "lightgbm"
    family: ClassVar[Family] = "trees"

    @property
    def name(self) -> str:
        """Unique among the candidates of a run."""
        return f"lightgbm-{self.leaves}-leaves"

    @property
    def params(self) -> dict[str, Scalar]:
        """Its parameters; those that follow from the number of rows are in the model's file."""
        return {"leaves": self.leaves, "learning_rate": self.learning_rate}

    def found_before(self, params: dict[str, Scalar]) -> Boosting:
        """Itself with the number of rounds that an earlier fit found."""
        rounds = params.get("rounds")
        return replace(self, rounds=int(rounds)) if rounds is not None else self

    def fit(self, lesson: Lesson, report: Report) -> BoostedTrees:
        """Fit it; each round's losses are points of the curves `log_loss`, `train_log_loss` and so on."""
        import lightgbm

        train = _dataset(lesson.train, lesson)
        watched, names, callbacks = [train], ["train"], [_reporter(report)]
        stops = lesson.validation is not None and self.rounds is None
        if lesson.validation is not None:
            watched.append(_dataset(lesson.validation, lesson, train))
            names.append("validation")
        if stops:
            callbacks.append(lightgbm.early_stopping(_PATIENCE, first_metric_only=True, verbose=False))
        try:
            booster = lightgbm.train(
                self._parameters(lesson),
                train,
                num_boost_round=self.rounds or (self._most_rounds(lesson) if stops else _ROUNDS_UNSEEN),
                valid_sets=watched,
                valid_names=names,
                callbacks=callbacks,
            )
        except lightgbm.basic.LightGBMError as error:
            raise CandidateFailed(str(error).splitlines()[0]) from error
        # Trees after the best round are cut off, so that the file holds only those that answer.
        rounds = booster.best_iteration if stops and booster.best_iteration > 0 else booster.current_iteration()
        kept = lightgbm.Booster(model_str=booster.model_to_string(num_iteration=rounds))
        return BoostedTrees(kept, lesson.task == "binary", found={"rounds": rounds})

    def _most_rounds(self, lesson: Lesson) -> int:
        return max(100, _MOST_TREES // max(1, lesson.classes if lesson.task == "multiclass" else 1))

    def _parameters(self, lesson: Lesson) -> dict[str, Any]:
        rows, cells = len(lesson.train.target), lesson.train.matrix.size
        several = {"num_class": lesson.classes} if lesson.task == "multiclass" else {}
        return several | {
            "objective": _objective(lesson.task, lesson.metric),
            "metric": _metrics(lesson.task, lesson.metric),
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": min(50, max(5, rows // 100)),
            "feature_fraction": 0.8,
            "lambda_l2": 1.0,
            "seed": lesson.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": lesson.threads if cells > _CELLS_FOR_MORE_THREADS else 1,
            "feature_pre_filter": False,
            "verbosity": -1,
        }


def boostings(rows: int) -> tuple[Boosting, ...]:
    """Sizes of trees worth trying with so many training rows, the smaller first."""
    sizes = next(sizes for below, sizes in _SIZES if rows < below)
    return tuple(Boosting(leaves, learning_rate=0.05 if rows < 50_000 else 0.1) for leaves in sizes)


def _objective(task: Task, metric: str) -> str:
    if task == "regression":
        return "regression_l1" if metric == "mae" else "regression"
    return task


def _metrics(task: Task, metric: str) -> list[str]:
    """The first one stops: a proper loss, for a ranking says nothing of probabilities that drift off."""
    if task == "regression":
        return ["l1"] if metric == "mae" else ["rmse"]
    ranking = {"average_precision": ["average_precision"], "roc_auc": ["auc"]}.get(metric, [])
    return ["binary_logloss", *ranking] if task == "binary" else ["multi_logloss"]


def _dataset(side: Side, lesson: Lesson, reference: Any = None) -> Any:
    import lightgbm

    return lightgbm.Dataset(
        side.matrix,
        side.target,
        reference=reference,
        categorical_feature=list(lesson.categorical),
        params={"verbosity": -1, "feature_pre_filter": False},
    )


def _reporter(report: Report) -> Any:
    def tell(environment: Any) -> None:
        step = environment.iteration
        if step >= 50 and step % 5:
            return  # a thousand rounds are 250 points, and look the same
        for result in environment.evaluation_result_list:
            key = _OURS.get(result[1], result[1])
            report(key if result[0] == "validation" else f"train_{key}", step, float(result[2]))

    return tell
