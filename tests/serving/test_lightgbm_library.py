from pathlib import Path

import pytest

from engine.serving import lightgbm_library
from engine.serving.lightgbm_library import VARIABLE, library_paths
from engine.serving.problems import BadBundle


@pytest.fixture(autouse=True)
def load_anew() -> None:
    lightgbm_library.lightgbm_library.cache_clear()


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.so"))
    with pytest.raises(BadBundle, match=r"no .*/none\.so"):
        lightgbm_library.lightgbm_library()


def test_a_missing_openmp_runtime_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A copy of the library that asks for a libgomp nobody has."""
    real = next(path for path in library_paths() if path.is_file())
    copy = tmp_path / "lib_lightgbm.so"
    copy.write_bytes(real.read_bytes().replace(b"libgomp.so.1\0", b"libgomp.so.x\0"))
    monkeypatch.setenv(VARIABLE, str(copy))
    with pytest.raises(BadBundle, match=r"needs libgomp\.so\.1") as refused:
        lightgbm_library.lightgbm_library()
    assert "scikit_learn.libs/libgomp" in refused.value.hint


def test_what_is_no_library_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no ELF")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "text.so"))
    with pytest.raises(BadBundle, match="cannot be loaded"):
        lightgbm_library.lightgbm_library()
