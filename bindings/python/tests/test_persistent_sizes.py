"""Persistent leaves over all sizes, against fast-plscan and against fitting at every size."""

import numpy as np
import pytest

import covey


def made(seed, columns=2):
    random = np.random.default_rng(seed)
    lumps = [
        random.normal(
            random.uniform(-9, 9, columns), random.uniform(0.2, 0.7), size=(random.integers(30, 220), columns)
        )
        for _ in range(random.integers(3, 9))
    ]
    return np.vstack([*lumps, random.uniform(-10, 10, size=(80, columns))])


@pytest.mark.parametrize("seed", range(12))
def test_the_trace_is_that_of_fast_plscan(seed):
    plscan = pytest.importorskip("fast_plscan._api")
    rows = made(seed, 2 + seed % 3)
    # Plain distances, of which no two are equal: from our spanning tree on all is determined.
    ours = covey.HDBSCAN(min_cluster_size=5, min_samples=1).fit(rows)
    edges = ours.minimum_spanning_tree_.to_numpy()
    tree = plscan.SpanningTree(
        edges[:, 0].astype(np.uint32), edges[:, 1].astype(np.uint32), edges[:, 2].astype(np.float32)
    )
    linkage = plscan.compute_linkage_tree(tree, len(rows))
    leaves = plscan.compute_leaf_tree(plscan.compute_condensed_tree(linkage, tree, len(rows), 5.0), len(rows), 5.0)
    theirs = plscan.compute_size_persistence(leaves)
    sizes, persistence = ours.size_trace()
    # There a size is where leaves begin just above. Sizes at which leaves end and none begins are in ours alone.
    found = dict(zip((sizes - 1).tolist(), persistence.tolist()))
    expected = dict(zip(theirs.min_size.tolist(), theirs.persistence.tolist()))
    assert len(expected) > 2
    for size, value in expected.items():
        assert found.get(size, 0.0) == pytest.approx(value, abs=1e-3), size
    best = max(expected, key=expected.get)
    assert max(found.values()) == pytest.approx(expected[best])
    selected = plscan.apply_size_cut(leaves, best)
    assert ours.select_persistent().labels_.max() + 1 == len(selected)


@pytest.mark.parametrize("seed", range(4))
def test_the_trace_is_that_of_fits_at_every_size(seed):
    rows = made(seed)
    # Without ties, which are merged with the size in mind.
    fitted = covey.HDBSCAN(min_cluster_size=4, min_samples=1).fit(rows)
    sizes, persistence = fitted.size_trace()
    assert len(sizes) and (np.diff(sizes) > 0).all() and persistence[-1] == 0
    # The obvious way: the leaves at every size, and how many sizes each lasts, by the rows that begin it.
    alive = {}
    for size in range(4, int(sizes[-1]) + 2):
        tree = covey.HDBSCAN(min_cluster_size=size, min_samples=1, cluster_selection_method="leaf").fit(rows)
        alive[size] = tree.labels_.max() + 1
    for here, there in zip(sizes, sizes[1:]):
        # Between two sizes of the trace no leaf begins or ends.
        assert len({alive[size] for size in range(here, there)}) == 1
    assert alive[int(sizes[-1])] == 0


def test_layers():
    rows = made(7)
    fitted = covey.HDBSCAN(min_cluster_size=4, min_samples=3, prediction_data=True).fit(rows)
    layers = fitted.layers()
    assert layers and all(np.array_equal(layer.predict(rows), layer.labels_) for layer in layers)
    counts = [layer.labels_.max() for layer in layers]
    assert counts == sorted(counts, reverse=True)
    best = fitted.select_persistent()
    assert any(np.array_equal(layer.labels_, best.labels_) for layer in layers)
    assert len(fitted.layers(most=1)) == 1 and np.array_equal(fitted.layers(most=1)[0].labels_, best.labels_)


def test_one_lump_has_no_sizes():
    rows = np.random.default_rng(0).normal(size=(6, 2))
    fitted = covey.HDBSCAN(min_cluster_size=5).fit(rows)
    assert fitted.size_trace()[0].shape == (0,) and (fitted.select_persistent().labels_ == -1).all()
    assert fitted.layers() == []
