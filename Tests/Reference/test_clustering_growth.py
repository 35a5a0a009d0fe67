"""How the work of a clustering grows with the rows, counted in pairs that searches look at: from n to 2 n rows of
shapes on which it was quadratic, and of some on which it still grows faster than the rows. Time is the benchmarks'."""

import ctypes

import numpy as np
import pytest

from clustering_reference import cluster
from clustering_shapes import far_row, one_hot_and_noise, sentinels, sphere
from covey._library import library

ROWS = 12_000


def zeros_beside(random, n, share, d):
    rows = random.normal(size=(n, d))
    rows[random.random(n) < share] = 0
    return rows


SHAPES = {
    "2 columns": lambda random, n: random.normal(size=(n, 2)),
    "all equal": lambda random, n: np.ones((n, 2)),
    "half equal, 2 columns": lambda random, n: zeros_beside(random, n, 0.5, 2),
    "3 distinct rows": lambda random, n: random.normal(size=(3, 16))[random.integers(0, 3, n)],
    "1,000 distinct rows": lambda random, n: random.normal(size=(1000, 64))[random.integers(0, 1000, n)],
    "60 one-hot columns": lambda random, n: np.eye(60)[random.integers(0, 60, n)],
    "12 boolean columns": lambda random, n: random.integers(0, 2, (n, 12)).astype(float),
    "cosine, one direction": lambda random, n: np.outer(random.uniform(1, 9, n), random.normal(size=16)),
    "cosine, multiples of profiles": lambda random, n: (
        np.random.default_rng(1).integers(1, 9, (50, 6))[random.integers(0, 50, n)] * random.integers(1, 40, (n, 1))
    ).astype(float),
}

#: Shapes of which the work is known to grow faster than the rows: few of their distances are much smaller than the
#: others, or searches do not see yet that they are.
FASTER = {
    "sphere, 16 columns": lambda random, n: sphere(random, n, 16),
    "normal, 16 columns": lambda random, n: random.normal(size=(n, 16)),
    "16 boolean columns": lambda random, n: random.integers(0, 2, (n, 16)).astype(float),
    "60 one-hot columns and one of noise": lambda random, n: one_hot_and_noise(random, n, 60),
    "sentinels, 8 columns": lambda random, n: sentinels(random, n, 8),
    "one far row, 8 columns": lambda random, n: far_row(random, n, 8),
}


def pairs(rows, **options):
    work = library._open().covey_test_search_work
    work.restype = ctypes.c_int64
    work()
    cluster(rows, 5, **options)
    return work()


@pytest.mark.parametrize("search", ["exact", "approximate"])
@pytest.mark.parametrize("name", SHAPES)
def test_work_is_nearly_linear(name, search):
    options = {"metric": "cosine"} if name.startswith("cosine") else {"algorithm": search}
    few, many = (pairs(SHAPES[name](np.random.default_rng(0), n), **options) for n in (ROWS, 2 * ROWS))
    assert many <= 2.5 * few + 1_000_000, f"{few} pairs, then {many}"


@pytest.mark.parametrize("name", FASTER)
def test_work_is_at_most_quadratic(name, record_property):
    few, many = (pairs(FASTER[name](np.random.default_rng(0), n)) for n in (ROWS, 2 * ROWS))
    record_property("growth", many / few)
    print(f"{name}: {few:,} pairs, then {many:,}: {many / few:.2f} times as many")
    assert many <= 4.2 * few


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4])
def test_equal_rows_are_less_work(share):
    plain, equal = (pairs(zeros_beside(np.random.default_rng(0), ROWS, part, 12)) for part in (0, share))
    assert equal <= plain * 1.05


def beside(rows, count, spread):
    """The rows among `count` others that lie at 0, or nearly there."""
    others = spread * np.random.default_rng(2).normal(size=(count, rows.shape[1]))
    return np.random.default_rng(1).permutation(np.concatenate([rows, others]))


@pytest.mark.parametrize("search", ["exact", "approximate"])
def test_rows_that_an_attacker_repeats_are_no_work(search):
    rows = np.random.default_rng(0).normal(size=(ROWS, 12))
    plain = pairs(rows, algorithm=search)
    for share in (0.1, 0.2, 0.4, 0.8):
        count = round(ROWS * share / (1 - share))
        assert pairs(beside(rows, count, 0), algorithm=search) <= 1.02 * plain + 50 * count, share
    # What it costs if equal rows are searched one by one: the count sees it.
    assert pairs(beside(rows, ROWS, 1e-3), algorithm=search) > 2 * plain


@pytest.mark.parametrize("search", ["exact", "approximate"])
@pytest.mark.parametrize("columns", [8, 16, 64])
def test_a_far_row_is_no_work(columns, search):
    random = np.random.default_rng(0)
    plain = pairs(random.normal(size=(ROWS, columns)), algorithm=search)
    assert pairs(far_row(np.random.default_rng(0), ROWS, columns), algorithm=search) <= 1.2 * plain + 1_000_000
