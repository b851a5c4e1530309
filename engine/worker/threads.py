"""How many threads the numeric libraries of a worker may start; set before they are imported."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS", "VECLIB_MAXIMUM_THREADS",
    "POLARS_MAX_THREADS", "LOKY_MAX_CPU_COUNT",
)  # fmt: skip
_MOST = 16


def limit_threads(environment: MutableMapping[str, str]) -> int:
    """Set what is not set yet: the cores this process may use, at most 16. Returns how many.

    Two workers at once share the cores: idle OpenMP threads sleep instead of spinning on a core the other could use.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = min(_MOST, cores)
    for variable in _VARIABLES:
        environment.setdefault(variable, str(threads))
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return threads
