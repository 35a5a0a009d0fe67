"""covey.HDBSCAN against hdbscan.HDBSCAN, and as a scikit-learn estimator."""

import inspect

import hdbscan
import numpy as np
import pandas as pd
import pytest
from hdbscan._hdbscan_tree import outlier_scores
from hdbscan.hdbscan_ import _tree_to_labels
from scipy.cluster.hierarchy import fcluster
from sklearn.base import clone
from sklearn.cluster import HDBSCAN as SklearnHDBSCAN
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import check_estimator

import covey
from clustering_support import (
    SETTINGS,
    rows,  # noqa: F401 (fixtures)
    same_partition,
)


def continued(linkage, rows, settings):
    """hdbscan's own code from single linkage onward: mutual reachability is full of ties (a core distance is many rows'
    largest), so that several trees are right and hdbscan's own algorithms differ from each other by them."""
    options = {"min_cluster_size": 5, "cluster_selection_method": "eom", "allow_single_cluster": False}
    options |= {name: value for name, value in settings.items() if name not in ("min_samples", "metric", "alpha")}
    labels, strengths, persistence, condensed, _ = _tree_to_labels(rows, linkage, **options)
    return labels, strengths, persistence, condensed, outlier_scores(condensed)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_results_are_those_of_hdbscan(rows, settings):
    ours = covey.HDBSCAN(**settings).fit(rows)
    theirs = hdbscan.HDBSCAN(**settings, algorithm="prims_kdtree", gen_min_span_tree=True).fit(rows)
    # The weights of all minimum spanning trees are the same.
    weights = np.sort(theirs.minimum_spanning_tree_.to_numpy()[:, 2])
    np.testing.assert_allclose(ours.minimum_spanning_tree_.to_numpy()[:, 2], weights, rtol=1e-12)
    linkage, reference = (fit.single_linkage_tree_.to_numpy() for fit in (ours, theirs))
    assert linkage.shape == (len(rows) - 1, 4) and linkage[-1, 3] == len(rows)
    np.testing.assert_allclose(linkage[:, 2], reference[:, 2], rtol=1e-12)
    # Between the ties, every cut through the tree gives the same groups.
    for cut in (linkage[25:-1:50, 2] + linkage[26::50, 2]) / 2:
        if np.abs(linkage[:, 2] - cut).min() > 1e-9:
            assert adjusted_rand_score(fcluster(linkage, cut, "distance"), fcluster(reference, cut, "distance")) == 1
    labels, strengths, persistence, condensed, scores = continued(linkage, rows, settings)
    assert np.array_equal(ours.labels_, labels) and ours.labels_.dtype == np.int64
    np.testing.assert_allclose(ours.probabilities_, strengths, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.outlier_scores_, scores, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.cluster_persistence_, np.minimum(persistence, 1), rtol=1e-9)  # Ours is at most 1.
    tree = ours.condensed_tree_.to_numpy()
    assert tree.dtype.names == condensed.dtype.names and tree.dtype == theirs.condensed_tree_.to_numpy().dtype
    assert {tuple(row) for row in tree[["parent", "child", "child_size"]]} == {
        tuple(row) for row in condensed[["parent", "child", "child_size"]]
    }
    np.testing.assert_allclose(np.sort(tree.lambda_val), np.sort(condensed["lambda_val"]), rtol=1e-12)
    # And ties aside the labels of its own tree are the same.
    assert adjusted_rand_score(ours.labels_, theirs.labels_) > 0.98


def test_labels_without_ties_are_exactly_those_of_hdbscan(rows):
    settings = {"min_cluster_size": 15, "min_samples": 1}
    same_partition(covey.HDBSCAN(**settings).fit(rows).labels_, hdbscan.HDBSCAN(**settings).fit(rows).labels_)


def test_cosine_is_that_of_hdbscan(rows):
    ours = covey.HDBSCAN(min_cluster_size=10, metric="cosine").fit(rows)
    theirs = hdbscan.HDBSCAN(min_cluster_size=10, metric="cosine", algorithm="generic").fit(rows)
    merges = theirs.single_linkage_tree_.to_numpy()[:, 2]
    np.testing.assert_allclose(ours.single_linkage_tree_.to_numpy()[:, 2], merges, rtol=1e-9, atol=1e-12)
    assert adjusted_rand_score(ours.labels_, theirs.labels_) > 0.98


def test_trees_as_frames(rows):
    fitted = covey.HDBSCAN().fit(rows)
    assert list(fitted.condensed_tree_.to_pandas()) == ["parent", "child", "lambda_val", "child_size"]
    assert (
        len(fitted.single_linkage_tree_.to_pandas()) == len(fitted.minimum_spanning_tree_.to_pandas()) == len(rows) - 1
    )
    assert fitted.recall_ == 1
    assert len(fitted.condensed_tree_.selected_nodes) == fitted.labels_.max() + 1


def test_prediction_is_that_of_hdbscan(rows):
    new = rows[::3] + np.random.default_rng(0).normal(scale=0.05, size=rows[::3].shape)
    settings = {"min_cluster_size": 15, "min_samples": 1, "prediction_data": True}  # no ties
    ours, theirs = covey.HDBSCAN(**settings).fit(rows), hdbscan.HDBSCAN(**settings).fit(rows)
    labels, strengths = covey.approximate_predict(ours, new)
    expected, expected_strengths = hdbscan.approximate_predict(theirs, new)
    to_ours = {b: a for a, b in zip(ours.labels_, theirs.labels_)}
    expected = np.array([to_ours[label] for label in expected])
    agree = labels == expected
    assert agree.all()
    np.testing.assert_allclose(strengths[agree], expected_strengths[agree], atol=1e-6)
    assert np.array_equal(ours.predict(new), labels)
    # The exemplars are the same points, cluster by cluster.
    for cluster, (points, indices) in enumerate(zip(ours.exemplars_, ours.exemplar_indices_)):
        assert np.array_equal(points, rows[indices])
        theirs_label = theirs.labels_[indices[0]]
        reference = np.concatenate(
            [p for p in theirs.exemplars_ if theirs.labels_[np.flatnonzero((rows == p[0]).all(1))[0]] == theirs_label]
        )
        assert {tuple(p) for p in points} == {tuple(p) for p in reference}, cluster


@pytest.mark.parametrize(
    "name,value",
    [
        ("min_cluster_size", 1), ("min_cluster_size", 2.5), ("min_cluster_size", 2**70), ("min_cluster_size", True),
        ("min_samples", 0), ("min_samples", -3), ("min_samples", "3"),
        ("cluster_selection_epsilon", -1), ("cluster_selection_epsilon", float("nan")),
        ("cluster_selection_epsilon", None), ("alpha", 0), ("alpha", float("inf")), ("alpha", "1"),
        ("metric", "haversine"), ("metric", None), ("algorithm", "fast"), ("cluster_selection_method", "root"),
        ("allow_single_cluster", "yes"), ("max_cluster_size", -1), ("missing", "drop"), ("seed", -1), ("context", 3),
        ("cluster_selection_persistence", -0.1), ("cluster_selection_epsilon_max", -1), ("leaf_size", 0),
        ("max_cluster_size", -2.5), ("max_cluster_size", float("nan")), ("strengths", "all"),
        ("branch_detection_data", 2), ("metric", "imperial"), ("typo", 3),
    ],
)  # fmt: skip
def test_bad_options(rows, name, value):
    with pytest.raises(covey.CoveyError) as caught:
        covey.HDBSCAN(**{name: value}).fit(rows)
    assert caught.value.code == covey.StatusCode.INVALID_ARGUMENT
    assert name in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [None, "text", 3.0, [], [[]], [1.0, 2.0], np.zeros((0, 3)), np.zeros((5, 0)), np.zeros((2, 2, 2)),
     np.zeros((4, 2)) * 1j,
     np.array([["a", "b"]]), [[1, 2], [3]], {"a": 1}],
    ids=repr,
)  # fmt: skip
def test_bad_rows(bad):
    with pytest.raises(covey.CoveyError) as caught:
        covey.HDBSCAN().fit(bad)
    assert caught.value.code in (covey.StatusCode.INVALID_DATA, covey.StatusCode.INVALID_ARGUMENT)
    with pytest.raises(ValueError):  # as scikit-learn's estimators
        covey.HDBSCAN().fit(bad)


def test_hdbscans_own_parameters_are_taken(rows):
    expected = covey.HDBSCAN().fit(rows).labels_
    assert np.array_equal(covey.HDBSCAN(**hdbscan.HDBSCAN().get_params()).fit(rows).labels_, expected)
    fitted = covey.HDBSCAN(prediction_data=True).fit(rows)
    labels, _ = covey.approximate_predict(fitted, rows[:5], False)
    assert np.array_equal(labels, fitted.predict(rows[:5]))
    connecting = covey.approximate_predict(fitted, rows, True)[2]
    assert np.array_equal(connecting, np.arange(len(rows)))
    assert repr(fitted.single_linkage_tree_) == f"SingleLinkageTree({len(rows) - 1} merges)"


def test_few_rows():
    assert covey.HDBSCAN().fit([[1.0, 2.0]]).labels_.tolist() == [-1]
    assert covey.HDBSCAN(min_cluster_size=5).fit(np.eye(3)).labels_.tolist() == [-1, -1, -1]
    equal = covey.HDBSCAN().fit(np.ones((50, 2)))
    reference = hdbscan.HDBSCAN().fit(np.ones((50, 2)))
    same_partition(equal.labels_, reference.labels_)


def test_layouts_give_the_same_result(rows):
    expected = covey.HDBSCAN().fit(rows).labels_
    wide = np.zeros((len(rows), 9))
    wide[:, 2:7] = rows
    frame = pd.DataFrame(rows, columns=list("abcde"))
    for same in (np.asfortranarray(rows), wide[:, 2:7], rows[::-1][::-1], rows.astype(">f8"), rows.tolist(), frame):
        assert np.array_equal(covey.HDBSCAN().fit(same).labels_, expected)
    skipped = np.repeat(rows, 2, axis=0)[::2]
    assert np.array_equal(covey.HDBSCAN().fit(skipped).labels_, expected)
    readonly = rows.copy()
    readonly.flags.writeable = False
    assert np.array_equal(covey.HDBSCAN().fit(readonly).labels_, expected)
    assert covey.HDBSCAN().fit(frame).feature_names_in_.tolist() == list("abcde")


def test_threads_do_not_change_a_byte(rows):
    results = [
        covey.HDBSCAN(context=covey.Context(threads=threads)).fit(rows.astype(np.float32)) for threads in (1, 2, 5)
    ]
    for other in results[1:]:
        assert other.probabilities_.tobytes() == results[0].probabilities_.tobytes()
        assert (
            other.minimum_spanning_tree_.to_numpy().tobytes() == results[0].minimum_spanning_tree_.to_numpy().tobytes()
        )


def test_estimator_conventions(rows):
    estimator = covey.HDBSCAN(min_cluster_size=7, metric="l1", context=covey.Context(threads=1))
    other = clone(estimator)
    assert other.get_params() == estimator.get_params() and not hasattr(other, "labels_")
    assert other.set_params(min_cluster_size=9).min_cluster_size == 9
    reference = hdbscan.HDBSCAN().get_params()
    ours = covey.HDBSCAN().get_params()
    assert reference.pop("memory").location is ours.pop("memory") is None
    assert {name: ours[name] for name in reference if name in ours} == {
        name: reference[name] for name in ours if name in reference
    }
    # Every name of hdbscan is there, in its order.
    names = [name for name in inspect.signature(hdbscan.HDBSCAN).parameters if name != "kwargs"]
    assert list(inspect.signature(covey.HDBSCAN).parameters)[: len(names)] == names
    for name in ("labels_", "probabilities_", "outlier_scores_", "condensed_tree_", "exemplars_"):
        with pytest.raises(covey.NotFittedError):
            getattr(covey.HDBSCAN(), name)
    with pytest.raises(covey.CoveyError, match="prediction_data"):
        covey.approximate_predict(covey.HDBSCAN().fit(rows), rows)
    with pytest.raises(covey.CoveyError, match="prediction_data"):
        covey.HDBSCAN().fit(rows).predict(rows)
    with pytest.raises(covey.MismatchError):
        covey.HDBSCAN(prediction_data=True).fit(rows).predict(rows[:, :3])


@pytest.mark.parametrize("prediction", [False, True])
def test_scikit_learns_own_checks(prediction):
    check_estimator(covey.HDBSCAN(prediction_data=prediction))


def test_no_rows_are_placed_nowhere(rows):
    fitted = covey.HDBSCAN(prediction_data=True).fit(rows)
    assert fitted.predict(np.empty((0, 5))).shape == (0,)
    assert fitted.membership(np.empty((0, 5))).shape == (0, fitted.labels_.max() + 1)
    assert covey.approximate_predict_scores(fitted, np.empty((0, 5))).shape == (0,)
    with pytest.raises(covey.MismatchError):
        fitted.predict(np.empty((0, 4)))


@pytest.mark.parametrize("value", [float("inf"), None, 0, 60, 60.0, 60.7])
def test_largest_size_in_any_way(rows, value):
    limit = 60 if value in (60, 60.0, 60.7) else 0
    for method in ("eom", "leaf"):
        parameters = {"min_cluster_size": 8, "cluster_selection_method": method}
        found = covey.HDBSCAN(max_cluster_size=value, **parameters).fit(rows).labels_
        assert np.array_equal(found, covey.HDBSCAN(max_cluster_size=limit, **parameters).fit(rows).labels_)
        assert not limit or np.bincount(found[found >= 0], minlength=1).max() <= limit


EXTREMES = [1e-38, 1e-100, 1e48, 2.0**200, 1e100]


@pytest.mark.parametrize("scale", EXTREMES)
def test_far_numbers_give_the_same_clusters(rows, scale):
    # scikit-learn adds in float64; its min_samples counts the row itself. With the nearest row alone there are no ties.
    theirs = SklearnHDBSCAN(min_cluster_size=15, min_samples=2, copy=True).fit(rows)
    ours = covey.HDBSCAN(min_cluster_size=15, min_samples=1).fit(rows * scale)
    assert len(set(ours.labels_)) > 3
    same_partition(ours.labels_, theirs.labels_)
    assert ((ours.cluster_persistence_ >= 0) & (ours.cluster_persistence_ <= 1)).all()


def test_approximate_search_reports_its_recall():
    random = np.random.default_rng(5)
    centres = random.normal(scale=6, size=(20, 24))
    # So many that exact search is not faster.
    rows = (centres[random.integers(0, 20, 63_000)] + random.normal(scale=0.5, size=(63_000, 24))).astype(np.float32)
    fitted = covey.HDBSCAN(min_cluster_size=50, algorithm="approximate").fit(rows)
    assert 0 < fitted.recall_ < 1
    few = covey.HDBSCAN(min_cluster_size=50, algorithm="approximate").fit(rows[:6000])
    assert few.recall_ == 1
    assert adjusted_rand_score(fitted.labels_, covey.HDBSCAN(min_cluster_size=50).fit(rows).labels_) > 0.95
