"""A folder of the server, read for the file picker."""

import os
from pathlib import Path

import pytest

from engine.errors import EngineError
from mlops_tui.folder_listing import list_folder, nearest_folder


def test_folders_data_and_project_files_are_listed_and_the_rest_is_counted(tmp_path: Path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "mlops.toml").write_text("")
    for name in ("a.csv", "b.PARQUET", "c.jsonl", "mlops.toml", "notes.md", ".env.json"):
        (tmp_path / name).write_text("12")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "nowhere.csv").symlink_to(tmp_path / "gone")
    found = list_folder(tmp_path)
    assert [one.name for one in found.entries] == ["mlops.toml", "project", "a.csv", "b.PARQUET", "c.jsonl"]
    assert found.entries[1].has_project
    assert (found.entries[2].size_bytes, found.others) == (2, 4)
    assert ".env.json" in [one.name for one in list_folder(tmp_path, hidden=True).entries]


def test_names_of_any_bytes_are_listed(tmp_path: Path):
    (tmp_path / os.fsdecode(b"caf\xe9.csv")).write_text("")
    (tmp_path / "a\x1b[2Jb\u202e.csv").write_text("")
    assert [one.is_nameless for one in list_folder(tmp_path).entries] == [False, True]


@pytest.mark.parametrize(
    ("name", "told"), [("gone", "There is no folder"), ("file", "Not a directory"), ("a\0b", "no path")]
)
def test_what_is_no_folder_is_a_sentence(tmp_path: Path, name: str, told: str):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError) as refused:
        list_folder(tmp_path / name)
    assert told in refused.value.message


def test_a_folder_that_is_gone_gives_the_nearest_around_it(tmp_path: Path):
    assert nearest_folder(tmp_path / "gone" / "deeper") == tmp_path
