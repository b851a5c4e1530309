"""Curves, whole and thinned out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.registry.queries.runs import _thinned


class Point:
    def __init__(self, candidate: str, step: int) -> None:
        self.candidate, self.key, self.step = candidate, "loss", step


def points(*lengths: int) -> Sequence[Point]:
    return [Point(str(curve), at) for curve, length in enumerate(lengths) for at in range(length)]


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=3), st.integers(1, 500))
def test_each_curve_keeps_its_ends_and_about_as_many_points_as_asked_for(lengths: list[int], most: int) -> None:
    kept = _thinned(points(*lengths), most)  # type: ignore[arg-type]
    for curve, length in enumerate(lengths):
        steps = [point.step for point in kept if point.candidate == str(curve)]
        assert (steps[0], steps[-1]) == (0, length - 1)
        assert len(steps) <= most + 1


@pytest.mark.parametrize("most", [100, 101, 5000])
def test_a_short_curve_is_left_alone(most: int) -> None:
    assert len(_thinned(points(100), most)) == 100  # type: ignore[arg-type]
