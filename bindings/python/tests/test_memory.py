"""What calls leave behind: nothing, on success, on failure and when stopped."""

import gc
import os

import numpy as np
import pytest

import covey
from support import write_random_encoder


def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    random = np.random.default_rng(2)
    model = tmp_path_factory.mktemp("memory") / "model.safetensors"
    write_random_encoder(model, ["a", "b", "c"])
    offsets = np.arange(0, 2001, 10)
    sequences = covey.Sequences(offsets, random.integers(0, 4, 2000), random.uniform(0, 100, 2000))
    features = {"amount": random.normal(size=200), "kind": np.array(["x", "y"])[random.integers(0, 2, 200)]}
    return model, sequences, features, np.arange(200) % 4 == 0


def succeed(model, sequences, features, target):
    encoder = covey.SequenceEncoder.load(model)
    hybrid = covey.HybridFeatures()
    rows = hybrid.fit_transform(encoder.embed(sequences), features=features)
    clusterer = covey.HDBSCAN(prediction_data=True, allow_single_cluster=True).fit(rows)
    clusterer.condensed_tree_, clusterer.outlier_scores_
    risk = covey.cluster_risk(clusterer.labels_, target)
    rules = covey.RuleSet.from_json(covey.extract_rules(features, target, min_precision=0.0, min_lift=0.0).to_json())
    engine = covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=clusterer, risk=risk, rules={-1: rules})
    return [score.reasons for score in engine.score(sequences, features)]


def fail(model, sequences, features, target):
    calls = [
        lambda: covey.SequenceEncoder.load("/nowhere"),
        lambda: covey.HDBSCAN(min_cluster_size=1).fit(np.zeros((9, 3))),
        lambda: covey.HDBSCAN(missing="reject").fit(np.full((9, 3), np.nan)),
        lambda: covey.HDBSCAN(context=covey.Context(progress=lambda stage, fraction: True)).fit(
            np.random.rand(6000, 30)
        ),
        lambda: covey.cluster_risk([0], [1], amounts=[-1.0]),
        lambda: covey.extract_rules(features, np.zeros(200)),
        lambda: covey.RuleSet.from_json("{" * 1000),
        lambda: covey.HybridFeatures().fit(np.zeros((3, 2)), features=features),
        lambda: covey.Vocabulary(["x"] * 5000),
    ]
    for call in calls:
        with pytest.raises(covey.CoveyError):
            call()


@pytest.mark.parametrize("action,rounds", [(succeed, 40), (fail, 25)])
def test_nothing_is_left(everything, action, rounds):
    for _ in range(rounds // 4):
        action(*everything)
    before = resident()
    for _ in range(rounds):
        action(*everything)
    assert resident() - before < 8 << 20
