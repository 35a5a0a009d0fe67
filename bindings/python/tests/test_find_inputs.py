"""Inputs of covey.find that are odd or wrong: keys, amounts, times, columns, queries, arguments."""

import warnings

import numpy as np
import pandas as pd
import pytest
from test_tables import duckdb, pa

import covey
from find_support import FAST, encoder, found, same, shop  # noqa: F401 (fixtures)


def test_a_feature_that_equals_the_label(found, encoder):
    result, events, features, ring = found
    leaked = features.assign(chargeback=features.label.fillna(0))
    other = covey.find(events, leaked, "label", key="id", encoder=encoder, **FAST)
    texts = [finding.text for finding in other.findings if finding.code == "feature_gives_label_away"]
    assert texts and "chargeback" in texts[0]


def test_keys_that_do_not_match(found, encoder):
    result, events, features, ring = found
    names = dict(key="id", encoder=encoder, **FAST)
    more = pd.concat([features, features[:3].assign(id=["x", "y", "z"], label=np.nan)])
    other = covey.find(pd.concat([events, events[:2].assign(id="nobody")]), more, "label", **names)
    codes = [finding.code for finding in other.findings]
    assert (
        "events_without_transaction" in codes
        and "transactions_without_events" in codes
        and len(other.scores) == len(more)
    )
    for wrong, error, message in [
        (pd.concat([features, features[:1]]), covey.InvalidDataError, "the key 't.*' of row 600 is in row 0 already"),
        (features.assign(id=[None, *features.id[1:]]), covey.InvalidDataError, "'id'.* is missing in row 0"),
        (features.assign(id=np.arange(len(features))), covey.MismatchError, "strings .* numbers"),
        (features.assign(id=["q" + key for key in features.id]), covey.MismatchError, "no event belongs to any key"),
        (features.drop(columns="id"), covey.InvalidArgumentError, "key='id' is not a column of features"),
    ]:
        with pytest.raises(error, match=message):
            covey.find(events, wrong, "label", **names)
    with pytest.raises(covey.InvalidDataError, match="is missing in row 2; 1 row has"):
        covey.find(events.assign(id=[*events.id[:2], None, *events.id[3:]]), features, "label", **names)
    with pytest.raises(covey.MismatchError, match="pass key= to join them"):
        covey.find(covey.Sequences([0, 1], [1], [0.0]), features, "label", encoder=encoder)


def test_a_million_keys_of_which_ten_have_events():
    rows = 20_000  # of the same kind; a million is too slow for a test (see test_keys for the join)
    events = pd.DataFrame({"id": np.arange(10), "time": np.arange(10.0), "event": ["a", "b"] * 5})
    random = np.random.default_rng(1)
    features = pd.DataFrame({"id": np.arange(rows), "amount": random.normal(size=rows)})
    small = dict(embedding_size=4, hidden_size=6, attention_size=4, dimension=5, epochs=1)
    result = covey.find(
        events,
        features,
        np.where(np.arange(rows) < 20, 1.0, np.nan),
        key="id",
        training=small,
        trees=5,
        permutations=19,
    )
    assert "few_events" in [finding.code for finding in result.findings] and len(result.scores) == rows
    # Frauds come first in the table; those without events are like all others without, whatever their place is.
    assert result.risky[:10].all() and not result.risky[10:20].any()


@pytest.mark.parametrize(
    "amount, error",
    [
        (lambda a: a.where(a < 30), None),
        (lambda a: a * -1, covey.InvalidDataError),
        (lambda a: a.astype(str) + "x", covey.InvalidTypeError),
    ],
)
def test_amounts_missing_or_negative(found, encoder, amount, error):
    result, events, features, ring = found
    changed = features.assign(spent=amount(features.amount))
    arguments = (events, changed, "label"), dict(key="id", amount="spent", encoder=encoder, **FAST)
    if error is None:
        assert "amounts_missing" in [finding.code for finding in covey.find(*arguments[0], **arguments[1]).findings]
    else:
        with pytest.raises(error, match="amount"):
            covey.find(*arguments[0], **arguments[1])


def test_times_in_milliseconds(found, encoder):
    result, events, features, ring = found
    later = events.assign(time=((events.time + 1.7e9) * 1000).astype(np.int64))
    other = covey.find(later, features, "label", key="id", when="when", amount="amount", encoder=encoder, **FAST)
    text = [finding for finding in other.findings if finding.code == "time_unit"]
    assert text and "milliseconds" in text[0].text and text[0].column == "time"
    # What is drawn follows the contents of rows, so that the same times are given in seconds, and not those before they
    # were cut to milliseconds.
    seconds = events.assign(time=later.time / 1000)
    same = covey.find(seconds, features, "label", key="id", when="when", amount="amount", encoder=encoder, **FAST)
    np.testing.assert_allclose(other.scores, same.scores, atol=1e-6)


def test_columns_that_name_the_rows_or_have_many_categories(found, encoder):
    result, events, features, ring = found
    random = np.random.default_rng(1)
    changed = features.assign(
        email=[f"user{number}@example.com" for number in range(len(features))],
        number=random.permutation(len(features)),
        shop=[f"shop {number}" for number in random.zipf(1.3, len(features)).clip(max=500)],
    )  # fmt: skip
    for table in (changed, pa.Table.from_pandas(changed, preserve_index=False)):
        other = covey.find(events, table, "label", key="id", encoder=encoder, **FAST)
        told = {(finding.code, finding.column) for finding in other.findings}
        assert ("identifier", "email") in told and ("identifier", "number") in told
        assert "email" not in other.engine.features and "number" in other.engine.features
        if changed["shop"].nunique() > 100:
            assert ("many_categories", "shop") in told
        assert len(other.engine.score(events, changed[:4])) == 4


@pytest.mark.parametrize(
    "change, message",
    [
        ({"key": "nothing"}, "key='nothing' is not a column of events"),
        ({"fraud": "nothing"}, "fraud='nothing' is not a column of the features"),
        ({"amount": "nothing"}, "amount='nothing' is not a column of the features"),
        ({"when": "nothing"}, "when='nothing' is not a column of the features"),
        ({"event": "nothing"}, "event='nothing' is not a column of events"),
        ({"trees": "many"}, "trees must be an integer"),
        ({"trees": -1}, "trees must be"),
        ({"forest": 3}, "find has no argument 'forest'"),
        ({"scaling": "big"}, "scaling must be one of"),
        ({"known_share": 2.0}, "known_share must be"),
        ({"training": 3}, "training must be a mapping"),
        ({"training": {"layers": 2}}, "'layers' is not an option of training"),
        ({"encoder": 3}, "encoder must be a covey.SequenceEncoder"),
        ({"encoder": "/absent"}, "absent"),
        ({"fraud": [1, 0]}, "fraud must have 600 values, got 2"),
        ({"fraud": "account"}, "fraud='account'.*must be 1, True"),
        ({"amount": [1.0]}, "amount must have 600 values"),
        ({"when": "account"}, "when='account' must hold numbers"),
        ({"seed": -1}, "seed must be"),
        ({"events": None, "features": None}, "find needs events or features"),
    ],
)
def test_bad_arguments(found, encoder, change, message):
    result, events, features, ring = found
    arguments = {
        "events": events,
        "features": features,
        "fraud": "label",
        "key": "id",
        "encoder": encoder,
        **FAST,
        **change,
    }
    if arguments["events"] is None:
        arguments["key"] = None
    with pytest.raises(covey.CoveyError, match=message):
        covey.find(**arguments)


def test_odd_columns_are_named(found, encoder):
    result, events, features, ring = found
    for column, message in [([{}] * 600, "odd"), ([1j] * 600, "odd")]:
        with pytest.raises(covey.CoveyError, match=message):
            covey.find(
                events, features.assign(odd=pd.Series(column, dtype=object)), "label", key="id", encoder=encoder, **FAST
            )
    with pytest.raises(covey.CoveyError, match="no value that|odd|infinit"):
        covey.find(events, features.assign(odd=np.inf), "label", key="id", encoder=encoder, **FAST)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        covey.find(events, features, "label", key="id", encoder=encoder, **FAST)


def test_a_series_in_another_order_is_refused(found, encoder):
    result, events, features, ring = found
    for role in ("fraud", "amount", "when"):
        column = {"fraud": "label"}.get(role, role)
        values = {role: features[column].sample(frac=1, random_state=1)}
        with pytest.raises(covey.MismatchError, match=f"{role} has the index of features in another order"):
            covey.find(events, features.drop(columns="label"), key="id", encoder=encoder, **{**values, **FAST})


def test_queries_and_streams_are_read_once(found, encoder):
    """A query gives its rows in any order each time it runs, and a stream gives them once."""
    result, events, features, ring = found
    names = dict(key="id", when="when", amount="amount", encoder=encoder, **FAST)
    arrow = pa.Table.from_pandas(features, preserve_index=False)

    class Shuffled:
        runs = 0

        def __arrow_c_stream__(self, requested_schema=None):
            Shuffled.runs += 1
            order = np.random.default_rng(Shuffled.runs).permutation(len(features))
            return arrow.take(pa.array(order)).__arrow_c_stream__(requested_schema)

    other = covey.find(events, Shuffled(), "label", **names)
    assert Shuffled.runs == 1
    place = {key: row for row, key in enumerate(other.keys)}
    assert other.risky[[place[key] for key in features.id[ring]]].mean() > 0.8
    scores = result.engine.score(events, Shuffled())
    assert Shuffled.runs == 2
    expected = dict(zip(features.id, result.engine.score(events, features).risk))
    assert scores.risk.tolist() == [expected[key] for key in scores.keys]
    if hasattr(pa.RecordBatchReader, "__arrow_c_stream__"):
        readers = [
            pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
            for table in (pa.Table.from_pandas(events), arrow)
        ]
        same(covey.find(readers[0], readers[1], "label", **names), result)
    if duckdb is not None:
        connection = duckdb.connect()
        connection.register("t", arrow)
        found_there = covey.find(events, connection.sql("SELECT * FROM t"), "label", **names)
        assert found_there.risky.sum() == result.risky.sum() and len(found_there.to_frame().fetchall()) == len(features)
