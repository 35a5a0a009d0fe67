"""Counterfactuals against a slow search on a grid, and against the engine's own scores of the changed transactions."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest

import covey
from counterfactual_support import Shop, applied, check, plain, road, shop  # noqa: F401 (fixtures)
from support import write_random_encoder


def grid(shop, row, points):
    """Values of each feature: numbers over the range of the rows, all categories."""
    values = {}
    for name in shop.features:
        column = shop.features[name]
        if column.dtype.kind == "f":
            values[name] = np.unique(np.append(np.linspace(column.min(), column.max(), points), column))
        else:
            values[name] = np.unique(column)
    return {name: [value for value in found if value != row[name].iloc[0]] for name, found in values.items()}


def units(shop):
    """The distance between the quartiles, as the header says."""
    found = {}
    for name in ("amount", "age"):
        values = np.sort(shop.features[name].to_numpy())
        last = len(values) - 1
        found[name] = values[3 * last // 4] - values[last // 4]
    return found


def cheapest(shop, row, combinations, goal):
    """The least cost of the changes in `combinations` that reach the goal, by scoring all of them."""
    table = pd.concat([row] * len(combinations), ignore_index=True)
    costs, scales = np.zeros(len(combinations)), units(shop)
    for name in shop.features:
        given = row[name].iloc[0]
        column = [changes.get(name, given) for changes in combinations]
        if name in scales:
            costs += np.abs(np.array(column, dtype=float) - given) / scales[name]
            column = np.array(column, dtype=float)
        else:
            costs += np.array([value != given for value in column])
        table[name] = column
    scores = shop.engine.score(None, table)
    good = [cost for cost, score in zip(costs, scores) if goal(score)]
    return min(good, default=np.inf)


@pytest.mark.parametrize("wanted", ["not_risky", "leave_cluster", "risk_below"])
@pytest.mark.parametrize("which", ["shop", "plain"])
def test_no_single_change_on_a_grid_is_cheaper(which, wanted, request):
    shop = request.getfixturevalue(which)
    goals = {
        "not_risky": lambda score: not score.risky,
        "leave_cluster": lambda score: score.cluster != cluster and score.cluster not in shop.risk.risky_clusters,
        "risk_below": lambda score: score.risk < 0.3,
    }
    found = 0
    for index in np.flatnonzero(shop.group == 3)[:12]:
        row = shop.row(index)
        cluster = shop.engine.score(None, row)[0].cluster
        options = {"risk_below": 0.3} if wanted == "risk_below" else {"goal": wanted}
        result = shop.engine.counterfactual(None, row, answers=10, **options)
        check(shop.engine, row, result, goal=goals[wanted])
        singles = [{name: value} for name, values in grid(shop, row, 400).items() for value in values]
        best = cheapest(shop, row, singles, goals[wanted])
        assert result[0].cost <= best + 1e-3
        found += len(result) > 0
    assert found == 12


def test_two_changes_are_near_the_best_of_a_grid(plain, show):
    ratios = []
    for index in np.flatnonzero(plain.group == 3)[:6]:
        row = plain.row(index)
        result = plain.engine.counterfactual(None, row, answers=5)
        values = grid(plain, row, 25)
        values = {name: found if len(found) < 30 else found[:: len(found) // 30] for name, found in values.items()}
        pairs = [
            {one: first, two: second}
            for one, two in itertools.combinations(values, 2)
            for first in values[one]
            for second in values[two]
        ]
        best = cheapest(plain, row, pairs, lambda score: not score.risky)
        ratios.append(result[0].cost / best)
    show(f"counterfactuals: cost over that of the best pair on a grid: {np.round(ratios, 3).tolist()}")
    assert max(ratios) <= 1.02


def test_answers_on_the_sample_hold_and_are_quick(road, show):
    scores = road.engine.score(road.sequences[:1000], road.features[:1000])
    outcomes, used = [], []
    for index in np.flatnonzero(scores.risky)[:8]:
        row, events = road.features.iloc[[index]], road.sequences[index : index + 1]
        result = road.engine.counterfactual(events, row)
        check_events(road, row, events, result)
        outcomes.append(result.outcome)
        used.append(result.evaluations)
    show(f"counterfactuals on the sample: {outcomes.count('found')} of {len(outcomes)} found, {used} evaluations")
    assert outcomes.count("found") == len(outcomes) >= 5


def check_events(road, row, events, result):
    """As `check` for events beside features."""
    for answer in result:
        kept = np.setdiff1d(np.arange(events.event_count), answer.removed)
        start = int(events.offsets[0])
        shorter = covey.Sequences(
            [0, len(kept)],
            np.asarray(events.types)[start:][kept],
            np.asarray(events.times)[start:][kept],
            np.asarray(events.dwell)[start:][kept],
        )
        assert road.engine.score(shorter, applied(row, answer))[0] == answer.score
        assert not answer.score.risky


def test_events_are_removed_if_asked(road):
    scores = road.engine.score(road.sequences[:1000], road.features[:1000])
    found = 0
    for index in np.flatnonzero(scores.risky)[:12]:
        row, events = road.features.iloc[[index]], road.sequences[index : index + 1]
        length = events.event_count
        result = road.engine.counterfactual(
            events, row, allowed=[], max_removed=3, goal="leave_cluster", event_cost=0.5
        )
        for answer in result:
            assert answer.changes == () and 1 <= len(answer.removed) <= 3
            assert answer.cost == 0.5 * len(answer.removed) and "event" in answer.text
            # The last event is the transaction.
            assert length - 1 not in answer.removed and answer.score.cluster != scores.cluster[index]
            kept = np.setdiff1d(np.arange(length), answer.removed)
            start = int(events.offsets[0])
            shorter = covey.Sequences(
                [0, len(kept)],
                np.asarray(events.types)[start:][kept],
                np.asarray(events.times)[start:][kept],
                np.asarray(events.dwell)[start:][kept],
            )
            assert road.engine.score(shorter, row)[0] == answer.score
        found += len(result) > 0
    assert found > 0


def test_an_engine_of_find_leaves_its_group(tmp_path):
    write_random_encoder(tmp_path / "model", ["login", "pay", "home"])
    random = np.random.default_rng(1)
    table = pd.DataFrame(
        {"id": np.arange(500), "amount": random.lognormal(3, 1, 500), "visits": random.integers(0, 9, 500)}
    )
    ring = table.id % 20 == 0
    table.loc[ring, "amount"] = random.normal(500, 5, ring.sum())
    table["label"] = np.where(ring & (table.id % 40 == 0), 1.0, np.nan)
    events = pd.DataFrame(
        [
            (key, key * 100.0 + step, "login" if bad and step else "home")
            for key, bad in zip(table.id, ring)
            for step in range(4)
        ],
        columns=["id", "time", "event"],
    )
    encoder = covey.SequenceEncoder.load(tmp_path / "model")
    found = covey.find(events, table, "label", key="id", encoder=encoder, trees=20, permutations=99)
    own = table[["id", "amount", "visits"]]
    scores = found.engine.score(events, own)
    index = int(np.flatnonzero(scores.risky)[0])
    row = own.iloc[[index]]
    result = found.engine.counterfactual(events[events.id == row.id.iloc[0]], row)
    assert result.original.risky and result.outcome in ("found", "none")
    for answer in result:
        again = found.engine.score(events[events.id == row.id.iloc[0]], applied(row, answer))[0]
        assert again == answer.score and again.group == -1 and not again.risky
    low = int(np.argmin(scores.risk))
    assert (
        found.engine.counterfactual(events[events.id == low], own.iloc[[low]], risk_below=0.9).outcome == "not_needed"
    )


def test_no_answer_is_a_result(shop):
    row = shop.row(int(np.flatnonzero(shop.group == 3)[0]))
    none = shop.engine.counterfactual(None, row, immutable=list(shop.engine.features))
    assert none.outcome == "none" and len(none) == 0 and "None of 0 alternatives" in none.text
    assert none.original.risky and json.loads(json.dumps(none.to_dict()))["outcome"] == "none"
    tight = shop.engine.counterfactual(
        None, row, allowed=["amount"], bounds={"amount": (row.amount.iloc[0] - 0.01, row.amount.iloc[0] + 0.01)}
    )
    assert tight.outcome == "none" and tight.evaluations > 0
    safe = shop.row(int(np.flatnonzero(shop.group == 0)[0]))
    assert shop.engine.counterfactual(None, safe, goal="not_risky").outcome == "not_needed"
    ordinary = shop.engine.counterfactual(None, safe)
    assert ordinary.outcome == "not_needed" and "as it is" in ordinary.text
    unlabelled = Shop(rows=200, fraud=False)
    assert unlabelled.engine.counterfactual(None, unlabelled.row(3)).outcome == "not_needed"


def test_an_engine_without_clusters():
    random = np.random.default_rng(0)
    table = pd.DataFrame({"amount": random.uniform(0, 1e6, 60)})
    hybrid = covey.HybridFeatures()
    clusterer = covey.HDBSCAN(min_cluster_size=60, prediction_data=True).fit(hybrid.fit_transform(None, features=table))
    risk = covey.cluster_risk(clusterer.labels_, np.arange(60) % 2)
    engine = covey.Engine.build(hybrid=hybrid, clustering=clusterer, risk=risk)
    assert clusterer.labels_.max() == -1
    with pytest.raises(covey.MismatchError, match="no clusters"):
        engine.counterfactual(None, table[:1], goal="leave_cluster")
    assert engine.counterfactual(None, table[:1]).outcome == "not_needed"
    assert engine.counterfactual(None, table[:1], risk_below=0.1).outcome == "none"


def test_rules_alone_and_dates():
    """A feature that rules alone use, and a date, which is never changed."""
    random = np.random.default_rng(2)
    rows = 400
    bad = np.arange(rows) % 10 == 0
    table = pd.DataFrame(
        {
            "amount": random.normal(50, 10, rows),
            "limit": np.where(bad, random.uniform(500, 900, rows), random.uniform(100, 400, rows)),
            "opened": pd.Timestamp("2026-01-01") + pd.to_timedelta(random.integers(0, 3000, rows), unit="h"),
        }
    )
    hybrid = covey.HybridFeatures()
    clusterer = covey.HDBSCAN(prediction_data=True).fit(hybrid.fit_transform(None, features=table[["amount"]]))
    risk = covey.cluster_risk(clusterer.labels_, bad * 1.0)
    rules = covey.extract_rules(table, bad)
    engine = covey.Engine.build(hybrid=hybrid, clustering=clusterer, risk=risk, rules={-1: rules})
    result = engine.counterfactual(None, table[:1], goal="not_risky")
    assert result.original.risky and result.outcome == "found"
    for answer in result:
        assert "opened" not in answer.values
        assert not engine.score(None, applied(table[:1], answer))[0].risky
    if "opened" in engine.features:
        with pytest.raises(covey.InvalidArgumentError, match="date"):
            engine.counterfactual(None, table[:1], costs={"opened": 1})
