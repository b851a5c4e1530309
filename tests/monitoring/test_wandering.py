"""Rows that wander beneath noise tell less than they are; a step in their middle is a change."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.monitoring.statistics.wandering import wandering_inflation


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def beneath_noise(rng: np.random.Generator, rows: int, correlation: float, share: float) -> NDArray[np.float64]:
    steps = rng.normal(size=rows) * np.sqrt(1.0 - correlation**2)
    slow = np.zeros(rows)
    for row in range(1, rows):
        slow[row] = correlation * slow[row - 1] + steps[row]
    found: NDArray[np.float64] = np.sqrt(share) * slow + np.sqrt(1.0 - share) * rng.normal(size=rows)
    return found[:, None]


def test_what_wanders_beneath_noise_tells_about_as_much_as_theory_says(rng: np.random.Generator) -> None:
    found = [wandering_inflation(beneath_noise(rng, 2500, 0.9, 0.15)) for _ in range(40)]
    assert 3.0 < float(np.median(found)) < 8.0  # 1 + 2 · 0.15 · 0.9 ÷ 0.1 = 3.7, and what is not sure on top


def test_of_independent_rows_nearly_all_count(rng: np.random.Generator) -> None:
    found = [wandering_inflation(rng.normal(size=(1000, 1))) for _ in range(100)]
    assert np.mean(np.array(found) == 1.0) > 0.8
    assert max(found) < 10.0


def test_rare_categories_are_not_suspected_for_coming_when_they_come(rng: np.random.Generator) -> None:
    found = [wandering_inflation((rng.random((600, 8)) < 0.01).astype(float)) for _ in range(100)]
    assert np.mean(np.array(found) == 1.0) > 0.8


def test_a_step_in_the_middle_is_no_wandering(rng: np.random.Generator) -> None:
    step = np.repeat([0.0, 1.0], 500)[:, None]
    found = [wandering_inflation(rng.normal(size=(1000, 1)) + step) for _ in range(40)]
    assert np.mean(np.array(found) == 1.0) > 0.7


@pytest.mark.parametrize("rows", [0, 1, 63, 500])
def test_constants_and_few_rows_are_as_many_as_they_are(rows: int) -> None:
    assert wandering_inflation(np.ones((rows, 1))) == 1.0
    assert wandering_inflation(np.zeros((rows, 0))) == 1.0
