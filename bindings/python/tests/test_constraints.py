"""Constraints between rows, against Kruskal's algorithm on all pairs, written plainly; dendrograms, against hdbscan."""

import itertools

import hdbscan
import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from scipy.sparse import coo_matrix
from scipy.spatial.distance import cdist, pdist

import covey


def blobs(seed, n=120):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, 3)) + 6 * generator.integers(0, 3, (n, 1))


def pairs(generator, n, count):
    return np.array([generator.choice(n, 2, replace=False) for _ in range(count)])


def kruskal(n, edges, must, cannot):
    """Sets of rows, joined while no set holds a forbidden pair; the sets and the edges that joined them."""
    sets = [{row} for row in range(n)]
    kept = []

    def find(row):
        return next(members for members in sets if row in members)

    for distance, a, b in [(0.0, *pair) for pair in must] + sorted(edges):
        first, second = find(a), find(b)
        if first is second or (distance > 0 and any({x, y} <= first | second for x, y in cannot)):
            continue
        sets.remove(second)
        first |= second
        kept.append(distance)
    return {frozenset(members) for members in sets}, sorted(kept)


def parts(n, forest):
    return kruskal(n, [(d, int(a), int(b)) for a, b, d in forest.tolist()], [], [])[0]


@pytest.mark.parametrize("seed", range(6))
def test_all_pairs_under_constraints(seed):
    generator = np.random.default_rng(seed)
    rows = blobs(seed, 60)
    distances = cdist(rows, rows)
    must = pairs(generator, 60, 3)
    joined = np.arange(60)
    for a, b in must:
        joined[joined == joined[b]] = joined[a]
    cannot = np.array([pair for pair in pairs(generator, 60, 12) if joined[pair[0]] != joined[pair[1]]])
    upper = np.triu_indices(60, 1)
    forest = covey.constrain_edges(60, (*upper, distances[upper]), must_link=must, cannot_link=cannot)
    edges = [(distances[a, b], int(a), int(b)) for a, b in zip(*upper)]
    sets, lengths = kruskal(60, edges, must.tolist(), cannot.tolist())
    assert parts(60, forest) == sets
    assert np.sort(forest["distance"]).tolist() == lengths


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("metric", ["euclidean", "canberra", "angular", "cosine"])
def test_clusters_keep_the_constraints(seed, metric):
    generator = np.random.default_rng(seed)
    rows = blobs(seed) + 20
    cannot = pairs(generator, 120, 40)
    found = covey.HDBSCAN(min_cluster_size=4, metric=metric, cannot_link=cannot, allow_single_cluster=True).fit(rows)
    labels = found.labels_[cannot]
    assert ((labels[:, 0] != labels[:, 1]) | (labels[:, 0] == -1)).all()
    must = pairs(generator, 120, 10)
    found = covey.HDBSCAN(min_cluster_size=4, metric=metric, must_link=must).fit(rows)
    labels = found.labels_[must]
    assert (labels[:, 0] == labels[:, 1]).all() and found.labels_.max() >= 0


def test_forms_of_constraints():
    rows = blobs(1)
    cannot = pairs(np.random.default_rng(1), 120, 30)
    matrix = coo_matrix((np.ones(30), cannot.T), shape=(120, 120))
    expected = covey.HDBSCAN(cannot_link=cannot).fit(rows).labels_
    for form in (cannot.tolist(), matrix, (matrix + matrix.T).tocsr()):
        assert (covey.HDBSCAN(cannot_link=form).fit(rows).labels_ == expected).all()
    groups = np.full(120, -1)
    groups[::5] = np.arange(24) % 4
    found = covey.HDBSCAN(cannot_link_groups=groups).fit(rows).labels_
    for group in range(4):
        labels = found[groups == group]
        assert len(set(labels[labels >= 0])) == (labels >= 0).sum()
    listed = [pair for group in range(4) for pair in itertools.combinations(np.flatnonzero(groups == group), 2)]
    assert (covey.HDBSCAN(cannot_link=np.array(listed)).fit(rows).labels_ == found).all()


def test_no_constraints_change_nothing():
    rows = blobs(2)
    plain = covey.HDBSCAN().fit(rows)
    for empty in ([], np.empty((0, 2), dtype=int), coo_matrix((120, 120))):
        found = covey.HDBSCAN(must_link=empty, cannot_link=empty).fit(rows)
        assert (found.labels_ == plain.labels_).all()
        assert np.allclose(found.probabilities_, plain.probabilities_)


def test_rows_with_holes_are_noise():
    rows = blobs(3)
    rows[7] = np.nan
    with pytest.warns(UserWarning, match="1 of 120 rows"):
        found = covey.HDBSCAN(cannot_link=[[1, 2]]).fit(rows)
    assert found.labels_[7] == -1 and found.labels_.max() >= 1


@pytest.mark.parametrize(
    "constraints,error,message",
    [
        ({"must_link": [[1, 2], [2, 3]], "cannot_link": [[1, 3]]}, covey.InvalidDataError, "forbids rows 1 and 3"),
        ({"cannot_link": [[4, 4]]}, covey.InvalidDataError, r"cannot_link\[0\] must be two of the rows"),
        ({"must_link": [[0, 120]]}, covey.InvalidDataError, r"must_link\[0\] must be two of the rows"),
        ({"must_link": [[-1, 2]]}, covey.InvalidDataError, r"must_link\[0\] must be two of the rows"),
        ({"cannot_link": [1, 2, 3]}, covey.InvalidArgumentError, "m x 2 row numbers"),
        ({"cannot_link": coo_matrix((3, 3))}, covey.MismatchError, "must be 120 x 120"),
        ({"cannot_link_groups": [1] * 5}, covey.MismatchError, "120"),
        ({"cannot_link_groups": [-2] * 120}, covey.InvalidDataError, "at least -1"),
        ({"cannot_link": [[0, 1]], "cannot_link_groups": [-1] * 120}, covey.InvalidArgumentError, "exclude each other"),
        ({"cannot_link": [[0, 1]], "prediction_data": True}, covey.UnsupportedError, "prediction_data"),
    ],
)
def test_constraints_that_cannot_be(constraints, error, message):
    with pytest.raises(error, match=message):
        covey.HDBSCAN(**constraints).fit(blobs(0))


@pytest.mark.parametrize("method", ["single", "average", "complete"])
@pytest.mark.parametrize("seed", range(3))
def test_dendrograms_are_condensed_as_by_hdbscan(method, seed):
    rows = blobs(seed)
    dendrogram = linkage(pdist(rows), method)
    for size in (3, 8):
        expected = hdbscan._hdbscan_tree.condense_tree(dendrogram, size)
        found = covey.condense_hierarchy(dendrogram, size).to_numpy()
        assert len(found) == len(expected)
        members = found["child"] < len(rows)
        own = np.zeros(len(rows))
        own[found["child"][members]] = found["lambda_val"][members]
        other = np.zeros(len(rows))
        kept = expected["child"] < len(rows)
        other[expected["child"][kept]] = expected["lambda_val"][kept]
        assert np.allclose(own, other)
        assert np.allclose(np.sort(found["child_size"]), np.sort(expected["child_size"]))


def test_dendrograms_that_cannot_be():
    good = linkage(blobs(0))
    with pytest.raises(covey.InvalidTypeError, match="SciPy"):
        covey.condense_hierarchy(good[:, :2], 5)
    wrong = good.copy()
    wrong[3, 0] = 900
    with pytest.raises(covey.InvalidDataError, match=r"dendrogram\[3\] must join"):
        covey.condense_hierarchy(wrong, 5)
    with pytest.raises(covey.InvalidDataError, match="ascend"):
        covey.condense_hierarchy(good[[1, 0, *range(2, len(good))]], 5)
    with pytest.raises(covey.InvalidDataError, match="must be a tree|edges"):
        repeated = good.copy()
        repeated[:, :2] = [0, 1]
        covey.condense_hierarchy(repeated, 5)
