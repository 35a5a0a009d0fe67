"""Branches inside clusters: beside hdbscan where it is installed, and by their own rules."""

import copy
import pickle

import covey
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import minimum_spanning_tree
from sklearn.metrics import adjusted_rand_score

OPTIONS = {"min_cluster_size": 100, "min_samples": 5, "branch_detection_data": True}


def star(arms: int, seed: int) -> np.ndarray:
    """A star of that many arms, and a round cluster far away."""
    random = np.random.default_rng(seed)
    parts = [random.normal(size=(150, 2)) * 0.2 + [12, 0]]
    for arm in range(arms):
        angle = 2 * np.pi * arm / arms
        along = random.uniform(0, 4, 150)
        middle = np.column_stack([along * np.cos(angle), along * np.sin(angle)])
        parts.append(middle + random.normal(size=(150, 2)) * 0.08)
    return random.permutation(np.vstack(parts))


@pytest.mark.parametrize("method", ["full", "core"])
@pytest.mark.parametrize("arms", [3, 4, 5])
def test_the_arms_of_a_star_are_branches(method: str, arms: int) -> None:
    rows = star(arms, seed=arms)
    clusterer = covey.HDBSCAN(**OPTIONS).fit(rows)
    found = covey.BranchDetector(method, min_cluster_size=20).fit(clusterer)
    assert max(map(len, found.branch_persistences_)) == arms
    largest = int(np.argmax([len(part) for part in found.branch_persistences_]))
    far = (found.cluster_labels_ == largest) & (np.hypot(rows[:, 0], rows[:, 1]) > 1.5)
    arm = np.round(np.arctan2(rows[:, 1], rows[:, 0]) / (2 * np.pi / arms)).astype(int) % arms
    assert adjusted_rand_score(arm[far], found.branch_labels_[far]) > 0.97
    for labels in (found.labels_, found.cluster_labels_):
        assert set(labels) - {-1} == set(range(labels.max() + 1))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", ["full", "core"])
def test_branches_beside_hdbscan(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hdbscan = pytest.importorskip("hdbscan")
    doubled = hdbscan.branches.extract_core_cluster_graph

    def once(*arguments: object) -> np.ndarray:
        edges = doubled(*arguments)
        return edges[np.unique(edges[:, :2], axis=0, return_index=True)[1]]

    # hdbscan adds up the distances of an edge that it meets twice.
    monkeypatch.setattr(hdbscan.branches, "extract_core_cluster_graph", once)
    for seed in range(6):
        rows = star(3 + seed % 3, seed)
        other = hdbscan.HDBSCAN(algorithm="prims_kdtree", **OPTIONS).fit(rows)
        clusterer = covey.HDBSCAN(**OPTIONS).fit(rows)
        theirs = hdbscan.BranchDetector(branch_detection_method=method, min_cluster_size=20).fit(other)
        ours = covey.BranchDetector(method, min_cluster_size=20).fit(clusterer)
        assert adjusted_rand_score(other.labels_, clusterer.labels_) == 1
        np.testing.assert_allclose(ours.centralities_, theirs.centralities_, rtol=1e-9)
        # Every row ties with the edges to it, so that hdbscan's own branches change with the order of the rows.
        assert adjusted_rand_score(theirs.labels_, ours.labels_) > (0.99 if method == "full" else 0.9)


def test_the_graph_holds_every_edge_within_the_radius() -> None:
    rows = star(3, 1)[:300]
    clusterer = covey.HDBSCAN(**{**OPTIONS, "min_cluster_size": 40}).fit(rows)
    found = covey.BranchDetector().fit(clusterer)
    tree = clusterer.minimum_spanning_tree_.to_pandas()
    _, edges = found.approximation_graph_.to_numpy()
    for cluster, members in enumerate(found.cluster_points_):
        inside = tree[tree["from"].isin(members) & tree["to"].isin(members)]
        distances = np.linalg.norm(rows[members][:, None] - rows[members][None], axis=2)
        expected = (np.triu(distances <= inside["distance"].max() + 1e-12, 1)).sum()
        assert abs(int((edges["component"] == cluster).sum()) - expected) <= 1
        # The selected tree is a minimum spanning tree by centrality.
        part = edges[edges["component"] == cluster]
        places = {row: place for place, row in enumerate(members)}
        ends = ([places[row] for row in part["parent"]], [places[row] for row in part["child"]])
        least = minimum_spanning_tree(csr_matrix((part["centrality"], ends), shape=(len(members),) * 2)).sum()
        assert found.linkage_trees_[cluster].to_numpy()[:, 2].sum() == pytest.approx(least, rel=1e-12)


def test_new_rows_are_on_the_branch_beside_which_they_stand() -> None:
    rows = star(4, 2)
    clusterer = covey.HDBSCAN(**OPTIONS, prediction_data=True).fit(rows)
    found = covey.BranchDetector(min_cluster_size=20).fit(clusterer)
    labels, probabilities, clusters, _, branches, _ = covey.approximate_predict_branch(found, rows)
    np.testing.assert_array_equal(clusters, found.cluster_labels_)
    np.testing.assert_array_equal(labels, found.labels_)
    assert ((0 <= probabilities) & (probabilities <= 1)).all()
    assert set(branches) <= set(found.branch_labels_)
    outside = covey.approximate_predict_branch(found, [[99.0, 99.0]])
    assert [values[0] for values in outside] == [-1, 0, -1, 0, 0, 1]


def test_given_labels_in_pieces_have_the_pieces_as_branches() -> None:
    random = np.random.default_rng(3)
    pair = np.vstack([random.normal(size=(60, 2)), random.normal(size=(60, 2)) + 30, [[15, 15]]])
    clusterer = covey.HDBSCAN(**{**OPTIONS, "min_cluster_size": 20}).fit(pair)
    # All ways between the two go through the last row, which is given as noise.
    found = covey.BranchDetector().fit(clusterer, np.r_[np.zeros(120, dtype=int), -1])
    assert found.labels_.tolist() == [0] * 60 + [1] * 60 + [-1] and found.cluster_labels_[:-1].max() == 0
    assert found.condensed_trees_ == [None] and found.exemplars_ == [None]


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, -1, 1], [-1, -1, -1], [2, -1, -1]])
def test_few_rows_and_empty_clusters(labels: list) -> None:
    clusterer = covey.HDBSCAN(min_cluster_size=2, branch_detection_data=True).fit([[0.0, 0], [0, 0], [5, 5]])
    for method in ("full", "core"):
        found = covey.BranchDetector(method).fit(clusterer, labels)
        np.testing.assert_array_equal(found.labels_ < 0, np.array(labels) < 0)
        assert np.isfinite(found.centralities_).all()


def test_rows_with_holes_are_noise_and_copies_keep_what_is_needed() -> None:
    rows = np.insert(star(3, 4), [0, 7], np.nan, axis=0)
    clusterer = covey.HDBSCAN(**OPTIONS, missing="noise", prediction_data=True).fit(rows)
    found = covey.BranchDetector("core", min_cluster_size=20).fit(clusterer)
    assert (found.labels_[np.isnan(rows[:, 0])] == -1).all() and max(map(len, found.branch_persistences_)) == 3
    whole = covey.HDBSCAN(**OPTIONS).fit(rows[~np.isnan(rows[:, 0])])
    other = covey.BranchDetector("core", min_cluster_size=20).fit(whole)
    assert adjusted_rand_score(found.labels_[~np.isnan(rows[:, 0])], other.labels_) > 0.99
    for twin in (copy.deepcopy(clusterer), pickle.loads(pickle.dumps(clusterer))):
        np.testing.assert_array_equal(
            covey.BranchDetector("core", min_cluster_size=20).fit(twin).labels_, found.labels_
        )
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(found)).labels_, found.labels_)


@pytest.mark.parametrize(
    "metric",
    [
        {"metric": "manhattan"},
        {"metric": "chebyshev"},
        {"metric": "minkowski", "p": 3},
        {"metric": "seuclidean", "V": [1, 4]},
    ],
)
def test_branches_by_other_metrics(metric: dict) -> None:
    clusterer = covey.HDBSCAN(**OPTIONS, **metric).fit(star(3, 5))
    found = covey.BranchDetector(min_cluster_size=20).fit(clusterer)
    assert max(map(len, found.branch_persistences_)) >= 3


@pytest.mark.parametrize(
    "parameter",
    [
        ("min_cluster_size", 1),
        ("min_cluster_size", 2.5),
        ("branch_detection_method", "all"),
        ("cluster_selection_method", "x"),
        ("cluster_selection_epsilon", -1),
        ("cluster_selection_persistence", -1),
        ("label_sides_as_branches", 3),
    ],
)
def test_parameters_that_cannot_be(parameter: tuple) -> None:
    clusterer = covey.HDBSCAN(min_cluster_size=5, branch_detection_data=True).fit(star(3, 6))
    with pytest.raises(covey.InvalidArgumentError, match=parameter[0]):
        covey.BranchDetector(**dict([parameter])).fit(clusterer)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(covey.InvalidArgumentError, match="branch_detection_data"):
        covey.BranchDetector().fit(covey.HDBSCAN().fit(star(3, 7)))
    with pytest.raises(covey.NotFittedError, match="not fitted"):
        covey.BranchDetector().exemplars_
    clusterer = covey.HDBSCAN(branch_detection_data=True).fit(star(3, 7))
    with pytest.raises(covey.MismatchError, match="labels"):
        covey.BranchDetector().fit(clusterer, [0, 1])
    with pytest.raises(covey.InvalidArgumentError, match="labels"):
        covey.BranchDetector().fit(clusterer, np.full(len(clusterer.labels_), 2**40))
