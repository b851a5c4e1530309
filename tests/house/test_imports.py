"""What a process loads when it starts. import-linter sees our own imports; what libraries load shows only here."""

from __future__ import annotations

import configparser
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import engine

ROOT = Path(__file__).parents[2]
SCIENCE = {"numpy", "polars", "pandas", "scipy", "sklearn", "skops", "lightgbm", "pyarrow"}
SERVER = {"fastapi", "uvicorn", "sqlalchemy", "sqlmodel", "alembic", "docker", "aiohttp", "apscheduler"}


def loaded_by(*modules: str) -> set[str]:
    """Everything in `sys.modules` after a fresh interpreter has imported `modules`."""
    program = f"import sys, {', '.join(modules)}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def modules_below(package: str) -> list[str]:
    folder = ROOT / package.replace(".", "/")
    found = pkgutil.walk_packages([str(folder)], prefix=f"{package}.")
    return sorted(module.name for module in found)


def of_the_engine(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith("engine.")}


def test_an_engine_starts_without_the_science() -> None:
    assert not SCIENCE & loaded_by("engine.bootstrap", "engine.__main__")


def test_the_command_line_starts_without_science_server_or_screen() -> None:
    assert not (SCIENCE | SERVER | {"textual"}) & loaded_by("mlops_tui.__main__")


def test_the_terminal_starts_without_science_or_server() -> None:
    assert not (SCIENCE | SERVER) & loaded_by("mlops_tui.app")


def test_a_gateway_starts_without_science_or_engine() -> None:
    loaded = loaded_by("engine.gateway.__main__")
    assert not SCIENCE & loaded
    assert all(name.startswith("engine.gateway") for name in of_the_engine(loaded))


def test_a_model_server_starts_without_training_libraries_or_engine() -> None:
    loaded = loaded_by("engine.serving.__main__")
    assert not {"polars", "pandas", "sklearn", "skops", "lightgbm", "fastapi"} & loaded
    assert all(name.startswith("engine.serving") for name in of_the_engine(loaded))


@pytest.mark.parametrize("package", ["engine.serving", "engine.gateway"])
def test_no_module_of_what_stands_alone_needs_the_engine(package: str) -> None:
    modules = [name for name in modules_below(package) if not name.endswith("__main__")]
    assert {name for name in of_the_engine(loaded_by(*modules)) if not name.startswith(package)} == set()


def test_every_part_of_the_engine_is_named_by_the_rules_of_those_that_stand_alone() -> None:
    rules = configparser.ConfigParser()
    rules.read(ROOT / ".importlinter", encoding="utf-8")
    parts = {f"engine.{module.name}" for module in pkgutil.iter_modules(engine.__path__)} - {"engine.__main__"}
    for alone in ("serving", "gateway"):
        forbidden = set(rules[f"importlinter:contract:{alone}-alone"]["forbidden_modules"].split())
        assert parts - {f"engine.{alone}"} <= forbidden
