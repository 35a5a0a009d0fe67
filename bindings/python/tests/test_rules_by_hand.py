"""What experts say of a search, and rules that are written by hand."""

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import covey
from covey import ConditionKind
from rules_support import frame, target  # noqa: F401 (fixtures)


def test_what_experts_say_is_kept(frame, target):
    by_hand = covey.RuleSet.from_conditions(
        [[covey.Condition("amount", ConditionKind.INTERVAL, low=200), covey.Condition("vpn", ConditionKind.PRESENT)]],
        kinds={"vpn": "boolean"},
    )
    found = covey.extract_rules(
        frame,
        target,
        times=np.arange(len(frame)),
        sensitive="vpn",
        directions={"amount": "more", "age": "less"},
        pinned=[covey.Condition("country", ConditionKind.IN, categories=("NL",))],
        min_precision=0.1,
        permutations=19,
        resamples=3,
    )
    assert len(found) and not any(rule.given for rule in found)
    for rule in found:
        conditions = {condition.feature: condition for condition in rule.conditions}
        assert conditions["country"] == covey.Condition("country", ConditionKind.IN, 0, 0, ("NL",))
        assert "vpn" not in conditions
        bounds = {name: c for name, c in conditions.items() if c.kind == ConditionKind.INTERVAL}
        assert "amount" not in bounds or bounds["amount"].high == math.inf
        assert "age" not in bounds or bounds["age"].low == -math.inf
        assert rule.p_value < 0.05 and rule.search_p_value == 0.05 and 0 <= rule.stability <= 1
    beside = covey.extract_rules(frame, target, times=np.arange(len(frame)), given=by_hand)
    assert [rule.given for rule in beside] == [False] * (len(beside) - 1) + [True]
    last = beside[-1]
    fires = ((frame.amount >= 200) & frame.vpn.notna()).to_numpy()[round(len(frame) * 0.7) :]
    assert last.matched == fires.sum() and last.support == (fires & target[round(len(frame) * 0.7) :]).sum()
    with pytest.raises(covey.InvalidArgumentError, match="sensitive"):
        covey.extract_rules(frame, target, given=by_hand, sensitive=["vpn"])
    with pytest.raises(covey.InvalidArgumentError, match="in forbidden and in sensitive"):
        covey.extract_rules(frame, target, forbidden=["vpn"], sensitive=["vpn"])
    with pytest.raises(covey.InvalidArgumentError, match="kinds must say"):
        covey.RuleSet.from_conditions([[covey.Condition("vpn", ConditionKind.PRESENT)]])
    with pytest.raises(covey.MismatchError, match="nothing"):
        covey.extract_rules(frame, target, allowed=["nothing"])


def dated_frame(rows=3000, seed=11):
    generator = np.random.default_rng(seed)
    paid = pd.Timestamp("2026-03-01") + pd.to_timedelta(generator.integers(0, 86400 * 60, rows), unit="s")
    opened = (
        (paid - pd.to_timedelta(generator.exponential(100, rows), unit="D")).floor("us").to_series(index=range(rows))
    )
    opened[generator.random(rows) < 0.05] = pd.NaT
    amount, limit = generator.exponential(100, rows), generator.exponential(300, rows)
    limit[generator.random(rows) < 0.1] = 0
    frame = pd.DataFrame({"paid": paid, "opened": opened, "amount": amount, "limit": limit})
    with np.errstate(divide="ignore"):
        target = (paid.hour < 4) & (limit != 0) & (amount / limit >= 1.5)
    return frame, np.asarray(target | (((paid - opened.array).total_seconds() / 86400 < 5) & (amount >= 100)))


def test_dates_and_pairs():
    frame, target = dated_frame()
    found = covey.extract_rules(
        frame, target, age_to="paid", ratios=[("amount", "limit")], differences=[("amount", "limit")]
    )
    conditions = {condition.feature: condition for rule in found for condition in rule.conditions}
    hour, ratio, age = (conditions[name] for name in ("hour of paid", "amount / limit", "days from opened to paid"))
    assert (hour.derived, hour.columns, hour.high) == (covey.Derived.HOUR, ("paid",), 4)
    assert (ratio.derived, ratio.columns) == (covey.Derived.RATIO, ("amount", "limit"))
    assert (age.derived, age.columns) == (covey.Derived.DAYS, ("opened", "paid"))
    assert conditions["amount"].derived == covey.Derived.NONE and conditions["amount"].columns == ("amount",)
    fires = found.predict(frame)
    assert (fires == target).mean() > 0.99
    # However the dates come.
    zoned = frame.assign(paid=frame["paid"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))
    objects = frame.assign(opened=frame["opened"].astype(object))
    arrow = pa.Table.from_pandas(frame)
    nanoseconds = arrow.set_column(0, "paid", arrow["paid"].cast(pa.timestamp("ns", "Europe/Paris")))
    again = covey.RuleSet.from_json(found.to_json())
    for other in (frame, zoned, objects, arrow, nanoseconds, frame.assign(more=pd.Timestamp(0))):
        assert np.array_equal(again.predict(other), fires)
    assert [bool(again.predict(frame.iloc[row])[0]) for row in range(20)] == fires[:20].tolist()
    with pytest.raises(covey.MismatchError, match="opened"):
        again.predict(frame.drop(columns="opened"))
    with pytest.raises(covey.MismatchError, match="opened"):
        again.predict(frame.assign(opened=1.0))
    with pytest.raises(covey.MismatchError, match="^age_to"):
        covey.extract_rules(frame, target, age_to="amount")
    with pytest.raises(covey.InvalidTypeError, match="ratios"):
        covey.extract_rules(frame, target, ratios=["amount"])


def test_given_rules_bring_what_they_derive():
    frame, target = dated_frame()
    found = covey.extract_rules(frame, target, age_to="paid", ratios=[("amount", "limit")])
    plain = covey.extract_rules(frame, target, given=found, forbidden=["paid"])
    mined = [rule for rule in plain if not rule.given]
    assert [rule.conditions for rule in plain if rule.given] == [rule.conditions for rule in found]
    assert not any("paid" in condition.columns for rule in mined for condition in rule.conditions)
    assert np.array_equal(covey.RuleSet.from_json(plain.to_json()).predict(frame), plain.predict(frame))
    with pytest.raises(covey.InvalidArgumentError, match="sensitive"):
        covey.extract_rules(frame, target, given=found, sensitive=["opened"])


def test_json_with_a_key_that_nobody_knows_is_refused():
    good = '{"format_version": 1, "features": [{"name": "x", "kind": "numeric"}], "rules": [{"conditions": [%s]}]}'
    condition = '{"feature": "x", "kind": "interval", "low": 1, "high": 2}'
    assert len(covey.RuleSet.from_json(good % condition)) == 1
    for wrong, message in (
        ('{"feature": "x", "kind": "interval", "low": 1, "hihg": 2}', "hihg"),
        ('{"feature": "x", "kind": "missing", "low": 1}', "low"),
        ('{"feature": "x", "kind": "interval", "low": 1, "low": 2}', "twice"),
        ('{"feature": "x", "kind": "interval", "low": 1, "l\\u006fw": 2}', "twice"),
    ):
        with pytest.raises(covey.CorruptFileError, match=message):
            covey.RuleSet.from_json(good % wrong)
    with pytest.raises(covey.CorruptFileError, match="rulez"):
        covey.RuleSet.from_json('{"format_version": 1, "features": [], "rules": [], "rulez": []}')


def test_conditions_by_hand_take_numbers_of_any_kind_and_no_strings_for_lists():
    from decimal import Decimal

    interval = ConditionKind.INTERVAL
    for low in (np.float32(0.5), np.int64(1), Decimal("0.5")):
        assert covey.RuleSet.from_conditions([[covey.Condition("x", interval, low=low)]])[0].conditions[0].low == float(
            low
        )
    with pytest.raises(covey.CoveyError, match="nan"):
        covey.RuleSet.from_conditions([[covey.Condition("x", interval, low=float("nan"))]])
    with pytest.raises(TypeError, match="'NL'"):
        covey.RuleSet.from_conditions([[covey.Condition("x", ConditionKind.IN, categories="NL")]])
    with pytest.raises(TypeError, match="number"):
        covey.RuleSet.from_conditions([[covey.Condition("x", interval, low="1")]])


def test_a_found_rule_on_what_is_worked_out_is_built_again_from_its_conditions():
    table = pd.DataFrame(
        {
            "at": pd.to_datetime(np.arange(4000) * 3600, unit="s"),
            "a": np.arange(4000) % 7.0,
            "b": np.arange(4000) % 5 + 1.0,
        }
    )
    hours = np.arange(4000) % 24
    found = covey.extract_rules(table, (hours >= 2) & (hours < 5), ratios=[("a", "b")])
    assert found[0].conditions[0].derived == covey.Derived.HOUR
    again = covey.RuleSet.from_conditions([found[0].conditions])
    assert again[0].conditions[0].columns == ("at",)
    assert (again.predict(table) == found.fired(table)[:, 0]).all()
    ratio = covey.Condition("", ConditionKind.INTERVAL, low=1.0, derived=covey.Derived.RATIO, columns=("a", "b"))
    assert (covey.RuleSet.from_conditions([[ratio]]).predict(table) == (table.a / table.b >= 1)).all()


def test_rules_by_hand_say_that_they_were_not_measured():
    rules = covey.RuleSet.from_conditions(
        [
            [covey.Condition("x", ConditionKind.INTERVAL, low=1.0)],
            [covey.Condition("x", ConditionKind.INTERVAL, low=2.0)],
        ],
        precisions=[None, 0.8],
    )
    assert not rules[0].measured and rules[0].stated_precision is None and rules[1].stated_precision == 0.8
    assert rules[0].text == "x is at least 1: not measured."
    assert (
        rules[1].text
        == "x is at least 2: not measured; its author states that 80.0% of matching transactions are target."
    )
    assert covey.RuleSet.from_json(rules.to_json()).to_json() == rules.to_json()
    with pytest.raises(covey.CoveyError):
        covey.RuleSet.from_conditions([[covey.Condition("x", ConditionKind.INTERVAL, low=1.0)]], precisions=[1.5])
