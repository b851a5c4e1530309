"""`lib_lightgbm.so` by ctypes, found without `import lightgbm`, which takes seconds and 100 MB."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from engine.serving.problems import BadBundle

VARIABLE = "MLOPS_LIGHTGBM_SO"
FILE = "lib_lightgbm.dylib" if sys.platform == "darwin" else "lib_lightgbm.so"


def library_paths() -> Iterator[Path]:
    """Where the library may lie, best first: `$MLOPS_LIGHTGBM_SO`, beside this program, inside the lightgbm package."""
    if named := os.environ.get(VARIABLE):
        yield Path(named)
        return
    yield Path(__file__).parent / FILE
    spec = importlib.util.find_spec("lightgbm")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(folder) / "lib" / FILE


@cache
def lightgbm_library() -> ctypes.PyDLL:
    """The library, loaded once per process.

    Functions called through it keep the interpreter's lock: a row takes 4 µs, and letting others in costs as much
    again. Long calls go through `ctypes.CDLL` on the same handle.

    Raises:
        BadBundle: it is not there, or what it needs is not.
    """
    tried = list(library_paths()) or [Path(FILE)]
    path = next((path for path in tried if path.is_file()), None)
    if path is None:
        raise BadBundle(
            "LightGBM's library is not here: no " + " and no ".join(map(str, tried)) + ".",
            f"Install the lightgbm package, or name the file in {VARIABLE}.",
        )
    try:
        library = ctypes.PyDLL(str(path))
    except OSError as error:
        raise _cannot_load(error) from error
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    return library


def _cannot_load(error: OSError) -> BadBundle:
    if "libgomp" not in str(error):
        return BadBundle(f"LightGBM's library cannot be loaded: {error}.")
    copy = bundled_libgomp()
    advice = f", or put a folder on LD_LIBRARY_PATH in which libgomp.so.1 links to {copy}" if copy else ""
    return BadBundle(
        "LightGBM's library needs libgomp.so.1, the OpenMP runtime, which is not installed here.",
        f"Install it (Debian: libgomp1){advice}.",
    )


def bundled_libgomp() -> Path | None:
    """The copy of libgomp that scikit-learn's wheel ships, if there is one."""
    spec = importlib.util.find_spec("sklearn")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for found in sorted(Path(folder).parent.glob("scikit_learn.libs/libgomp*.so*")):
            return found
    return None


def checked(status: int) -> None:
    """Turn a C API status into an error.

    Raises:
        BadBundle: it is not 0; the sentence is LightGBM's.
    """
    if status != 0:
        raise BadBundle(f"LightGBM refused: {lightgbm_library().LGBM_GetLastError().decode(errors='replace')}.")
