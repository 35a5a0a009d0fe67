"""A row of weight w against w equal rows, in every result."""

import copy
import pickle

import covey
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix


def sample(seed: int, grid: bool = False) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(80, 3)) + np.repeat([[0, 0, 0], [6, 1, 0], [0, 7, 3], [9, 9, 9]], 20, axis=0)
    weights = random.choice([0, 1, 1, 1, 2, 3, 12], size=80)
    return (np.round(rows) if grid else rows), weights


OPTIONS = [
    {}, {"min_samples": 2}, {"cluster_selection_method": "leaf"},
    {"allow_single_cluster": True, "min_cluster_size": 60}, {"metric": "manhattan"}, {"metric": "cosine"},
    {"metric": "seuclidean", "V": np.array([1.0, 2, 3])}, {"metric": "chebyshev"}, {"metric": "haversine"},
    {"cluster_selection_epsilon": 1.5}, {"max_cluster_size": 30}, {"strengths": "bounded"},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_weights_are_copies(options: dict, seed: int) -> None:
    grid = seed % 2 == 1 and options.get("metric") not in ("chebyshev", "haversine")
    rows, weights = sample(seed, grid)
    if options.get("metric") == "haversine":
        rows = rows[:, :2] / 10
    repeated = np.repeat(rows, weights, axis=0)
    source = np.repeat(np.arange(80), weights)
    options = {
        "min_cluster_size": 8,
        "prediction_data": options.get("metric") not in ("chebyshev", "haversine"),
        **options,
    }
    found = covey.HDBSCAN(**options).fit(rows, sample_weight=weights)
    expected = covey.HDBSCAN(**options).fit(repeated)
    # The same clusters; their numbers follow from the depth of the tree, which copies add to.
    number = {-1: -1, **dict(zip(expected.labels_.tolist(), found.labels_[source].tolist()))}
    renumbered = np.array([number[label] for label in expected.labels_.tolist()])
    np.testing.assert_array_equal(found.labels_[source], renumbered)
    assert len(set(number.values())) == len(number)
    np.testing.assert_allclose(found.probabilities_[source], expected.probabilities_, atol=1e-12)
    np.testing.assert_allclose(found.outlier_scores_[source], expected.outlier_scores_, atol=1e-12)
    order = [number[label] for label in range(len(expected.cluster_persistence_))]
    np.testing.assert_allclose(found.cluster_persistence_[order], expected.cluster_persistence_, atol=1e-6)
    if not grid:
        # It is read from the edges of the spanning tree, and equal distances leave a choice among these.
        np.testing.assert_allclose(found.relative_validity_, expected.relative_validity_, atol=1e-12)
    assert (found.labels_[weights == 0] == -1).all()
    tree, other = found.condensed_tree_.to_numpy(), expected.condensed_tree_.to_numpy()
    assert tree["child_size"][tree["child"] < 80].sum() == weights.sum()
    np.testing.assert_array_equal(
        np.sort(tree[tree["child"] >= 80]["child_size"]), np.sort(other[other["child"] >= len(repeated)]["child_size"])
    )
    merges = found.single_linkage_tree_.to_numpy()
    assert merges.shape == (79, 4) and merges[-1, 3] == weights.sum()
    for distance in (0.5, 1.5, 3.0):
        np.testing.assert_array_equal(
            found.dbscan_clustering(distance, 4)[source] < 0, expected.dbscan_clustering(distance, 4) < 0
        )
    for label, ours in enumerate(order):
        np.testing.assert_allclose(
            found.weighted_cluster_centroid(ours), expected.weighted_cluster_centroid(label), atol=1e-12
        )
        np.testing.assert_allclose(
            found.weighted_cluster_medoid(ours), expected.weighted_cluster_medoid(label), atol=1e-12
        )
    if options["prediction_data"]:
        new = np.random.default_rng(9).normal(size=(50, rows.shape[1])) * 5 + 3
        (labels, strengths), (others, expected_strengths) = (
            covey.approximate_predict(each, new) for each in (found, expected)
        )
        np.testing.assert_array_equal(labels, [number[label] for label in others.tolist()])
        np.testing.assert_allclose(strengths, expected_strengths, atol=1e-12)
        np.testing.assert_allclose(found.membership(new)[:, order], expected.membership(new), atol=1e-9)
        np.testing.assert_array_equal(found.predict(rows[weights > 0]), found.labels_[weights > 0])
    assert str(found.condensed_tree_.to_newick()).count(",") == str(expected.condensed_tree_.to_newick()).count(",")


def test_weights_stay_with_what_is_fitted(tmp_path: object) -> None:
    rows, weights = sample(0)
    fitted = covey.HDBSCAN(min_cluster_size=8, prediction_data=True).fit(rows, sample_weight=weights)
    path = f"{tmp_path}/weighted"
    fitted.save(path)
    new = rows + 0.3
    for again in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted), covey.HDBSCAN.load(path)):
        np.testing.assert_array_equal(again.labels_, fitted.labels_)
        np.testing.assert_array_equal(
            covey.approximate_predict(again, new)[1], covey.approximate_predict(fitted, new)[1]
        )
        other, expected = again.select(min_cluster_size=15), covey.HDBSCAN(min_cluster_size=15, min_samples=8)
        np.testing.assert_array_equal(other.labels_, expected.fit(rows, sample_weight=weights).labels_)
    later = covey.HDBSCAN(min_cluster_size=8).fit(rows, sample_weight=weights)
    later.generate_prediction_data()
    np.testing.assert_array_equal(later.labels_, fitted.labels_)
    np.testing.assert_array_equal(later.predict(new), fitted.predict(new))
    with pytest.raises(covey.UnsupportedError, match="weights"):
        later.generate_branch_detection_data()


def test_weights_of_every_kind_of_container() -> None:
    rows, weights = sample(1)
    expected = covey.HDBSCAN().fit(rows, sample_weight=weights).labels_
    for given in (
        weights.tolist(),
        weights.astype(float),
        weights.astype(np.uint8),
        pd.Series(weights),
        weights.astype("i8")[::1],
    ):
        np.testing.assert_array_equal(covey.HDBSCAN().fit_predict(rows, sample_weight=given), expected)
    ones = covey.HDBSCAN().fit(rows, sample_weight=np.ones(80))
    np.testing.assert_array_equal(ones.labels_, covey.HDBSCAN().fit(rows).labels_)


@pytest.mark.parametrize("wrong", [-1, np.nan, np.inf, 0.5, 2.0**31])
def test_weights_that_cannot_be(wrong: float) -> None:
    rows, weights = sample(2)
    given = weights.astype(float)
    given[7] = wrong
    with pytest.raises(covey.InvalidArgumentError, match=r"sample_weight\[7\] must be a whole number"):
        covey.HDBSCAN().fit(rows, sample_weight=given)


def test_weights_that_do_not_fit() -> None:
    rows, weights = sample(2)
    with pytest.raises(covey.MismatchError, match="sample_weight must have 80 values"):
        covey.HDBSCAN().fit(rows, sample_weight=weights[1:])
    with pytest.raises(covey.InvalidArgumentError, match="must not be zero for all rows"):
        covey.HDBSCAN().fit(rows, sample_weight=np.zeros(80))
    with pytest.raises(covey.InvalidArgumentError, match="1 dimension"):
        covey.HDBSCAN().fit(rows, sample_weight=np.ones((80, 2)))
    with pytest.raises(covey.InvalidArgumentError, match="add up to at most"):
        covey.HDBSCAN().fit(rows, sample_weight=np.full(80, 2**30))
    distances = csr_matrix(np.abs(rows[:, None] - rows).sum(axis=2))
    for clusterer, given in (
        (covey.HDBSCAN(metric="precomputed"), distances),
        (covey.HDBSCAN(branch_detection_data=True), rows),
    ):
        with pytest.raises(covey.UnsupportedError, match="sample_weight"):
            clusterer.fit(given, sample_weight=weights)


def test_a_missing_row_of_weight_zero_is_left_out() -> None:
    rows, weights = sample(3)
    weights[5] = 0
    rows[5] = np.nan
    assert covey.HDBSCAN().fit(rows, sample_weight=weights).labels_[5] == -1
    weights[6], rows[6] = 4, np.inf
    with pytest.raises(covey.InvalidDataError, match="row 6"):
        covey.HDBSCAN(missing="reject").fit(rows, sample_weight=weights)
    with pytest.warns(UserWarning, match="1 of 80 rows have a NaN or an infinity, the first of them row 6"):
        covey.HDBSCAN().fit(rows, sample_weight=weights)
    found = covey.HDBSCAN(missing="noise").fit(rows, sample_weight=weights)
    tree = found.condensed_tree_.to_numpy()
    assert tree[tree["child"] == 6]["child_size"].tolist() == [4] and tree[tree["child"] == 5][
        "child_size"
    ].tolist() == [0]
    assert found.single_linkage_tree_.to_numpy()[-1, 3] == weights.sum()


def test_one_heavy_row_among_few() -> None:
    # Time and memory follow the rows that are given, not those that they stand for.
    rows = np.random.default_rng(4).normal(size=(200, 2))
    weights = np.ones(200, dtype=int)
    weights[17] = 10**9
    found = covey.HDBSCAN(allow_single_cluster=True).fit(rows, sample_weight=weights)
    assert found.labels_[17] >= 0
    assert found.single_linkage_tree_.to_numpy()[-1, 3] == 10**9 + 199
