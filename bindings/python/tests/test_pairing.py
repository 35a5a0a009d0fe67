"""Series of pandas whose index is another than their partner's are never paired by position in silence."""

import numpy as np
import pandas as pd
import pytest

import covey

ROWS = 600
FEATURES = pd.DataFrame({"age": np.r_[np.full(30, 3.0), np.arange(ROWS - 30) + 100.0], "vpn": [False] * ROWS})
FRAUD = pd.Series([1] * 30 + [0] * (ROWS - 30))
LABELS = pd.Series(np.r_[[0] * 30, [1] * (ROWS - 30)])
MIXED = FRAUD.sample(frac=1, random_state=0)
SHIFTED = FRAUD.set_axis(FRAUD.index + 300)


@pytest.fixture(scope="module")
def rules():
    return covey.extract_rules(FEATURES, FRAUD, min_support=3)


@pytest.fixture(scope="module")
def engine():
    hybrid = covey.HybridFeatures()
    rows = hybrid.fit_transform(features=FEATURES[["age"]])
    clusters = covey.HDBSCAN(prediction_data=True).fit(rows)
    return covey.Engine.build(hybrid=hybrid, clustering=clusters, risk=covey.cluster_risk(clusters.labels_, FRAUD))


def calls(rules, fraud):
    """Every call that pairs columns, with its partner's index 0, 1, 2, ..."""
    return {
        "cluster_risk": lambda: covey.cluster_risk(LABELS, fraud),
        "amounts": lambda: covey.cluster_risk(LABELS.to_numpy(), FRAUD, amounts=fraud),
        "extract_rules": lambda: covey.extract_rules(FEATURES, fraud, min_support=3),
        "weights": lambda: covey.extract_rules(FEATURES, FRAUD, weights=fraud, min_support=3),
        "backtest": lambda: covey.backtest(rules, FEATURES, fraud),
        "outcomes": lambda: covey.backtest(rules, FEATURES, FRAUD, outcomes=fraud.astype(str)),
        "find": lambda: covey.find(None, FEATURES, fraud),
    }


@pytest.mark.parametrize("name", list(calls(None, FRAUD)))
def test_an_index_in_another_order_is_refused(rules, name):
    with pytest.raises(covey.MismatchError, match="in another order: pass .*reindex.* or .*to_numpy"):
        calls(rules, MIXED)[name]()
    with pytest.raises(covey.MismatchError, match="300 of 600 labels in common"):
        calls(rules, SHIFTED)[name]()


@pytest.mark.parametrize(
    "fraud", [FRAUD, MIXED.reindex(FEATURES.index), FRAUD.to_numpy(), FRAUD.set_axis(FRAUD.index + ROWS)]
)
def test_equal_indexes_none_and_strangers_are_paired_by_position(rules, fraud):
    assert covey.cluster_risk(LABELS, fraud).risky == [0]
    assert covey.backtest(rules, FEATURES, fraud).any.fraud == 30
    assert len(covey.extract_rules(FEATURES, fraud, min_support=3)) == 1


def test_indexes_of_two_kinds_have_nothing_in_common():
    named = FRAUD.set_axis([f"t{row}" for row in range(ROWS)])
    levels = FRAUD.set_axis(pd.MultiIndex.from_product([range(30), range(20)]))
    for fraud in (named, levels):
        assert covey.cluster_risk(LABELS, fraud).risky == [0]


def test_new_labels_of_an_engine(engine):
    with pytest.raises(covey.MismatchError, match="the index of fraud has the labels of the engine's rows in another"):
        engine.rerate(MIXED)
    assert engine.rerate(SHIFTED).hash == engine.rerate(FRAUD.to_numpy()).hash
    with pytest.raises(covey.MismatchError, match="amounts has the index of fraud in another order"):
        engine.rerate(SHIFTED, amounts=SHIFTED.sample(frac=1, random_state=0))
