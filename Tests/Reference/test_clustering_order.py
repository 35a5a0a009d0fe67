"""Rows of few distinct values, whose distances tie: nothing depends on their order, and equal rows are never parted."""

import numpy as np
import pytest

from clustering_reference import cluster
from clustering_shapes import mutual_reachability, spanning_weights
from covey._library import library

OF_ROWS = ("labels", "probabilities", "outlier_scores")
SETS = 1000


@pytest.fixture(params=["exact", "exact with small sizes", "approximate with small sizes"])
def search(request):
    library._open().covey_test_small_searches(request.param != "exact")
    yield request.param.split()[0]
    library._open().covey_test_small_searches(0)


def small_integers(seed):
    random = np.random.default_rng(seed)
    n, d = int(random.integers(6, 60)), int(random.integers(1, 5))
    rows = random.integers(0, random.integers(2, 6), (n, d)).astype(float)
    return rows, int(random.integers(2, 6)), int(random.integers(1, 5)), random.permutation(n)


def check_permuted(rows, order, size, samples, search):
    found, permuted = (cluster(r, size, min_samples=samples, algorithm=search) for r in (rows, rows[order]))
    for name in OF_ROWS:
        assert np.array_equal(permuted[name], found[name][order]), name
    assert np.array_equal(permuted["persistence"], found["persistence"])
    return found


def check_together(rows, labels):
    _, group = np.unique(rows, axis=0, return_inverse=True)
    pairs = np.unique(np.column_stack([group.ravel(), labels]), axis=0)
    assert len(pairs) == group.max() + 1


def test_small_integers(search):
    for seed in range(SETS):
        rows, size, samples, order = small_integers(seed)
        found = check_permuted(rows, order, size, samples, search)
        check_together(rows, found["labels"])
        if search == "exact":
            truth = spanning_weights(mutual_reachability(rows, samples))
            np.testing.assert_allclose(found["edges"]["distance"], truth, rtol=1e-12)


def test_six_rows(search):
    rows = np.array([(1, 3), (3, 1), (1, 1), (1, 0), (3, 3), (3, 0)], float)
    for seed in range(48):
        check_permuted(rows, np.random.default_rng(seed).permutation(6), 2, 1, search)


def test_one_column(search):
    rows = np.array([[3, 1, 1, 2, 0, 3, 2, 1, 1, 3]], float).T
    check_together(rows, cluster(rows, 3, min_samples=2, algorithm=search)["labels"])


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_boolean_columns(metric):
    random = np.random.default_rng(0)
    rows = random.integers(0, 2, (2000, 8)).astype(np.float32)
    found = cluster(rows, 5, metric=metric)
    for _ in range(8):
        order = random.permutation(len(rows))
        permuted = cluster(rows[order], 5, metric=metric)
        for name in OF_ROWS:
            assert np.array_equal(permuted[name], found[name][order]), name
    check_together(rows, found["labels"])


def test_single_and_double_precision_agree():
    rows = np.random.default_rng(3).integers(0, 6, (500, 3))
    single, double = (cluster(rows.astype(kind), 5) for kind in ("f4", "f8"))
    for name in OF_ROWS:
        assert np.array_equal(single[name], double[name]), name
