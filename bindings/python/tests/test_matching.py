"""Clusters matched over refits, their stability over draws, and prediction against fit."""

import covey
import numpy as np
import pytest
from sklearn.datasets import make_blobs


def test_the_same_clusters_in_another_order_keep_their_ids() -> None:
    old = np.array([0, 0, 1, 1, 1, 2, 2, -1])
    new = np.array([2, 2, 0, 0, 0, 1, 1, -1])
    matches = covey.match_clusters(old, new)
    np.testing.assert_array_equal(matches.labels, old)
    np.testing.assert_array_equal(matches.ids, [1, 2, 0])
    np.testing.assert_array_equal(matches.overlap, [1, 1, 1])
    assert matches.next_id == 3 and len(matches.moved) == 0
    assert not (matches.born or matches.died or matches.grown or matches.shrunk or matches.merged or matches.split)


def test_births_deaths_merges_splits_and_growth_are_named() -> None:
    old = np.array([0] * 6 + [1] * 4 + [2] * 9 + [3] * 5 + [-1] * 6)
    new = np.array([0] * 10 + [1] * 5 + [2] * 4 + [-1] * 5 + [3] * 6)
    matches = covey.match_clusters(old, new)
    assert matches.ids.tolist() == [0, 2, 4, 5] and matches.next_id == 6
    assert matches.merged == {0: [0, 1]} and matches.split == {2: [2, 4]}
    assert matches.born == [5] and matches.died == [3]
    assert matches.grown == {0: (6, 10)} and matches.shrunk == {2: (9, 5)}
    assert matches.moved.tolist() == [*range(6, 10), *range(15, 30)]


def test_ids_go_on_over_many_refits_and_are_never_given_again() -> None:
    first = covey.match_clusters([0, 0, 1, 1], [1, 1, -1, -1, 0, 0])
    assert first.ids.tolist() == [2, 0] and first.died == [1]
    second = covey.match_clusters([1, 1, -1, -1, 0, 0], [0, 0, 1, 1, -1, -1], previous=first)
    assert second.ids.tolist() == [0, 3] and second.died == [2] and second.born == [3] and second.next_id == 4


def test_rows_are_matched_by_keys() -> None:
    matches = covey.match_clusters([0, 0, 1, 1], [0, 0, 1, 1, 1], old_keys=list("abcd"), new_keys=list("dcbax"))
    assert matches.labels.tolist() == [1, 1, 0, 0, 0] and matches.grown == {0: (2, 3)}
    with pytest.raises(covey.InvalidDataError, match="old_keys"):
        covey.match_clusters([0, 0], [0, 0], old_keys=[1, 1], new_keys=[1, 2])
    with pytest.raises(covey.InvalidTypeError, match="new_keys"):
        covey.match_clusters([0, 0], [0, 0], old_keys=[1, 2])
    with pytest.raises(covey.InvalidArgumentError, match="new_keys"):
        covey.match_clusters([0, 0], [0, 0], old_keys=[1, 2], new_keys=[1])
    with pytest.raises(covey.InvalidArgumentError, match="previous"):
        covey.match_clusters([0, 0, 1, 1], [0, 0], previous=covey.match_clusters([0, 0], [0, 0]))
    with pytest.raises(covey.InvalidArgumentError, match="old"):
        covey.match_clusters([0, 7], [0, 0])


@pytest.mark.parametrize("labels", [([], []), ([-1], [-1]), ([], [0, 0]), ([0, 0], []), ([0], [-1])])
def test_nothing_to_match(labels: tuple) -> None:
    matches = covey.match_clusters(*labels)
    assert len(matches.labels) == len(labels[1])


def test_random_labels_keep_the_rules() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        old, new = random.integers(-1, 5, 40), random.integers(-1, 4, 50)
        old[:5], new[:4] = range(5), range(4)
        matches = covey.match_clusters(old, new)
        assert len(set(matches.ids.tolist())) == 4
        for cluster, name in enumerate(matches.ids.tolist()):
            mine, theirs = new[:40] == cluster, old == name
            shared = (mine & theirs).sum()
            if name < 5:
                assert matches.overlap[cluster] == pytest.approx(shared / (mine | theirs).sum())
                assert 2 * shared > min(mine.sum(), theirs.sum())
        changed = np.flatnonzero(matches.labels[:40] != old)
        np.testing.assert_array_equal(matches.moved, changed)


def test_a_refit_with_more_rows_keeps_its_clusters() -> None:
    rows, _ = make_blobs(900, centers=[[0, 0], [9, 0], [0, 9]], random_state=1)
    fourth = np.random.default_rng(2).normal(size=(200, 2)) + [9, 9]
    old = covey.HDBSCAN(min_cluster_size=50).fit(rows)
    new = covey.HDBSCAN(min_cluster_size=50).fit(np.vstack([rows, fourth]))
    matches = covey.match_clusters(old, new)
    assert matches.born == [3] and not matches.died
    assert set(matches.labels[900:]) <= {3, -1}
    assert (matches.labels[:900] == old.labels_).mean() > 0.97


@pytest.mark.parametrize("draw", ["bootstrap", "half"])
def test_clear_clusters_are_stable_and_accidents_are_not(draw: str) -> None:
    rows, _ = make_blobs(600, centers=[[0, 0], [30, 0]], random_state=3)
    clear = covey.HDBSCAN(min_cluster_size=40, min_samples=10).fit(rows)
    assert (covey.cluster_stability(clear, rows, resamples=5, draw=draw) > 0.9).all()
    flat = np.random.default_rng(4).uniform(size=(600, 2))
    accident = covey.HDBSCAN(min_cluster_size=5, cluster_selection_method="leaf").fit(flat)
    stability = covey.cluster_stability(accident, flat, resamples=5, draw=draw)
    assert len(stability) > 5 and np.nanmean(stability) < 0.6
    np.testing.assert_array_equal(covey.cluster_stability(accident, flat, resamples=5, draw=draw), stability)


def test_prediction_agrees_with_fit_on_clear_clusters() -> None:
    rows, _ = make_blobs(600, centers=[[0, 0], [30, 0]], random_state=5)
    clusterer = covey.HDBSCAN(min_cluster_size=40).fit(rows)
    agreement = covey.prediction_agreement(clusterer, rows)
    assert 0.97 < agreement <= 1
    with pytest.raises(covey.InvalidArgumentError, match="folds"):
        covey.prediction_agreement(clusterer, rows, folds=1)
    with pytest.raises(covey.MismatchError, match="600"):
        covey.cluster_stability(clusterer, rows[:10])
    with pytest.raises(covey.InvalidArgumentError, match="draw"):
        covey.cluster_stability(clusterer, rows, draw="all")
