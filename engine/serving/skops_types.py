"""Which types a skops file may hold. Fixed here, never taken from the file.

skops itself trusts Python's plain values and containers, numpy's arrays, dtypes, random states and ufuncs, scipy's
sparse matrices and ufuncs, and every estimator of scikit-learn. `ALLOWED` adds what fitted estimators carry inside.
Nothing here runs code of a project's own; an estimator defined in a project cannot be loaded, and is refused before it
is fitted.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from engine.serving.problems import BadBundle
from engine.serving.skops_trees import check_trees

ALLOWED: tuple[str, ...] = (
    "collections.OrderedDict",
    "collections.defaultdict",
    "functools.partial",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "numpy.dtype",
    "numpy.mean",
    "numpy.median",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "scipy.interpolate._interpolate.interp1d",
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.cluster._bisect_k_means._BisectingTree",
    "sklearn.cluster._kmeans._kmeans_single_lloyd",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.compose._column_transformer.make_column_selector",
    # Node tables: a forged one could point outside of its array, so `load_estimator` checks the indices.
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._mutual_info.mutual_info_regression",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.DotProduct",
    "sklearn.gaussian_process.kernels.Matern",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.gaussian_process.kernels.RationalQuadratic",
    "sklearn.gaussian_process.kernels.Sum",
    "sklearn.gaussian_process.kernels.WhiteKernel",
    "sklearn.metrics._classification.balanced_accuracy_score",
    "sklearn.metrics._dist_metrics.ChebyshevDistance64",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64",
    "sklearn.metrics._scorer._CurveScorer",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
    "sklearn.utils.validation.check_array",
)
"""Types beyond those that skops trusts by itself."""


def refuse_unknown_types(estimator_or_file: Any) -> None:
    """Check that an estimator (fitted or not), or a skops file (path or bytes), holds allowed types only.

    Raises:
        BadBundle: it holds others, or skops cannot store it; the sentence names them.
    """
    if isinstance(estimator_or_file, str | os.PathLike):
        content = Path(estimator_or_file).read_bytes()
    elif isinstance(estimator_or_file, bytes):
        content = estimator_or_file
    else:
        content = dump_estimator(estimator_or_file)
    _refuse_unknown(content)


def dump_estimator(estimator: Any) -> bytes:
    """An estimator as the bytes of a skops file.

    Raises:
        BadBundle: skops cannot store it.
    """
    from skops.io import dumps

    try:
        return bytes(dumps(estimator))
    except Exception as error:  # skops passes on whatever an object's own __getstate__ raises
        raise BadBundle(
            f"A {type(estimator).__name__} cannot be stored without pickle: {error}.",
            "Build it from scikit-learn's own estimators; a lambda or a class of your own cannot be stored.",
        ) from error


def load_estimator(content: bytes) -> Any:
    """The estimator in a skops file.

    Raises:
        BadBundle: it holds a type that is not allowed, or is damaged.
    """
    from skops.io import loads

    _refuse_unknown(content)
    try:
        estimator = loads(content, trusted=list(ALLOWED))
    except Exception as error:  # a damaged file fails anywhere inside skops, numpy or scikit-learn
        raise BadBundle(f"The skops file cannot be loaded: {error}.") from error
    check_trees(estimator)
    return estimator


def _refuse_unknown(content: bytes) -> None:
    from skops.io import get_untrusted_types

    try:
        unknown = sorted(set(get_untrusted_types(data=content)) - set(ALLOWED))
    except (BadZipFile, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadBundle(f"The model file is no skops file that can be read: {error}.") from error
    if unknown:
        raise BadBundle(
            f"The estimator holds {', '.join(unknown)}, which a model server does not load.",
            "Use scikit-learn's own estimators and transformers, or LightGBM's.",
        )
