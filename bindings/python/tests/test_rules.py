"""Rules: found again where they were planted, their figures counted once more, their exports run."""

import json
import math
import pickle
import sqlite3

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import covey
from covey import ConditionKind


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(11)
    n = 8000
    return pd.DataFrame(
        {
            "amount": np.where(random.random(n) < 0.05, np.nan, np.round(random.lognormal(4, 1, n), 2)),
            "age": random.integers(0, 2000, n),
            "country": np.array(["NL", "DE", "FR", "Zürich's", None], dtype=object)[random.integers(0, 5, n)],
            "vpn": pd.array(np.where(random.random(n) < 0.1, None, random.random(n) < 0.3), dtype="boolean"),
        }
    )


@pytest.fixture(scope="module")
def target(frame):
    planted = (frame.amount >= 200) & (frame.country == "NL") & (frame.age < 300)
    planted |= frame.vpn.fillna(False).astype(bool) & frame.amount.isna()
    return (planted | (np.random.default_rng(1).random(len(frame)) < 0.002)).to_numpy()


@pytest.fixture(scope="module")
def rules(frame, target):
    return covey.extract_rules(frame, target, times=np.arange(len(frame)), target_name="ring 7")


def matches(condition, frame):
    """A condition by the words of covey.h."""
    values = frame[condition.feature]
    missing = values.isna().to_numpy()
    if condition.kind == ConditionKind.INTERVAL:
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        return (numbers >= condition.low) & (numbers < condition.high)
    if condition.kind in (ConditionKind.IN, ConditionKind.NOT_IN):
        inside = values.isin(condition.categories).to_numpy()
        return inside if condition.kind == ConditionKind.IN else ~inside & ~missing
    if condition.kind in (ConditionKind.TRUE, ConditionKind.FALSE):
        return (values == (condition.kind == ConditionKind.TRUE)).fillna(False).to_numpy(dtype=bool)
    return missing if condition.kind == ConditionKind.MISSING else ~missing


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


def database(frame, table):
    """The rows in SQLite, in columns without a type, so that nothing is converted."""
    base = sqlite3.connect(":memory:")
    base.execute(f"CREATE TABLE {table} (row, {', '.join(frame)})")
    values = [[None if pd.isna(item) else item for item in frame[name].astype(object)] for name in frame]
    base.executemany(f"INSERT INTO {table} VALUES (?{', ?' * len(values)})", zip(range(len(frame)), *values))
    return base


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
