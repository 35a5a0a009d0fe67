"""Clustering from edges and lists of neighbours, and by parts, against hdbscan, SciPy and the clustering of all rows at
once."""

import numpy as np
import pytest
from hdbscan._hdbscan_linkage import label
from hdbscan._hdbscan_tree import compute_stability, condense_tree, get_clusters
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score

import covey
from covey.parts import edge_array


def blobs(seed, n=400, d=6, k=5):
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(k, d)) * 4
    spread = generator.uniform(0.3, 1.2, size=k)
    group = generator.integers(0, k, size=n)
    rows = centres[group] + generator.normal(size=(n, d)) * spread[group, None]
    rows[: n // 10] = generator.uniform(-8, 8, size=(n // 10, d))
    return rows


def same_partition(a, b):
    pairs = set(zip(a.tolist(), b.tolist()))
    return len(pairs) == len(set(a.tolist())) == len(set(b.tolist())) and ((a == -1) == (b == -1)).all()


def reach_of(rows, k, alpha=1.0):
    distances = cdist(rows, rows)
    cores = np.sort(distances, axis=1)[:, k]
    reach = np.maximum(np.maximum(distances / alpha, cores[:, None]), cores[None, :])
    np.fill_diagonal(reach, 0)
    return distances, cores, reach


def hdbscan_labels(n, edges, min_cluster_size):
    """hdbscan's own single linkage, condensed tree and labels of spanning edges."""
    table = np.array([[e["from"], e["to"], e["distance"]] for e in edges])
    linkage = label(np.ascontiguousarray(table[np.argsort(table[:, 2], kind="stable")]))
    tree = condense_tree(linkage, min_cluster_size)
    return get_clusters(tree, compute_stability(tree))[:2]


@pytest.mark.parametrize("seed", range(4))
def test_edges_of_a_graph(seed):
    rows = blobs(seed)
    distances, cores, reach = reach_of(rows, 5)
    upper = np.triu_indices(len(rows), 1)
    model = covey.cluster_edges(
        len(rows), (*upper, distances[upper]), core_distances=cores, min_cluster_size=8, min_samples=5
    )
    tree = minimum_spanning_tree(csr_matrix(reach))
    assert np.isclose(model.minimum_spanning_tree_.to_numpy()[:, 2].sum(), tree.sum(), rtol=1e-12)
    # hdbscan gives rows at a tied distance to either of two clusters that merge there.
    labels, strengths = hdbscan_labels(len(rows), edge_array(tree), 8)
    assert np.mean(model.labels_ == -1) == pytest.approx(np.mean(labels == -1), abs=0.02)
    assert adjusted_rand_score(model.labels_, labels) > 0.95
    # Without ties the two agree in all.
    plain = covey.cluster_edges(len(rows), (*upper, distances[upper]), min_cluster_size=8)
    labels, strengths = hdbscan_labels(len(rows), edge_array(minimum_spanning_tree(csr_matrix(distances))), 8)
    assert same_partition(plain.labels_, labels)
    assert np.allclose(plain.probabilities_, strengths, atol=1e-9)
    whole = covey.HDBSCAN(min_cluster_size=8, min_samples=5).fit(rows)
    assert (model.labels_ == whole.labels_).all()
    assert model.connected_parts_ == 1
    given = covey.cluster_edges(len(rows), csr_matrix(tree), min_cluster_size=8, min_samples=5)
    assert (given.labels_ == whole.labels_).all()
    assert np.allclose(given.outlier_scores_, whole.outlier_scores_)
    shuffled = np.random.default_rng(seed).permutation(edge_array(tree))
    assert (covey.cluster_edges(len(rows), shuffled, min_cluster_size=8).labels_ == whole.labels_).all()


def test_parts_of_a_graph_stay_apart(tmp_path):
    rows = np.concatenate([blobs(1, 150, 3, 2), blobs(2, 120, 3, 2) + 500, blobs(3, 3, 3, 1) - 900])
    distances, cores, reach = reach_of(rows, 4)
    reach[cdist(rows, rows) > 300] = 0
    graph = csr_matrix(np.triu(reach))
    count, part = connected_components(graph, directed=False)
    assert count == 4 or count == 3
    model = covey.cluster_edges(len(rows), graph, min_cluster_size=10)
    assert model.connected_parts_ == count
    edges = model.minimum_spanning_tree_.to_numpy()
    finite = np.isfinite(edges[:, 2])
    assert finite.sum() == len(rows) - count and np.isclose(edges[finite, 2].sum(), minimum_spanning_tree(graph).sum())
    for cluster in range(model.labels_.max() + 1):
        assert len(set(part[model.labels_ == cluster])) == 1
    assert (model.labels_[-3:] == -1).all() and (model.probabilities_[-3:] == 0).all()
    joined = edge_array(edges)
    labels, strengths = hdbscan_labels(len(rows), joined, 10)
    assert same_partition(model.labels_, labels)
    model.save(tmp_path / "parts")
    again = covey.HDBSCAN.load(tmp_path / "parts")
    assert (again.labels_ == model.labels_).all() and (again.probabilities_ == model.probabilities_).all()
    assert covey.cluster_edges(5, []).labels_.tolist() == [-1] * 5
    assert covey.cluster_edges(0, []).labels_.tolist() == []


@pytest.mark.parametrize("seed", range(3))
def test_lists_of_neighbours(seed):
    rows = blobs(seed, 600)
    distances, cores, reach = reach_of(rows, 5)
    whole = covey.HDBSCAN(min_cluster_size=8, min_samples=5).fit(rows)
    order = np.argsort(distances, axis=1, kind="stable")
    for k in (5, 30, 600):
        indices = order[:, : min(k + 1, 600)]
        model = covey.cluster_neighbours(
            indices, np.take_along_axis(distances, indices, 1), min_cluster_size=8, min_samples=5
        )
        if k == 600:
            assert model.certified_edges_ == 599 and (model.labels_ == whole.labels_).all()
        # Certified edges are those of a spanning tree of all pairs: their lengths occur there.
        lengths = np.sort(whole.minimum_spanning_tree_.to_numpy()[:, 2])
        own = np.sort(model.minimum_spanning_tree_.to_numpy()[:, 2])
        assert (own >= lengths * (1 - 1e-12)).all()
        if model.certified_edges_ == 599:
            assert np.allclose(own, lengths, rtol=1e-12) and (model.labels_ == whole.labels_).all()
        assert np.isclose(own[:, None], lengths, rtol=1e-12).any(1).sum() >= model.certified_edges_
    padded = np.concatenate([indices[:, :20], np.full((600, 2), -1)], axis=1)
    model = covey.cluster_neighbours(padded, np.zeros((600, 22)), min_samples=3)
    assert (model.probabilities_[model.labels_ >= 0] == 1).all()


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([(0, 1, 1.0), (1, 3, 1.0)], r"edges\[1\] must join two of the rows 0 to 2, got 1 and 3"),
        ([(0, -1, 1.0)], r"edges\[0\] must join"),
        ([(2, 2, 1.0)], r"edges\[0\] joins row 2 to itself"),
        ([(0, 1, -1.0)], r"edges\[0\].distance must be finite and at least 0, got -1"),
        ([(0, 1, np.nan)], r"edges\[0\].distance must be finite"),
        ([(0, 1, np.inf)], r"edges\[0\].distance must be finite"),
        ([(0, 1, 1.0), (1, 2, 1.0), (0, 1, 1.0)], r"edges\[2\] repeats edges\[0\]"),
        ([(0, 1, 1.0), (1, 0, 2.0)], r"edges must be symmetric, got 1.0 in edges\[0\] and 2.0 in edges\[1\]"),
        ([(0.5, 1, 1.0)], "whole numbers"),
        ([(0, 1)], "m x 3"),
    ],
)
def test_bad_edges(edges, message):
    with pytest.raises(covey.CoveyError, match=message):
        covey.cluster_edges(3, edges)


def test_bad_lists_and_cores():
    good = [[1, 2], [0, 2], [1, 0]], [[1.0, 2.0], [1.0, 1.5], [1.5, 2.0]]
    assert covey.cluster_neighbours(*good, min_samples=2).connected_parts_ == 1
    for indices, distances, message in [
        ([[1, 1], [0, 2], [1, 0]], good[1], r"indices\[0\] must not repeat a row, got 1 twice"),
        ([[1, 3], [0, 2], [1, 0]], good[1], r"indices\[0\]\[1\] must be -1 or a row"),
        (good[0], [[1.0, np.nan], [1.0, 1.5], [1.5, 2.0]], r"distances\[0\]\[1\] must be finite"),
        (good[0], [[1.0, -2.0], [1.0, 1.5], [1.5, 2.0]], r"distances\[0\]\[1\] must be finite"),
        ([[1], [0], [1]], [[1.0], [1.0], [1.5]], "k must be at least min_samples"),
        (good[0], [[1.0], [1.0], [1.5]], "n x k"),
    ]:
        with pytest.raises(covey.CoveyError, match=message):
            covey.cluster_neighbours(indices, distances, min_samples=2)
    with pytest.raises(covey.CoveyError, match=r"core_distances\[1\] must be finite"):
        covey.cluster_edges(3, [(0, 1, 1.0)], core_distances=[1.0, -1.0, 1.0])
    with pytest.raises(covey.CoveyError, match="prediction_data"):
        covey.cluster_edges(3, [(0, 1, 1.0)], prediction_data=True)
    with pytest.raises(covey.CoveyError, match="metric"):
        covey.cluster_edges(3, [(0, 1, 1.0)], metric="euclidean")


# ------------------------------------------------------------------------------------------------------------- by parts


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_nearest(metric):
    rows, queries = blobs(7, 500), blobs(8, 60)
    names = {"manhattan": "cityblock"}
    distances = cdist(queries, rows, names.get(metric, metric))
    expected = np.argsort(distances, axis=1, kind="stable")[:, :7]
    indices, found = covey.nearest(queries, rows, 7, metric=metric)
    assert (indices == expected).all() and np.allclose(found, np.take_along_axis(distances, expected, 1), atol=1e-12)
    merged = None
    for part in (slice(300, 500), slice(0, 1), slice(1, 300), slice(100, 200)):  # the last one a second time
        numbers = np.arange(500)[part] + 10**12
        merged = covey.nearest(queries, rows[part], 7, row_numbers=numbers, metric=metric, merge=merged)
    assert (merged[0] == indices + 10**12).all() and (merged[1] == found).all()
    few, far = covey.nearest(queries, rows[:3], 7, metric=metric)
    assert (few[:, 3:] == -1).all() and np.isinf(far[:, 3:]).all()


def parts_of(rows, count, k, alpha=1.0, metric="euclidean"):
    """The labels' tree by parts: global core distances, pairs of blocks, one forest."""
    n = len(rows)
    blocks = [np.arange(start, min(n, start + -(-n // count))) for start in range(0, n, -(-n // count))]
    cores = np.empty(n)
    for own in blocks:
        lists = None
        for other in blocks:
            lists = covey.nearest(
                rows[own], rows[other], k, query_numbers=own, row_numbers=other, merge=lists, metric=metric
            )
        cores[own] = lists[1][:, k - 1]
    forests = []
    for i, own in enumerate(blocks):
        for other in blocks[i + 1 :] or ([] if len(blocks) > 1 else [own[:0]]):
            both = np.concatenate([own, other])
            forests.append(covey.spanning_edges(rows[both], cores[both], row_numbers=both, alpha=alpha, metric=metric))
    return cores, forests


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_parts_give_the_labels_of_all_rows(count, metric):
    for seed in range(3):
        rows = blobs(seed, 900, 8, 6)
        whole = covey.HDBSCAN(min_cluster_size=10, min_samples=4, metric=metric).fit(rows)
        cores, forests = parts_of(rows, count, 4, metric=metric)
        edges = covey.merge_edges(len(rows), *forests)
        assert len(edges) == len(rows) - 1
        again = covey.merge_edges(len(rows), *[np.random.default_rng(0).permutation(f) for f in reversed(forests)])
        assert edges.tobytes() == again.tobytes()
        model = covey.cluster_edges(len(rows), edges, min_cluster_size=10, min_samples=4)
        assert model.labels_.tobytes() == whole.labels_.tobytes()
        assert np.allclose(model.probabilities_, whole.probabilities_, atol=1e-12)


def test_bad_parts():
    rows = blobs(0, 20)
    for call, message in [
        (lambda: covey.nearest(rows, rows[:, :3], 2), "columns"),
        (lambda: covey.nearest(rows, rows, 0), "k must be"),
        (lambda: covey.nearest(rows, rows, 2, row_numbers=np.zeros(20)), "row_numbers must ascend"),
        (lambda: covey.nearest(rows, rows, 2, query_numbers=np.full(20, -1)), "query_numbers"),
        (lambda: covey.nearest(rows, rows, 2, merge=(np.ones((20, 2)), np.ones((20, 2)))), "must ascend"),
        (lambda: covey.nearest(rows, np.where(rows > 0, np.nan, rows), 2), "finite"),
        (lambda: covey.spanning_edges(rows, np.full(20, np.nan)), "core_distances"),
        (lambda: covey.spanning_edges(rows, np.ones(19)), "20 values"),
        (lambda: covey.spanning_edges(rows, np.ones(20), alpha=0), "alpha"),
        (lambda: covey.spanning_edges(rows, np.ones(20), metric="chebyshev"), "metric"),
        (lambda: covey.merge_edges(2, [(0, 2, 1.0)]), "must join two of the rows"),
    ]:
        with pytest.raises(covey.CoveyError, match=message):
            call()
    assert len(covey.spanning_edges(rows[:0], [])) == 0 and len(covey.merge_edges(3)) == 0


def test_blocks_of_different_widths_are_refused():
    with pytest.raises(covey.MismatchError, match="queries.columns must be 4, as in rows, got 3"):
        covey.nearest(np.zeros((2, 3)), np.zeros((5, 4)), 1)
