"""Engines for the tests of counterfactuals, and what holds of every answer."""

import numpy as np
import pandas as pd
import pytest

import covey
from road import Road

NUMBERS = {"amount": (0, 400), "age": (18, 80)}


COUNTRIES = ["NL", "BE", "FR"]


class Shop:
    """Rings of fraud among ordinary rows: two numbers, a country, a flag; an engine without encoder."""

    def __init__(self, rows=600, seed=3, rules=True, fraud=True):
        random = np.random.default_rng(seed)
        group = np.arange(rows) % 4
        self.features = pd.DataFrame(
            {
                "amount": np.round(np.where(group == 3, 300, 60) + random.normal(0, 12, rows) + 20 * group, 2),
                "age": np.clip(np.round(random.normal(40, 9, rows)) - 12 * (group == 3), 18, 80),
                "country": np.array(COUNTRIES)[np.where(group == 3, 2, group % 2)],
                "guest": group == 3,
            }
        )
        self.group = group
        self.hybrid = covey.HybridFeatures()
        points = self.hybrid.fit_transform(None, features=self.features)
        self.clusterer = covey.HDBSCAN(min_cluster_size=20, prediction_data=True).fit(points)
        labels = self.clusterer.labels_
        known = np.where(random.random(rows) < 0.7, (group == 3) * 1.0 if fraud else 0.0, np.nan)
        self.risk = covey.cluster_risk(labels, known, min_lift=2)
        described = {
            cluster: covey.extract_rules(self.features, labels == cluster) for cluster in self.risk.risky_clusters
        }
        self.engine = covey.Engine.build(
            hybrid=self.hybrid, clustering=self.clusterer, risk=self.risk, rules=described if rules else None
        )

    def row(self, index):
        return self.features.iloc[[index]]


@pytest.fixture(scope="module")
def shop():
    return Shop()


@pytest.fixture(scope="module")
def plain():
    """Without rules, so that risk changes smoothly with distance."""
    return Shop(rules=False)


@pytest.fixture(scope="module")
def road():
    return Road()


def applied(row, answer):
    changed = row.copy()
    for name, value in answer.values.items():
        column = changed[name]
        changed[name] = pd.Series(
            [value], index=changed.index, dtype=column.dtype if column.dtype.kind in "bO" else None
        )
    return changed


def price(change, cost=1.0):
    if change.kind != "numeric":
        return cost
    return cost * abs(change.after - change.before) / change.unit


def check(engine, row, result, events=None, goal=lambda score: not score.risky):
    """Every answer by the engine itself, its cost by hand, the order and that none has all steps of a cheaper one."""
    original = engine.score(events, row)[0]
    assert result.original == original
    assert result.outcome == ("found" if len(result) else "none") and result.evaluations > 0
    steps = []
    for answer in result:
        again = engine.score(events, applied(row, answer))[0]
        assert again == answer.score and goal(again)
        assert answer.cost == pytest.approx(sum(change.cost for change in answer.changes))
        for change in answer.changes:
            before = row[change.name].iloc[0]
            assert change.before == before and change.after != before
            assert change.cost == pytest.approx(price(change))
            assert change.name in answer.text
        steps.append(
            {(change.name, change.kind == "numeric" and change.after < change.before) for change in answer.changes}
        )
        assert all(not earlier <= steps[-1] for earlier in steps[:-1])
    assert [answer.cost for answer in result] == sorted(answer.cost for answer in result)
