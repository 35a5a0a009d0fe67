"""Rules: found again where they were planted, their figures counted once more, their exports run."""

import json
import math
import pickle
import sqlite3

import numpy as np
import pandas as pd
import pytest

import covey
from rules_support import database, frame, matches, rules, target  # noqa: F401 (fixtures)


def test_planted_rules_are_found(rules, frame, target):
    assert 1 <= len(rules) <= 8 and rules.tried > 0 and rules.fallen >= 0
    assert rules[0].lift > 2 and rules[0].precision >= 0.5
    found = rules.predict(frame)
    assert found.dtype == bool and (found & target).sum() / target.sum() > 0.7 and target[found].mean() > 0.7
    used = {condition.feature for rule in rules for condition in rule.conditions}
    assert {"amount", "vpn"} <= used


def test_figures_are_those_of_the_rows_never_seen(rules, frame, target):
    # The latest 30% are held out.
    fired = rules.fired(frame)
    assert fired.shape == (len(frame), len(rules)) and np.array_equal(fired.any(1), rules.predict(frame))
    unseen = np.arange(len(frame)) >= round(len(frame) * 0.7)
    for index, rule in enumerate(rules):
        by_hand = np.logical_and.reduce([matches(condition, frame) for condition in rule.conditions])
        assert np.array_equal(by_hand, fired[:, index]), rule.text
        assert rule.matched == by_hand[unseen].sum() and rule.support == (by_hand & target)[unseen].sum()
        assert rule.precision == pytest.approx(rule.support / rule.matched)
        assert rule.recall == pytest.approx(rule.support / target[unseen].sum())
        assert rule.lift == pytest.approx(rule.precision / target[unseen].mean())
        assert rule.precision_low <= rule.precision <= rule.precision_high
        assert rule.search_matched == by_hand[~unseen].sum()
        assert rule.search_support == (by_hand & target)[~unseen].sum()
        assert "ring 7" in rule.text and str(rule) == rule.text
        for condition in rule.conditions:
            assert condition.feature in condition.text


def test_json_comes_back_the_same(rules, frame):
    again = covey.RuleSet.from_json(rules.to_json())
    assert again.rules == rules.rules and again.to_json() == rules.to_json()
    assert np.array_equal(again.fired(frame), rules.fired(frame))
    assert json.loads(rules.to_json())
    assert pickle.loads(pickle.dumps(rules)).rules == rules.rules
    for bad, code in (("", 7), ("{", 7), ("[]", 7), ("null", 7), (rules.to_json()[:-5], 7), ("x\0", 1), (3, 1)):
        with pytest.raises(covey.CoveyError) as caught:
            covey.RuleSet.from_json(bad)
        assert caught.value.code == code, bad


def test_sql_decides_alike(rules, frame):
    base = database(frame, '"the ""rows"""')
    selected = base.execute(rules.to_sql('the "rows"')).fetchall()
    assert sorted(row[0] for row in selected) == np.flatnonzero(rules.predict(frame)).tolist()
    counted = base.execute(f'SELECT count(*) FROM "the ""rows""" WHERE {rules.to_sql()}').fetchone()[0]
    assert counted == rules.predict(frame).sum() > 0


def test_new_rows_in_other_clothes(rules, frame):
    expected = rules.predict(frame)
    new = frame[["vpn", "country", "age", "amount"]].assign(other=1.5)
    assert np.array_equal(rules.predict(new), expected)
    assert np.array_equal(rules.predict({name: frame[name].astype(object).tolist() for name in frame}), expected)
    unseen = frame.assign(country=frame.country.replace("NL", "never seen"))
    assert (rules.predict(unseen) <= expected).all()
    nothing = {"amount": None, "age": None, "country": None, "vpn": None}
    assert rules.predict(nothing).shape == (1,)
    assert rules.predict(frame[:0]).shape == (0,)
    for bad in (frame.drop(columns="amount"), frame.assign(amount="much"), frame.assign(vpn=1.0)):
        with pytest.raises(covey.MismatchError):
            rules.predict(bad)


def test_threads_do_not_change_a_byte(frame, target):
    texts = {
        covey.extract_rules(frame, target, context=covey.Context(threads=threads)).to_json() for threads in (1, 2, 5)
    }
    assert len(texts) == 1


def test_nothing_to_find(frame):
    noise = np.random.default_rng(3).random(len(frame)) < 0.05
    rules = covey.extract_rules(frame, noise)
    assert len(rules) == 0 and not rules.predict(frame).any() and str(rules) == "no rule"
    assert covey.RuleSet.from_json(rules.to_json()).rules == []
    assert database(frame, "t").execute(rules.to_sql("t")).fetchall() == []


@pytest.mark.parametrize(
    "options",
    [{"max_conditions": 0}, {"max_conditions": 9}, {"max_rules": 0}, {"max_rules": 1001}, {"min_support": 0},
     {"min_precision": 1.5}, {"min_precision": math.nan}, {"min_lift": -1.0}, {"max_bins": 1}, {"max_bins": 255},
     {"beam_width": 0}, {"held_out": 0.0}, {"held_out": 1.0}, {"confidence": 1.0}, {"seed": -1}, {"target_name": 3},
     {"max_rules": "8"}, {"context": "fast"}],
    ids=str,
)  # fmt: skip
def test_bad_options(frame, target, options):
    with pytest.raises(covey.CoveyError) as caught:
        covey.extract_rules(frame, target, **options)
    assert caught.value.code == covey.StatusCode.INVALID_ARGUMENT and next(iter(options)) in str(caught.value)


def test_bad_input(frame, target):
    for features, chosen, options, codes in [
        (frame, np.zeros(len(frame)), {}, {2}),
        (frame, np.ones(len(frame), dtype=bool), {}, {2}),
        (frame, target[:-1], {}, {3}),
        (frame, np.where(target, 2, 0), {}, {2}),
        (frame, np.where(target, np.nan, 0), {}, {2}),
        (frame, target, {"times": np.full(len(frame), np.nan)}, {2}),
        (frame, target, {"times": [1.0]}, {3}),
        (frame.assign(amount=np.inf), target, {}, {2}),
        (frame[:0], target[:0], {}, {2}),
    ]:
        with pytest.raises(covey.CoveyError) as caught:
            covey.extract_rules(features, chosen, **options)
        assert caught.value.code in codes, (options, str(caught.value))


def test_other_columns_may_hold_anything_and_repr_is_short():
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"age": np.where(random.random(2000) < 0.2, np.nan, 30.0), "amount": random.random(2000)})
    rules = covey.extract_rules(frame, frame.age.isna())
    fired = rules.predict(frame)
    assert fired.any() and np.array_equal(fired, frame.age.isna())
    wider = frame.assign(when=pd.Timestamp(0), tags=[["a"]] * 2000)[["tags", "when", "amount", "age"]]
    assert np.array_equal(rules.predict(wider), fired)
    # A column without any value is of the kind that the rule knows it by.
    assert rules.predict({"age": None}).tolist() == [True]
    assert rules.predict(wider.iloc[0]).tolist() == [fired[0]]
    assert repr(rules).startswith("RuleSet(1 rule, best: Rule('age is missing', support=") and len(repr(rules)) < 150
    with pytest.raises(covey.NotFoundError, match="no rule 9") as caught:
        rules[9]
    assert isinstance(caught.value, IndexError)


def test_weights_and_amounts(frame, target):
    random = np.random.default_rng(2)
    weights, amounts = random.integers(0, 4, len(frame)), random.random(len(frame))
    found = covey.extract_rules(
        frame, target, times=np.arange(len(frame)), weights=weights, amounts=amounts, quality="f_beta", beta=0.5
    )
    assert len(found)
    used = np.flatnonzero(weights)
    unseen = np.zeros(len(frame), dtype=bool)
    unseen[used[len(used) - round(len(used) * 0.3) :]] = True
    for index, rule in enumerate(found):
        fires = found.fired(frame)[:, index] & unseen
        assert rule.matched == fires.sum() and rule.support == (fires & target).sum()
        assert rule.support_weight == weights[fires & target].sum() and rule.matched_weight == weights[fires].sum()
        assert rule.precision == pytest.approx(rule.support_weight / rule.matched_weight)
        assert rule.recall == pytest.approx(rule.support_weight / weights[unseen & target].sum())
        assert rule.amount == pytest.approx((weights * amounts)[fires & target].sum())
        assert rule.false_amount == pytest.approx((weights * amounts)[fires & ~target].sum())
    assert covey.RuleSet.from_json(found.to_json()).rules == found.rules
    with pytest.raises(covey.MismatchError, match="weights"):
        covey.extract_rules(frame, target, weights=[1.0])


def test_exports_take_options_by_keyword():
    rules = covey.RuleSet.from_conditions([[covey.Condition("a b", covey.ConditionKind.INTERVAL, low=0.5)]])
    assert (
        rules.export("sql")
        == '(CAST("a b" AS DOUBLE PRECISION) >= 0.5e0 AND CAST("a b" AS DOUBLE PRECISION) <= 1.7976931348623157e+308)'
    )
    assert rules.export(
        "sql", dialect="sqlite", table="t", schema="main"
    ) == "SELECT * FROM `main`.`t` WHERE (CAST(`t`.`a b` AS REAL) >= 0.5)".replace("0.5)", "0.5e0)")
    for format in ("drl", "dmn", "pmml", "python", "c", "java"):
        assert "risk" in rules.export(format, name="risk")
    space = {}
    exec(rules.export("python"), space)
    assert (
        space["rules"]({"a b": 0.5}) == [0]
        and space["rules"]({"a b": None}) == []
        and space["rules"]({"a b": float("nan")}) == []
    )
    with pytest.raises(KeyError):
        space["rules"]({"a": 1})
    for bad in ({"dialect": "oracle"}, {"schema": "s"}, {"time_zone": "UTC"}, {"name": "x"}, {"table": ""}):
        with pytest.raises(covey.CoveyError):
            rules.export("sql", **bad)
    with pytest.raises(covey.CoveyError):
        rules.export("cobol")
    with pytest.raises(TypeError):
        rules.export("sql", tables="t")


def test_an_unknown_column_is_an_error_in_sqlite():
    rules = covey.RuleSet.from_conditions([[covey.Condition("amuont", covey.ConditionKind.IN, categories=("amuont",))]])
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE t (amount TEXT)")
    base.execute("INSERT INTO t VALUES ('1')")
    for options in ({"dialect": "sqlite"}, {"dialect": "sqlite", "table": "t"}, {"table": "t"}):
        text = rules.export("sql", **options)
        with pytest.raises(sqlite3.OperationalError, match="no such column"):
            base.execute(text if "table" in options else f"SELECT * FROM t WHERE {text}")


def test_thresholds_hold_for_the_same_data_in_32_bits():
    random = np.random.default_rng(3)
    score = np.round(random.random(20_000), 1)
    target = (score >= 0.7) & (random.random(20_000) < 0.95)
    rules = covey.extract_rules({"score": score}, target)
    wide, narrow = rules.predict({"score": score}), rules.predict({"score": score.astype(np.float32)})
    assert wide.sum() > 4000 and (wide == narrow).all()


def test_why_there_is_no_rule():
    random = np.random.default_rng(4)
    x = random.random(2000)
    assert covey.extract_rules({"x": x}, x > 0.9).note is None
    assert "min_support asks for 10" in covey.extract_rules({"x": x}, x > 0.999).note
    assert "lift above" in covey.extract_rules({"x": x}, x > 0.2).note
    noise = covey.extract_rules({"x": x}, random.random(2000) < 0.1)
    assert len(noise) == 0 and noise.note
