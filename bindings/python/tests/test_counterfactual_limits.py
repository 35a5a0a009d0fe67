"""What limits counterfactuals: bounds, categories, threads, budgets, mistakes."""

import threading
import time

import numpy as np
import pandas as pd
import pytest

import covey
from counterfactual_support import applied, check, price, road, shop  # noqa: F401 (fixtures)


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
