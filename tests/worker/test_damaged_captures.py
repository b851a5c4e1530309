"""Captures that can no longer be read stop a job with the file's name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from fakes.watched import Watched, times

from engine.data.damaged_captures import naming_damage
from engine.errors import BadData


def rows(count: int, seed: int) -> pl.DataFrame:
    return pl.DataFrame({"size": np.random.default_rng(seed).normal(50.0, 10.0, count)}).with_columns(times(count))


@pytest.mark.parametrize("left", [0, 4, 3000])
def test_a_damaged_file_of_captures_is_named_with_the_way_out(left: int, tmp_path: Path) -> None:
    watched = Watched(tmp_path / "w")
    watched.learn(rows(2000, seed=0))
    whole, half = watched.capture(rows(700, seed=1)), watched.capture(rows(700, seed=2), "half")
    path = watched.captures / half
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(BadData, match=r"half\.parquet in .* is damaged") as told:
        watched.check(whole, half)
    assert "move it away" in told.value.hint
    path.unlink()
    assert watched.check(whole, half).rows == 700


def test_what_fails_for_another_reason_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(pl.exceptions.ComputeError, match="otherwise"), naming_damage([path, tmp_path / "gone"]):
        raise pl.exceptions.ComputeError("otherwise")
