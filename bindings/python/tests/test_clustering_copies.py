"""A fitted covey.HDBSCAN in files, pickles and copies, and with other clusters selected."""

import copy
import pickle

import joblib
import numpy as np
import pytest

import covey
from clustering_support import (
    SETTINGS,
    rows,  # noqa: F401 (fixtures)
)


def file_copy(fitted, path):
    fitted.save(path)
    return covey.HDBSCAN.load(path)


def joblib_copy(fitted, path):
    joblib.dump(fitted, path)
    return joblib.load(path)


COPIES = {
    "pickle": lambda fitted, path: pickle.loads(pickle.dumps(fitted)),
    "joblib": joblib_copy,
    "copy": lambda fitted, path: copy.copy(fitted),
    "deepcopy": lambda fitted, path: copy.deepcopy(fitted),
    "file": file_copy,
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize(
    "settings", [{}, {"cluster_selection_epsilon": 1.0, "strengths": "bounded"}, {"metric": "cosine"}], ids=str
)
def test_copies_keep_everything(rows, settings, way, tmp_path):
    spoilt = rows.copy()
    spoilt[7, 2] = np.nan
    fitted = covey.HDBSCAN(min_cluster_size=10, prediction_data=True, missing="noise", **settings).fit(spoilt)
    again = COPIES[way](fitted, tmp_path / "clustering")
    for name in ("labels_", "probabilities_", "outlier_scores_", "cluster_persistence_"):
        assert getattr(again, name).tobytes() == getattr(fitted, name).tobytes()
    for name in ("condensed_tree_", "single_linkage_tree_", "minimum_spanning_tree_"):
        assert getattr(again, name).to_numpy().tobytes() == getattr(fitted, name).to_numpy().tobytes()
    for ours, theirs in zip(again.exemplars_, fitted.exemplars_, strict=True):
        assert np.array_equal(ours, theirs)
    new = rows[::7] + 0.01
    for ours, theirs in zip(covey.approximate_predict(again, new), covey.approximate_predict(fitted, new)):
        assert ours.tobytes() == theirs.tobytes()
    assert again.membership(new).tobytes() == fitted.membership(new).tobytes()
    assert again.select(n_clusters=4).labels_.tobytes() == fitted.select(n_clusters=4).labels_.tobytes()
    assert again.n_features_in_ == 5 and again.get_params()["min_cluster_size"] == 10


def test_selections_are_kept(rows, tmp_path):
    fitted = covey.HDBSCAN(prediction_data=True).fit(rows)
    nodes = fitted.condensed_tree_.selected_nodes[::2]
    chosen = fitted.select(nodes=nodes)
    assert np.array_equal(chosen.condensed_tree_.selected_nodes, nodes)
    again = file_copy(chosen, tmp_path / "clustering")
    assert np.array_equal(again.labels_, chosen.labels_) and np.array_equal(again.predict(rows), chosen.labels_)
    data = bytearray((tmp_path / "clustering").read_bytes())
    data[-9] ^= 1
    (tmp_path / "clustering").write_bytes(data)
    with pytest.raises(covey.CorruptFileError, match="checksum"):
        covey.HDBSCAN.load(tmp_path / "clustering")
    with pytest.raises(covey.FileError):
        covey.HDBSCAN.load(tmp_path / "none")


def test_results_are_read_only(rows):
    fitted = covey.HDBSCAN(prediction_data=True).fit(rows)
    for name in ("labels_", "probabilities_", "outlier_scores_", "cluster_persistence_"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(fitted, name)[0] = 0


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_selections_equal_fits(rows, settings):
    of_the_tree = {name: value for name, value in settings.items() if name in ("alpha", "metric")}
    of_choice = {name: value for name, value in settings.items() if name not in (*of_the_tree, "min_samples")}
    expected = covey.HDBSCAN(min_samples=4, **of_the_tree, **of_choice).fit(rows)
    chosen = covey.HDBSCAN(min_samples=4, **of_the_tree).fit(rows).select(**of_choice)
    assert np.array_equal(chosen.labels_, expected.labels_)
    assert np.array_equal(chosen.probabilities_, expected.probabilities_)
    assert chosen.get_params() == expected.get_params()
