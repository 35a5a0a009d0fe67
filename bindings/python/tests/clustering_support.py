"""Rows and options that the tests of covey.HDBSCAN share."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(3)
    centres = random.normal(scale=8, size=(6, 5))
    blobs = [centre + random.normal(scale=0.3 + 0.2 * i, size=(150, 5)) for i, centre in enumerate(centres)]
    return np.vstack([*blobs, random.uniform(-20, 20, size=(100, 5))])


SETTINGS = [
    {},
    {"min_cluster_size": 20},
    {"min_cluster_size": 10, "min_samples": 3},
    {"min_cluster_size": 8, "cluster_selection_method": "leaf"},
    {"min_cluster_size": 5, "cluster_selection_epsilon": 1.0},
    {"min_cluster_size": 10, "max_cluster_size": 120},
    {"min_cluster_size": 10, "alpha": 1.3},
    {"min_cluster_size": 10, "metric": "manhattan"},
    {"min_cluster_size": 10, "allow_single_cluster": True},
]


def same_partition(ours, theirs):
    """Equal labels up to numbering, noise as noise."""
    assert np.array_equal(ours == -1, theirs == -1)
    assert len(set(zip(ours, theirs))) == len(set(ours)) == len(set(theirs))
