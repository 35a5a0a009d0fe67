"""Tables of every kind, hybrid features against scikit-learn, and cluster risk against its definitions."""

import ctypes
import datetime
import math
import time
from statistics import NormalDist

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.preprocessing import RobustScaler, StandardScaler

import covey
from covey._table import Table


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "amount": np.where(random.random(500) < 0.1, np.nan, random.lognormal(3, 1, 500)),
            "items": random.integers(1, 9, 500),
            "country": np.array(["NL", "DE", None, "é"], dtype=object)[random.integers(0, 4, 500)],
            "vpn": random.random(500) < 0.3,
        }
    )


def values(table):
    """What the library sees of a table, read back through its struct."""
    read = {}
    for index in range(table.struct.column_count):
        column = table.struct.columns[index]
        kind = {0: np.float64, 1: np.int32, 2: np.int8}[column.kind]
        size = np.dtype(kind).itemsize
        step = column.stride or size
        memory = (ctypes.c_char * (step * (table.rows - 1) + size)).from_address(column.values)
        array = np.ndarray(table.rows, dtype=kind, buffer=memory, strides=(step,)).copy()
        if column.kind == 1:
            pointers = (ctypes.c_char_p * column.category_count).from_address(column.categories or 1)
            names = [pointers[place].decode() for place in range(column.category_count)]
            array = np.array([*names, None], dtype=object)[array]
        read[column.name.decode()] = (column.kind, array.tolist())
    return read


def test_every_source_gives_the_same_table(frame):
    expected = values(Table(frame))
    assert {name: kind for name, (kind, _) in expected.items()} == {"amount": 0, "items": 0, "country": 1, "vpn": 2}
    np.testing.assert_array_equal(expected["amount"][1], frame.amount)
    assert expected["country"][1] == [None if pd.isna(item) else item for item in frame.country]
    assert expected["vpn"][1] == frame.vpn.astype(int).tolist()
    arrays = {name: frame[name].to_numpy() for name in frame}
    records = frame.to_records(index=False)
    sources = {
        "mapping": arrays,
        "lists": {name: array.tolist() for name, array in arrays.items()},
        "records": records,
        "nullable": frame.convert_dtypes(),
        "category": frame.assign(country=frame.country.astype("category")),
        "narrow": frame.astype({"items": "int8"}),
        "Int64": frame.astype({"items": "Int64", "vpn": "boolean"}),
        "arrow": pa.Table.from_pandas(frame),
        "chunks": pa.concat_tables([pa.Table.from_pandas(frame[:200]), pa.Table.from_pandas(frame[200:])]),
        "batch": pa.RecordBatch.from_pandas(frame),
        "dictionary": pa.Table.from_pandas(frame.assign(country=frame.country.astype("category"))),
        "pandas of arrow": frame.convert_dtypes(dtype_backend="pyarrow"),
        "slices": frame.loc[np.repeat(np.arange(500), 2)].iloc[::2],
        "objects": frame.astype(object),
    }
    for name, source in sources.items():
        assert repr(values(Table(source))) == repr(expected), name


def test_floats_of_any_stride_are_not_copied():
    block = np.zeros((100, 4))
    table = Table({"a": block[:, 1], "b": np.ascontiguousarray(block[:, 2])})
    assert table.struct.columns[0].values == block[:, 1].ctypes.data and table.struct.columns[0].stride == 32
    reverse = Table({"a": block[::-1, 0]})
    assert reverse.struct.columns[0].values != block[::-1, 0].ctypes.data


@pytest.mark.parametrize(
    "bad,code,words",
    [
        (pd.DataFrame({"when": pd.to_datetime(["2026-01-01"])}), 8, "when"),
        (pd.DataFrame({"when": pd.to_datetime(["2026-01-01"]).tz_localize("UTC")}), 8, "when"),
        ({"when": np.array([datetime.time(1), datetime.date(2026, 1, 1)], dtype=object)}, 1, "when"),
        ({"z": np.array([1j])}, 1, "z"),
        ({"mixed": np.array(["a", 1.0], dtype=object)}, 1, "mixed"),
        ({"things": np.array([{}, []], dtype=object)}, 1, "things"),
        ({"a": [1.0], "b": [1.0, 2.0]}, 3, "b"),
        ({"a": np.zeros((2, 2))}, 1, "a"),
        ({3: [1.0]}, 1, "3"),
        (pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]), 2, "a"),
        ({"": [1.0]}, 1, "name"),
        ({"nul\0": [1.0]}, 1, "nul"),
        ({"a": ["x\0y"]}, 1, "a"),
        ({"a": [np.inf]}, 2, "a"),
        (np.zeros(3), 1, "features"),
        ("text", 1, "features"),
        (pa.table({"when": pa.array([1], type=pa.timestamp("s"))}), 8, "when"),
    ],
    ids=lambda value: None if isinstance(value, (int, str)) else type(value).__name__,
)  # fmt: skip
def test_bad_tables(bad, code, words):
    with pytest.raises(covey.CoveyError) as caught:
        covey.HybridFeatures().fit(features=bad)
    assert words in str(caught.value)
    assert caught.value.code in (code, 1)


def test_numbers_are_scaled_as_in_scikit_learn(frame):
    numbers = frame[["amount", "items"]].fillna(frame.amount.median())
    for scaling, scaler in (("robust", RobustScaler()), ("standard", StandardScaler())):
        hybrid = covey.HybridFeatures(scaling=scaling, clip=math.inf)
        rows = hybrid.fit_transform(features=numbers)
        assert rows.dtype == np.float32 and rows.shape == (500, 2)
        np.testing.assert_allclose(rows, scaler.fit_transform(numbers) / math.sqrt(2), rtol=1e-5, atol=1e-6)
    clipped = covey.hybrid_features(features=numbers, clip=1.0)
    expected = np.clip(RobustScaler().fit_transform(numbers), -1, 1) / math.sqrt(2)
    np.testing.assert_allclose(clipped, expected, rtol=1e-5, atol=1e-6)


def test_blocks_names_and_new_rows(frame):
    random = np.random.default_rng(2)
    embeddings = random.normal(size=(500, 6)).astype(np.float32)
    hybrid = covey.HybridFeatures(embedding_weight=2.0, missing="indicator", column_weights={"vpn": 0.0})
    rows = hybrid.fit_transform(embeddings, features=frame)
    names = hybrid.get_feature_names_out().tolist()
    assert rows.shape == (500, hybrid.n_features_out_) == (500, len(names))
    assert {"amount", "items", "vpn", "country=NL", "country=é", "amount missing"} <= set(names)
    centred = embeddings - embeddings.mean(0)
    expected = 2 * centred / np.sqrt((centred**2).sum(1).mean())
    np.testing.assert_allclose(rows[:, :6], expected, rtol=1e-4, atol=1e-5)
    assert not rows[:, names.index("vpn")].any()
    one_hot = rows[:, [index for index, name in enumerate(names) if name.startswith("country=")]]
    np.testing.assert_allclose(one_hot[frame.country == "NL"].sum(1), 1 / math.sqrt(2) / math.sqrt(4), rtol=1e-5)
    # Columns by name in any order, others ignored, a row the same in any batch.
    shuffled = frame[["vpn", "country", "items", "amount"]].assign(extra="x")
    assert hybrid.transform(embeddings[40:60], shuffled[40:60]).tobytes() == rows[40:60].tobytes()
    one = {name: frame[name][3] for name in frame}
    np.testing.assert_array_equal(hybrid.transform(embeddings[3:4], one)[0], rows[3])
    nothing = {"amount": None, "items": None, "country": None, "vpn": None}
    assert np.isfinite(hybrid.transform(embeddings[:1], nothing)).all()
    countries = [index for index, name in enumerate(names) if name.startswith("country=")]
    assert not hybrid.transform(embeddings[:5], frame[:5].assign(country=np.nan))[:, countries].any()
    wide = np.zeros((500, 8), dtype=np.float32)
    wide[:, 1:7] = embeddings
    for same in (embeddings.astype(np.float64), wide[:, 1:7], np.asfortranarray(embeddings)):
        np.testing.assert_allclose(hybrid.transform(same, frame), rows, rtol=1e-6)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(embeddings.ravel()), 6)
    assert hybrid.transform(lists, frame).tobytes() == rows.tobytes()
    assert clone(hybrid).get_params()["embedding_weight"] == 2.0


def test_principal_components():
    random = np.random.default_rng(8)
    embeddings = random.normal(size=(300, 3)) @ random.normal(size=(3, 10))
    rows = covey.hybrid_features(embeddings, embedding_components=3)
    assert rows.shape == (300, 3)
    # Distances are kept up to the block's scale, as the rest is empty.
    centred = embeddings - embeddings.mean(0)
    scale = np.sqrt((centred**2).sum(1).mean())
    wanted = np.linalg.norm(centred[:50, None] - centred[None, :50], axis=2) / scale
    np.testing.assert_allclose(np.linalg.norm(rows[:50, None] - rows[None, :50], axis=2), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "options,code",
    [({"scaling": "power"}, 1), ({"missing": "zero"}, 1), ({"embedding_components": 7}, 1),
     ({"embedding_components": -1}, 1),
     ({"embedding_weight": -1.0}, 1), ({"feature_weight": math.nan}, 1), ({"clip": 0.0}, 1),
     ({"column_weights": [1.0]}, 3), ({"column_weights": {"nothing": 1.0}}, 1),
     ({"column_weights": [1.0, 1.0, 1.0, -1.0]}, 1), ({"missing": "reject"}, 2)],
    ids=str,
)  # fmt: skip
def test_bad_hybrid_options(frame, options, code):
    with pytest.raises(covey.CoveyError) as caught:
        covey.HybridFeatures(**options).fit(np.zeros((500, 6)) + np.arange(500)[:, None], features=frame)
    assert caught.value.code == code


def test_bad_hybrid_inputs(frame):
    embeddings = np.random.default_rng(0).normal(size=(500, 6))
    spoilt = embeddings.copy()
    spoilt[3, 1] = np.nan
    hybrid = covey.HybridFeatures().fit(embeddings, features=frame)
    with pytest.raises(covey.NotFittedError):
        covey.HybridFeatures().transform(embeddings)
    for arguments, code in [
        ((None, None), 1), ((spoilt, frame), 2), ((embeddings[:5], frame), 3), ((embeddings[0], frame), 1),
        ((embeddings.astype(str), frame), 1), ((embeddings * 1j, frame), 1),
    ]:  # fmt: skip
        with pytest.raises(covey.CoveyError) as caught:
            covey.HybridFeatures().fit(embeddings=arguments[0], features=arguments[1] if arguments[1:] else None)
        assert caught.value.code == code, arguments
    for arguments in [(embeddings[:, :5], frame), (None, frame), (embeddings, frame.drop(columns="vpn")),
                      (embeddings, None),
                      (embeddings, frame.assign(vpn="yes")), (embeddings, frame.assign(amount="much"))]:  # fmt: skip
        with pytest.raises(covey.CoveyError) as caught:
            hybrid.transform(*arguments)
        assert caught.value.code in (1, 3)
    assert hybrid.transform(embeddings, frame).shape[0] == 500  # still good


def wilson(fraud, labelled, confidence=0.95):
    """Wilson 1927, the score interval."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, n = fraud / labelled, labelled
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def test_risk_follows_its_definitions():
    random = np.random.default_rng(6)
    labels = random.integers(-1, 6, size=4000)
    truth = random.random(4000) < np.where(labels == 2, 0.6, 0.02)
    known = random.random(4000) < 0.5
    fraud = np.where(known, truth, np.nan)
    amounts, times = random.exponential(50, 4000), random.uniform(0, 1e6, 4000)
    risk = covey.cluster_risk(labels, fraud, amounts=amounts, times=times)
    assert risk.base_rate == truth[known].mean() and len(risk) == 7 and risk.risky_clusters == [2]
    assert [report.rank for report in risk] == list(range(7)) and risk.reports[0].cluster == 2
    assert sorted(risk.reports, key=lambda r: (-r.share_low, -r.loss, r.cluster)) == risk.reports
    for report in risk:
        inside = labels == report.cluster
        judged = inside & known
        assert report.size == inside.sum() and report.labelled == judged.sum() and report.fraud == truth[judged].sum()
        assert report.share == pytest.approx(truth[judged].mean(), rel=1e-12)
        assert (report.share_low, report.share_high) == pytest.approx(wilson(report.fraud, report.labelled), rel=1e-9)
        assert report.lift == pytest.approx(report.share / risk.base_rate)
        assert report.loss == pytest.approx(amounts[judged & truth].sum())
        assert report.amount == pytest.approx(amounts[inside].sum())
        assert (report.first_seen, report.last_seen) == (times[inside].min(), times[inside].max())
    assert risk[2].risky and len(risk.to_frame()) == 7
    with pytest.raises(KeyError):
        risk[99]
    forms = {
        "objects": np.array([None if not k else bool(t) for k, t in zip(known, truth)], dtype=object),
        "nullable": pd.array([pd.NA if not k else bool(t) for k, t in zip(known, truth)], dtype="boolean"),
        "Int64": pd.Series(fraud).astype("Int64"),
        "minus one": np.where(known, truth, -1),
        "int8": np.where(known, truth, -1).astype(np.int8),
    }
    for name, form in forms.items():
        again = covey.cluster_risk(labels.tolist(), form, amounts=amounts, times=pd.to_datetime(times, unit="s"))
        assert [(r.cluster, r.fraud, r.labelled) for r in again] == [(r.cluster, r.fraud, r.labelled) for r in risk], (
            name
        )
    assert covey.cluster_risk(labels, truth).base_rate == truth.mean()
    assert math.isnan(covey.cluster_risk([0, 1], [None, None]).base_rate)
    assert len(covey.cluster_risk([], [])) == 0


@pytest.mark.parametrize(
    "arguments,options,code,field",
    [
        (([0, -2], [0, 1]), {}, 2, "label"),
        (([0.5, 0], [0, 1]), {}, 2, "labels"),
        (([0, 2**40], [0, 1]), {}, 2, "labels"),
        (([0, 1], [0, 2]), {}, 2, "fraud"),
        (([0, 1], [0, 256]), {}, 2, "fraud"),
        (([0, 1], ["perhaps", "no"]), {}, 2, "fraud[0] must be 1, True or 'fraud'"),
        (([0, 1], [1]), {}, 3, "fraud"),
        (([0, 1], [0, 1], [1.0, -1.0]), {}, 2, "amounts"),
        (([0, 1], [0, 1], [1.0, np.nan]), {}, 2, "amounts"),
        (([0, 1], [0, 1], [1.0]), {}, 3, "amounts"),
        (([0, 1], [0, 1], None, [1.0, np.inf]), {}, 2, "times"),
        (([0, 1], [0, 1]), {"confidence": 1.0}, 1, "confidence"),
        (([0, 1], [0, 1]), {"min_lift": 0.0}, 1, "min_lift"),
        (([0, 1], [0, 1]), {"min_fraud": 0}, 1, "min_fraud"),
        (([[0, 1]], [0, 1]), {}, 1, "labels"),
    ],
)
def test_bad_risk_input(arguments, options, code, field):
    with pytest.raises(covey.CoveyError) as caught:
        covey.cluster_risk(*arguments, **options)
    assert caught.value.code == code and field in str(caught.value)


def test_what_is_not_wanted_may_be_anything():
    frame = pd.DataFrame({"amount": [1.0, 2.0, 9.0], "vpn": [True, False, True]})
    hybrid = covey.HybridFeatures().fit(features=frame)
    expected = hybrid.transform(None, frame)
    wider = frame[["vpn", "amount"]].assign(when=pd.Timestamp(0), tags=[["a"]] * 3).rename(columns={"tags": 0})
    assert np.array_equal(hybrid.transform(None, wider), expected)
    stamped = pa.Table.from_pandas(frame.assign(when=pd.Timestamp(0)))
    assert np.array_equal(hybrid.transform(None, stamped), expected)
    # A row of a frame is one row.
    assert np.array_equal(hybrid.transform(None, wider.iloc[1]), expected[1:2])
    with pytest.raises(covey.MismatchError, match="amount"):
        hybrid.transform(None, wider[["vpn", "when"]])


def test_labels_amounts_and_times_in_other_clothes():
    labels, fraud = [0, 0, 1, 1], [True, None, False, True]
    expected = covey.cluster_risk(labels, fraud, [1, 2, 3, 4], [0.5, 86400, 0, 0])
    when = [
        datetime.datetime(1970, 1, 1, 0, 0, 0, 500000),
        datetime.date(1970, 1, 2),
        datetime.date(1970, 1, 1),
        pd.Timestamp(0),
    ]
    risk = covey.cluster_risk(pa.array(labels), pa.array(fraud), pa.array([1, 2, 3, 4]), when)
    pd.testing.assert_frame_equal(risk.to_frame(), expected.to_frame())
    assert [covey.cluster_risk(labels, [1, pd.NA, 0, 1])[c].fraud for c in (0, 1)] == [1, 1]
    for wrong in ({"amounts": ["1", "2", "3", "4"]}, {"times": [when[0], 3, 4, 5]}):
        with pytest.raises(covey.InvalidTypeError, match=next(iter(wrong))):
            covey.cluster_risk(labels, **{"fraud": fraud, **wrong})


def test_naive_datetimes_do_not_depend_on_the_machines_zone(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        risk = covey.cluster_risk([0], [1], times=[datetime.datetime(1970, 1, 2)])
    finally:
        monkeypatch.undo()
        time.tzset()
    assert risk[0].first_seen == 86400


@pytest.mark.parametrize("kind", [covey.ClusterRisk, covey.RuleSet, covey.SequenceEncoder, covey.Engine])
@pytest.mark.parametrize("arguments", [(), (3,), ("path",), (b"x", 2)], ids=repr)
def test_results_are_made_by_functions_only(kind, arguments):
    with pytest.raises((covey.InvalidTypeError, TypeError), match="made by|positional"):
        kind(*arguments)


def test_what_is_not_there():
    risk = covey.cluster_risk([0], [1])
    for missing in (7, "a"):
        with pytest.raises(covey.CoveyError, match="no cluster") as caught:
            risk[missing]
        assert isinstance(caught.value, KeyError) and caught.value.code == covey.StatusCode.INVALID_ARGUMENT
