"""A project's code is stored whole, without data, links and secrets."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from fakes.core import ADA, add, claim, write_project

from engine.errors import Conflict, InvalidConfig, InvalidInput, NotFound, NotThereYet, TooLarge
from engine.lifecycle import code_tree
from engine.lifecycle.add_project import add_project
from engine.lifecycle.code_tree import read_code_tree
from engine.lifecycle.parts import Parts
from engine.lifecycle.train_project import train_project
from engine.registry.queries.events import list_events
from engine.registry.queries.projects import get_project, list_projects
from engine.registry.tx import Tx
from engine.wire.projects import AddProject, TrainProject


def ask(folder: Path) -> AddProject:
    return AddProject(folder=str(folder))


def stored_paths(folder: Path) -> list[str]:
    return [file.path for file in read_code_tree(folder).files]


def test_a_project_is_registered_under_the_name_its_file_gives(parts: Parts, tmp_path: Path) -> None:
    added = add_project(parts, ADA, ask(write_project(tmp_path)))
    assert added.changed
    assert (added.project.name, added.project.task, added.project.metric) == ("fraud", "binary", "average_precision")
    assert [event.verb for event in list_events(parts.reader).events] == ["project.added", "project.stored"]


def test_the_same_tree_again_changes_nothing(parts: Parts, tmp_path: Path) -> None:
    first = add_project(parts, ADA, ask(write_project(tmp_path)))
    again = add_project(parts, ADA, ask(tmp_path))
    assert not again.changed
    assert again.project == first.project
    assert len(list_events(parts.reader).events) == 2


def test_changed_code_is_a_new_revision_and_the_old_code_again_is_the_old_one(parts: Parts, tmp_path: Path) -> None:
    first = add_project(parts, ADA, ask(write_project(tmp_path)))
    before = (tmp_path / "model.py").read_text()
    (tmp_path / "model.py").write_text("changed = True\n")
    changed = add_project(parts, ADA, ask(tmp_path))
    (tmp_path / "model.py").write_text(before)
    back = add_project(parts, ADA, ask(tmp_path))
    assert changed.changed and back.changed
    assert changed.project.revision.id != first.project.revision.id
    assert back.project.revision.id == first.project.revision.id


def test_data_caches_secrets_and_links_are_not_stored(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / ".env").write_text("PASSWORD=canary")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x")
    for name in ("__pycache__", "node_modules", ".venv", "venv", "package"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.py").write_text("x = 1\n")
    (tmp_path / "data" / "notes.txt").write_text("kept")
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    (tmp_path / "outside").symlink_to("/etc")
    assert stored_paths(tmp_path) == ["data/notes.txt", "mlops.toml", "model.py", "package/file.py"]
    assert read_code_tree(tmp_path).links == 2


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ('"rows.csv"', ["a/deep/x.csv", "a/rows.csv", "mlops.toml"]),
        ('"**/*.csv"', ["mlops.toml"]),
        ('"a/*.csv"', ["a/deep/x.csv", "mlops.toml", "rows.csv"]),
        ('["rows.csv", "a/deep/*"]', ["a/rows.csv", "mlops.toml"]),
    ],
)
def test_only_what_the_source_names_is_data(tmp_path: Path, source: str, kept: list[str]) -> None:
    for path in ("rows.csv", "a/rows.csv", "a/deep/x.csv"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("y\n")
    (tmp_path / "mlops.toml").write_text(
        f'[project]\nname = "x"\ntask = "regression"\n[data]\nsource = {source}\ntarget = "y"\n'
    )
    assert stored_paths(tmp_path) == kept


def test_an_absolute_source_below_the_folder_is_data_too(tmp_path: Path) -> None:
    write_project(tmp_path)
    text = (tmp_path / "mlops.toml").read_text().replace("data/*.csv", f"{tmp_path}/data/rows.csv")
    (tmp_path / "mlops.toml").write_text(text)
    assert stored_paths(tmp_path) == ["mlops.toml", "model.py"]


def test_what_is_wrong_with_a_folder_is_told(parts: Parts, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no mlops\.toml"):
        add_project(parts, ADA, ask(tmp_path))
    with pytest.raises(InvalidInput, match="is no folder"):
        add_project(parts, ADA, ask(tmp_path / "nowhere"))
    with pytest.raises(InvalidInput, match="is no folder"):
        add_project(parts, ADA, AddProject(folder="relative"))
    (tmp_path / "mlops.toml").write_text("[project\n")
    with pytest.raises(InvalidConfig, match="is not TOML"):
        add_project(parts, ADA, ask(tmp_path))
    (tmp_path / "mlops.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match="not UTF-8"):
        add_project(parts, ADA, ask(tmp_path))
    write_project(tmp_path)
    (tmp_path / "mlops.toml").write_text((tmp_path / "mlops.toml").read_text() + "[train.search]\ntrials = 9\n")
    with pytest.raises(NotThereYet, match="search"):
        add_project(parts, ADA, ask(tmp_path))
    assert list_projects(parts.reader).projects == []


def test_a_folder_too_large_is_refused(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(tmp_path)
    monkeypatch.setattr(code_tree, "FILES_LIMIT", 1)
    with pytest.raises(TooLarge, match="more than 1 files"):
        add_project(parts, ADA, ask(tmp_path))
    monkeypatch.undo()
    monkeypatch.setattr(code_tree, "BYTES_LIMIT", 10)
    with pytest.raises(TooLarge, match="besides its data"):
        add_project(parts, ADA, ask(tmp_path))


def test_a_folder_too_deep_is_refused(parts: Parts, tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "/".join("a" * 64)).mkdir(parents=True)
    add_project(parts, ADA, ask(tmp_path))
    (tmp_path / "/".join("a" * 400)).mkdir(parents=True)
    with pytest.raises(TooLarge, match="64 folders deep"):
        add_project(parts, ADA, ask(tmp_path))


def test_a_folder_that_may_be_entered_and_not_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(tmp_path).chmod(0o711)
    # The tests may run as root, who may read everything.
    monkeypatch.setattr(os, "access", lambda path, mode: bool(Path(path).stat().st_mode & 0o005 == 0o005))
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_code_tree(tmp_path)


def test_a_name_belongs_to_one_folder_until_that_is_gone(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path / "one")
    other = write_project(tmp_path / "two")
    with pytest.raises(Conflict, match="belongs to the project in"):
        add_project(parts, ADA, ask(other))
    shutil.rmtree(tmp_path / "one")
    assert add_project(parts, ADA, ask(other)).project.folder == str(other)


def test_no_writer_waits_for_a_folder(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(parts, tmp_path / "one")
    again = write_project(tmp_path / "two")
    shutil.rmtree(tmp_path / "one")
    works, looking = Path.stat, []

    def stat(path: Path, *args: object, **options: bool) -> os.stat_result:
        looking.append(threading.current_thread())
        return works(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    add_project(parts, ADA, ask(again))
    assert set(looking) == {threading.current_thread()}
    assert get_project(parts.reader, "fraud").folder == str(again)


def test_a_name_taken_while_the_folder_was_read_belongs_to_who_took_it(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = write_project(tmp_path / "one"), write_project(tmp_path / "two")
    write_and_wait = parts.writer.write_and_wait

    def write_later(operation: Callable[[Tx], object]) -> object:
        monkeypatch.undo()
        add_project(parts, ADA, ask(one))
        return write_and_wait(operation)

    monkeypatch.setattr(parts.writer, "write_and_wait", write_later)
    with pytest.raises(Conflict, match="belongs to the project in"):
        add_project(parts, ADA, ask(two))
    assert get_project(parts.reader, "fraud").folder == str(one)


def test_training_by_an_admin_stores_changed_code_and_says_so(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    assert not train_project(parts, ADA, "fraud", TrainProject()).stored_again
    (tmp_path / "model.py").write_text("changed = True\n")
    assert train_project(parts, ADA, "fraud", TrainProject()).stored_again


def test_code_runs_from_the_stored_tree_not_from_the_live_folder(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train_project(parts, ADA, "fraud", TrainProject())
    (tmp_path / "model.py").write_text("changed = True\n")
    worked = claim(parts)
    assert "def build" in (worked.folder / "code" / "model.py").read_text()


def test_a_project_whose_folder_is_gone_trains_the_code_that_is_stored(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path / "one")
    shutil.rmtree(tmp_path / "one")
    assert not train_project(parts, ADA, "fraud", TrainProject()).stored_again


def test_code_that_was_damaged_in_the_store_is_stored_again(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    stored = next(file for file in read_code_tree(tmp_path).files if file.path == "model.py")
    blob = parts.blobs.path(stored.sha256)
    blob.chmod(0o600)
    blob.write_bytes(b"garbage")
    train_project(parts, ADA, "fraud", TrainProject())
    assert parts.blobs.read(stored.sha256) == (tmp_path / "model.py").read_bytes()


def test_the_git_commit_is_known_where_there_is_one(parts: Parts, tmp_path: Path) -> None:
    write_project(tmp_path)
    git = partial(run_git, tmp_path)
    assert add_project(parts, ADA, ask(tmp_path)).project.revision.git_commit is None
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    commit = git("rev-parse", "HEAD").strip()
    add_project(parts, ADA, ask(tmp_path))
    assert get_project(parts.reader, "fraud").revision.git_commit == commit
    (tmp_path / "model.py").write_text("changed = True\n")
    changed = add_project(parts, ADA, ask(tmp_path)).project.revision
    assert (changed.git_commit, changed.git_dirty) == (commit, True)


def test_code_beyond_or_short_of_the_commit_is_dirty(parts: Parts, tmp_path: Path) -> None:
    write_project(tmp_path)
    commit_all(tmp_path)
    (tmp_path / "extra.py").write_text("")
    assert add_project(parts, ADA, ask(tmp_path)).project.revision.git_dirty
    (tmp_path / "extra.py").unlink()
    assert not add_project(parts, ADA, ask(tmp_path)).project.revision.git_dirty
    (tmp_path / "model.py").unlink()
    assert add_project(parts, ADA, ask(tmp_path)).project.revision.git_dirty


def test_a_commit_that_git_cannot_read_is_not_claimed(parts: Parts, tmp_path: Path) -> None:
    write_project(tmp_path)
    commit_all(tmp_path)
    tree = run_git(tmp_path, "rev-parse", "HEAD^{tree}").strip()
    (tmp_path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    assert add_project(parts, ADA, ask(tmp_path)).project.revision.git_commit is None


@pytest.mark.parametrize("setting", ["core.fsmonitor", "filter.mine.clean", "filter.mine.process"])
def test_a_repository_cannot_have_the_engine_run_its_programs(parts: Parts, tmp_path: Path, setting: str) -> None:
    write_project(tmp_path)
    (tmp_path / ".gitattributes").write_text("*.py filter=mine\n")
    commit_all(tmp_path)
    os.utime(tmp_path / "model.py", (1, 1))
    run_git(tmp_path, "config", setting, f"touch {tmp_path}/ran; false")
    assert add_project(parts, ADA, ask(tmp_path)).project.revision.git_commit
    assert not (tmp_path / "ran").exists()
    subprocess.run(["git", "status"], cwd=tmp_path, check=False, capture_output=True)
    assert (tmp_path / "ran").exists(), "the trap would not have sprung"


def commit_all(folder: Path) -> None:
    run_git(folder, "init", "-q")
    run_git(folder, "add", ".")
    run_git(folder, "commit", "-qm", "first")


def run_git(folder: Path, *what: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *who, *what], cwd=folder, check=True, capture_output=True, text=True).stdout
