"""Runs a project's own code, and says where it failed."""

from __future__ import annotations

import importlib
import random
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import ProjectCodeFailed


def build_estimator(folder: Path, named: str, params: dict[str, Any]) -> Any:
    """What `module:function` of the code tree in `folder` gives for `params`.

    Raises:
        ProjectCodeFailed: it is not there, or its code raised; names file, line and exception.
    """
    function = _load(folder, named)
    with told_as_project_failure(folder, named):
        return function(params)


def _load(folder: Path, named: str) -> Callable[[dict[str, Any]], Any]:
    module_name, _, function_name = named.partition(":")
    sys.dont_write_bytecode = True  # the stored tree stays as it was stored
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    with told_as_project_failure(folder, named):
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if not f"{module_name}.".startswith(f"{error.name}."):
                raise  # a module that the project's own file asks for
            raise ProjectCodeFailed(
                f"train.estimator is {named!r}, and the project has no {module_name.replace('.', '/')}.py.",
                "Write that file, or leave `estimator` out for the built-in candidates.",
                estimator=named,
            ) from error
    file = getattr(module, "__file__", None)
    if file is None or not Path(file).resolve().is_relative_to(folder.resolve()):
        raise ProjectCodeFailed(
            f"train.estimator is {named!r}, and {module_name!r} is a module from outside of the project.",
            "Give the project's file a name of its own, such as model.py.",
            estimator=named,
        )
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ProjectCodeFailed(
            f"{Path(file).name} has no function {function_name!r}, which train.estimator names.",
            f"Write `def {function_name}(params): ...`, which gives a scikit-learn estimator.",
            estimator=named,
        )
    loaded: Callable[[dict[str, Any]], Any] = function
    return loaded


@contextmanager
def told_as_project_failure(folder: Path, named: str) -> Iterator[None]:
    """Turn whatever the project's code raises into `ProjectCodeFailed`; the whole trace goes to the job's log.

    The line named is the project's own that is innermost, else the innermost of all.
    """
    try:
        yield
    except ProjectCodeFailed:
        raise
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
        place = f"{_shown(own[-1].filename, folder)}:{own[-1].lineno}" if own else ""
        if isinstance(error, SyntaxError) and error.filename:
            place = f"{_shown(error.filename, folder)}:{error.lineno}"
        where = place or f"the estimator of {named}, {Path(frames[-1].filename).name}:{frames[-1].lineno}"
        raise ProjectCodeFailed(
            f"The project's code failed at {where}: {_said(error)}.",
            "The whole trace is in the job's log; mend the code and train again.",
            where=where,
            exception=type(error).__name__,
        ) from error


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it called exit({error.code!r})"
    first_line = (str(error).strip().splitlines() or [""])[0][:300].rstrip(".")
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__


def _shown(filename: str, folder: Path) -> str:
    path = Path(filename)
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Global random numbers begin at `seed`, for estimators that are given no random_state."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
