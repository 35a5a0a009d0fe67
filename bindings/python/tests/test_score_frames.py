"""Engine.score with tables of events, and results in frames of the features' kind."""

import warnings

import numpy as np
import pandas as pd
import pytest

import covey
from covey._output import Kind, frame_of
from find_support import FAST, shop
from support import write_random_encoder
from test_keys import COLUMNS, tables
from test_tables import duckdb, pa, pl


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    path = tmp_path_factory.mktemp("score") / "model.safetensors"
    write_random_encoder(path, ["home", "search", "cart", "pay"])
    encoder = covey.SequenceEncoder.load(path)
    events, features = tables()
    sequences = covey.Sequences.from_frame(events, **COLUMNS, order=features)
    hybrid = covey.HybridFeatures()
    clusterer = covey.HDBSCAN(min_cluster_size=5, prediction_data=True).fit(
        hybrid.fit_transform(encoder.embed(sequences), features=features)
    )
    risk = covey.cluster_risk(clusterer.labels_, features.amount > features.amount.quantile(0.9))
    engine = covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=clusterer, risk=risk)
    return engine, events, features, engine.score(sequences, features).to_frame()


def test_events_as_a_table(walked):
    engine, events, features, expected = walked
    for order in (features, features.sort_values("amount"), features[:5]):
        found = engine.score(events[::1], order, key="id", time="when", event="what").to_frame()
        pd.testing.assert_frame_equal(found.set_index("id"), expected.set_index("id").loc[order["id"]])
    renamed = events.rename(columns={"when": "timestamp", "what": "event"})
    pd.testing.assert_frame_equal(engine.score(renamed, features).to_frame(), expected)
    loaded = engine.score(events, features.set_index("id"), time="when", event="what").to_frame()
    assert loaded.index.name == "id" and loaded.risk.tolist() == expected.risk.tolist()
    engine.columns = {"key": "id", "time": "when", "event": "what"}
    try:
        pd.testing.assert_frame_equal(engine.score(events, features).to_frame(), expected)
        nobody = engine.score(events[:0], features[:3])
        assert len(nobody) == 3
    finally:
        engine.columns = {}
    one = features.iloc[3].to_dict()
    alone = engine.score(events[events.id == one["id"]], one, key="id", time="when", event="what")
    assert alone.risk[0] == expected.risk[3] and alone.keys.tolist() == [one["id"]]


def test_results_are_of_the_features_kind(walked):
    engine, events, features, expected = walked
    names = {"key": "id", "time": "when", "event": "what"}
    moved = features.set_axis([f"row {number}" for number in range(len(features))])
    found = engine.score(events, moved, **names).to_frame()
    assert list(found.index) == list(moved.index) and found.reset_index(drop=True).equals(expected)
    arrow = pa.Table.from_pandas(features, preserve_index=False)
    found = engine.score(pa.Table.from_pandas(events, preserve_index=False), arrow, **names).to_frame()
    assert isinstance(found, pa.Table) and found.to_pydict() == expected.to_dict("list")
    found = engine.score(events, features.to_dict("list"), **names).to_frame()
    assert isinstance(found, dict) and found["risk"].tolist() == expected.risk.tolist()
    found = engine.score(events, features.to_dict("records"), **names).to_frame()
    assert found == expected.to_dict("records")
    found = engine.score(events, features.to_records(index=False), **names).to_frame()
    assert found.dtype.names == tuple(expected) and found["risk"].tolist() == expected.risk.tolist()
    if pl is not None:
        for kind in (pl.from_pandas(features), pl.from_pandas(features).lazy()):
            found = engine.score(pl.from_pandas(events), kind, **names).to_frame()
            assert isinstance(found, pl.DataFrame) and found.to_dict(as_series=False) == expected.to_dict("list")
    if duckdb is not None:
        connection = duckdb.connect()
        connection.register("features", arrow)
        found = engine.score(events, connection.table("features"), **names).to_frame()
        assert sorted(found.fetchall()) == sorted(map(tuple, expected.to_records(index=False).tolist()))


def test_milliseconds_are_told_when_scoring(walked):
    engine, events, features, expected = walked
    names = {"key": "id", "time": "when", "event": "what"}
    later = events.assign(when=(events["when"] + 1.7e9) * 1000)
    with pytest.warns(covey.DataWarning, match="holds milliseconds since 1970"):
        scores = engine.score(later, features, **names)
    np.testing.assert_allclose(scores.risk, expected.risk, atol=1e-3)
    assert [found.code for found in scores.findings] == ["time_unit", "transactions_without_events"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        some = engine.score(events, features[:3], **names)
    assert "events_without_transaction" in [found.code for found in some.findings]


def test_frames_of_nothing():
    assert frame_of({"a": np.empty(0)}).shape == (0, 1) and frame_of({"a": np.arange(2)}, Kind("mappings")) == [
        {"a": 0},
        {"a": 1},
    ]
    assert (
        Kind.of({"amount": 1.0}).library == "pandas"
        and Kind.of(None).library == "pandas"
        and Kind.of(np.zeros((2, 2))).library == "pandas"
    )


@pytest.mark.parametrize(
    "change, message",
    [
        ({"key": "nothing"}, "key='nothing' is not a column of events"),
        ({"time": "nothing"}, "time='nothing' is not a column of events"),
        ({"event": "nothing"}, "event='nothing' is not a column of events"),
        ({"dwell": "nothing"}, "dwell='nothing' is not a column"),
    ],
)
def test_unknown_columns(walked, change, message):
    engine, events, features, _ = walked
    with pytest.raises(covey.InvalidArgumentError, match=message):
        engine.score(events, features, **{"key": "id", "time": "when", "event": "what", **change})


def test_what_cannot_be_joined(walked):
    engine, events, features, _ = walked
    with pytest.raises(covey.InvalidArgumentError, match="key must name a column of both"):
        engine.score(events, features.drop(columns="id"), time="when", event="what")
    with pytest.raises(covey.InvalidDataError, match="the key 't.*' of row 1 is in row 0 already"):
        engine.score(events, features.iloc[[0, 0]], key="id", time="when", event="what")
    with pytest.raises(covey.InvalidTypeError, match="events must be a covey.Sequences or a table"):
        engine.score(np.zeros((3, 2)), features)


def test_events_alone_by_their_key():
    events, features, _ = shop()
    known = features.set_index("id").label.reindex(events.id.unique()).to_numpy()
    found = covey.find(events, None, known, key="id", training={"epochs": 1, "hidden_size": 8}, **FAST)
    plain = found.engine.score(events)
    for engine in (found.engine, covey.Engine.from_bytes(found.engine.to_bytes())):
        scores = engine.score(events, key="id")
        assert scores.key_name == "id" and scores.keys.tolist() == plain.keys.tolist()
        assert scores.risk.tolist() == plain.risk.tolist()
    batch = covey.Sequences.from_frame(events, sequence="id", time="time", event="event")
    assert found.engine.score(batch, key="id").risk.tolist() == plain.risk.tolist()
    assert len(found.engine.explain(batch[:3], key="id")) == 3
    with pytest.raises(covey.InvalidArgumentError, match="key='who' needs features, as the keys are 'id'"):
        found.engine.score(batch, key="who")
