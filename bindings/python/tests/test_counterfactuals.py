"""Counterfactuals against a slow search on a grid, and against the engine's own scores of the changed transactions."""

import itertools
import json
import threading
import time

import numpy as np
import pandas as pd
import pytest
from road import Road

import covey
from support import write_random_encoder

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


def test_limits_are_kept(shop):
    row = shop.row(int(np.flatnonzero(shop.group == 3)[0]))
    free = shop.engine.counterfactual(None, row, answers=8)
    assert {change.name for answer in free for change in answer.changes} > {"amount"}
    for answer in shop.engine.counterfactual(None, row, immutable=["amount", "guest"], answers=8):
        assert not {"amount", "guest"} & set(answer.values)
    for answer in shop.engine.counterfactual(None, row, allowed="amount", answers=8):
        assert set(answer.values) == {"amount"}
    wide = shop.engine.counterfactual(None, row, allowed=["amount"], goal="leave_cluster")[0].values["amount"]
    low = wide - 10 if wide < row.amount.iloc[0] else row.amount.iloc[0]
    bounded = shop.engine.counterfactual(
        None, row, allowed=["amount"], bounds={"amount": (low, None)}, goal="leave_cluster"
    )
    assert len(bounded) and all(answer.values["amount"] >= low for answer in bounded)
    few = shop.engine.counterfactual(
        None, row, allowed=["country"], categories={"country": ["BE"]}, goal="leave_cluster"
    )
    assert [answer.values for answer in few] in ([], [{"country": "BE"}])
    dear = shop.engine.counterfactual(None, row, costs={"amount": 1000.0}, answers=1)[0]
    assert dear.cost == pytest.approx(
        sum(price(change, 1000.0 if change.name == "amount" else 1.0) for change in dear.changes)
    )
    repriced = [
        sum(price(change, 1000.0 if change.name == "amount" else 1.0) for change in answer.changes) for answer in free
    ]
    assert dear.cost <= min(repriced) * 1.01
    assert all(len(answer.changes) == 1 for answer in shop.engine.counterfactual(None, row, max_changes=1, answers=8))
    assert len(shop.engine.counterfactual(None, row, answers=1)) == 1
    check(shop.engine, row, shop.engine.counterfactual(None, row, max_evaluations=100))


def test_whole_numbers_stay_whole(shop):
    for index in np.flatnonzero(shop.group == 3)[:6]:
        for answer in shop.engine.counterfactual(None, shop.row(index), answers=8, goal="leave_cluster"):
            assert answer.values.get("age", 1) % 1 == 0


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


def test_missing_values_may_become_known(shop):
    row = shop.row(int(np.flatnonzero(shop.group == 3)[0])).copy()
    row["age"] = np.nan
    row["country"] = None
    for answer in shop.engine.counterfactual(None, row, answers=10, goal="leave_cluster"):
        for change in answer.changes:
            assert change.after is not None
            if change.name in ("age", "country"):
                assert change.before is None and change.cost >= 1 and "missing" in answer.text
        assert shop.engine.score(None, applied(row, answer))[0] == answer.score
    everything = pd.DataFrame({"amount": [np.nan], "age": [np.nan], "country": [None], "guest": [None]})
    assert shop.engine.counterfactual(None, everything, risk_below=0.001).outcome in ("found", "none", "not_needed")


def test_a_mapping_and_unknown_names(shop):
    row = shop.row(int(np.flatnonzero(shop.group == 3)[0])).iloc[0].to_dict()
    result = shop.engine.counterfactual(None, row)
    assert result.outcome == "found" and not shop.engine.score(None, {**row, **result[0].values})[0].risky
    strange = shop.engine.counterfactual(None, {**row, "country": "<b>\u202eXX\n"})
    for answer in strange:
        assert "\n" not in answer.text and "\u202e" not in answer.text


def test_the_result_does_not_depend_on_threads(shop, road):
    row = shop.row(int(np.flatnonzero(shop.group == 3)[1]))
    first = shop.engine.counterfactual(None, row, context=covey.Context(threads=1)).to_dict()
    results = []
    workers = [
        threading.Thread(
            target=lambda: results.append(
                shop.engine.counterfactual(None, row, context=covey.Context(threads=3)).to_dict()
            )
        )
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert results == [first] * 4


def test_cancel_progress_and_budget(road):
    scores = road.engine.score(road.sequences[:200], road.features[:200])
    index = int(np.flatnonzero(scores.risky)[0])
    row, events = road.features.iloc[[index]], road.sequences[index : index + 1]
    told = []
    started = time.monotonic()
    road.engine.counterfactual(
        events, row, context=covey.Context(progress=lambda stage, share: told.append((stage, share)))
    )
    # About 50 times a second, with the ends of the few stages around the search.
    assert told[-1][0] == "counterfactuals" or ("counterfactuals", 1.0) in told
    assert len(told) <= 20 + 60 * (time.monotonic() - started)
    shares = [share for stage, share in told if stage == "counterfactuals"]
    assert shares == sorted(shares)
    with pytest.raises(covey.CancelledError):
        road.engine.counterfactual(
            events, row, context=covey.Context(progress=lambda stage, share: stage == "counterfactuals")
        )
    with pytest.raises(covey.OutOfMemoryError):
        road.engine.counterfactual(events, row, context=covey.Context(memory_budget=100_000))
    assert road.engine.counterfactual(events, row).outcome == "found"


@pytest.mark.parametrize(
    "options, error, words",
    [
        ({"costs": {"amount": float("nan")}}, covey.InvalidArgumentError, "must be finite and above 0, got nan"),
        ({"costs": {"amount": 0}}, covey.InvalidArgumentError, "must be finite and above 0, got 0"),
        ({"costs": {"amount": -1}}, covey.InvalidArgumentError, "amount"),
        ({"bounds": {"amount": (float("nan"), 3)}}, covey.InvalidArgumentError, "low must be finite, got nan"),
        ({"bounds": {"amount": (0, float("inf"))}}, covey.InvalidArgumentError, "high must be finite"),
        ({"bounds": {"amount": (5, 3)}}, covey.InvalidArgumentError, "low must be at most high, got 5.0 and 3.0"),
        ({"bounds": {"country": (5, 7)}}, covey.InvalidArgumentError, "low and high are for numbers"),
        ({"bounds": {"amount": 5}}, covey.InvalidArgumentError, "must be (low, high)"),
        ({"bounds": {"amount": (0, 5)}, "immutable": ["amount"]}, covey.InvalidArgumentError, "immutable"),
        ({"categories": {"amount": ["NL"]}}, covey.InvalidArgumentError, "categories are for a categorical"),
        ({"categories": {"country": []}}, covey.InvalidArgumentError, "must not be empty"),
        ({"categories": {"country": ["NL", "NL"]}}, covey.InvalidArgumentError, "occurs twice"),
        ({"costs": {"colour": 1}}, covey.MismatchError, "colour"),
        ({"immutable": ["colour"]}, covey.MismatchError, "colour"),
        ({"allowed": ["amount"], "immutable": ["amount"]}, covey.InvalidArgumentError, "both"),
        ({"allowed": ["amount"], "costs": {"age": 2}}, covey.InvalidArgumentError, "not in allowed"),
        ({"goal": "honest"}, covey.InvalidArgumentError, "honest"),
        ({"goal": "risk_below"}, covey.InvalidArgumentError, "risk_below"),
        ({"risk_below": float("nan")}, covey.InvalidArgumentError, "risk_below must be above 0"),
        ({"risk_below": 0.0}, covey.InvalidArgumentError, "risk_below"),
        ({"risk_below": 1.5}, covey.InvalidArgumentError, "risk_below"),
        ({"answers": 0}, covey.InvalidArgumentError, "answers must be 1 to 100"),
        ({"answers": 101}, covey.InvalidArgumentError, "answers"),
        ({"max_changes": 0}, covey.InvalidArgumentError, "max_changes"),
        ({"max_removed": -1}, covey.InvalidArgumentError, "max_removed"),
        ({"max_removed": 2}, covey.InvalidArgumentError, "no encoder"),
        ({"event_cost": float("nan")}, covey.InvalidArgumentError, "event_cost"),
        ({"max_evaluations": 10}, covey.InvalidArgumentError, "max_evaluations must be 100 to 1000000"),
    ],
)
def test_mistakes_are_named(shop, options, error, words):
    row = shop.row(3)
    with pytest.raises(error, match=r".*") as caught:
        shop.engine.counterfactual(None, row, **options)
    assert words in str(caught.value)


def test_inputs_that_do_not_fit(shop, road):
    with pytest.raises(covey.MismatchError, match="one transaction must be given, got 2"):
        shop.engine.counterfactual(None, shop.features[:2])
    with pytest.raises(covey.MismatchError, match="one transaction must be given, got 0"):
        shop.engine.counterfactual(None, shop.features[:0])
    with pytest.raises(covey.MismatchError, match="features"):
        shop.engine.counterfactual()
    with pytest.raises(covey.InvalidTypeError, match="no encoder"):
        shop.engine.counterfactual(road.sequences[:1], shop.row(3))
    with pytest.raises(covey.MismatchError):
        road.engine.counterfactual(None, road.features[:1])
    with pytest.raises(TypeError, match="speed"):
        shop.engine.counterfactual(None, shop.row(3), speed=3)
    with pytest.raises(covey.InvalidDataError, match="infinite"):
        shop.engine.counterfactual(None, {"amount": np.inf, "age": 3, "country": "NL", "guest": True})


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
