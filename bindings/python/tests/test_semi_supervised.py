"""Clusters that agree with known labels, against the definition node by node."""

import pickle

import covey
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score


def blobs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of lumps close together, so that labels decide whether a pair is one cluster; a few rows are labelled."""
    random = np.random.default_rng(seed)
    centres = [(0, 0), (1.6, 0), (12, 0), (13.6, 0), (0, 12), (1.5, 12)]
    rows = np.vstack([random.normal(size=(50, 2)) * 0.4 + centre for centre in centres])
    lump = np.repeat(np.arange(6), 50)
    # The first pair is one class, the second two; the third is not labelled.
    truth = np.array([0, 0, 1, 2, -1, -1])[lump]
    labels = np.where(random.uniform(size=300) < 0.2, truth, -1)
    return rows, labels


def naive(tree: np.ndarray, labels: np.ndarray, single_rows: bool, allow_root: bool) -> list:
    """HDBSCAN*(BC) node by node, by sets of rows."""
    n = len(labels)
    known = {row for row in range(n) if labels[row] >= 0}
    totals = {label: int((labels == label).sum()) for label in set(labels[labels >= 0])}
    below: dict = {}
    for parent, child, _, _ in tree.tolist():
        below.setdefault(parent, []).append(child)
    births = {child: lambda_value for _, child, lambda_value, _ in tree.tolist()}

    def inside(node: int) -> list:
        return [row for child in below[node] for row in (inside(child) if child >= n else [child])]

    def score(members: list) -> float:
        found = 0.0
        for row in members:
            same = sum(labels[other] == labels[row] for other in members)
            precision, recall = same / len(members), same / totals[labels[row]]
            found += 2 / (1 / precision + 1 / recall) / len(known)
        return found

    def best(node: int) -> tuple:
        members = [row for row in inside(node) if row in known]
        parts = [best(child) for child in below[node] if child >= n]
        lost = [score([row]) for row in below[node] if row in known] if parts and single_rows else []
        stability = sum((lam - births.get(node, 0)) * size for parent, _, lam, size in tree.tolist() if parent == node)
        gain, total = sum(part[0] for part in parts) + sum(lost), sum(part[1] for part in parts)
        own = score(members)
        if gain > own + 1e-7 or (abs(gain - own) <= 1e-7 and total > stability):
            return gain, total, [chosen for part in parts for chosen in part[2]]
        return own, stability, [node]

    if allow_root:
        return sorted(best(n)[2])
    return sorted(chosen for child in below[n] if child >= n for chosen in best(child)[2])


@pytest.mark.parametrize("algorithm", ["bc", "bc_simple"])
@pytest.mark.parametrize("allow_single_cluster", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_the_nodes_are_those_of_the_definition(algorithm: str, allow_single_cluster: bool, seed: int) -> None:
    rows, labels = blobs(seed)
    found = covey.HDBSCAN(
        min_cluster_size=8, semi_supervised=True, ss_algorithm=algorithm, allow_single_cluster=allow_single_cluster
    ).fit(rows, labels)
    tree = found.condensed_tree_.to_numpy()
    chosen = sorted(found.condensed_tree_.selected_nodes.tolist())
    assert chosen == naive(tree, labels, algorithm == "bc", allow_single_cluster)


def test_labels_decide_what_is_one_cluster() -> None:
    rows, labels = blobs(1)
    found = covey.HDBSCAN(min_cluster_size=8, semi_supervised=True).fit(rows, labels).labels_
    truth = np.repeat([0, 0, 1, 2, 3, 3], 50)
    main = [np.bincount(found[truth == group] + 1)[1:].argmax() for group in range(3)]
    assert len(set(main)) == 3  # the first pair together, the second apart
    assert (found[:50][found[:50] >= 0] == main[0]).mean() > 0.9 and (
        found[50:100][found[50:100] >= 0] == main[0]
    ).mean() > 0.9


def test_everything_follows_the_choice() -> None:
    rows, labels = blobs(2)
    fitted = covey.HDBSCAN(min_cluster_size=8, semi_supervised=True, prediction_data=True).fit(rows, labels)
    np.testing.assert_array_equal(fitted.predict(rows), fitted.labels_)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.labels_, fitted.labels_)
    later = covey.HDBSCAN(min_cluster_size=8, semi_supervised=True).fit(rows, labels)
    later.generate_prediction_data()
    np.testing.assert_array_equal(later.labels_, fitted.labels_)
    given = np.where(labels < 0, np.nan, labels.astype(float))
    np.testing.assert_array_equal(
        covey.HDBSCAN(min_cluster_size=8, semi_supervised=True).fit_predict(rows, given), fitted.labels_
    )
    spoilt = rows.copy()
    spoilt[np.flatnonzero(labels >= 0)[0]] = np.nan
    covey.HDBSCAN(min_cluster_size=8, semi_supervised=True, missing="noise").fit(spoilt, labels)
    weights = np.random.default_rng(0).integers(0, 4, 300)
    weighted = covey.HDBSCAN(min_cluster_size=8, semi_supervised=True).fit(rows, labels, sample_weight=weights)
    repeated = covey.HDBSCAN(min_cluster_size=8, semi_supervised=True).fit(
        np.repeat(rows, weights, axis=0), np.repeat(labels, weights)
    )
    assert adjusted_rand_score(np.repeat(weighted.labels_, weights), repeated.labels_) == 1
    # Without labels in y nothing changes.
    np.testing.assert_array_equal(covey.HDBSCAN().fit(rows, labels).labels_, covey.HDBSCAN().fit(rows).labels_)


@pytest.mark.parametrize(
    ("options", "y", "match"),
    [
        ({}, None, "needs y"), ({}, [-1] * 300, "at least one label"), ({}, [0] * 299, "300 values"),
        ({}, [0.5] * 300, "whole numbers"), ({"cluster_selection_method": "leaf"}, [0] * 300, "eom"),
        ({"cluster_selection_epsilon": 1.0}, [0] * 300, "epsilon"),
        ({"max_cluster_size": 9}, [0] * 300, "max_cluster_size"),
        ({"ss_algorithm": "nothing"}, [0] * 300, "ss_algorithm"),
        ({"semi_supervised": 3}, [0] * 300, "semi_supervised"),
    ],
)  # fmt: skip
def test_what_cannot_be(options: dict, y: object, match: str) -> None:
    with pytest.raises(covey.CoveyError, match=match):
        covey.HDBSCAN(**{"semi_supervised": True, **options}).fit(blobs(0)[0], y)
