"""A stored file is whole or not there, and its bytes are looked at before they are used."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.blobs.safe_path import safe_parts
from engine.blobs.store import BlobStore, Item
from engine.errors import DamagedBlob, DiskFull, InvalidInput, NotFound, Unavailable


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    made = BlobStore(tmp_path / "blobs")
    made.start()
    return made


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "bundle").mkdir(parents=True)
    (folder / "bundle" / "model.txt").write_bytes(b"model")
    return folder


def left_over(store: BlobStore) -> list[Path]:
    return list(store._temporary.iterdir())


def damage(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


def test_a_file_is_found_by_the_hash_of_its_content(store: BlobStore, work: Path) -> None:
    stored = store.adopt(work / "bundle" / "model.txt")
    assert (stored.sha256, stored.size_bytes) == (sha256(b"model"), 5)
    assert store.read(stored.sha256) == b"model"
    assert store.path(stored.sha256) == store._folder / stored.sha256[:2] / stored.sha256[2:]
    assert stat.S_IMODE(store.path(stored.sha256).stat().st_mode) == 0o400
    assert left_over(store) == []


def test_storing_twice_is_storing_once(store: BlobStore) -> None:
    assert store.put(b"same") == store.put(b"same")
    assert store.verify([sha256(b"same")]).checked == 1


def test_storing_again_heals_a_damaged_file(store: BlobStore) -> None:
    stored = store.put(b"content")
    damage(store.path(stored.sha256), b"kontent")
    store.put(b"content")
    assert store.read(stored.sha256) == b"content"


def test_many_at_once_store_the_same_file(store: BlobStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = {stored.sha256 for stored in threads.map(store.put, [b"x" * 100_000] * 32)}
    assert found == {sha256(b"x" * 100_000)}
    assert left_over(store) == []
    assert store.verify(found).damaged == []


def test_content_that_is_not_what_was_reported_is_refused(store: BlobStore, work: Path) -> None:
    with pytest.raises(DamagedBlob, match="not what was reported"):
        store.adopt_below(work, "bundle/model.txt", sha256(b"other"))
    assert not store.has(sha256(b"model"))
    assert left_over(store) == []


@pytest.mark.parametrize(
    "path",
    ["../secret", "bundle/../../secret", "/etc/passwd", "", ".", "bundle/", "bundle//model.txt", "..\\secret", "a\0b",
     "bundle/./model.txt", "x\ny"],
)  # fmt: skip
def test_a_path_that_leads_out_is_refused(store: BlobStore, work: Path, path: str) -> None:
    (work.parent / "secret").write_bytes(b"secret")
    with pytest.raises(InvalidInput, match="plain relative path"):
        store.adopt_below(work, path)


@pytest.mark.parametrize("path", ["%2e%2e/secret", "file:secret", "a;b", "a#b", "~"])
def test_a_path_that_only_looks_odd_is_a_name_like_another(store: BlobStore, work: Path, path: str) -> None:
    with pytest.raises(NotFound):
        store.adopt_below(work, path)


def test_links_and_odd_files_of_a_worker_are_refused(store: BlobStore, work: Path) -> None:
    secret = work.parent / "secret"
    secret.write_bytes(b"secret")
    (work / "link").symlink_to(secret)
    (work / "folder").symlink_to(work / "bundle")
    os.mkfifo(work / "pipe")
    for path in ("link", "folder/model.txt", "pipe", "bundle"):
        with pytest.raises(InvalidInput):
            store.adopt_below(work, path)
    assert not store.has(sha256(b"secret"))


@given(some.text(max_size=40))
def test_no_path_leads_out(path: str) -> None:
    try:
        parts = safe_parts(path)
    except InvalidInput:
        return
    root = Path("/root/of/all")
    assert root in Path(os.path.normpath(root.joinpath(*parts))).parents


def test_a_damaged_file_is_never_served(store: BlobStore, tmp_path: Path) -> None:
    stored = store.put(b"0123456789" * 100)
    path = store.path(stored.sha256)
    for content in (b"", b"0123456789" * 99, b"1123456789" * 100, b"0123456789" * 101):
        damage(path, content)
        with pytest.raises(DamagedBlob, match="damaged"):
            store.read(stored.sha256)
        with pytest.raises(DamagedBlob), store.open_checked(stored.sha256):
            pass
        with pytest.raises(DamagedBlob):
            store.materialise([Item("model.txt", stored.sha256)], tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_each_of_a_hundred_damaged_or_missing_files_is_named(store: BlobStore) -> None:
    stored = [store.put(f"content {number}".encode()).sha256 for number in range(120)]
    damaged, missing = stored[:100], stored[100:110]
    for number, name in enumerate(damaged):
        content = bytearray(store.read(name))
        content[number % len(content)] ^= 1 << (number % 8)
        damage(store.path(name), bytes(content) if number % 3 else bytes(content[:-1]))
    for name in missing:
        store.path(name).unlink()
    found = store.verify(stored)
    assert (found.checked, found.damaged, found.missing) == (120, damaged, missing)


def test_a_tree_is_laid_out_whole_or_not_at_all(store: BlobStore, tmp_path: Path) -> None:
    model, program = store.put(b"model").sha256, store.put(b"#!/bin/sh").sha256
    out = tmp_path / "serve" / "bundle"
    store.materialise([Item("model.txt", model), Item("bin/run", program, executable=True)], out)
    assert (out / "model.txt").read_bytes() == b"model"
    assert stat.S_IMODE((out / "model.txt").stat().st_mode) == 0o444
    assert stat.S_IMODE((out / "bin" / "run").stat().st_mode) == 0o555
    with pytest.raises(NotFound):
        store.materialise([Item("model.txt", sha256(b"nowhere"))], tmp_path / "none")
    with pytest.raises(InvalidInput):
        store.materialise([Item("../escape", model)], tmp_path / "none")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["blobs", "serve"]


def test_who_gets_a_tree_cannot_alter_the_stored_file(store: BlobStore, tmp_path: Path) -> None:
    model = store.put(b"model").sha256
    store.materialise([Item("model.txt", model)], tmp_path / "bundle")
    damage(tmp_path / "bundle" / "model.txt", b"other")
    assert store.read(model) == b"model"
    store.materialise([Item("model.txt", model)], tmp_path / "bundle")
    assert (tmp_path / "bundle" / "model.txt").read_bytes() == b"model"


@pytest.mark.parametrize(
    ("code", "error"), [(errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.EIO, Unavailable)]
)
def test_a_full_or_failing_disk_leaves_no_half_file(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception]
) -> None:
    def fails(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(error):
            store.put(b"content")
    assert left_over(store) == []
    assert not store.has(sha256(b"content"))
    assert store.read(store.put(b"content").sha256) == b"content"


def test_what_a_kill_left_behind_is_cleared_away_after_a_day(store: BlobStore) -> None:
    old, young = store._temporary / "old", store._temporary / "young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    store.start()
    assert left_over(store) == [young]


def test_a_name_that_is_no_hash_is_refused(store: BlobStore) -> None:
    for name in ("../../etc/passwd", "abc", "A" * 64, "0" * 63 + "\n", ""):
        with pytest.raises(InvalidInput):
            store.read(name)
