"""One table in the clothes of every library: events, features, labels and matrices give the same results in each."""

import datetime
import decimal
import importlib
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import covey
from covey._labels import read_labels
from covey._table import Table
from test_features import values

pa = pytest.importorskip("pyarrow")


def library(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


pl, duckdb = library("polars"), library("duckdb")
needs_polars = pytest.mark.skipif(pl is None, reason="polars is not installed")


CONNECTIONS = {}


def feature_frame(rows=300):
    random = np.random.default_rng(1)
    words = np.array(["NL", "DE", None, "é", "a country with a long name", ""], dtype=object)
    return pd.DataFrame(
        {
            "amount": np.where(random.random(rows) < 0.1, np.nan, random.lognormal(3, 1, rows)),
            "items": random.integers(-4, 9, rows),
            "country": words[random.integers(0, 6, rows)],
            "vpn": random.random(rows) < 0.3,
        }
    )


def event_frame(rows=500):
    random = np.random.default_rng(2)
    start = datetime.datetime(2026, 3, 1)
    return pd.DataFrame(
        {
            "id": random.integers(0, 60, rows) + 2**60,
            "when": [start + datetime.timedelta(seconds=float(s)) for s in np.cumsum(random.integers(1, 90, rows))],
            "what": random.choice(np.array(["home", "search", "a page with a long name", None], dtype=object), rows),
            "spent": np.where(random.random(rows) < 0.2, np.nan, np.round(random.exponential(3, rows), 3)),
            "load": random.normal(size=rows),
        }
    )


def clothes(frame):
    """name -> the same table."""
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    found = {
        "pandas": frame,
        "pandas of Arrow": frame.convert_dtypes(dtype_backend="pyarrow"),
        "pandas nullable": frame.convert_dtypes(),
        "mapping": {name: frame[name].to_numpy() for name in frame},
        "lists": {name: frame[name].tolist() for name in frame},
        "mappings": [dict(zip(frame, row)) for row in frame.itertuples(index=False)],
        "records": frame.to_records(index=False),
        "Arrow table": arrow,
        "Arrow batches": pa.concat_tables([arrow.slice(start, 70) for start in range(0, len(frame), 70)]),
        "Arrow batch": arrow.combine_chunks().to_batches()[0],
        "Arrow slice": pa.concat_tables([arrow.slice(0, 7), arrow]).combine_chunks().slice(7),
        "Arrow columns": {name: arrow.column(name) for name in arrow.column_names},
    }
    dataset = library("pyarrow.dataset")
    found["dataset"] = dataset.dataset(arrow)
    found["scanner"] = dataset.dataset(arrow).scanner()
    for index, field in enumerate(arrow.schema):  # which kind of string pandas gives depends on its version
        if pa.types.is_large_string(field.type):
            arrow = arrow.set_column(index, field.name, arrow.column(index).cast(pa.string()))
    pieces = [arrow.slice(start, 70) for start in range(0, len(frame), 70)]
    texts = [field.name for field in arrow.schema if pa.types.is_string(field.type)]
    for name in texts:
        encoded = [
            piece.column(name).combine_chunks().dictionary_encode() for piece in pieces
        ]  # another dictionary in each piece
        index = arrow.schema.get_field_index(name)
        kind = pa.dictionary(pa.int32(), pa.string())
        found[f"dictionaries of {name}"] = arrow.set_column(index, name, pa.chunked_array(encoded, type=kind))
        for kind in ("large_string", "string_view"):
            if hasattr(pa, kind):
                try:
                    found[kind] = arrow.set_column(index, name, arrow.column(name).cast(getattr(pa, kind)()))
                except pa.ArrowNotImplementedError:
                    pass  # this pyarrow names views and cannot make them
    compute = library("pyarrow.compute")
    if hasattr(compute, "run_end_encode"):
        ends = arrow
        for name in texts or ["id"]:
            plain = ends.column(name).combine_chunks()
            plain = plain.chunk(0) if hasattr(plain, "chunks") else plain
            ends = ends.set_column(ends.schema.get_field_index(name), name, compute.run_end_encode(plain))
        found["run ends"] = ends
        found["run ends, sliced"] = pa.concat_tables([ends.slice(0, 33), ends.slice(33)])
    if pl is not None:
        polars = pl.from_arrow(arrow)
        found |= {
            "polars": polars,
            "polars lazy": polars.lazy(),
            "polars in pieces": pl.concat([polars[:11], polars[11:]], rechunk=False),
        }
        found["polars categories"] = polars.with_columns([pl.col(name).cast(pl.Categorical) for name in texts])
        if texts:
            words = sorted(set(polars[texts[0]].drop_nulls()))
            found["polars enum"] = polars.with_columns(pl.col(texts[0]).cast(pl.Enum(words)))
        found["polars columns"] = {name: polars[name] for name in polars.columns}
    if duckdb is not None:
        connection = CONNECTIONS.setdefault(len(CONNECTIONS), duckdb.connect())  # old relations do not keep theirs
        connection.register("t", arrow)
        found["duckdb relation"] = connection.table("t")
        found["duckdb query"] = connection.sql("SELECT * FROM t")
    return found


@pytest.fixture(scope="module")
def features():
    return feature_frame()


def described(table):
    """Rows as they stand, for any order of categories."""
    return repr(
        {
            name: (kind, [None if item is None else item for item in column])
            for name, (kind, column) in values(table).items()
        }
    )


@pytest.mark.parametrize("name", clothes(feature_frame()))
def test_features(name):
    frame = feature_frame()
    source = clothes(frame)[name]
    expected = values(Table(frame))
    assert described(Table(source)) == described(Table(frame))
    assert [kind for kind, _ in expected.values()] == [0, 0, 1, 2]
    hybrid = covey.HybridFeatures().fit(features=frame)
    assert np.array_equal(hybrid.transform(features=clothes(frame)[name]), hybrid.transform(features=frame))


@pytest.mark.parametrize("name", clothes(event_frame()))
def test_events(name, tmp_path):
    frame = event_frame()
    columns = {"sequence": "id", "time": "when", "event": "what", "dwell": "spent", "numeric": "load"}
    expected = covey.Sequences.from_frame(frame, **columns)
    assert expected.keys.dtype == np.int64 and expected.keys.min() >= 2**60
    found = covey.Sequences.from_frame(clothes(frame)[name], **columns)
    assert found.keys.tolist() == expected.keys.tolist() and found.offsets.tolist() == expected.offsets.tolist()
    assert found.types.tolist() == expected.types.tolist() and found.times.tolist() == expected.times.tolist()
    np.testing.assert_array_equal(found.dwell, expected.dwell)
    order = covey.Sequences.from_frame(clothes(frame)[name], **columns, order=pa.array(np.sort(expected.keys)))
    assert order.keys.tolist() == sorted(expected.keys.tolist())


@pytest.mark.parametrize("name", clothes(event_frame()))
def test_string_keys(name):
    """Keys that are strings, categories, views, dictionaries; and the features' table as order."""
    frame = event_frame().assign(what=lambda t: t["what"].fillna("x"), id=lambda t: t["id"].astype(str))
    source = clothes(frame[["what", "when", "id"]].rename(columns={"what": "id", "id": "what"}))
    if name not in source:
        pytest.skip("no such form of this table")
    found = covey.Sequences.from_frame(
        source[name], sequence="id", time="when", event="what", order=["x", "home", "search", "a page with a long name"]
    )
    counts = frame["what"].value_counts()
    assert found.lengths.tolist() == [counts[key] for key in ("x", "home", "search", "a page with a long name")]


def labels_in_clothes(known):
    """known: 1, 0 or None a row."""
    flags = [None if item is None else bool(item) for item in known]
    words = [None if item is None else "fraud" if item else "legitimate" for item in known]
    found = {
        "list": known,
        "booleans": flags,
        "words": words,
        "digits": [None if item is None else str(item) for item in known],
        "empty words": ["" if item is None else str(bool(item)) for item in known],
        "floats": np.array([np.nan if item is None else item for item in known], dtype=float),
        "minus one": np.array([-1 if item is None else item for item in known]),
        "objects": np.array(known, dtype=object),
        "pandas": pd.Series(known, dtype=float),
        "pandas Int64": pd.Series(known, dtype="Int64"),
        "pandas boolean": pd.Series(flags, dtype="boolean"),
        "pandas string": pd.Series(words, dtype="string"),
        "pandas category": pd.Series(words, dtype="category"),
        "pandas category of floats": pd.Series(known, dtype=float).astype("category"),
        "bool[pyarrow]": pd.Series(flags, dtype=pd.ArrowDtype(pa.bool_())),
        "int64[pyarrow]": pd.Series(known, dtype=pd.ArrowDtype(pa.int64())),
        "Arrow integers": pa.array(known),
        "Arrow booleans": pa.array(flags),
        "Arrow chunks": pa.chunked_array([flags[:3], flags[3:]]),
        "Arrow words": pa.array(words),
        "Arrow dictionary": pa.array(words).dictionary_encode(),
        "decimals": [None if item is None else decimal.Decimal(item) for item in known],
    }
    if pl is not None:
        found |= {"polars": pl.Series(known), "polars booleans": pl.Series(flags), "polars words": pl.Series(words),
                  "polars Int8": pl.Series(known, dtype=pl.Int8),
                  "polars categories": pl.Series(words, dtype=pl.Categorical)}  # fmt: skip
    return found


KNOWN = [1, 0, None, 0, 1, None, 0, 0]


@pytest.mark.parametrize("name", labels_in_clothes(KNOWN))
def test_labels(name):
    source = labels_in_clothes(KNOWN)[name]
    np.testing.assert_array_equal(read_labels(source), [np.nan if item is None else item for item in KNOWN])
    risk = covey.cluster_risk([0, 0, 0, 0, 1, 1, 1, 1], source)
    assert [(risk[cluster].labelled, risk[cluster].fraud) for cluster in (0, 1)] == [(3, 1), (3, 1)]


@pytest.mark.parametrize(
    "wrong, shown",
    [
        ([0, 2], "2"),
        (["perhaps", 1], "'perhaps'"),
        ([0.5, 0], "0.5"),
        ([object(), 1], "object"),
        ([{}, 1], "{}"),
        ([b"\xff", 1], "'"),
        (["x" * 500, 1], "..."),
    ],
)
def test_bad_labels(wrong, shown):
    with pytest.raises(covey.InvalidDataError, match=r"fraud\[[01]\] must be") as caught:
        covey.cluster_risk([0, 0], wrong)
    assert shown in str(caught.value) and len(str(caught.value)) < 320


@needs_polars
def test_polars_as_labels_amounts_and_matrices():
    random = np.random.default_rng(3)
    labels, fraud = random.integers(-1, 4, 200), random.random(200) < 0.3
    amounts, when = random.exponential(5, 200), random.integers(0, 10**6, 200)
    expected = covey.cluster_risk(labels, fraud, amounts, when)
    stamps = pl.Series(when * 1_000_000).cast(pl.Datetime("us"))
    for times in (pl.Series(when), stamps, stamps.dt.replace_time_zone("UTC"), stamps.cast(pl.Datetime("ms"))):
        found = covey.cluster_risk(pl.Series(labels), pl.Series(fraud), pl.Series(amounts), times)
        pd.testing.assert_frame_equal(found.to_frame(), expected.to_frame())
    rows = random.normal(size=(200, 3)).astype(np.float32)
    wanted = covey.hybrid_features(rows)
    array = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), 3)
    frame = pl.DataFrame(rows, schema=["a", "b", "c"])
    several = pa.chunked_array([array.slice(0, 50), array.slice(50)])
    for same in (
        frame,
        frame.lazy(),
        frame.to_arrow(),
        array,
        several,
        array.cast(pa.list_(pa.float32())),
        pl.Series(rows),
        pl.Series(rows.tolist()),
    ):
        np.testing.assert_allclose(covey.hybrid_features(same), wanted, rtol=1e-6)
    with pytest.raises(covey.CoveyError, match="lists of one length"):
        covey.hybrid_features(pa.array([[1.0], [1.0, 2.0]]))
    with pytest.raises(covey.CoveyError, match=r"embeddings\['c'\] must hold numbers, got the string"):
        covey.hybrid_features(frame.with_columns(c=pl.lit("x")))


def test_numbers_that_only_arrow_has():
    days = [datetime.date(2026, 1, 2), None, datetime.date(1969, 12, 31)]
    arrays = {
        "decimal128": (
            pa.array([decimal.Decimal("1.10"), None, decimal.Decimal("-12345678901234.56")]),
            [1.10, np.nan, -12345678901234.56],
        ),
        "decimal256": (
            pa.array([decimal.Decimal("0.1"), None, decimal.Decimal("-3.7")], type=pa.decimal256(60, 9)),
            [0.1, np.nan, -3.7],
        ),
        "half": (pa.array(np.array([1.5, -0.25, 6e-8], dtype=np.float16)), [1.5, -0.25, float(np.float16(6e-8))]),
        "time of day": (
            pa.array([datetime.time(1, 2, 3), None, datetime.time(0, 0, 0, 5000)], type=pa.time64("us")),
            [3723, np.nan, 0.005],
        ),
        "seconds of day": (
            pa.array([datetime.time(1, 2, 3), None, datetime.time(23, 0)], type=pa.time32("s")),
            [3723, np.nan, 82800],
        ),
        "duration": (pa.array([1500, None, -2], type=pa.duration("ms")), [1.5, np.nan, -0.002]),
        "dictionary of numbers": (pa.array([7, 7, 9]).dictionary_encode(), [7, 7, 9]),
        "null": (pa.nulls(3), [np.nan] * 3),
        "uint64": (pa.array([2**63, None, 3], type=pa.uint64()), [2.0**63, np.nan, 3]),
    }
    for name, (array, expected) in arrays.items():
        for table in (
            pa.table({"x": array}),
            {"x": array},
            pa.concat_tables([pa.table({"x": array[:1]}), pa.table({"x": array[1:]})]),
        ):
            kind, found = values(Table(table))["x"]
            assert kind == 0, name
            np.testing.assert_array_equal(found, expected, err_msg=name)
    for array in (
        pa.array(days),
        pa.array(days, type=pa.date64()),
        pa.array(days).cast(pa.timestamp("ns", "Europe/Amsterdam")),
    ):
        for table in (pa.table({"x": array}), {"x": array}):
            read = Table(table)
            assert read.kinds == {"x": "date"}
    assert values(Table({"x": pd.Series(pd.to_timedelta([1500, None], unit="ms")),
                         "y": np.array([datetime.time(1), None], dtype=object)})) == {
        "x": (0, pytest.approx([1.5, np.nan], nan_ok=True)), "y": (0,
            pytest.approx([3600.0, np.nan], nan_ok=True))}  # fmt: skip
    # Decimals, to the nearest double.
    texts = [f"{number / 100:.2f}" for number in np.random.default_rng(1).integers(-(10**14), 10**14, 500)]
    found = values(Table(pa.table({"x": pa.array([decimal.Decimal(text) for text in texts])})))["x"][1]
    assert found == [float(text) for text in texts]


def test_what_no_feature_can_be():
    for array in (pa.array([[1]]), pa.array([{"a": 1}]), pa.array([b"x"])):
        with pytest.raises(covey.CoveyError, match='column "deep"'):
            covey.HybridFeatures().fit(features=pa.table({"x": [1.0], "deep": array}))
    kept = covey.HybridFeatures().fit(features={"x": [1.0, 2.0]})
    assert kept.transform(features=pa.table({"x": [1.0, 2.0], "deep": [[1], [2]]})).shape == (2, 1)
    reader = pa.RecordBatchReader.from_batches(
        pa.schema([("x", pa.float64())]), [pa.RecordBatch.from_pydict({"x": [1.0, 2.0]})]
    )
    if hasattr(reader, "__arrow_c_stream__"):
        assert kept.transform(features=reader).shape == (2, 1)
    with pytest.raises(covey.CoveyError, match="features must be a table, got one column"):
        kept.transform(features=pa.array([1.0]))


def test_whole_floats_of_a_category_are_integers():
    codes = [7995, 5411, 7995, 12]
    hybrid = covey.HybridFeatures().fit(features=pd.DataFrame({"mcc": pd.Series(codes).astype("category")}))
    expected = hybrid.transform(features=pd.DataFrame({"mcc": [str(code) for code in codes]}))
    assert set(hybrid.get_feature_names_out()) == {"mcc=7995", "mcc=5411", "mcc=12"}
    missing = pd.Series([*codes, None], dtype=float)
    forms = [
        missing.astype("category"),
        missing,
        missing.astype("Int64"),
        pd.Series(codes),
        pd.Series(codes, dtype=object),
        missing.astype("float64[pyarrow]"),
    ]
    for form in forms:
        assert np.array_equal(hybrid.transform(features=pd.DataFrame({"mcc": form}))[:4], expected)
        assert np.array_equal(
            hybrid.transform(features=pa.Table.from_pandas(pd.DataFrame({"mcc": form.astype(float)})))[:4], expected
        )
    assert not hybrid.transform(features={"mcc": [12.5]}).any()
    assert np.array_equal(hybrid.transform(features={"mcc": 7995})[0], expected[0])


def test_arrow_needs_no_pyarrow():
    program = """
import sys
sys.modules["pyarrow"] = None
import numpy as np, covey
pl = __import__("polars")
frame = pl.DataFrame({"amount": [1.0, 2.0, None], "country": ["NL", None, "a country with a long name"],
                      "id": [3, 1, 2], "day": [None, 1, 2]})
hybrid = covey.HybridFeatures().fit(features=frame)
events = frame.drop_nulls("amount")
print(hybrid.get_feature_names_out().tolist(), covey.Sequences.from_frame(events, sequence="id", time="amount",
    event="country", order=frame).lengths)
"""
    if pl is None:
        pytest.skip("polars is not installed")
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "country=a country with a long name" in result.stdout and "[1 1 0]" in result.stdout


def test_memory_of_a_producer_outlives_it():
    import gc

    table = Table(pa.table({"x": np.arange(1000.0)}))
    block = covey._arrays.as_array(pa.array(np.arange(1000)), "x")
    gc.collect()
    [np.ones(1000) for _ in range(100)]
    assert values(table)["x"][1] == list(range(1000)) and block.tolist() == list(range(1000))
