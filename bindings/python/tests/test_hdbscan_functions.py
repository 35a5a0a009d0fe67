"""hdbscan's functions beside the estimator: soft membership, scores of new rows, validity, cuts, flat clusterings,
metrics."""

import types

import hdbscan
import hdbscan.flat
import numpy as np
import pytest
from hdbscan.hdbscan_ import _tree_to_labels
from hdbscan.prediction import PredictionData
from scipy import sparse
from scipy.spatial.distance import cdist, pdist, squareform
from sklearn.metrics import adjusted_rand_score

import covey
import covey.flat


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(8)
    centres = random.normal(scale=5, size=(7, 3))
    lumps = [centre + random.normal(scale=0.2 + 0.15 * i, size=(70, 3)) for i, centre in enumerate(centres)]
    return np.vstack([*lumps, random.uniform(-12, 12, size=(80, 3))])


# A min_samples of 1 is the plain distance: there are no ties, and one tree.
PLAIN = {"min_cluster_size": 12, "min_samples": 1, "prediction_data": True}
SETTINGS = [{}, {"cluster_selection_method": "leaf"}, {"metric": "manhattan"}]


@pytest.fixture(scope="module", params=SETTINGS, ids=str)
def pair(rows, request):
    settings = {**PLAIN, **request.param}
    return covey.HDBSCAN(**settings).fit(rows), hdbscan.HDBSCAN(**settings).fit(rows)


def columns(ours, theirs):
    """Their number of each of our clusters."""
    return np.array(
        [np.bincount(theirs.labels_[ours.labels_ == cluster]).argmax() for cluster in range(ours.labels_.max() + 1)]
    )


def new_rows(rows):
    return rows[::3] + np.random.default_rng(1).normal(scale=0.1, size=rows[::3].shape)


@pytest.fixture(
    scope="module",
    params=[*SETTINGS, {"min_samples": 7}, {"cluster_selection_epsilon": 2.0, "min_samples": 4}],
    ids=str,
)
def continued(rows, request):
    """Ours, and hdbscan's prediction on our own tree, so that ties and the numbers of clusters do not matter."""
    ours = covey.HDBSCAN(**{**PLAIN, **request.param}).fit(rows)
    theirs = types.SimpleNamespace(
        condensed_tree_=ours.condensed_tree_,
        min_samples=ours.min_samples,
        min_cluster_size=ours.min_cluster_size,
        labels_=ours.labels_,
        prediction_data_=PredictionData(rows, ours.condensed_tree_, ours.min_samples, metric=ours.metric),
    )
    return ours, theirs


def test_memberships_of_fitted_rows(continued):
    ours, theirs = continued
    found = covey.all_points_membership_vectors(ours)
    np.testing.assert_allclose(found, hdbscan.all_points_membership_vectors(theirs), rtol=1e-7, atol=1e-12)
    best, numbers = ours.membership(k=3)
    order = np.argsort(-found, axis=1, kind="stable")[:, :3]
    assert np.array_equal(best, order)
    assert np.array_equal(numbers, np.take_along_axis(found, order, axis=1))
    many, rest = ours.membership(k=50)
    assert (many[:, found.shape[1] :] == -1).all() and (rest[:, found.shape[1] :] == 0).all()


def test_memberships_of_new_rows(continued, rows):
    ours, theirs = continued
    new = new_rows(rows)
    expected = hdbscan.membership_vector(theirs, new)
    found = covey.membership_vector(ours, new)
    assert ((found >= 0) & (found <= 1)).all() and (found.sum(axis=1) <= 1 + 1e-12).all()
    # hdbscan's lambdas are singles there: where a row is nearly the densest, their differences are rounding.
    close = np.isclose(found, expected, rtol=1e-4, atol=1e-5).all(axis=1)
    assert close.mean() > 0.99


def test_prediction_and_scores_of_new_rows(continued, rows):
    ours, theirs = continued
    new = np.vstack([new_rows(rows), [[1e6, -1e6, 1e6]]])
    labels, strengths, neighbours = hdbscan.approximate_predict(theirs, new, return_connecting_points=True)
    found = covey.approximate_predict(ours, new, return_connecting_points=True)
    assert np.array_equal(found[0], labels) and np.array_equal(found[2], neighbours.ravel())
    np.testing.assert_allclose(found[1], strengths, atol=1e-12)
    scores = covey.approximate_predict_scores(ours, new)
    # hdbscan's may be below 0.
    np.testing.assert_allclose(scores, np.clip(hdbscan.approximate_predict_scores(theirs, new), 0, 1), atol=1e-12)
    np.testing.assert_allclose(covey.approximate_predict_scores(ours, rows), ours.outlier_scores_, atol=1e-12)
    assert scores[-1] > 0.999


def test_validity(pair, rows):
    ours, theirs = pair
    metric = "cityblock" if ours.metric == "manhattan" else ours.metric
    for plain in (False, True):
        expected, of_clusters = hdbscan.validity_index(
            rows, theirs.labels_, metric, per_cluster_scores=True, mst_raw_dist=plain
        )
        found, scores = covey.validity_index(rows, theirs.labels_, metric, per_cluster_scores=True, mst_raw_dist=plain)
        assert found == pytest.approx(expected, rel=1e-9)
        np.testing.assert_allclose(scores, of_clusters, rtol=1e-9)
        distances = cdist(rows, rows, metric)
        given = covey.validity_index(distances, theirs.labels_, "precomputed", d=3, mst_raw_dist=plain)
        assert given == pytest.approx(expected, rel=1e-9)
    reference = hdbscan.HDBSCAN(
        **{**theirs.get_params(), "gen_min_span_tree": True, "approx_min_span_tree": False}
    ).fit(rows)
    assert ours.relative_validity_ == pytest.approx(reference.relative_validity_, rel=1e-9)


def test_validity_of_odd_labels(rows):
    assert covey.validity_index(rows, np.full(len(rows), -1)) == 0
    assert np.isnan(covey.validity_index(rows, np.zeros(len(rows), dtype=int)))
    equal = np.vstack([np.zeros((20, 2)), np.ones((20, 2))])
    assert -1 <= covey.validity_index(equal, np.repeat([0, 1], 20)) <= 1
    alone = np.zeros(len(rows), dtype=int)
    alone[0] = 1
    assert -1 <= covey.validity_index(rows, alone) <= 1


def test_cuts(pair):
    ours, theirs = pair
    heights = theirs.single_linkage_tree_.to_numpy()[:, 2]
    for cut in np.quantile(heights, [0.1, 0.5, 0.9, 0.99]) + 1e-9:
        for size in (1, 5):
            expected = theirs.dbscan_clustering(cut, size)
            found = ours.dbscan_clustering(cut, size)
            assert np.array_equal(found == -1, expected == -1)
            assert len(set(zip(found, expected))) == len(set(found)) == len(set(expected))
            assert np.array_equal(found, ours.single_linkage_tree_.get_clusters(cut, size))


@pytest.mark.parametrize("method", ["eom", "leaf"])
def test_flat_clusterings(rows, method):
    parameters = {"min_cluster_size": 12, "min_samples": 1, "cluster_selection_method": method}
    for count in (2, 3, 5, 6):
        expected = hdbscan.flat.HDBSCAN_flat(rows, count, **parameters)
        found = covey.flat.HDBSCAN_flat(rows, count, **parameters)
        assert found.labels_.max() + 1 == count == expected.labels_.max() + 1
        assert np.array_equal(found.labels_ == -1, expected.labels_ == -1)
        assert len(set(zip(found.labels_, expected.labels_))) == len(set(found.labels_))
        assert found.cluster_selection_epsilon == pytest.approx(expected.cluster_selection_epsilon, rel=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"cluster_selection_persistence": 0.3}, {"cluster_selection_persistence": 2.0},
        {"cluster_selection_epsilon_max": 2.0}, {"cluster_selection_epsilon_max": 2.0, "allow_single_cluster": True},
        {"match_reference_implementation": True}, {"match_reference_implementation": True, "min_samples": 3,
                                                   "cluster_selection_method": "leaf"}, {"min_samples": 100_000},
        {"max_cluster_size": float("inf")}, {"max_cluster_size": 75.5},
    ],
    ids=str,
)  # fmt: skip
def test_hdbscans_other_parameters(rows, settings):
    settings = {"min_cluster_size": 8, "min_samples": 2, **settings}
    ours = covey.HDBSCAN(**settings).fit(rows)
    theirs = {"cluster_selection_method": "eom", "allow_single_cluster": False, **settings}
    reference = theirs.get("match_reference_implementation", False)
    samples = theirs.pop("min_samples") - reference
    # hdbscan from our single-linkage tree on: core distances tie, and several trees are right.
    theirs["min_cluster_size"] += reference
    labels, strengths, persistence, tree, _ = _tree_to_labels(rows, ours.single_linkage_tree_.to_numpy(), **theirs)
    assert np.array_equal(ours.labels_, labels)
    np.testing.assert_allclose(ours.probabilities_, strengths, rtol=1e-6)
    np.testing.assert_allclose(ours.cluster_persistence_, np.minimum(persistence, 1), rtol=1e-6)  # Ours is at most 1.
    for name in ("parent", "child", "child_size"):
        assert np.array_equal(ours.condensed_tree_.to_numpy()[name], tree[name])
    cores = np.sort(cdist(rows, rows), axis=1)[:, min(samples, len(rows) - 1)]
    assert ours.minimum_spanning_tree_.to_numpy()[:, 2].min() >= cores.min() - 1e-12


METRICS = [
    ("chebyshev", {}),
    ("minkowski", {"p": 3}),
    ("minkowski", {"p": 1}),
    ("minkowski", {"p": 2}),
    ("canberra", {}),
    ("braycurtis", {}),
    ("seuclidean", {"V": np.array([1.0, 4.0, 9.0])}),
    ("mahalanobis", {"VI": np.diag([1.0, 2.0, 3.0]) + 0.1}),
]


@pytest.mark.parametrize("metric,parameters", METRICS, ids=str)
def test_other_metrics(rows, metric, parameters):
    given = np.abs(rows) + 1
    settings = {"min_cluster_size": 12, "min_samples": 1, "metric": metric, **parameters}
    ours = covey.HDBSCAN(**settings).fit(given)
    theirs = hdbscan.HDBSCAN(**settings, algorithm="generic", gen_min_span_tree=True).fit(given)
    weights = np.sort(theirs._min_spanning_tree[:, 2])
    np.testing.assert_allclose(ours.minimum_spanning_tree_.to_numpy()[:, 2], weights, rtol=1e-9)
    assert np.array_equal(ours.labels_ == -1, theirs.labels_ == -1)
    assert len(set(zip(ours.labels_, theirs.labels_))) == len(set(ours.labels_)) == len(set(theirs.labels_))
    assert covey.HDBSCAN(**settings).get_params()["metric"] == metric


def test_given_distances(rows):
    distances = squareform(pdist(rows))
    expected = covey.HDBSCAN(min_cluster_size=12, min_samples=4).fit(rows)
    given = covey.HDBSCAN(min_cluster_size=12, min_samples=4, metric="precomputed").fit(distances)
    called = covey.HDBSCAN(min_cluster_size=12, min_samples=4, metric=lambda a, b: np.sqrt(((a - b) ** 2).sum())).fit(
        rows
    )
    filled = covey.HDBSCAN(min_cluster_size=12, min_samples=4, metric="precomputed").fit(sparse.csr_matrix(distances))
    # Ties follow the order of the rows' numbers, which distances do not have: clusters may be numbered in another
    # order.
    for other in (given, called, filled):
        assert np.array_equal(other.labels_ == -1, expected.labels_ == -1)
        assert adjusted_rand_score(other.labels_, expected.labels_) == 1
    few = np.where(distances > np.quantile(distances, 0.5), 0, distances)
    theirs = hdbscan.HDBSCAN(min_cluster_size=12, min_samples=4, metric="precomputed", gen_min_span_tree=True).fit(
        sparse.csr_matrix(few)
    )
    ours = covey.HDBSCAN(min_cluster_size=12, min_samples=4, metric="precomputed").fit(sparse.csr_matrix(few))
    np.testing.assert_allclose(
        ours.minimum_spanning_tree_.to_numpy()[:, 2], np.sort(np.asarray(theirs._min_spanning_tree)[:, 2]), rtol=1e-12
    )
    for wrong in (distances[:, :-1], -distances, np.triu(distances)):
        with pytest.raises(covey.CoveyError):
            covey.HDBSCAN(metric="precomputed").fit(wrong)
    with pytest.raises(covey.InvalidArgumentError, match="prediction_data"):
        covey.HDBSCAN(metric="precomputed", prediction_data=True).fit(distances)


@pytest.mark.parametrize("cut", [0.5, 1.5, 4.0])
def test_robust_single_linkage(rows, cut):
    # hdbscan's default is approximate, its others but this one cut a tree whose distances are not sorted; it takes no
    # alpha.
    expected = hdbscan.RobustSingleLinkage(cut=cut, k=4, algorithm="generic").fit(rows)
    found = covey.RobustSingleLinkage(cut=cut, k=4, alpha=1.0).fit(rows)
    assert np.array_equal(found.labels_ == -1, expected.labels_ == -1)
    assert len(set(zip(found.labels_, expected.labels_))) == len(set(found.labels_)) == len(set(expected.labels_))
    np.testing.assert_allclose(
        found.cluster_hierarchy_.to_numpy()[:, 2], np.sort(expected.cluster_hierarchy_.to_numpy()[:, 2]), rtol=1e-9
    )


def test_centres(rows, pair):
    ours, theirs = pair
    for cluster, theirs_cluster in enumerate(columns(ours, theirs)):
        np.testing.assert_allclose(
            ours.weighted_cluster_centroid(cluster), theirs.weighted_cluster_centroid(theirs_cluster), atol=1e-9
        )
        np.testing.assert_allclose(
            ours.weighted_cluster_medoid(cluster), theirs.weighted_cluster_medoid(theirs_cluster), atol=1e-9
        )


def test_newick_names_every_cluster(pair):
    ours, _ = pair
    text = ours.condensed_tree_.to_newick()
    tree = ours.condensed_tree_.to_numpy()
    clusters = set(tree["parent"]) | set(tree["child"][tree["child_size"] > 1])
    assert text.endswith(";") and all(f"{cluster}" in text for cluster in clusters)
    assert text.count("(") == text.count(")") and text.count(":") == len(clusters) - 1


FOLLOWED = [
    {},
    {"allow_single_cluster": True},
    {"allow_single_cluster": True, "cluster_selection_epsilon": 0.5},
    {"cluster_selection_method": "leaf", "max_cluster_size": 40},
    {"metric": "cosine"},
    {"metric": "manhattan", "alpha": 0.7},
    {"cluster_selection_epsilon": 0.5, "match_reference_implementation": True},
    {"min_samples": 1},
    {"cluster_selection_persistence": 0.3},
    {"metric": "seuclidean", "V": None},
    {"strengths": "bounded"},
]


@pytest.mark.parametrize("settings", FOLLOWED, ids=str)
def test_prediction_gives_fitted_rows_their_labels(settings):
    for seed in range(20):
        random = np.random.default_rng(seed)
        count, columns = int(random.integers(30, 300)), int(random.integers(1, 6))
        lumps = [random.normal(size=(count, columns)), random.normal(3, 0.5, size=(count // 2, columns))]
        rows = np.vstack([*lumps, random.integers(1, 4, size=(count // 3, columns))])
        given = {**settings, **({"V": rows.var(axis=0)} if "V" in settings else {})}
        fitted = covey.HDBSCAN(min_cluster_size=8, prediction_data=True, **given).fit(rows)
        labels, _, neighbours = covey.approximate_predict(fitted, rows, return_connecting_points=True)
        # A fitted row is its own neighbour, or a row that equals it is, and no equal rows have different labels. By
        # cosine a neighbour may be as near as the row itself up to rounding.
        np.testing.assert_array_equal(labels, fitted.labels_)
        if settings.get("metric") != "cosine":
            np.testing.assert_array_equal(rows[neighbours], rows)
        assert ((fitted.cluster_persistence_ >= 0) & (fitted.cluster_persistence_ <= 1)).all()
        if settings.get("metric") != "cosine":
            assert fitted.predict(np.full((1, columns), 1e9)).tolist() == [-1]
        assert set(range(fitted.labels_.max() + 1)) <= set(fitted.labels_)
