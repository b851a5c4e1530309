from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.worker.segments import Offset, delete_segments, list_segments, read_stretches


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Captures of another endpoint."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "00000001.jsonl").write_text('{"secret": 1}\n')
    return folder


def test_a_link_in_the_place_of_captures_is_not_followed(tmp_path: Path, elsewhere: Path) -> None:
    link = tmp_path / "captures"
    link.symlink_to(elsewhere)
    assert list_segments(link) == []
    assert delete_segments(link, Offset(9, 0)) == 0
    assert (elsewhere / "00000001.jsonl").exists()


def test_what_is_no_file_among_the_segments_is_not_read(tmp_path: Path, elsewhere: Path) -> None:
    captures = tmp_path / "captures"
    captures.mkdir()
    (captures / "00000001.jsonl").symlink_to(elsewhere / "00000001.jsonl")
    os.mkfifo(captures / "00000002.jsonl")
    (captures / "00000003.jsonl").write_text("{}\n")
    assert [stretch.lines for stretch in read_stretches(captures, Offset(0, 0), retired=True)] == [[], [b"{}"]]
