"""Engines that tell of themselves, take late labels, and are exchanged while they score."""

import json
import os
import threading
import time

import numpy as np
import pandas as pd
import pytest

import covey


def build(seed: int = 0, rules: bool = True):
    random = np.random.default_rng(seed)
    n = 600
    frame = pd.DataFrame(
        {
            "amount": random.normal(np.where(np.arange(n) % 3 == 0, 10, 200), 5),
            "country": random.choice(["NL", "DE"], n),
            "guest": random.random(n) < 0.5,
        }
    )
    hybrid = covey.HybridFeatures()
    rows = hybrid.fit_transform(features=frame)
    clusterer = covey.HDBSCAN(min_cluster_size=20, prediction_data=True)
    labels = clusterer.fit_predict(rows)
    fraud = np.where(labels == 0, 1, 0)
    risk = covey.cluster_risk(labels, fraud)
    sets = {0: covey.extract_rules(frame, labels == 0)} if rules else None
    return frame, labels, covey.Engine.build(hybrid=hybrid, clustering=clusterer, risk=risk, rules=sets)


def scores(engine, frame):
    found = engine.score(features=frame)
    return [(score.cluster, score.risk, score.risky) for score in found]


def test_bytes_and_hash_are_those_of_the_file(tmp_path):
    frame, _, engine = build()
    engine.save(tmp_path / "a.engine")
    data = engine.to_bytes()
    assert data == (tmp_path / "a.engine").read_bytes()
    for again in (
        covey.Engine.from_bytes(data),
        covey.Engine.from_bytes(memoryview(bytearray(data))),
        covey.Engine.load(tmp_path / "a.engine"),
    ):
        assert again.hash == engine.hash and again.to_bytes() == data
        assert scores(again, frame.iloc[:50]) == scores(engine, frame.iloc[:50])
    assert len(engine.hash) == 16 and build(1)[2].hash != engine.hash
    for wrong in (b"", data[:-1], data[:100], bytes([data[0] ^ 1]) + data[1:], data[:-5] + b"12345"):
        with pytest.raises(covey.CoveyError):
            covey.Engine.from_bytes(wrong)
    with pytest.raises(TypeError):
        covey.Engine.from_bytes("text")


def test_the_schema_accepts_what_the_engine_scores():
    jsonschema = pytest.importorskip("jsonschema")
    frame, _, engine = build()
    schema = engine.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert set(schema["required"]) == set(engine.features) == set(schema["properties"])
    assert schema["properties"]["country"]["examples"] == ["DE", "NL"] or set(
        schema["properties"]["country"]["examples"]
    ) == {"DE", "NL"}
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(json.loads(frame[list(engine.features)].iloc[0].to_json()))
    validator.validate(dict.fromkeys(engine.features))
    assert list(validator.iter_errors({"amount": "much", "country": 1, "guest": 0}))


def test_new_labels_rate_it_again():
    frame, labels, engine = build(rules=False)
    late = np.where(labels == 1, 1, 0)
    again = engine.rerate(late)
    base = covey.cluster_risk(labels, late)
    risky = {cluster for cluster, _, is_risky in scores(again, frame) if is_risky}
    assert risky == set(base.risky_clusters) == {1} and {
        cluster for cluster, _, is_risky in scores(engine, frame) if is_risky
    } == {0}
    assert [score[0] for score in scores(again, frame)] == [score[0] for score in scores(engine, frame)]
    assert again.hash != engine.hash and again.rerate(np.where(labels == 0, 1, 0)).hash == engine.hash
    with pytest.raises(covey.MismatchError):
        engine.rerate(late[:-1])
    with pytest.raises(covey.MismatchError):
        engine.rerate(late, keys=range(len(late)))


def test_a_holder_exchanges_its_engine_under_load(tmp_path):
    path = tmp_path / "live.engine"
    (frame, _, first), (_, _, second) = build(0), build(1)
    answers = {tuple(scores(engine, frame.iloc[:3])) for engine in (first, second)}
    assert len(answers) == 2
    first.save(path)
    failures: list = []
    with covey.EngineHolder(path) as holder:
        stop = threading.Event()

        def ask():
            while not stop.is_set():
                try:
                    if (
                        tuple((s.cluster, s.risk, s.risky) for s in holder.score(features=frame.iloc[:3]))
                        not in answers
                    ):
                        failures.append("another answer")
                except Exception as failure:
                    failures.append(failure)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for turn in range(30):
            (second if turn % 2 == 0 else first).save(path)
            holder.reload()
            assert holder.engine.hash == (second if turn % 2 == 0 else first).hash
        stop.set()
        for thread in threads:
            thread.join()
        assert not failures
        path.write_bytes(b"damaged")
        with pytest.raises(covey.CoveyError):
            holder.reload()
        assert holder.engine.hash == first.hash
        second.save(tmp_path / "other.engine")
        holder.reload(tmp_path / "other.engine")
        assert holder.engine.hash == second.hash
    with pytest.raises(covey.CoveyError):
        holder.score(features=frame)


def test_a_watched_file_is_loaded_when_it_is_replaced(tmp_path):
    path = tmp_path / "live.engine"
    (_, _, first), (_, _, second) = build(0), build(1)
    first.save(path)
    told: list = []
    with covey.EngineHolder(path) as holder:
        holder.watch(seconds=0.02, failed=told.append)
        second.save(path)
        for _ in range(500):
            if holder.engine.hash == second.hash:
                break
            time.sleep(0.02)
        assert holder.engine.hash == second.hash
        (tmp_path / "bad").write_bytes(b"damaged")
        os.replace(tmp_path / "bad", path)
        for _ in range(500):
            if told:
                break
            time.sleep(0.02)
        assert told and holder.engine.hash == second.hash
    assert not [thread for thread in threading.enumerate() if thread.name == "covey-engine"]


def test_bad_rows_have_errors_and_the_others_scores():
    frame, _, engine = build()
    expected = engine.score(features=frame)
    frame.loc[[5, 300], "amount"] = np.inf
    with pytest.raises(covey.InvalidDataError):
        engine.score(features=frame)
    found = engine.score(features=frame, bad_rows="status")
    assert sorted(found.errors) == [5, 300] and np.isnan(found.risk[[5, 300]]).all()
    assert isinstance(found[5].error, covey.InvalidDataError) and "amount" in str(found[300].error)
    assert found[5].reasons == () and found[6] == expected[6] and found[6].error is None
    good = np.ones(len(frame), dtype=bool)
    good[[5, 300]] = False
    assert (found.risk[good] == expected.risk[good]).all() and (found.risky[good] == expected.risky[good]).all()
    assert not expected.errors
    with pytest.raises(covey.CancelledError):
        engine.score(features=frame, seconds=1e-9)
    for wrong in (
        {"bad_rows": "skip"},
        {"max_events": 0},
        {"max_events": -1},
        {"seconds": 0},
        {"seconds": float("nan")},
    ):
        with pytest.raises(covey.InvalidArgumentError):
            engine.score(features=frame, **wrong)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.filterwarnings("ignore:Clusterer does not have")
def test_clusters_of_scores_are_those_of_prediction(metric):
    random = np.random.default_rng(3)
    columns = [f"f{index}" for index in range(30)]
    centres = random.normal(size=(25, 30)) * 3

    def rows(n, spread):
        lumps = centres[random.integers(0, 25, n)] + random.normal(size=(n, 30)) * spread
        haze = random.normal(size=(n, 30)) * 4
        return np.where(random.random(n)[:, None] < 0.5, lumps, haze)

    known = rows(1500, 0.5)
    new = np.vstack([rows(400, 0.5), rows(200, 1.5), known[:200], [[1e6] * 30, [0] * 30]])
    hybrid = covey.HybridFeatures(clip=np.inf)
    fitted = hybrid.fit_transform(features=dict(zip(columns, known.T)))
    table = dict(zip(columns, new.T))
    placed = hybrid.transform(features=table)
    for options in (
        {"min_cluster_size": 10},
        {"min_cluster_size": 25, "min_samples": 3, "cluster_selection_method": "leaf"},
        {"min_cluster_size": 10, "min_samples": 1, "allow_single_cluster": True},
        {"min_cluster_size": 15, "min_samples": 60, "cluster_selection_epsilon": 1.0},
        {"min_cluster_size": 1200},
    ):
        clusterer = covey.HDBSCAN(metric=metric, prediction_data=True, **options).fit(fitted)
        risk = covey.cluster_risk(clusterer.labels_, np.zeros(len(known), dtype=int))
        engine = covey.Engine.build(hybrid=hybrid, clustering=clusterer, risk=risk)
        labels, strengths = covey.approximate_predict(clusterer, placed)
        found = engine.score(features=table)
        assert (found.cluster == labels).all(), options
        # In an engine strengths are relative to the largest finite density.
        finite = np.isfinite(strengths) & (strengths > 0) & (strengths < 1)
        assert np.allclose(found.strength[finite], strengths[finite]), options
        assert (found.strength[labels < 0] == 0).all(), options
