"""Rules on the repository's files."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
MACHINE_PATH = re.compile(r"/(work/(main|shared|\.)|root/\.|opt/(?!venv)\w+/|tmp/(tools|brief))")
BINARY = {".png", ".svg", ".parquet", ".csv", ".lock"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], capture_output=True, cwd=ROOT, check=False)
    if done.returncode:
        pytest.skip("not a git clone, so there is no list of tracked files")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def test_no_tracked_file_names_a_place_on_somebodys_machine() -> None:
    guilty = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path.suffix not in BINARY and path.is_file() and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]
    assert guilty == []


def test_no_module_is_named_after_nothing() -> None:
    modules = [path for path in tracked() if path.suffix == ".py"]
    assert modules and [path for path in modules if VAGUE & {path.stem, path.parent.name}] == []


def test_the_lock_names_no_index() -> None:
    assert re.findall(r"https?:|file:|--(?:index|extra-index|find-links|trusted)\S*", LOCK) == []


def test_everything_in_the_lock_is_pinned_and_hashed() -> None:
    entries = re.split(r"\n(?=\S)", re.sub(r"\n +# .*", "", LOCK).strip())
    assert len(entries) > 50
    assert [entry for entry in entries if not re.match(r"[\w.-]+(\[\S+\])?==\S+", entry)] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_holds_every_dependency_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.match(r"[\w.-]+", line)[0].lower() for group in wanted for line in group}
    assert {name for name in names if not re.search(rf"^{re.escape(name)}==", LOCK, re.MULTILINE)} == set()
