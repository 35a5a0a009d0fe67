"""Engine.profile against the same figures worked out from the raw rows."""

import json

import numpy as np
import pandas as pd
import pytest
from road import Road
from counterfactual_support import Shop

import covey
from covey.report.statistics import cliffs_delta, critical_value, delta_interval, quartiles, share_difference


@pytest.fixture(scope="module")
def road():
    return Road()


@pytest.fixture(scope="module")
def shop():
    return Shop()


def check(engine, features, labels, risk, cluster, clip):
    profile = engine.profile(cluster)
    assert json.loads(json.dumps(profile)) == profile and profile["cluster"] == cluster
    report = {entry.cluster: entry for entry in risk}[cluster]
    for name in ("size", "labelled", "fraud", "share_low", "share_high", "risky", "rank"):
        assert profile[name] == pytest.approx(getattr(report, name)), name
    members, ordinary = labels == cluster, labels < 0
    if not ordinary.any():
        ordinary = ~members
    assert profile["compared"] == members.sum() and profile["compared_with"] == ordinary.sum()
    numeric = [name for name in features if features[name].dtype.kind in "fi"]
    others = [name for name in features if name not in numeric]
    comparisons = sum(1 if features[name].dtype.kind in "fib" else features[name].nunique() for name in features)
    assert profile["comparisons"] == comparisons
    z = critical_value(0.95, comparisons)
    found = {entry["name"]: entry for entry in profile["features"]}
    for name in numeric:
        values = features[name].to_numpy(dtype=float)
        if np.isnan(values).any():
            continue  # the engine keeps their median in place of missing values
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        raw = values
        if high > low:  # the engine keeps floats of the scaled numbers within the clip: beyond it they are equal
            values = np.clip((values - middle) / (high - low), -clip, clip).astype(np.float32).astype(float)
        delta = cliffs_delta(values[members], np.sort(values[ordinary]))
        low, high = delta_interval(delta, members.sum(), ordinary.sum(), z)
        # Columns with equal quartiles are clipped by their deviation, and rounded values may be equal.
        assert (name in found) == (low > 0.02 or high < -0.02) or min(abs(low), abs(high)) < 0.04
        if name in found:
            assert found[name]["effect"] == pytest.approx(delta, abs=0.02)
            assert found[name]["low"] == pytest.approx(low, abs=0.02)
            own = quartiles(raw[members])
            spread = np.subtract(*np.quantile(raw, [0.75, 0.25]))
            if max(abs(np.array(own) - np.median(raw))) < 0.9 * clip * spread:
                assert found[name]["quartiles"] == pytest.approx(own, rel=1e-3, abs=1e-3 * spread)
    shares = {(entry["name"], entry["value"]): entry for entry in profile["categories"]}
    for name in others:
        column = features[name]
        for value in column.dropna().unique():
            key = (name, str(value).lower() if column.dtype.kind == "b" else value)
            count, other = int((column[members] == value).sum()), int((column[ordinary] == value).sum())
            if count < 2 or key[1] == "false" and column.dtype.kind == "b":
                assert key not in shares
                continue
            difference, low, high = share_difference(count, int(members.sum()), other, int(ordinary.sum()), z)
            assert (key in shares) == (low > 0 or high < 0)
            if key in shares:
                entry = shares[key]
                assert entry["count"] == count and entry["ordinary_count"] == other
                assert entry["effect"] == pytest.approx(difference) and entry["low"] == pytest.approx(low)
                assert entry["high"] == pytest.approx(high)
                lift = None if other == 0 else (count / members.sum()) / (other / ordinary.sum())
                assert entry["lift"] == (None if lift is None else pytest.approx(lift))
    least = [min(abs(entry["low"]), abs(entry["high"])) for entry in profile["features"]]
    assert least == sorted(least, reverse=True)
    assert profile["exemplars"] and all(labels[row] == cluster for row in profile["exemplars"])
    assert cluster not in [near["cluster"] for near in profile["nearest"]]
    distances = [near["distance"] for near in profile["nearest"]]
    assert distances == sorted(distances) and len(distances) == min(5, labels.max())
    return profile


def test_the_sample_by_hand(road):
    for cluster in range(road.labels.max() + 1):
        profile = check(road.engine, road.features, road.labels, road.risk, cluster, clip=3)
        entry = {entry.cluster: entry for entry in road.risk}[cluster]
        assert profile["loss"] == pytest.approx(entry.loss) and profile["amount"] == pytest.approx(entry.amount)
        assert "events" in profile["not_known"] and "amounts" not in profile["not_known"]
        assert len(profile["rules"]) == (len(road.rules[cluster]) if cluster in road.rules else 0)


def test_the_shop_by_hand(shop):
    risky = shop.risk.risky_clusters[0]
    profile = check(shop.engine, shop.features, shop.clusterer.labels_, shop.risk, risky, clip=10)
    assert profile["risky"] and profile["cautions"] == [] and profile["loss"] is None
    assert "amounts" in profile["not_known"] and "times" in profile["not_known"]
    for cluster in range(shop.clusterer.labels_.max() + 1):
        if cluster not in shop.risk.risky_clusters:
            assert shop.engine.profile(cluster)["cautions"][0] == "no_known_fraud"


def test_a_loaded_engine_says_the_same(shop):
    loaded = covey.Engine.from_bytes(shop.engine.to_bytes())
    assert loaded.profile(0) == shop.engine.profile(0)


def test_mistakes_are_named(shop):
    last = shop.clusterer.labels_.max()
    for cluster in (-1, last + 1, 10**15):
        with pytest.raises(covey.InvalidArgumentError, match=f"cluster must be 0 to {last}, got"):
            shop.engine.profile(cluster)
    with pytest.raises(covey.InvalidTypeError):
        shop.engine.profile("0")
    with pytest.raises(covey.CancelledError):
        shop.engine.profile(0, context=covey.Context(progress=lambda stage, share: True))
    random = np.random.default_rng(0)
    table = pd.DataFrame({"amount": random.uniform(0, 1, 60)})
    hybrid = covey.HybridFeatures()
    clusterer = covey.HDBSCAN(min_cluster_size=60, prediction_data=True).fit(hybrid.fit_transform(None, features=table))
    risk = covey.cluster_risk(clusterer.labels_, np.arange(60) % 2)
    engine = covey.Engine.build(hybrid=hybrid, clustering=clusterer, risk=risk)
    with pytest.raises(covey.InvalidArgumentError, match="the engine has no clusters"):
        engine.profile(0)


def test_clipped_and_small_numbers_are_read_back(road):
    for cluster in range(road.labels.max() + 1):
        for entry in road.engine.profile(cluster)["features"]:
            column = road.features[entry["name"]].dropna().to_numpy(dtype=float)
            low, middle, high = np.quantile(column, [0.25, 0.5, 0.75])
            for value in entry["quartiles"] + entry["ordinary_quartiles"]:
                assert value == 0 or abs(value) > 1e-3
                # The clip of the road is 3 quartile distances; a float of the scaled number has seven digits.
                assert high == low or abs(value - middle) <= 3 * (high - low) * (1 + 1e-6), entry
