"""The packages and the program that go into images: copied from the engine's own environment, and compiled.

Nothing is fetched: what the engine was installed with is what serves, and a deployment needs no network.
docs/decisions/0012 says why.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

import engine
from engine.deployment.image_context import PACKAGES, PROGRAM, key_of
from engine.errors import Unavailable

PLAIN = ("uvicorn", "httptools", "uvloop", "msgspec")
"""What every model server imports; LightGBM's library comes beside them."""
SKOPS = ("skops", "scikit-learn", "pandas", "numpy")
"""What one for a project's own estimator needs besides."""

_LEFT_OUT = {"__pycache__", "tests", "include"}
_SOURCES = {".pyi", ".pyx", ".pxd", ".h", ".c", ".hpp", ".cpp"}


@dataclass(frozen=True)
class Staged:
    """A folder that goes into an image as it is, and what stands for its content."""

    folder: Path
    key: str


class Packages:
    """Staged folders of one home, each made once. For one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def plain(self) -> Staged:
        """For bundles of our own formats.

        Raises:
            Unavailable: a package is missing, or was installed without a list of its files.
        """
        lightgbm = _installed("lightgbm")
        library = [path for path in _paths(lightgbm) if path.name.startswith("lib_lightgbm.")]
        return self._stage("plain", list(_closure(PLAIN).values()), [(lightgbm, library)])

    def more_for_skops(self) -> Staged:
        """What comes on top for skops bundles."""
        there = _closure(PLAIN)
        more = [each for name, each in _closure(SKOPS).items() if name not in there]
        return self._stage("skops", more, [])

    def program(self) -> Staged:
        """`engine/serving`, and nothing else of `engine`."""
        package = Path(engine.__path__[0])
        files = [package / "__init__.py", *sorted((package / "serving").rglob("*.py"))]
        key = key_of(sys.version, *(f"{path.relative_to(package)} {path.read_text('utf-8')}" for path in files))

        def fill(folder: Path) -> None:
            for path in files:
                _copy(path, folder / "engine" / path.relative_to(package))

        return self._made("program", key, PROGRAM, fill)

    def libgomp(self) -> Path | None:
        """The copy of OpenMP's library that scikit-learn's wheel ships, for a base image without one."""
        try:
            found = [path for path in _paths(_installed("scikit-learn")) if path.name.startswith("libgomp")]
        except Unavailable:
            return None
        return Path(str(_installed("scikit-learn").locate_file(found[0]))) if found else None

    def _stage(self, name: str, whole: list[Distribution], parts: list[tuple[Distribution, list[Path]]]) -> Staged:
        wanted = [(each, list(_needed(_paths(each)))) for each in whole] + parts
        told = [f"{each.metadata['Name']} {each.version} {sorted(map(str, paths))}" for each, paths in wanted]

        def fill(folder: Path) -> None:
            for each, paths in wanted:
                for path in paths:
                    _copy(Path(str(each.locate_file(path))), folder / path)

        return self._made(name, key_of(sys.version, *sorted(told)), PACKAGES, fill)

    def _made(self, name: str, key: str, place: str, fill: Callable[[Path], None]) -> Staged:
        folder = self._folder / f"{name}-{key}"
        if not folder.is_dir():
            part = folder.with_name(folder.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            fill(part)
            _compile(part, place)
            part.rename(folder)
            # What was made for packages that are no longer installed, or left half made.
            for older in self._folder.glob(f"{name}-*"):
                if older != folder:
                    shutil.rmtree(older, ignore_errors=True)
        return Staged(folder, key)


def _closure(names: Iterable[str]) -> dict[str, Distribution]:
    """Distributions by name with all they require, extras aside. What is not installed is not needed here."""
    found: dict[str, Distribution] = {}
    todo = [(name, True) for name in names]
    while todo:
        name, asked = todo.pop(0)
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name in found:
            continue
        try:
            found[name] = _installed(name)
        except Unavailable:
            if asked:
                raise
            continue
        for requirement in found[name].requires or ():
            wanted, _, marker = requirement.partition(";")
            named = re.match(r"[\w.-]+", wanted)
            if named and "extra" not in marker:
                todo.append((named[0], False))
    return found


def _installed(name: str) -> Distribution:
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise Unavailable(
            f"The package {name} is not installed for {sys.executable}, so no image can be made with it.",
            "Install what requirements.lock lists.",
        ) from error


def _paths(package: Distribution) -> list[Path]:
    if package.files is None:
        raise Unavailable(
            f"The package {package.metadata['Name']} was installed without a list of its files, so it cannot be "
            "copied into an image.",
            "Install what requirements.lock lists with pip or uv into an environment of its own.",
        )
    return [Path(str(path)) for path in package.files]


def _needed(paths: Iterable[Path]) -> Iterable[Path]:
    """Without programs outside of the package, tests, and what only a compiler reads."""
    for path in paths:
        if ".." not in path.parts and not _LEFT_OUT & set(path.parts) and path.suffix not in _SOURCES:
            yield path


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _compile(folder: Path, place: str) -> None:
    """Byte code that holds without the sources' times: a container cannot write any, and starts in half the time."""
    options = ("-q", "-j", "1", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", place)
    subprocess.run(
        [sys.executable, "-m", "compileall", *options, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A file that does not compile is one that nobody imports.
        check=False,
    )
