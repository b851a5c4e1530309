"""The statistics against scipy's, and their examples run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats
from scipy.spatial import distance as spatial

import engine.monitoring.statistics as statistics
from engine.monitoring.column_now import Arrival, ColumnNow
from engine.monitoring.statistics.beta import lower_beta
from engine.monitoring.statistics.chi_square import SMALLEST_EXPECTED, chi_square_p_value, pool_small
from engine.monitoring.statistics.dependence import inflation_of, neighbour_agreement, neighbour_correlation
from engine.monitoring.statistics.gamma import upper_gamma
from engine.monitoring.statistics.jensen_shannon import beyond_chance, expected_divergence, jensen_shannon
from engine.monitoring.statistics.kolmogorov import ks_critical_distance, ks_p_value
from engine.monitoring.statistics.ks import ks_distance
from engine.monitoring.statistics.proportions import rarer_p_value, shares_p_value
from engine.monitoring.statistics.psi import equal_bins, psi
from engine.monitoring.statistics.wasserstein import wasserstein

MODULES = sorted(module.name for module in pkgutil.iter_modules(statistics.__path__))
counts = st.lists(st.integers(0, 500), min_size=2, max_size=30)


@pytest.mark.parametrize("name", MODULES)
def test_every_statistic_has_an_example_that_is_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"{statistics.__name__}.{name}"))
    assert found.attempted and not found.failed


@given(st.floats(0.5, 3000), st.floats(0, 5000))
def test_the_gamma_tail_is_scipys(shape: float, x: float) -> None:
    assert upper_gamma(shape, x) == pytest.approx(special.gammaincc(shape, x), rel=1e-9, abs=1e-280)


@given(st.floats(0.5, 3000), st.floats(0.5, 3000), st.floats(0, 1))
def test_the_beta_tail_is_scipys(a: float, b: float, x: float) -> None:
    assert lower_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("rows", [(10_000, 500), (10_000, 1_000), (5_000, 5_000), (100_000, 3_000)])
@pytest.mark.parametrize("scaled", [0.5, 1.0, 1.5, 2.5, 3.5])
def test_the_p_value_of_a_distance_is_the_exact_one_nearly(rows: tuple[int, int], scaled: float) -> None:
    together = round(rows[0] * rows[1] / sum(rows))
    distance = scaled / together**0.5
    assert ks_p_value(distance, *rows) == pytest.approx(stats.kstwo.sf(distance, together), rel=0.15)


def test_a_critical_distance_has_the_p_value_it_was_asked_for() -> None:
    for p_value in (1e-2, 1e-5, 1e-9):
        assert ks_p_value(ks_critical_distance(p_value, 8000, 700), 8000, 700) == pytest.approx(p_value, rel=0.02)


def test_the_distance_of_sorted_values_at_all_edges_is_scipys() -> None:
    rng = np.random.default_rng(0)
    before, now = np.sort(rng.normal(size=400)), np.sort(rng.normal(0.2, 1.3, size=300))
    edges = np.unique(np.concatenate([before, now]))
    below = [np.searchsorted(values, edges, side="right") / len(values) for values in (before, now)]
    assert ks_distance(*below) == pytest.approx(stats.ks_2samp(before, now).statistic)


@given(counts, st.integers(0, 2**32 - 1))
def test_chi_square_of_two_samples_is_scipys(before: list[int], seed: int) -> None:
    now = np.random.default_rng(seed).integers(0, 300, len(before))
    table = np.array([before, now])
    if (table.sum(axis=1) == 0).any() or ((table.sum(axis=0) > 0).sum() < 2):
        assert chi_square_p_value(*table) == 1.0
        return
    filled = table[:, table.sum(axis=0) > 0]
    expected = stats.chi2_contingency(filled, correction=False).pvalue
    assert chi_square_p_value(*table) == pytest.approx(expected, rel=1e-7, abs=1e-280)


@given(counts, st.integers(0, 2**32 - 1))
def test_pooled_cells_expect_ten_rows_or_are_one(before: list[int], seed: int) -> None:
    now = np.random.default_rng(seed).integers(0, 40, len(before))
    groups = pool_small(np.array(before), now)
    together, smaller = np.array(before) + now, min(sum(before), int(now.sum()))
    if not smaller:
        assert set(groups) == {0}
        return
    expected = np.bincount(groups, weights=together / together.sum() * smaller)
    assert len(expected) == 1 or expected.min() >= SMALLEST_EXPECTED - 1e-9
    assert sorted(set(groups)) == list(range(len(expected)))


@given(counts, st.integers(0, 2**32 - 1))
def test_jensen_shannon_is_scipys_in_bits(before: list[int], seed: int) -> None:
    now = np.random.default_rng(seed).integers(0, 300, len(before))
    if not sum(before) or not now.sum():
        assert jensen_shannon(np.array(before), now) == 0.0
        return
    assert jensen_shannon(np.array(before), now) == pytest.approx(spatial.jensenshannon(before, now, base=2), abs=1e-7)


def test_what_chance_makes_of_a_distance_is_known_and_taken_off() -> None:
    rng, shares = np.random.default_rng(1), np.full(30, 1 / 30)
    raw = [jensen_shannon(rng.multinomial(20_000, shares), rng.multinomial(600, shares)) for _ in range(300)]
    assert np.mean(np.square(raw)) == pytest.approx(expected_divergence(30, 20_000, 600), rel=0.05)
    assert np.median([beyond_chance(distance, 30, 20_000, 600) for distance in raw]) < 0.03 < np.median(raw)


def test_wasserstein_is_scipys_within_a_bins_crossing() -> None:
    rng = np.random.default_rng(2)
    before = np.sort(rng.lognormal(size=5000))
    ranks = np.ceil(np.arange(1, 257) / 256 * 5000).astype(int)
    starts = np.concatenate(([0], ranks[:-1]))
    means = np.add.reduceat(before, starts) / (ranks - starts)
    for now in (
        rng.lognormal(0.3, 1.1, 3777),
        rng.lognormal(0, 0.5, 7),
        np.full(3, 2.0),
        rng.integers(0, 5, 999) * 1.0,
    ):
        ordered = np.sort(now)
        assert wasserstein(ranks / 5000, means, ordered) == pytest.approx(
            stats.wasserstein_distance(before, ordered), rel=0.01
        )


def test_shares_are_compared_as_by_yates_and_rare_ones_never_sooner_than_exactly() -> None:
    table = [[9_900, 100], [940, 60]]
    assert shares_p_value(100, 10_000, 60, 1_000) == pytest.approx(stats.chi2_contingency(table).pvalue)
    for rare, hits in ((0, 3), (2, 4), (3, 10)):
        exact = stats.fisher_exact([[10_000 - rare, rare], [1_000 - hits, hits]]).pvalue
        assert shares_p_value(rare, 10_000, hits, 1_000) >= exact
    assert shares_p_value(100, 1_000, 0, 1_000) < 1e-9


def test_values_a_small_reference_never_saw_say_little() -> None:
    assert rarer_p_value(0, 100, 20, 10_000) > 0.5
    assert rarer_p_value(0, 10_000, 20, 1_000) < 1e-20


def test_psi_of_the_same_counts_is_nothing_and_an_empty_bin_is_finite() -> None:
    assert psi([10, 0, 5], [100, 0, 50]) == 0.0
    assert psi([10, 90], [100, 0]) < 10


@given(st.lists(st.integers(1, 50), min_size=1, max_size=256))
def test_bins_are_joined_without_losing_one(fine: list[int]) -> None:
    starts = equal_bins(fine)
    assert 1 <= len(starts) <= 10 and starts[0] == 0
    assert np.add.reduceat(fine, starts).sum() == sum(fine)


def test_neighbours_that_have_nothing_to_do_with_each_other_do_not_correlate() -> None:
    rng = np.random.default_rng(3)
    found = [neighbour_correlation(rng.normal(size=1000)) for _ in range(200)]
    agreed = [neighbour_agreement(rng.integers(0, 4, 1000)) for _ in range(200)]
    assert sum(map(bool, found)) <= 3 and sum(map(bool, agreed)) <= 3


def test_an_autoregression_is_found_and_costs_what_bartlett_says() -> None:
    rng = np.random.default_rng(4)
    values = np.zeros(20_000)
    noise = rng.normal(size=20_000)
    for row in range(1, 20_000):
        values[row] = 0.9 * values[row - 1] + noise[row]
    assert inflation_of(neighbour_correlation(values)) == pytest.approx(19, rel=0.1)
    assert neighbour_agreement((values > 0).astype(int)) == pytest.approx(2 / np.pi * np.arcsin(0.9), abs=0.03)


def test_rows_on_both_sides_of_a_break_are_no_neighbours() -> None:
    codes = np.array([0, 1] * 20)
    assert neighbour_agreement(np.repeat(codes, 2)) == 0.0
    assert neighbour_agreement(np.sort(codes), np.array([20])) == pytest.approx(1.0)


@pytest.mark.parametrize(("first", "last"), [(45_800, 50_000), (0, 4_200), (14_000, 20_000), (0, 30_000), (10, 49_000)])
def test_a_stretch_without_a_value_tells_nothing_of_neighbours(first: int, last: int) -> None:
    """Of more than 16,384 rows four stretches are looked at; the newest of them was all null, and the check failed."""
    values: list[float | None] = np.random.default_rng(1).normal(size=50_000).tolist()
    values[first:last] = [None] * (last - first)
    number = ColumnNow(pl.Series(values, dtype=pl.Float64), Arrival(50_000))
    names = [None if value is None else f"c{value:.0f}" for value in values]
    category = ColumnNow(pl.Series(names, dtype=pl.String), Arrival(50_000))
    assert number.correlation < 0.1 and category.agreement < 0.1
    assert number.wandering < 2 and category.category_wandering < 2


def test_rows_on_either_side_of_a_gap_are_no_neighbours() -> None:
    ranks, codes = np.repeat([1.0, 9.0], 50), np.repeat([0, 1], 50)
    with_gap = np.array([50])
    assert neighbour_correlation(ranks, with_gap) > neighbour_correlation(ranks)
    assert neighbour_agreement(codes, with_gap) == 1.0 > neighbour_agreement(codes)
