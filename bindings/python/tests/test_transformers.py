"""HybridFeatures and SequenceEncoder as scikit-learn's transformers: labels are never features, frames out, pipelines,
searches."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

import covey

ROWS = 80
Y = np.arange(ROWS) % 2


@pytest.fixture
def frame():
    random = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "amount": random.normal(Y * 3.0, 1),
            "country": np.where(random.random(ROWS) < 0.4, "NL", "DE"),
            "vpn": Y == 1,
        },
        index=pd.Index(np.arange(ROWS) * 10, name="row"),
    )


@pytest.fixture
def embeddings():
    return np.random.default_rng(3).normal(size=(ROWS, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def encoder():
    sequences = covey.Sequences(np.arange(ROWS + 1) * 3, ["a", "b", "c"] * ROWS, np.tile([0.0, 1.0, 2.0], ROWS))
    return covey.SequenceEncoder.train(sequences, epochs=1, hidden_size=4, embedding_size=4, attention_size=4)


@pytest.mark.parametrize(
    "y",
    [None, Y, Y.tolist(), Y[:, None], pd.Series(Y), pd.DataFrame({"y": Y}), pa.array(Y), pl.Series(Y)],
    ids=lambda y: type(y).__name__,
)
def test_labels_are_never_features(frame, embeddings, y):
    for X in (frame, embeddings):
        alone = covey.HybridFeatures().fit_transform(X)
        np.testing.assert_array_equal(covey.HybridFeatures().fit_transform(X, y), alone)
        np.testing.assert_array_equal(covey.HybridFeatures().fit(X, y).transform(X), alone)


def test_features_are_never_labels(frame, embeddings):
    for table in (
        frame,
        pl.from_pandas(frame),
        pa.table({"a": [1.0], "b": [2.0]}),
        {"a": np.zeros(ROWS)},
        np.zeros((ROWS, 3)),
    ):
        for call in (covey.HybridFeatures().fit, covey.HybridFeatures().fit_transform):
            with pytest.raises(covey.InvalidTypeError, match="y is for labels, got a table .*features="):
                call(embeddings, table)
    with pytest.raises(covey.InvalidArgumentError, match="X and embeddings are the same"):
        covey.HybridFeatures().fit(embeddings, embeddings=embeddings)


def test_what_has_named_columns_is_the_table(frame, embeddings):
    by_name = covey.HybridFeatures().fit_transform(features=frame)
    for X in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame, preserve_index=False), dict(frame.items())):
        np.testing.assert_array_equal(covey.HybridFeatures().fit_transform(X, Y), by_name)
    block = covey.HybridFeatures().fit(embeddings)
    np.testing.assert_array_equal(
        covey.HybridFeatures().fit_transform(pd.DataFrame(embeddings)), block.transform(embeddings)
    )
    both = covey.HybridFeatures().fit(embeddings, Y, features=frame)
    assert both.n_features_in_ == 7 and both.n_features_out_ == len(both.get_feature_names_out()) == 8


def test_frames_out(frame, embeddings):
    hybrid = covey.HybridFeatures().set_output(transform="pandas")
    found = hybrid.fit_transform(embeddings, Y, features=frame)
    assert list(found.columns) == hybrid.get_feature_names_out().tolist() and found.index.equals(frame.index)
    np.testing.assert_array_equal(found.to_numpy(), hybrid.set_output(transform="default").transform(embeddings, frame))
    assert isinstance(clone(hybrid.set_output(transform="polars")).fit_transform(frame), pl.DataFrame)
    with config_context(transform_output="pandas"):
        assert isinstance(covey.HybridFeatures().fit_transform(frame), pd.DataFrame)
    with pytest.raises(covey.InvalidArgumentError, match="transform must be"):
        hybrid.set_output(transform="excel")


def test_pipelines_and_searches(frame):
    pipeline = Pipeline([("hybrid", covey.HybridFeatures()), ("model", LogisticRegression())]).set_output(
        transform="pandas"
    )
    search = GridSearchCV(pipeline, {"hybrid__scaling": ["robust", "quantile"], "hybrid__clip": [2.0, 10.0]}, cv=3).fit(
        frame, Y
    )
    assert search.best_score_ > 0.9
    assert set(search.best_estimator_[:-1].get_feature_names_out()) == {"amount", "country=DE", "country=NL", "vpn"}
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict_proba(frame), search.predict_proba(frame))
    assert "HybridFeatures" in pipeline._repr_html_() and "HybridFeatures" in covey.HybridFeatures()._repr_html_()


def test_an_encoder_in_a_pipeline(encoder):
    random = np.random.default_rng(4)
    types = np.where(np.repeat(Y, 3) == 1, "a", random.choice(["b", "c"], 3 * ROWS))
    sequences = covey.Sequences(np.arange(ROWS + 1) * 3, types, np.tile([0.0, 1.0, 2.0], ROWS))
    rows = encoder.embed(sequences)
    np.testing.assert_array_equal(encoder.fit(sequences, Y).transform(sequences), rows)
    pipeline = make_pipeline(encoder, covey.HybridFeatures(embedding_components=3), LogisticRegression())
    assert cross_val_score(pipeline, sequences, Y, cv=4).mean() > 0.9
    search = GridSearchCV(pipeline, {"hybridfeatures__embedding_components": [1, 2, 3]}, cv=3).fit(sequences, Y)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(again.predict_proba(sequences), search.predict_proba(sequences))
    assert clone(encoder) is encoder and encoder.get_params() == {}
    copied = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(copied.set_output(transform="pandas").transform(sequences), rows)
    assert copied.transform(sequences).columns.tolist() == copied.get_feature_names_out().tolist()
    union = FeatureUnion([("encoder", encoder), ("again", copied.set_output(transform="default"))]).fit(sequences)
    assert union.transform(sequences).shape == (ROWS, 2 * encoder.dimension)
    with pytest.raises(covey.InvalidArgumentError, match="'depth' is not a parameter"):
        encoder.set_params(depth=3)
