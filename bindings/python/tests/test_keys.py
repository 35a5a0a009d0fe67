"""Keys: tables joined by them give the same as tables that lie in order; what cannot be joined is refused or told."""

import copy
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import covey
from support import write_random_encoder

COLUMNS = {"sequence": "id", "time": "when", "event": "what"}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "model.safetensors"
    write_random_encoder(path, ["home", "search", "cart", "pay"])
    return covey.SequenceEncoder.load(path)


def tables(count=400, seed=3, key=lambda number: f"t{number}"):
    """Events in a random order of transactions, of which each fifth has none, and a row of features for each."""
    random = np.random.default_rng(seed)
    keys = [key(int(number)) for number in random.permutation(count)]
    rows = [
        (name, clock + step, random.choice(["home", "search", "cart", "pay"]))
        for place, name in enumerate(keys)
        if place % 5
        for clock in [place * 100.0]
        for step in range(random.integers(1, 9))
    ]
    random.shuffle(rows)
    events = pd.DataFrame(rows, columns=["id", "when", "what"])
    features = pd.DataFrame({"id": keys, "amount": random.lognormal(3, 1, count), "vpn": random.random(count) < 0.3})
    return events, features.sample(frac=1, random_state=seed).reset_index(drop=True)


def by_hand(events, keys):
    """Each key's events in the table's order."""
    return [events[events.id == key] for key in keys]


@pytest.mark.parametrize(
    "key",
    [lambda n: f"t{n}", lambda n: n * 7 - 50, lambda n: 2**53 + n, lambda n: float(n), lambda n: n % 2 and f"x{n}" or n,
     lambda n: pd.Timestamp(2026, 1, 1) + pd.Timedelta(n, "s")],
    ids=["strings", "integers", "large integers", "whole floats", "mixed", "datetimes"],
)  # fmt: skip
def test_order_gives_each_key_its_events(key):
    events, features = tables(key=key)
    sequences = covey.Sequences.from_frame(events, **COLUMNS, order=features["id"])
    assert (
        len(sequences) == len(features) and list(sequences.keys) == list(features["id"]) and sequences.key_name == "id"
    )
    expected = by_hand(events, features["id"])
    assert sequences.lengths.tolist() == [len(part) for part in expected] and 0 in sequences.lengths
    assert sequences.types.tolist() == [name for part in expected for name in part.what]
    assert sequences.times.tolist() == [time for part in expected for time in part.when]
    assert sequences.rows.tolist() == [row for part in expected for row in part.index]
    assert [found.code for found in sequences.findings] == ["transactions_without_events"]
    # Whatever the two tables are sorted by, and however the order is handed over.
    for same in (
        features,
        features.to_dict("list"),
        features["id"].tolist(),
        features["id"].to_numpy(),
        features.set_index("id").index,
    ):
        again = covey.Sequences.from_frame(events.sort_values("when", kind="stable"), **COLUMNS, order=same)
        assert again.times.tolist() == [time for part in expected for time in sorted(part.when)]


def test_sorting_a_table_changes_nothing(encoder):
    events, features = tables()
    plain = covey.Sequences.from_frame(events, **COLUMNS, order=features)
    hybrid = covey.HybridFeatures()
    rows = hybrid.fit_transform(encoder.embed(plain), features=features)
    assert list(rows.keys) == list(features["id"]) == list(hybrid.keys_) and rows.key_name == "id"
    assert "id" not in " ".join(hybrid.get_feature_names_out())
    unordered = covey.Sequences.from_frame(events[::-1], **COLUMNS, order=features["id"][::-1])
    for table in (features.sort_values("amount"), features.sort_values("vpn").set_index("id")):
        shuffled = covey.HybridFeatures().fit_transform(encoder.embed(plain), features=table)
        place = {key: row for row, key in enumerate(features["id"])}
        names = table.reset_index()["id"]
        np.testing.assert_allclose(shuffled, rows[[place[key] for key in names]], rtol=1e-5, atol=1e-6)
        assert list(shuffled.keys) == list(names)
        assert np.array_equal(hybrid.transform(encoder.embed(plain), table), rows[[place[key] for key in names]])
        assert np.array_equal(
            hybrid.transform(encoder.embed(unordered.align(features["id"])), table),
            hybrid.transform(encoder.embed(unordered), table),
        )


def test_engine_joins_by_key(encoder):
    events, features = tables()
    sequences = covey.Sequences.from_frame(events, **COLUMNS, order=features)
    hybrid = covey.HybridFeatures()
    rows = hybrid.fit_transform(encoder.embed(sequences), features=features)
    clusterer = covey.HDBSCAN(min_cluster_size=5, prediction_data=True).fit(rows)
    assert list(clusterer.keys_) == list(features["id"])
    risk = covey.cluster_risk(clusterer.labels_, features.amount > features.amount.quantile(0.9))
    engine = covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=clusterer, risk=risk)
    scores = engine.score(sequences, features)
    assert list(scores.keys) == list(features["id"])
    expected = scores.to_frame().set_index("id")
    shuffled = features.sort_values("amount")
    found = engine.score(sequences, shuffled).to_frame()
    assert list(found.index) == list(shuffled.index)
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected.loc[shuffled["id"]].reset_index())
    part = engine.score(sequences, shuffled[:7], key="id").to_frame().reset_index(drop=True)
    pd.testing.assert_frame_equal(part, expected.loc[shuffled["id"][:7]].reset_index())
    assert engine.score(sequences, features.drop(columns="id")).keys is sequences.keys
    one = features.iloc[3].to_dict()
    assert engine.score(sequences, one).keys.tolist() == [one["id"]]
    with pytest.raises(covey.MismatchError, match="no row for the key 'elsewhere' of the features"):
        engine.score(sequences, {**one, "id": "elsewhere"})
    with pytest.raises(covey.MismatchError, match="1 of 400 keys"):
        hybrid.transform(encoder.embed(sequences), features.assign(id=[*features["id"][:-1], "another"]))
    with pytest.raises(covey.InvalidArgumentError, match="key='nothing' is not a column"):
        engine.score(sequences, features, key="nothing")
    other = covey.Sequences.from_frame(events.assign(id="x" + events["id"]), **COLUMNS)
    elsewhere = covey.HDBSCAN(min_cluster_size=5, prediction_data=True).fit(
        hybrid.transform(encoder.embed(other), features[: len(other)].drop(columns="id"))
    )
    with pytest.raises(covey.MismatchError, match="hybrid features have no row for the key 'xt"):
        covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=elsewhere, risk=risk)


def test_rows_carry_their_keys(encoder):
    events, features = tables(40)
    rows = encoder.embed(covey.Sequences.from_frame(events, **COLUMNS, order=features))
    keys = np.array(features["id"], dtype=object)
    assert list(rows[5:9].keys) == list(keys[5:9]) and list(rows[[3, 1]].keys) == list(keys[[3, 1]])
    assert list(rows[rows[:, 0] > 0].keys) == list(keys[np.asarray(rows)[:, 0] > 0])
    assert list(rows[::-1, :2].keys) == list(keys[::-1])
    for lost in (rows * 2, rows.T, rows[0], rows.reshape(-1), rows.sum(axis=1), rows.mean()):
        assert getattr(lost, "keys", None) is None
    assert isinstance(rows.sum(), np.floating)
    for again in (pickle.loads(pickle.dumps(rows)), copy.deepcopy(rows)):
        assert np.array_equal(again, rows) and list(again.keys) == list(keys) and again.key_name == "id"
    assert type(encoder.embed(covey.Sequences([0, 1], [1], [0.0]))) is np.ndarray


def test_events_of_unknown_transactions_are_told():
    events, features = tables()
    some = features["id"][:100]
    with pytest.warns(
        covey.DataWarning, match=r"events of \d+ keys are not in order and are left out; the first is row \d+"
    ):
        sequences = covey.Sequences.from_frame(events, **COLUMNS, order=some)
    assert sequences.event_count == events["id"].isin(some).sum()
    assert {found.code for found in sequences.findings} == {"events_without_transaction", "transactions_without_events"}
    found = sequences.findings[0]
    assert found.column == "id" and repr(events["id"][int(found.text.split("row ")[1].split(",")[0])]) in found.text
    with pytest.raises(covey.MismatchError, match="no event belongs to any key of order"):
        covey.Sequences.from_frame(events, **COLUMNS, order=["a", "b"])


@pytest.mark.parametrize(
    "keys, order, error, message",
    [
        (
            [1.0, 2.0**53, 3.0],
            None,
            covey.InvalidDataError,
            r"sequence='id' holds floats, and in row 1 .*9007199254740992.* joined",
        ),
        ([-(2.0**60), 1.0, 3.0], None, covey.InvalidDataError, "in row 0"),
        (np.array([1, 2, 2**24], dtype=np.float32), None, covey.InvalidDataError, r"2\^24"),
        (np.array([1, 2.0**53, "x"], dtype=object), None, covey.InvalidDataError, "from row 1"),
        ([1.0, np.nan, 3.0], None, covey.InvalidDataError, "sequence='id' is missing in row 1; 1 row has no key"),
        (["a", None, None], None, covey.InvalidDataError, "sequence='id' is missing in row 1; 2 rows"),
        (
            ["a", "b", "a"],
            ["b", "a", "b"],
            covey.InvalidDataError,
            "order: the key 'b' of row 2 is in row 0 already; 1 row repeats a key",
        ),
        (
            ["1", "2", "3"],
            [1, 2, 3],
            covey.MismatchError,
            "the events' 'id' are strings .as '1'., those of order numbers .as 1.",
        ),
        ([1, 2, 3], [1, np.nan], covey.InvalidDataError, "order is missing in row 1"),
        ([1, 2, 3], [2.0**53], covey.InvalidDataError, "order holds floats"),
        ([1, 2, 3], [[1, 2], [3, 4]], covey.InvalidArgumentError, "order must have 1 dimension"),
        ([1, 2, 3], {"other": [1]}, covey.InvalidArgumentError, "sequence='id' is not a column of the order"),
        ([1j, 2j, 3j], None, covey.InvalidTypeError, "sequence='id' must hold integers"),
        ([{}, {}, {}], None, covey.InvalidTypeError, "keys must be numbers, strings or datetimes"),
    ],
)
def test_bad_keys(keys, order, error, message):
    frame = {"id": keys, "when": [0.0, 1.0, 2.0], "what": ["home"] * 3}
    with pytest.raises(error, match=message):
        covey.Sequences.from_frame(frame, **COLUMNS, order=order)


def test_integers_and_whole_floats_are_one_key():
    events = {"id": [7.0, 5.0, 7.0], "when": [0.0, 1.0, 2.0], "what": ["home"] * 3}
    assert covey.Sequences.from_frame(events, **COLUMNS, order=[5, 7]).lengths.tolist() == [1, 2]
    large = np.array([2**63 + 1, 2**63, 2**63 + 1], dtype=np.uint64)
    assert covey.Sequences.from_frame({**events, "id": large}, **COLUMNS, order=large[:2]).lengths.tolist() == [2, 1]


def test_align():
    events, features = tables(60)
    sequences = covey.Sequences.from_frame(events, **COLUMNS)
    aligned = sequences.align(features)
    expected = covey.Sequences.from_frame(events, **COLUMNS, order=features)
    assert aligned.offsets.tolist() == expected.offsets.tolist() and aligned.times.tolist() == expected.times.tolist()
    assert sequences[:0].align(["a", "b"]).offsets.tolist() == [0, 0, 0]
    with pytest.raises(covey.InvalidArgumentError, match="keys"):
        covey.Sequences([0, 1], [1], [0.0]).align([1])


def test_a_million_keys_of_which_ten_have_events(encoder):
    keys = np.arange(1_000_000)
    events = {"id": keys[::100_000], "when": np.zeros(10), "what": ["home"] * 10}
    sequences = covey.Sequences.from_frame(events, **COLUMNS, order=keys)
    assert np.flatnonzero(sequences.lengths).tolist() == keys[::100_000].tolist()
    assert "999990 of 1000000 keys" in str(sequences.findings[0])
    strings = keys.astype(str).astype(object)
    sequences = covey.Sequences.from_frame({**events, "id": strings[::100_000]}, **COLUMNS, order=strings)
    assert np.flatnonzero(sequences.lengths).tolist() == keys[::100_000].tolist()
    assert encoder.embed(sequences[:200_000]).any(axis=1).sum() == 2


def test_without_pandas_keys_are_the_same():
    program = """
import sys, numpy as np
sys.modules["pandas"] = None
import covey
keys = ["b", "a", "b", "c"]
for kind in (object, str, None):
    events = {"id": np.array(keys, dtype=kind) if kind else [3, 1, 3, 2], "when": [3.0, 1.0, 2.0, 0.0],
              "what": ["x"] * 4}
    order = ["c", "d", "b", "a"] if kind else [2, 4, 3, 1]
    batch = covey.Sequences.from_frame(events, sequence="id", time="when", event="what", order=order)
    print(batch.lengths.tolist(), batch.times.tolist(), covey.Sequences.from_frame(events, sequence="id", time="when",
        event="what").lengths.tolist())
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == ["[1, 0, 2, 1] [0.0, 3.0, 2.0, 1.0] [2, 1, 1]"] * 3


def test_times_finer_than_a_double_keep_their_order():
    when = np.array([300, 100, 200, 0], dtype="m8[ns]") + np.datetime64("2026-05-01T00:00:00", "ns")
    frame = {"id": ["a"] * 4, "when": when, "what": ["d", "b", "c", "a"]}
    assert covey.Sequences.from_frame(frame, **COLUMNS).types.tolist() == ["a", "b", "c", "d"]
    assert covey.Sequences.from_frame(pd.DataFrame(frame), **COLUMNS).rows.tolist() == [3, 1, 2, 0]
    stamped = np.array(["2026-05-01T00:00:00.123456789"], dtype="M8[ns]")
    expected = float(np.int64(stamped.astype(np.int64)[0])) / 1e9
    assert covey.Sequences([0, 1], [1], stamped).times[0] == pytest.approx(expected, abs=2.4e-7)


@pytest.mark.parametrize("unit, factor", [("ms", 1e3), ("us", 1e6), ("ns", 1e9)])
def test_units_of_times(unit, factor):
    seconds = 1.78e9 + np.arange(4.0)
    frame = {"id": ["a"] * 4, "when": (seconds * factor).astype(np.int64), "what": ["home"] * 4}
    with pytest.warns(
        covey.DataWarning, match=f"holds {dict(ms='milli', us='micro', ns='nano')[unit]}seconds since 1970"
    ):
        guessed = covey.Sequences.from_frame(frame, **COLUMNS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        given = covey.Sequences.from_frame(frame, **COLUMNS, time_unit=unit)
        raw = covey.Sequences.from_frame(frame, **COLUMNS, time_unit="s")
        covey.Sequences.from_frame({**frame, "when": seconds}, **COLUMNS)
        assert not covey.Sequences.from_frame({**frame, "when": np.arange(4) * 1e5}, **COLUMNS).findings
    np.testing.assert_allclose(guessed.times, seconds, atol=1e-5)
    assert np.array_equal(given.times, guessed.times) and raw.times[0] > 1e12
    assert guessed.findings[0].code == "time_unit" and guessed.findings[0].column == "when"
    with pytest.raises(covey.InvalidArgumentError, match="time_unit must be one of"):
        covey.Sequences.from_frame(frame, **COLUMNS, time_unit="h")


def test_times_that_span_centuries_are_told():
    frame = {"id": ["a"] * 4, "when": [0, 10**10, 2 * 10**10, 3 * 10**10], "what": ["home"] * 4}
    with pytest.warns(covey.DataWarning, match="spans 9.. years"):
        covey.Sequences.from_frame(frame, **COLUMNS)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"when": [0.0, np.nan, 2.0]}, "time='when' must be finite, got nan in row 1 of the frame"),
        (
            {"when": pd.to_datetime(["2026-01-01", None, "2026-01-02"])},
            "time='when' must be finite, got nan in row 1 of the frame",
        ),
        ({"spent": [0.0, 1.0, -2.0]}, "dwell='spent' must be finite and not negative, got -2.0 in row 2 of the frame"),
        ({"load": [0.0, np.inf, 1.0]}, "numeric='load' must not be infinite, got inf in row 1 of the frame"),
    ],
)
def test_errors_name_the_tables_rows(change, message):
    frame = {
        "id": ["b", "a", "b"],
        "when": [5.0, 1.0, 2.0],
        "what": ["home"] * 3,
        "spent": [1.0] * 3,
        "load": [1.0] * 3,
    }
    with pytest.raises(covey.InvalidDataError, match=message):
        covey.Sequences.from_frame({**frame, **change}, **COLUMNS, dwell="spent", numeric="load")


def test_two_columns_of_one_name():
    frame = pd.DataFrame([["a", 1.0, "x", "y"]], columns=["id", "when", "what", "what"])
    with pytest.raises(
        covey.InvalidArgumentError, match="event='what': the frame has more than one column of that name"
    ):
        covey.Sequences.from_frame(frame, **COLUMNS)
    features = pd.DataFrame([["a", "b", 1.0], ["c", "d", 2.0]], columns=["id", "id", "amount"])
    with pytest.raises(covey.InvalidArgumentError, match="key='id': features have more than one column"):
        covey.HybridFeatures().fit(features=features, key="id")
    assert "1 sequence," in repr(covey.Sequences.from_frame(frame.iloc[:, :3], **COLUMNS))
