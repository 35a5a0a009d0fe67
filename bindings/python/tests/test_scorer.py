"""One transaction after another, against the scores of whole batches."""

import math
import threading

import pytest
from road import Road

import covey


@pytest.fixture(scope="module")
def road():
    return Road()


def plain(row):
    """A row of a frame as a page has it."""
    values = {name: getattr(value, "item", lambda value=value: value)() for name, value in row.to_dict().items()}
    return {name: None if isinstance(v, float) and math.isnan(v) else v for name, v in values.items()}


def test_scores_as_the_engine_does(road):
    expected = road.engine.score(road.sequences[:200], road.features.iloc[:200])
    with covey.Scorer(road.engine) as scorer:
        for row in range(200):
            features = plain(road.features.iloc[row])
            risk = scorer.score({**features, "not needed": object()}, road.sequences[row : row + 1])
            assert risk == scorer.risk == expected.risk[row]
            assert (scorer.cluster, scorer.strength) == (expected.cluster[row], expected.strength[row])
            assert scorer.risky == expected.risky[row] and scorer.rule_count == len(expected[row].rules)
            assert scorer.last() == expected[row]
        missing = dict.fromkeys(road.engine.features)
        one = road.sequences[:1]
        few = scorer.score(missing, one, max_events=2)
        assert few == road.engine.score(one, missing, max_events=2).risk[0]
    assert scorer.closed and repr(scorer) == "Scorer(closed)"


def test_refuses_what_cannot_be(road):
    scorer = covey.Scorer(road.engine)
    good, one = plain(road.features.iloc[0]), road.sequences[:1]
    name = next(name for name, kind in road.engine.features.items() if kind == "categorical")
    with pytest.raises(covey.InvalidArgumentError, match="no score yet"):
        scorer.last()
    with pytest.raises(covey.MismatchError, match="amount"):
        scorer.score({key: value for key, value in good.items() if key != "amount"}, one)
    with pytest.raises(covey.MismatchError, match="categorical"):
        scorer.score({**good, name: 3}, one)
    with pytest.raises(covey.InvalidTypeError, match="amount"):
        scorer.score({**good, "amount": "12"}, one)
    with pytest.raises(covey.InvalidDataError, match="infinite"):
        scorer.score({**good, "amount": math.inf}, one)
    with pytest.raises(covey.InvalidArgumentError, match="NUL"):
        scorer.score({**good, name: "a\0b"}, one)
    with pytest.raises(covey.MismatchError, match="sequences"):
        scorer.score(good)
    with pytest.raises(covey.MismatchError, match="2"):
        scorer.score(good, road.sequences[:2])
    with pytest.raises(covey.CancelledError, match="deadline"):
        scorer.score(good, one, seconds=1e-9)
    with pytest.raises(covey.InvalidArgumentError, match="max_events"):
        scorer.score(good, one, max_events=0)
    with pytest.raises(covey.InvalidTypeError, match="engine"):
        covey.Scorer(None)
    with pytest.raises(covey.InvalidTypeError, match="events"):
        scorer.score(good, [1])
    for features in ([1], "NL", 5):
        with pytest.raises(covey.InvalidTypeError, match="features must be a dict"):
            scorer.score(features, one)
    with pytest.raises(covey.InvalidArgumentError, match=f"feature '{name}' must be valid Unicode"):
        scorer.score({**good, name: "\ud800"}, one)
    assert scorer.score(good, one) == road.engine.score(one, good).risk[0]


def test_each_thread_has_its_own(road):
    context = covey.Context(threads=1)
    expected = road.engine.score(road.sequences[:50], road.features.iloc[:50]).risk
    rows = [plain(road.features.iloc[row]) for row in range(50)]
    found = {}

    def work(number):
        scorer = covey.Scorer(road.engine, context=context)
        found[number] = [scorer.score(rows[row], road.sequences[row : row + 1]) for row in range(50)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found[number] == list(expected) for number in range(4))
