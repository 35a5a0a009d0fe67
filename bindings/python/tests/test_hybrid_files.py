"""Hybrid transforms in pickles, copies and files; columns that rounding alone tells apart."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

import covey


@pytest.fixture
def parts():
    random = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "amount": random.lognormal(size=200),
            "country": random.choice(["NL", "DE", "BR"], 200),
            "vpn": random.random(200) < 0.3,
        }
    )
    frame.loc[3, "amount"] = np.nan
    return random.normal(size=(200, 6)).astype(np.float32), frame


def through_file(hybrid, path):
    hybrid.save(path)
    return covey.HybridFeatures.load(path)


def through_joblib(hybrid, path):
    joblib.dump(hybrid, path)
    return joblib.load(path)


WAYS = {
    "pickle": lambda hybrid, path: pickle.loads(pickle.dumps(hybrid)),
    "joblib": through_joblib,
    "copy": lambda hybrid, path: copy.copy(hybrid),
    "deepcopy": lambda hybrid, path: copy.deepcopy(hybrid),
    "file": through_file,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "options", [{}, {"embedding_components": 2, "missing": "indicator", "scaling": "standard"}], ids=str
)
def test_copies_transform_to_the_same_bytes(parts, options, way, tmp_path):
    hybrid = covey.HybridFeatures(**options)
    expected = hybrid.fit_transform(parts[0], features=parts[1])
    again = WAYS[way](hybrid, tmp_path / "hybrid")
    assert again.transform(*parts).tobytes() == expected.tobytes()
    assert list(again.get_feature_names_out()) == list(hybrid.get_feature_names_out())
    assert again.n_features_out_ == hybrid.n_features_out_


def test_damaged_files_are_refused(parts, tmp_path):
    hybrid = covey.HybridFeatures().fit(parts[0], features=parts[1])
    path = tmp_path / "hybrid"
    hybrid.save(path)
    data = bytearray(path.read_bytes())
    data[-5] ^= 4
    path.write_bytes(data)
    with pytest.raises(covey.CorruptFileError, match="checksum"):
        covey.HybridFeatures.load(path)
    covey.HDBSCAN().fit(parts[0]).save(path)
    with pytest.raises(covey.CorruptFileError):
        covey.HybridFeatures.load(path)


@pytest.mark.parametrize("scaling", ["standard", "robust"])
def test_rounding_is_no_spread(scaling):
    random = np.random.default_rng(5)
    group = np.repeat([0.0, 1.0], 100)
    frame = pd.DataFrame({"amount": group * 20 + random.normal(size=200), "rate": random.choice([0.3, 0.1 + 0.2], 200)})
    rows = covey.HybridFeatures(scaling=scaling).fit_transform(features=frame)
    assert (rows[:, 1] == 0).all()
    if scaling == "standard":
        assert (StandardScaler().fit_transform(frame)[:, 1:] < 1e-10).all()  # scikit-learn leaves what rounding left
    labels = covey.HDBSCAN(min_cluster_size=20).fit(rows).labels_
    assert labels.max() == 1 and np.mean(labels[:100] == labels[0]) > 0.9


def test_quartiles_that_rounding_alone_tells_apart():
    values = np.where(np.arange(400) % 2, 0.3, 0.1 + 0.2)
    values[::40] = np.linspace(-1, 1, 10)
    rows = covey.HybridFeatures(clip=1e9, scaling="robust").fit_transform(features=pd.DataFrame({"rate": values}))
    # By the standard deviation, as where the quartiles are equal.
    np.testing.assert_allclose(rows[:, 0], (values - np.median(values)) / values.std(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_embeddings_equal_to_the_last_place(dtype):
    random = np.random.default_rng(6)
    base = random.normal(size=16).astype(dtype)
    rows = np.where(random.random((300, 16)) < 0.5, base, np.nextafter(base, dtype(9)))
    found = covey.HybridFeatures().fit_transform(rows)
    assert (found == 0).all()
    different = rows + random.normal(scale=1e-3, size=rows.shape).astype(dtype)
    assert np.isclose(covey.HybridFeatures().fit_transform(different).var(axis=0).sum(), 1, rtol=1e-3)
