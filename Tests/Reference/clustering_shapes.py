"""Made rows on which searches go wrong, and a child process that clusters them all: `clustering_shapes.py [FIRST
LAST]`.

Searches begin with sizes for a few dozen rows (`covey_test_small_searches`), so that cells, groups, tiles, joins and
the sample that measures recall are all met.
"""

import sys

import numpy as np
from scipy.spatial.distance import cdist

from clustering_reference import cluster
from covey._library import library

COUNT = 300


def directions(random, n, d):
    rows = random.integers(0, 4, (4, d)) + np.eye(4, d)
    return rows[random.integers(0, 4, n)] * random.integers(1, 30, (n, 1))


def far_row(random, n, d):
    rows = random.normal(size=(n, d))
    rows[random.integers(n)] = 1e8
    return rows


def sentinels(random, n, d):
    rows = random.normal(size=(n, d))
    rows[random.random((n, d)) < 0.05] = -999999
    return rows


def half_equal(random, n, d):
    rows = random.normal(size=(n, d))
    rows[: n // 2] = rows[0]
    return random.permutation(rows)


def sphere(random, n, d):
    rows = random.normal(size=(n, d))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def one_hot(random, n, d):
    return np.eye(d)[random.integers(0, d, n)]


def one_hot_and_noise(random, n, d):
    return np.column_stack([one_hot(random, n, d), random.normal(size=n)])


SHAPES = {
    "normal": lambda random, n, d: random.normal(size=(n, d)),
    "few distinct rows": lambda random, n, d: random.normal(size=(6, d))[random.integers(0, 6, n)],
    "distinct rows in turn": lambda random, n, d: random.normal(size=(12, d))[np.arange(n) % 12],
    "constant": lambda random, n, d: np.full((n, d), 0.1),
    "half equal": half_equal,
    "one-hot": one_hot,
    "one-hot and noise": one_hot_and_noise,
    "boolean": lambda random, n, d: random.integers(0, 2, (n, d)).astype(float),
    "small integers": lambda random, n, d: random.integers(0, 4, (n, d)).astype(float),
    "huge": lambda random, n, d: random.normal(size=(n, d)) * 1e90,
    "tiny": lambda random, n, d: random.normal(size=(n, d)) * 1e-90,
    "both": lambda random, n, d: random.normal(size=(n, d)) * 10.0 ** random.integers(-30, 30, (n, 1)),
    "heavy tails": lambda random, n, d: random.standard_cauchy((n, d)),
    "heavier tails": lambda random, n, d: random.standard_cauchy((n, d)) ** 5,
    "a far row": far_row,
    "sentinels": sentinels,
    "sphere": sphere,
    "directions": directions,
    "a line": lambda random, n, d: random.normal(size=(n, 1)) * np.ones(d),
    "far from 0": lambda random, n, d: 1e7 + random.normal(size=(n, d)).round(2),
}


def shape(number):
    """Rows, and the neighbour of the core distance."""
    random = np.random.default_rng(number)
    make = list(SHAPES.values())[number % len(SHAPES)]
    n, d = int(random.integers(20, 160)), int(random.integers(1, 30))
    rows = make(random, n, d)
    if number // len(SHAPES) % 3 == 1:
        with np.errstate(over="ignore"):
            single = rows.astype(np.float32)
        if np.isfinite(single).all():
            rows = single
    return rows, int(random.integers(1, min(n, 12)))


def mutual_reachability(rows, k, metric="euclidean", alpha=1.0):
    rows = np.asarray(rows, float)
    if metric == "cosine":
        # Half the squared distance of rows of length 1; what float64 cannot tell from 0 is 0.
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        distances = cdist(rows, rows, "sqeuclidean") / 2
        distances[distances < 2**-50] = 0
    else:
        distances = cdist(rows, rows, {"manhattan": "cityblock"}.get(metric, metric))
    cores = np.sort(distances, axis=1)[:, k]
    return np.maximum(np.maximum(cores[:, None], cores[None]), distances / alpha)


def spanning_weights(reach):
    """Prim's algorithm on all pairs; ascending."""
    best, left, weights, last = np.full(len(reach), np.inf), np.ones(len(reach), bool), [], 0
    for _ in range(len(reach) - 1):
        left[last] = False
        best = np.minimum(best, reach[last])
        last = np.flatnonzero(left)[np.argmin(best[left])]
        weights.append(best[last])
    return np.sort(weights)


def check(number, metric, algorithm, alpha):
    rows, k = shape(number)
    if metric == "cosine" and not np.abs(rows).max(1).all():
        return
    found = cluster(
        rows,
        5,
        threads=1 + number % 3,
        metric=metric,
        algorithm=algorithm,
        min_samples=k,
        alpha=alpha,
        prediction_data=number % 4 == 0,
    )
    edges = found["edges"]
    assert len(edges) == len(rows) - 1
    reach = mutual_reachability(rows, k, metric, alpha)
    weights, truth = edges["distance"], spanning_weights(reach)
    # What rounding may do to a distance of far numbers, whose squares are summed in another order here.
    slack = 1e-9 * truth + 1e-30 * truth.max()
    if metric == "cosine":
        slack += 4e-15 * np.sqrt(truth) + 2**-49
    if algorithm == "exact":
        assert (np.abs(weights - truth) <= slack).all(), np.abs(weights / truth - 1).max()
    else:
        assert (weights >= truth - slack).all(), "a spanning tree shorter than the shortest"
        least = reach[edges["from"], edges["to"]]
        assert (weights >= least * (1 - 1e-9)).all(), "an edge shorter than its rows are apart"


def main(first, last):
    small = library._open().covey_test_small_searches
    for number in range(first, last):
        name = list(SHAPES)[number % len(SHAPES)]
        for lowered in (1, 0):
            small(lowered)
            for metric, algorithm, alpha in (
                ("euclidean", "exact", 1.0),
                ("euclidean", "approximate", 1.0),
                ("manhattan", "exact", 1.0),
                ("cosine", "exact", 1.0),
                ("euclidean", "exact", 0.5),
                ("euclidean", "approximate", 1e10),
            ):
                print(f"{number} ({name}, {metric}, {algorithm}, alpha {alpha}, small {lowered})", flush=True)
                check(number, metric, algorithm, alpha)
    small(0)


if __name__ == "__main__":
    main(*([int(number) for number in sys.argv[1:]] or [0, COUNT]))
