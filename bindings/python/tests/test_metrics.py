"""Every metric against the matrix of its distances, by SciPy and scikit-learn."""

import covey
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import haversine_distances

ROWS = np.random.default_rng(0).gamma(2, size=(300, 4)) + np.repeat(
    [[0, 0, 0, 0], [9, 1, 2, 9], [1, 9, 9, 3]], 100, axis=0
)
COVARIANCE = np.cov(ROWS.T)
METRICS = [
    ("chebyshev", {}), ("minkowski", {"p": 3.0}), ("minkowski", {"p": 1.5}), ("canberra", {}), ("braycurtis", {}),
    ("correlation", {}), ("cityblock", {}), ("cosine", {}), ("sqeuclidean", {}),
    ("seuclidean", {"V": ROWS.var(axis=0)}), ("mahalanobis", {"VI": np.linalg.inv(COVARIANCE)}),
]  # fmt: skip


def tree_of(clusterer: covey.HDBSCAN) -> np.ndarray:
    return clusterer.single_linkage_tree_.to_numpy()[:, 2]


@pytest.mark.parametrize(("metric", "parameters"), METRICS)
def test_a_metric_is_what_scipy_measures(metric: str, parameters: dict) -> None:
    distances = cdist(ROWS, ROWS, metric, **parameters)
    np.fill_diagonal(distances, 0)
    options = {"min_cluster_size": 15, "min_samples": 5}
    given = covey.HDBSCAN(**options, metric="precomputed").fit((distances + distances.T) / 2)
    found = covey.HDBSCAN(**options, metric=metric, **parameters).fit(ROWS)
    np.testing.assert_allclose(tree_of(found), tree_of(given), rtol=1e-9, atol=1e-12)
    assert adjusted_rand_score(found.labels_, given.labels_) == 1


@pytest.mark.parametrize("metric", ["hamming", "jaccard"])
def test_metrics_of_flags(metric: str) -> None:
    flags = (np.random.default_rng(1).uniform(size=(200, 12)) < 0.4).astype(float)
    flags[:, 0] = 1
    given = flags != 0 if metric == "jaccard" else flags
    distances = cdist(given, given, metric)
    options = {"min_cluster_size": 10, "min_samples": 3}
    other = covey.HDBSCAN(**options, metric="precomputed").fit(distances)
    np.testing.assert_allclose(tree_of(covey.HDBSCAN(**options, metric=metric).fit(given)), tree_of(other), atol=1e-15)


@pytest.mark.parametrize("alpha", [1.0, 1.5])
@pytest.mark.parametrize("kind", ["towns", "globe", "poles"])
def test_places_on_earth(kind: str, alpha: float) -> None:
    random = np.random.default_rng(2)
    towns = np.repeat(random.uniform([-1.2, -3], [1.2, 3], (5, 2)), 80, axis=0) + random.normal(size=(400, 2)) * 1e-4
    globe = np.column_stack([np.arcsin(random.uniform(-1, 1, 400)), random.uniform(-np.pi, np.pi, 400)])
    poles = np.column_stack([np.pi / 2 - np.abs(random.normal(size=400)) * 1e-3, random.uniform(-np.pi, np.pi, 400)])
    places = {"towns": towns, "globe": globe, "poles": poles}[kind]
    options = {"min_cluster_size": 10, "min_samples": 4, "alpha": alpha}
    found = covey.HDBSCAN(**options, metric="haversine").fit(places)
    given = covey.HDBSCAN(**options, metric="precomputed").fit(haversine_distances(places))
    np.testing.assert_allclose(tree_of(found), tree_of(given), rtol=1e-9, atol=1e-15)
    assert adjusted_rand_score(found.labels_, given.labels_) == 1
    np.testing.assert_allclose(found.probabilities_, given.probabilities_, atol=1e-7)


def test_places_that_cannot_be() -> None:
    with pytest.raises(covey.InvalidArgumentError, match="2 columns"):
        covey.HDBSCAN(metric="haversine").fit(ROWS)
    for wrong in (np.nan, np.inf):
        with pytest.raises(covey.InvalidDataError, match="NaN, infinity"):
            covey.HDBSCAN(metric="haversine").fit([[0, 0], [wrong, 1], [1, 1]])
    assert covey.HDBSCAN(metric="haversine").fit([[0.1, 0.2]]).labels_.tolist() == [-1]


EVERY = [
    *METRICS, ("euclidean", {}), ("l2", {}), ("l1", {}), ("manhattan", {}), ("minkowski", {"p": 2}), ("chebyshev", {}),
    ("infinity", {}), ("haversine", {}), ("hamming", {}), ("jaccard", {}), ("dice", {}), ("rogerstanimoto", {}),
    ("yule", {}), ("russellrao", {}), ("sokalmichener", {}), ("sokalsneath", {}), ("nan_euclidean", {}),
    ("precomputed", {}), (lambda a, b: float(np.abs(a - b).sum()), {}),
]  # fmt: skip


@pytest.mark.parametrize(("metric", "parameters"), EVERY)
def test_what_cannot_be_searched_approximately_is_refused(metric: object, parameters: dict) -> None:
    found = covey.HDBSCAN(metric=metric, algorithm="approximate", **parameters)
    rows = np.abs(ROWS[:, None] - ROWS).sum(axis=2) if metric == "precomputed" else ROWS
    if metric in ("euclidean", "l2", "seuclidean", "mahalanobis") or parameters.get("p") == 2:
        assert found.fit(rows).recall_ == 1
        return
    with pytest.raises(covey.InvalidArgumentError, match="algorithm 'approximate'"):
        found.fit(rows)
    if metric != "precomputed":
        with pytest.raises(covey.InvalidArgumentError, match="algorithm 'approximate'"):
            covey.RobustSingleLinkage(metric=metric, algorithm="approximate", metric_params=parameters).fit(rows)


@pytest.mark.parametrize("metric", ["angular", "chebyshev", "haversine", lambda one, other: abs(one - other).sum()])
def test_a_number_without_distances_is_named(metric):
    rows = np.random.default_rng(0).normal(size=(60, 2))
    rows[7, 1] = np.nan
    with pytest.raises(covey.InvalidDataError, match="nan in row 7, column 1.*leave them out"):
        covey.HDBSCAN(metric=metric).fit(rows)


def test_a_callable_of_two_directions_is_refused():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.raises(covey.InvalidDataError, match="same distance in both directions, got"):
        covey.HDBSCAN(metric=lambda one, other: float(one[0] > other[0])).fit(rows)


@pytest.mark.parametrize("factor", [1e-300, 1e-160, 1e160, 1e300])
def test_correlation_knows_no_size(factor):
    rows = np.random.default_rng(0).normal(size=(200, 3))
    expected = covey.HDBSCAN(metric="correlation").fit(rows)
    found = covey.HDBSCAN(metric="correlation").fit(rows * factor)
    assert (found.labels_ == expected.labels_).all()
    np.testing.assert_allclose(found.probabilities_, expected.probabilities_, atol=1e-9)


def test_constant_rows_have_no_correlation():
    """Rounding of the mean leaves them no direction: they are at distance 1 from all, and 0 from each other."""
    rows = np.random.default_rng(0).normal(size=(100, 3))
    rows[:20] = np.linspace(0.1, 0.7, 20)[:, None]
    assert len(np.unique(covey.HDBSCAN(metric="correlation").fit(rows).labels_[:20])) == 1


@pytest.mark.parametrize("name", ["V", "VI"])
def test_a_covariance_that_cannot_be_is_named(name):
    rows = np.random.default_rng(0).normal(size=(60, 3))
    for wrong in (np.zeros((3, 3)), np.zeros((2, 3)), "text"):
        with pytest.raises(covey.InvalidArgumentError, match=f"^{name} must be a positive definite matrix of 3"):
            covey.HDBSCAN(metric="mahalanobis", **{name: wrong}).fit(rows)


@pytest.mark.parametrize("metric", ["chebyshev", "hamming", "canberra", "braycurtis"])
@pytest.mark.parametrize("seed", range(12))
def test_equal_rows_stay_together_and_order_decides_nothing(metric, seed):
    generator = np.random.default_rng(seed)
    rows = generator.integers(1, 5, (70, 3)).astype(float)
    rows[:, 0] += generator.integers(0, 2, 70) * 9
    order = generator.permutation(70)
    options = {"min_cluster_size": 3, "min_samples": 2, "metric": metric}
    found, permuted = (covey.HDBSCAN(**options).fit(given) for given in (rows, rows[order]))
    group = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    assert all(len(set(found.labels_[group == number])) == 1 for number in range(group.max() + 1))
    assert np.array_equal(permuted.labels_, found.labels_[order])
    assert np.allclose(permuted.probabilities_, found.probabilities_[order])


def test_distances_of_weighted_rows_are_those_of_copies():
    generator = np.random.default_rng(3)
    rows, weights = generator.normal(size=(40, 2)), generator.integers(1, 5, 40)
    options = {"min_cluster_size": 5, "min_samples": 4, "metric": "chebyshev"}
    found = covey.HDBSCAN(**options).fit(rows, sample_weight=weights)
    copies = covey.HDBSCAN(**options).fit(np.repeat(rows, weights, axis=0))
    first = np.concatenate([[0], np.cumsum(weights)[:-1]])
    assert np.array_equal(found.labels_, copies.labels_[first])
    assert np.allclose(found.probabilities_, copies.probabilities_[first])
