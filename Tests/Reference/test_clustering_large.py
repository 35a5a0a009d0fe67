"""More neighbours than 2^31: nine million rows with 256 each, against SciPy's k-d tree on a sample of rows.

Takes 14 GB of memory and some ten minutes on two cores, so that it runs where it is asked for alone: make check-large.
"""

import os

import numpy as np
import pytest
from scipy.spatial import cKDTree
from sklearn.metrics import adjusted_rand_score

from clustering_reference import cluster

ROWS, NEIGHBOURS, CLUSTERS = 9_000_000, 256, 40
SAMPLED_EDGES, SAMPLED_ROWS = 4000, 60

pytestmark = pytest.mark.skipif("COVEY_LARGE" not in os.environ, reason="takes 14 GB and ten minutes: make check-large")


def planted():
    """Clusters far from each other on a grid, and noise; the rows in an order of chance."""
    random = np.random.default_rng(3)
    kinds = random.integers(-1, CLUSTERS, ROWS)
    centres = 20.0 * np.stack(np.divmod(np.arange(CLUSTERS), 8), axis=1)
    scales = random.uniform(0.5, 1.5, CLUSTERS)
    rows = centres[kinds] + scales[kinds, None] * random.standard_normal((ROWS, 2))
    noise = kinds < 0
    rows[noise] = random.uniform(-20, 180, (int(noise.sum()), 2))
    return rows, kinds


def test_more_neighbours_than_an_int32_counts():
    assert ROWS * NEIGHBOURS > 2**31
    rows, kinds = planted()
    result = cluster(rows, 5000, min_samples=NEIGHBOURS)
    edges, labels = result["edges"], result["labels"]
    del result
    tree = cKDTree(rows)

    def cores(places):
        return tree.query(rows[places], k=NEIGHBOURS + 1, workers=-1)[0][:, -1]

    # Edges of any length are as long as they should be: whatever the place of their rows, in the tree or in the input.
    random = np.random.default_rng(4)
    sample = edges[np.sort(random.choice(len(edges), SAMPLED_EDGES, replace=False))]
    a, b = sample["from"], sample["to"]
    straight = np.sqrt(((rows[a] - rows[b]) ** 2).sum(1))
    np.testing.assert_allclose(sample["distance"], np.maximum(straight, np.maximum(cores(a), cores(b))), rtol=1e-9)
    # They make a tree, with the shortest edge of each row in it.
    assert len(edges) == ROWS - 1 and np.all(np.diff(edges["distance"]) >= 0)
    shortest = np.full(ROWS, np.inf)
    np.minimum.at(shortest, edges["from"], edges["distance"])
    np.minimum.at(shortest, edges["to"], edges["distance"])
    assert np.isfinite(shortest).all()
    for row in random.choice(ROWS, SAMPLED_ROWS, replace=False):
        others = np.array(
            [other for other in tree.query_ball_point(rows[row], shortest[row] * (1 + 1e-9)) if other != row]
        )
        straight = np.sqrt(((rows[others] - rows[row]) ** 2).sum(1))
        reach = np.maximum(straight, np.maximum(cores(others), cores([row])[0]))
        np.testing.assert_allclose(shortest[row], reach.min(), rtol=1e-9)
    # What was planted is found.
    clustered = (labels >= 0) & (kinds >= 0)
    assert labels.max() + 1 == CLUSTERS
    assert clustered.sum() > 0.9 * (kinds >= 0).sum()
    assert adjusted_rand_score(kinds[clustered], labels[clustered]) > 0.99
