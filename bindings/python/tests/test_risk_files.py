"""Cluster risk in files, pickles and copies, and what of it an engine takes."""

import copy
import dataclasses
import pickle

import joblib
import numpy as np
import pytest

import covey

WAYS = {
    "pickle": lambda risk, path: pickle.loads(pickle.dumps(risk)),
    "joblib": lambda risk, path: joblib.load(joblib.dump(risk, path)[0]),
    "copy": lambda risk, path: copy.copy(risk),
    "deepcopy": lambda risk, path: copy.deepcopy(risk),
    "file": lambda risk, path: risk.save(path) or covey.ClusterRisk.load(path),
}


@pytest.fixture
def risk():
    random = np.random.default_rng(3)
    labels = random.integers(-1, 6, 900)
    fraud = np.where(random.random(900) < 0.5, np.nan, (labels == 2) & (random.random(900) < 0.8))
    return covey.cluster_risk(
        labels, fraud, random.lognormal(size=900), random.random(900) * 1e6, min_lift=1.5, min_fraud=2
    )


@pytest.mark.parametrize("way", WAYS)
def test_every_way_keeps_every_figure(risk, tmp_path, way):
    again = WAYS[way](risk, tmp_path / "risk.safetensors")
    assert again.base_rate == risk.base_rate and again.risky_clusters == risk.risky_clusters == [2]
    np.testing.assert_equal(
        [dataclasses.astuple(report) for report in again], [dataclasses.astuple(report) for report in risk]
    )
    assert pickle.dumps(again) == pickle.dumps(risk)


def test_an_engine_takes_it_from_a_file(risk, tmp_path):
    random = np.random.default_rng(5)
    features = {"x": np.concatenate([random.normal(0, 1, 60), random.normal(50, 1, 60)])}
    hybrid = covey.HybridFeatures()
    clusterer = covey.HDBSCAN(min_cluster_size=20, prediction_data=True).fit(hybrid.fit_transform(features=features))
    rated = covey.cluster_risk(clusterer.labels_, np.arange(120) < 60)
    rated.save(tmp_path / "risk.safetensors")
    loaded = covey.ClusterRisk.load(tmp_path / "risk.safetensors")
    parts = {"hybrid": hybrid, "clustering": clusterer}
    engines = [covey.Engine.build(risk=found, **parts).to_bytes() for found in (rated, loaded)]
    assert engines[0] == engines[1]


def test_damage_and_other_files_are_told(risk, tmp_path):
    path = tmp_path / "risk.safetensors"
    risk.save(path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b'\\"fraud\\":', b'\\"fraux\\":', 1))
    with pytest.raises(covey.CorruptFileError, match="checksum"):
        covey.ClusterRisk.load(path)
    with pytest.raises(covey.FileError):
        covey.ClusterRisk.load(tmp_path / "none")
    with pytest.raises(covey.CorruptFileError):
        covey.HybridFeatures.load(path)
    with pytest.raises(covey.InvalidTypeError, match="cannot be pickled or copied: save and to_bytes keep it"):
        pickle.dumps(object.__new__(covey.Engine))
