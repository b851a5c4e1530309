"""What a model was made with: enough to make it again."""

from __future__ import annotations

import platform
from importlib.metadata import version

_LIBRARIES = ("lightgbm", "numpy", "pandas", "polars", "scikit-learn", "scipy", "skops")


def environment(threads: int) -> dict[str, str]:
    """Python, platform, threads and the versions of every library that has a say in the numbers."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "threads": str(threads),
        **{library: version(library) for library in _LIBRARIES},
    }
