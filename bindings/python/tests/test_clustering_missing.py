"""Rows with a NaN or an infinity, by covey.HDBSCAN."""

import warnings

import hdbscan
import numpy as np
import pytest

import covey
from clustering_support import (
    rows,  # noqa: F401 (fixtures)
    same_partition,
)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_missing_rows_as_noise_like_hdbscan(rows, dtype):
    missing = [0, 3, 200, 700, len(rows) - 1]
    spoilt = rows.astype(dtype)
    spoilt[missing, [0, 2, 4, 1, 3]] = [np.nan, np.nan, np.inf, -np.inf, np.nan]
    settings = {"min_cluster_size": 15, "min_samples": 1}  # no ties
    ours = covey.HDBSCAN(missing="noise", prediction_data=True, **settings).fit(spoilt)
    theirs = hdbscan.HDBSCAN(algorithm="prims_kdtree", gen_min_span_tree=True, **settings).fit(spoilt)
    same_partition(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.probabilities_, theirs.probabilities_, rtol=1e-6)
    np.testing.assert_allclose(ours.outlier_scores_, theirs.outlier_scores_, rtol=1e-6, atol=1e-9)
    assert ours.labels_[missing].tolist() == [-1] * 5 and not ours.probabilities_[missing].any()
    assert ours.outlier_scores_[missing].tolist() == [1] * 5
    # The trees: the same rows leave the same clusters, those that are missing first; and are merged last.
    tree, reference = ours.condensed_tree_.to_numpy(), theirs.condensed_tree_.to_numpy()
    assert len(tree) == len(reference)
    first = tree[:5]
    assert set(first.child) == set(missing) == set(reference["child"][:5])
    assert not first.lambda_val.any() and set(first.parent) == {len(rows)} and set(first.child_size) == {1}
    np.testing.assert_allclose(np.sort(tree.lambda_val), np.sort(reference["lambda_val"]), rtol=1e-6)
    linkage, expected = ours.single_linkage_tree_.to_numpy(), theirs.single_linkage_tree_.to_numpy()
    assert linkage.shape == expected.shape == (len(rows) - 1, 4)
    np.testing.assert_allclose(linkage[:, 2], expected[:, 2], rtol=1e-6)
    assert set(linkage[-5:, 0]) == set(missing)
    assert np.array_equal(linkage[-5:, 1:], expected[-5:, 1:])  # which of them comes first is arbitrary in hdbscan
    assert len(ours.minimum_spanning_tree_.to_numpy()) == len(theirs.minimum_spanning_tree_.to_numpy())
    assert not np.isin(ours.minimum_spanning_tree_.to_numpy()[:, :2], missing).any()
    for cluster, indices in enumerate(ours.exemplar_indices_):
        assert np.array_equal(ours.labels_[indices], np.full(len(indices), cluster))
    # New rows with a hole are noise too; hdbscan refuses them.
    labels, strengths = covey.approximate_predict(ours, spoilt)
    assert labels[missing].tolist() == [-1] * 5 and not strengths[missing].any()
    alone = covey.HDBSCAN(prediction_data=True, **settings).fit(np.delete(spoilt, missing, 0))
    assert np.array_equal(
        np.delete(labels, missing), covey.approximate_predict(alone, np.delete(spoilt, missing, 0))[0]
    )
    # The others are clustered as if these were not there, to the last bit.
    assert np.array_equal(np.delete(ours.labels_, missing), alone.labels_)
    assert np.delete(ours.probabilities_, missing).tobytes() == alone.probabilities_.tobytes()
    assert np.delete(ours.outlier_scores_, missing).tobytes() == alone.outlier_scores_.tobytes()


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_missing_rows_are_refused_where_asked_for(rows, number):
    spoilt = rows.copy()
    spoilt[[3, 7], [2, 0]] = number
    for dtype in (np.float64, np.float32):
        with pytest.raises(covey.InvalidDataError, match=f"row 3, column 2 must be finite, got {number}"):
            covey.HDBSCAN(missing="reject").fit(spoilt.astype(dtype))
    fitted = covey.HDBSCAN(prediction_data=True, missing="reject").fit(rows)
    with pytest.raises(covey.InvalidDataError, match=f"row 3, column 2 must be finite, got {number}"):
        fitted.predict(spoilt)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_missing_rows_are_noise_by_default_with_a_warning(rows, number):
    spoilt = rows.copy()
    spoilt[[3, 7], [2, 0]] = number
    with pytest.warns(UserWarning, match=f"2 of {len(rows)} rows have a NaN or an infinity, the first of them row 3"):
        fitted = covey.HDBSCAN(prediction_data=True).fit(spoilt)
    silent = covey.HDBSCAN(prediction_data=True, missing="noise").fit(spoilt)
    np.testing.assert_array_equal(fitted.labels_, silent.labels_)
    with pytest.warns(UserWarning, match="2 of .* rows have a NaN"):
        assert fitted.predict(spoilt)[[3, 7]].tolist() == [-1, -1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        covey.HDBSCAN().fit(rows)
        silent.predict(spoilt)
    with pytest.warns(UserWarning, match="1 of 1 rows"):
        covey.HDBSCAN().fit(spoilt[3:4])


@pytest.mark.parametrize("used", [0, 1, 2])
def test_hardly_any_row_without_holes(used):
    rows = np.full((6, 2), np.nan)
    rows[2 : 2 + used] = np.array([[0, 0], [3, 4]])[:used]
    fitted = covey.HDBSCAN(missing="noise").fit(rows)
    assert fitted.labels_.tolist() == [-1] * 6 and not fitted.probabilities_.any()
    linkage = fitted.single_linkage_tree_.to_numpy()
    assert linkage.shape == (5, 4) and linkage[-1, 3] == 6
    assert sorted(linkage[:, :2].ravel().tolist()) == list(range(10))  # every node but the root is merged once
    assert linkage[:, 2].tolist() == ([5.0] if used == 2 else []) + [np.inf] * (5 if used < 2 else 4)
