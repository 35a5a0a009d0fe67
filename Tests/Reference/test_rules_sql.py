"""A rule set's SQL, run by SQLite, against covey_rules_evaluate on every row."""

import json
import math
import random
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings" / "python" / "src"))

import covey  # noqa: E402

AMOUNT, COUNTRY, NEW = 'the "amount"', "où; DROP TABLE rows --", "is new"
CATEGORIES = ["NL", "O'Neill", 'quote " here', "", "naïve", "nai\u0308ve", "日本", "%_\\", "NULL", "a''b"]


FEATURES = [
    {"name": AMOUNT, "kind": "numeric"},
    {"name": COUNTRY, "kind": "categorical"},
    {"name": NEW, "kind": "boolean"},
]


def rows(count: int, seed: int) -> pd.DataFrame:
    generator = random.Random(seed)
    values = [-0.0, 0.1, 0.1 + 2**-56, 100.0, 99.99999999999999, 1e-7, 5e-324, 1e300, -1e22, 3.3, 1 / 3, 12345678.9]
    frame = pd.DataFrame(
        {
            AMOUNT: [generator.choice([*values, math.nan, generator.uniform(-50, 150)]) for _ in range(count)],
            COUNTRY: pd.Categorical([generator.choice([*CATEGORIES, None]) for _ in range(count)], CATEGORIES),
            NEW: pd.array([generator.choice([True, False, None]) for _ in range(count)], dtype="boolean"),
        }
    )
    return frame


def rule_set(rules: list, features: list = FEATURES) -> covey.RuleSet:
    counts = {"matched": 0, "support": 0}
    population = {"rows": 0, "target": 0}
    return covey.RuleSet.from_json(
        json.dumps(
            {
                "format_version": 1, "target": "t", "confidence": 0.95, "tried": 0, "fallen": 0,
                "search": population, "unseen": population,
                "features": features,
                "rules": [{"conditions": rule, "search": counts, "unseen": counts} for rule in rules],
            }
        )
    )  # fmt: skip


def in_sqlite(frame: pd.DataFrame, expression: str) -> list:
    connection = sqlite3.connect(":memory:")
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in frame.columns)
    connection.execute(f"CREATE TABLE rows (number INTEGER, {names})")
    for number, row in enumerate(frame.itertuples(index=False)):
        values = [None if value is pd.NA or value is None or value != value else value for value in row]
        values = [int(value) if isinstance(value, (bool, np.bool_)) else value for value in values]
        connection.execute(f"INSERT INTO rows VALUES (?{', ?' * len(values)})", [number, *values])
    matching = {number for (number,) in connection.execute(f"SELECT number FROM rows WHERE {expression}")}
    return [number in matching for number in range(len(frame))]


def obvious(condition: dict, row) -> bool:
    value = row[condition["feature"]]
    missing = value is pd.NA or value is None or value != value
    kind = condition["kind"]
    if kind in ("missing", "present"):
        return missing == (kind == "missing")
    if missing:
        return False
    if kind == "interval":
        return condition.get("low", -math.inf) <= value < condition.get("high", math.inf)
    if kind in ("in", "not_in"):
        return (value in condition["categories"]) == (kind == "in")
    return bool(value) == (kind == "true")


def interval(low=None, high=None) -> dict:
    ends = {"low": low, "high": high}
    return {"feature": AMOUNT, "kind": "interval", **{end: value for end, value in ends.items() if value is not None}}


SINGLE = [
    interval(low=0.1), interval(high=0.1), interval(low=0, high=100), interval(low=1e-7), interval(low=5e-324),
    interval(high=-1e22), interval(low=1e300), interval(low=1 / 3), interval(low=99.99999999999999, high=100),
    interval(low=12345678.9), interval(low=-0.0),
    *({"feature": COUNTRY, "kind": kind, "categories": names}
      for kind in ("in", "not_in") for names in (CATEGORIES[:1], ["O'Neill", 'quote " here'], ["", "a''b", "NULL"],
                                                 ["naïve"], ["nai\u0308ve"], ["日本", "%_\\"], ["never seen"],
                                                 CATEGORIES)),
    {"feature": NEW, "kind": "true"}, {"feature": NEW, "kind": "false"},
    *({"feature": name, "kind": kind} for name in (AMOUNT, COUNTRY, NEW) for kind in ("missing", "present")),
]  # fmt: skip


def check(rules: list, frame: pd.DataFrame) -> None:
    found = rule_set(rules)
    expected = [any(all(obvious(c, row) for c in rule) for rule in rules) for _, row in frame.iterrows()]
    assert found.predict(frame).tolist() == expected
    assert in_sqlite(frame, found.to_sql()) == expected
    again = covey.RuleSet.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert again.predict(frame).tolist() == expected


@pytest.mark.parametrize("condition", SINGLE, ids=[json.dumps(c, ensure_ascii=True) for c in SINGLE])
def test_each_condition(condition):
    check([[condition]], rows(400, 1))


@pytest.mark.parametrize("seed", range(8))
def test_random_sets(seed):
    generator = random.Random(seed)
    rules = [
        [*{json.dumps(c, sort_keys=True): c for c in generator.choices(SINGLE, k=generator.randint(1, 4))}.values()]
        for _ in range(generator.choice([1, 3, 12]))
    ]
    check(rules, rows(600, seed + 100))


def test_no_rules_match_nothing():
    frame = rows(50, 3)
    assert rule_set([]).to_sql() == "1 = 0"
    assert not any(in_sqlite(frame, "1 = 0")) and not rule_set([]).predict(frame).any()


def test_thousands_of_rules_stay_within_sqlites_depth():
    rules = [[interval(low=n, high=n + 0.5), {"feature": NEW, "kind": "true"}] for n in range(5000)]
    frame = rows(60, 4)
    assert in_sqlite(frame, rule_set(rules).to_sql()) == rule_set(rules).predict(frame).tolist()


def test_found_rules_say_the_same_in_sqlite():
    frame = rows(6000, 5)
    amount = frame[AMOUNT].to_numpy()
    target = ((amount >= 20) & (amount < 90) & frame[COUNTRY].isin(["O'Neill", "naïve", "日本"]).to_numpy()).astype(
        np.uint8
    )
    found = covey.extract_rules(frame, target)
    assert len(found.rules) >= 1
    fires = found.predict(frame).tolist()
    assert in_sqlite(frame, found.to_sql()) == fires
    # SQLite's own count of the matching target rows.
    assert sum(rule.support + rule.search_support for rule in found.rules[:1]) == sum(
        a and b for a, b in zip(in_sqlite(frame, covey_sql_of_first(found)), target)
    )


def covey_sql_of_first(found: covey.RuleSet) -> str:
    text = json.loads(found.to_json())
    text["rules"] = text["rules"][:1]
    return covey.RuleSet.from_json(json.dumps(text)).to_sql()


DATES = [
    0.0,
    -0.0,
    -0.5,
    43_200.0,
    86_399.999999,
    86_400.0,
    -86_400.0,
    1.7e9,
    1_700_000_000.25,
    -2.2e9,
    8.64e12,
    -8.64e12,
    5e-324,
]
AMOUNTS = [0.0, -0.0, 1.0, -3.0, 1 / 3, 1e300, -1e300, 5e-324, 1.7976931348623157e308]


def dated(count: int, seed: int) -> pd.DataFrame:
    generator = random.Random(seed)

    def pick(values: list, low: float, high: float) -> list:
        return [
            generator.choice([*values, math.nan, *[generator.uniform(low, high) for _ in values]]) for _ in range(count)
        ]

    return pd.DataFrame(
        {
            "opened": pick(DATES, -1e9, 2e9),
            "paid": pick(DATES, 0, 2e9),
            "a": pick(AMOUNTS, -5, 5),
            "b": pick(AMOUNTS, -5, 5),
        }
    )


def derived(operation: str, row: dict) -> float:
    """By the words of the header."""
    first, second = (row["opened"], row["paid"]) if operation in ("hour", "days") else (row["a"], row["b"])
    if first != first or (operation != "hour" and second != second):
        return math.nan
    if operation == "hour":
        return (math.fmod(first, 86400) + (86400 if math.fmod(first, 86400) < 0 else 0)) / 3600
    if operation == "days":
        return (second - first) / 86400
    if operation == "difference":
        return first - second
    if second == 0:
        return math.nan
    quotient = np.float64(first) / np.float64(second)
    return float(quotient)


NAMES = {"hour": "hour of opened", "days": "days from opened to paid", "ratio": "a / b", "difference": "a - b"}
COLUMNS = {"hour": ["opened"], "days": ["opened", "paid"], "ratio": ["a", "b"], "difference": ["a", "b"]}


@pytest.mark.parametrize("operation", NAMES)
@pytest.mark.filterwarnings("ignore:overflow")
def test_derived_features_are_the_same_in_sqlite(operation):
    name = NAMES[operation]
    bounds = {
        "hour": [0.0, 6.5, 12.0, 23.9999, 24.0],
        "days": [-1.0, 0.0, 7.0, 1e4],
        "ratio": [-1.0, 0.0, 0.5, 1e300, -1e300],
    }
    conditions = [{"feature": name, "kind": "missing"}, {"feature": name, "kind": "present"}]
    for bound in bounds.get(operation, [-2.0, 0.0, 2.5, 1e300]):
        conditions += [
            {"feature": name, "kind": "interval", "low": bound},
            {"feature": name, "kind": "interval", "high": bound},
        ]
    conditions.append({"feature": name, "kind": "interval", "low": 0.0, "high": 4.0})
    frame = dated(500, 7)
    values = [derived(operation, row) for row in frame.to_dict("records")]
    features = [{"name": name, "kind": "numeric", "derived": {operation: COLUMNS[operation]}}]
    for condition in conditions:
        found = rule_set([[condition]], features)
        expected = [
            (
                (value != value) == (condition["kind"] == "missing")
                if condition["kind"] in ("missing", "present")
                else value == value
                and not value < condition.get("low", -math.inf)
                and not value >= condition.get("high", math.nan)
            )
            for value in values
        ]
        assert evaluate(found, frame) == expected, condition
        assert in_sqlite(frame, found.to_sql()) == expected, condition
        again = covey.RuleSet.from_json(found.to_json())
        assert again.to_json() == found.to_json() and evaluate(again, frame) == expected
        assert [evaluate(again, frame[row : row + 1])[0] for row in range(60)] == expected[:60]


def evaluate(rules: covey.RuleSet, frame: pd.DataFrame) -> list:
    """predict, with seconds as dates that no datetime holds exactly."""
    from covey import _column, _table

    own = _table.convert
    try:
        _table.convert = lambda values, name: (
            _column.DATE if "opened" in name or "paid" in name else _column.NUMERIC,
            np.ascontiguousarray(values, dtype=np.float64),
            None,
        )
        return rules.predict(frame).tolist()
    finally:
        _table.convert = own
