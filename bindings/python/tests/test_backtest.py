"""Backtests against the same counted by pandas, and engines that are opened up and exchanged."""

import numpy as np
import pandas as pd
import pytest

import covey
from covey import Condition, ConditionKind

WEEK = 604_800


@pytest.fixture(scope="module")
def past():
    random = np.random.default_rng(8)
    n = 50_000
    times = random.uniform(0, 10 * WEEK - 1, n) + 1e9
    times[:2] = 1e9, 1e9 + 10 * WEEK - 1
    frame = pd.DataFrame(
        {
            "amount": np.round(random.lognormal(4, 1, n), 2),
            "age": random.integers(0, 1000, n).astype(float),
            "country": random.choice(["NL", "DE", "FR"], n),
        }
    )
    risky = (frame.amount > 200) & (frame.age < 200)
    late = (times - 1e9) / (10 * WEEK)
    fraud = np.where(random.random(n) < np.where(risky, 0.8 * (1 - late), 0.01), 1, 0).astype(np.int8)
    fraud[random.random(n) < 0.3] = -1
    rules = covey.RuleSet.from_conditions(
        [
            [
                Condition("amount", ConditionKind.INTERVAL, low=200.0),
                Condition("age", ConditionKind.INTERVAL, high=200.0),
            ],
            [Condition("country", ConditionKind.IN, categories=("NL", "FR"))],
            [Condition("amount", ConditionKind.INTERVAL, low=1e9)],
            [Condition("age", ConditionKind.INTERVAL, low=500.0)],
        ]
    )
    return frame, fraud, times, np.round(random.random(n) * 100, 2), rules


@pytest.mark.parametrize("order", ["shuffled", "by time"])
def test_figures_are_those_of_pandas(past, order):
    frame, fraud, times, amounts, rules = past
    if order == "by time":
        chosen = np.argsort(times)
        frame, fraud, times, amounts = frame.iloc[chosen], fraud[chosen], times[chosen], amounts[chosen]
    outcomes = np.where(fraud == 1, "disputed", np.where(amounts > 50, "passed", "blocked"))
    found = covey.backtest(rules, frame, fraud, amounts, times, outcomes=outcomes, live=[True, False, False, True])
    fired = np.column_stack([rules.fired(frame), rules.predict(frame)])
    live = np.array([True, False, False, True])
    week = ((times - times.min()) // WEEK).astype(int)
    assert len(found.starts) == 10 and found.starts[1] == found.starts[0] + WEEK
    for number, report in enumerate([*found.rules, found.any]):
        mine = fired[:, number]

        def same(report, mask, prefix=""):
            assert getattr(report, prefix + "rows") == mask.sum()
            assert getattr(report, prefix + "fraud") == (mask & (fraud == 1)).sum()
            assert getattr(report, prefix + "legitimate") == (mask & (fraud == 0)).sum()
            assert getattr(report, prefix + "amount") == pytest.approx(amounts[mask].sum())
            assert getattr(report, prefix + "fraud_amount") == pytest.approx(amounts[mask & (fraud == 1)].sum())
            assert getattr(report, prefix + "legitimate_amount") == pytest.approx(amounts[mask & (fraud == 0)].sum())

        same(report, mine)
        labelled = (mine & (fraud >= 0)).sum()
        if labelled:
            assert report.precision == (mine & (fraud == 1)).sum() / labelled
            assert report.precision_low <= report.precision <= report.precision_high
        else:
            assert report.precision is None
        assert report.recall == pytest.approx((mine & (fraud == 1)).sum() / (fraud == 1).sum())
        if number < 4:
            others = [other for other in range(4) if live[other] and other != number]
            same(report, mine & ~fired[:, others].any(axis=1), "added_")
        for period, part in enumerate(found.periods(number if number < 4 else None)):
            same(part, mine & (week == period))
        by_outcome = found.by_outcome(number if number < 4 else None)
        for name in ("blocked", "disputed", "passed"):
            assert by_outcome[name] == (
                ((mine & (outcomes == name)).sum()),
                pytest.approx(amounts[mine & (outcomes == name)].sum()),
            )
    assert [part.rows for part in found.periods(all=True)] == [(week == period).sum() for period in range(10)]
    together = fired[:, :4].astype(int)
    assert (found.overlap == together.T @ together).all()


def test_decay_is_seen_in_the_rule_that_decays_alone(past):
    frame, fraud, times, amounts, rules = past
    found = covey.backtest(rules, frame, fraud, amounts, times)
    assert found.rules[0].decay_p < 1e-6
    assert found.rules[1].hit_rate_p > 0.001 and found.rules[2].decay_p is None
    assert not found.rules[0].retire and not found.rules[2].retire
    # By its formula, from pandas' counts.
    hits = np.array([part.fraud for part in found.periods(0)], dtype=float)
    trials = hits + [part.legitimate for part in found.periods(0)]
    score, share = np.arange(10), hits.sum() / trials.sum()
    z = (score * (hits - trials * share)).sum() / np.sqrt(
        share * (1 - share) * ((trials * score**2).sum() - (trials * score).sum() ** 2 / trials.sum())
    )
    assert z < -5
    gone = frame.assign(age=np.where(times > times.min() + 7 * WEEK, 999.0, frame.age))
    assert covey.backtest(rules, gone, fraud, amounts, times).rules[0].retire


def test_a_shadow_is_compared_row_by_row(past):
    frame, fraud, _, amounts, rules = past
    other = covey.RuleSet.from_conditions([[Condition("amount", ConditionKind.INTERVAL, low=150.0)]])
    found = covey.backtest(rules, frame, fraud, amounts, shadow=other).shadow
    first, second = rules.predict(frame), other.predict(frame)
    for name, mask in (
        ("both", first & second),
        ("first", first & ~second),
        ("second", ~first & second),
        ("neither", ~first & ~second),
    ):
        assert (found[name].rows, found[name].fraud) == (mask.sum(), (mask & (fraud == 1)).sum())
        assert found[name].amount == pytest.approx(amounts[mask].sum())


def test_the_result_does_not_depend_on_the_threads(past):
    frame, fraud, times, amounts, rules = past
    frames = [
        covey.backtest(rules, frame, fraud, amounts, times, context=covey.Context(threads=threads)).to_frame()
        for threads in (1, 4)
    ]
    pd.testing.assert_frame_equal(*frames, check_exact=True)


def test_bad_input_is_refused(past):
    frame, fraud, times, amounts, rules = past
    few = frame.iloc[:3]
    for options in (
        {"amounts": [1, -1, 2]},
        {"times": [0, np.nan, 1]},
        {"times": [0, 1, 2], "period": 0},
        {"times": [0, 1, 1e12], "period": 1},
        {"confidence": 1},
        {"live": [1]},
        {"outcomes": ["a"]},
        {"amounts": [1.0]},
    ):
        with pytest.raises(covey.CoveyError):
            covey.backtest(rules, few, fraud[:3], **options)
    with pytest.raises(covey.CoveyError):
        covey.backtest(rules, few, [0, 1])
    empty = covey.backtest(covey.RuleSet.from_conditions([]), few, fraud[:3], times=[0, 1, 2])
    assert empty.any.rows == 0 and len(empty.rules) == 0
