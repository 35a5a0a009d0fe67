"""What rows may come in: masked arrays, list columns, relations; and which column is named if one holds no numbers."""

import warnings

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import covey

GENERATOR = np.random.default_rng(0)
ROWS = np.vstack([GENERATOR.normal(size=(60, 2)), GENERATOR.normal(size=(60, 2)) + 9])
LABELS = covey.HDBSCAN().fit(ROWS).labels_
MASK = GENERATOR.random(ROWS.shape) < 0.1


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, np.int32])
def test_masked_numbers_are_missing(kind):
    rows = np.round(ROWS * 100).astype(kind)
    holes = rows.astype(float)
    holes[MASK] = np.nan
    masked = np.ma.masked_array(rows, MASK)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, expected = (covey.HDBSCAN(prediction_data=True).fit(given) for given in (masked, holes))
    assert (found.labels_ == expected.labels_).all()
    assert (found.labels_[MASK.any(axis=1)] == -1).all()
    assert (found.predict(masked) == found.labels_).all()
    with pytest.raises(covey.InvalidDataError, match="row"):
        covey.HDBSCAN(missing="reject").fit(masked)


def test_masked_features_and_labels_are_missing():
    names, mask = np.array(["a", "b", "c"] * 40), MASK[:, 0]
    hybrid = covey.HybridFeatures().fit(
        {"kind": np.ma.masked_array(names, mask), "x": np.ma.masked_array(ROWS[:, 0], mask)}
    )
    assert hybrid.get_feature_names_out().tolist() == ["kind=a", "kind=b", "kind=c", "x"]
    fraud = np.tile([1, 0, 0], 40)
    holes = np.where(mask, -1, fraud)
    found, expected = (
        covey.cluster_risk(LABELS, given).to_frame() for given in (np.ma.masked_array(fraud, mask), holes)
    )
    pd.testing.assert_frame_equal(found, expected)


def test_lists_and_relations_are_rows():
    frame = pd.DataFrame(ROWS, columns=["a", "b"])
    for given in (
        pa.array(ROWS.tolist()),
        pl.Series("rows", ROWS.tolist()),
        duckdb.sql("select * from frame"),
        pl.from_pandas(frame).lazy(),
        pa.table(frame),
    ):
        model = covey.HDBSCAN(prediction_data=True).fit(given)
        assert (model.labels_ == LABELS).all()
        assert model.n_features_in_ == 2
        assert (model.predict(given) == LABELS).all()


@pytest.mark.parametrize(
    "given",
    [
        pd.DataFrame({"a": ROWS[:, 0], "shop": ["x"] * 120}),
        pl.DataFrame({"a": ROWS[:, 0], "shop": ["x"] * 120}),
        pa.table({"a": ROWS[:, 0], "shop": ["x"] * 120}),
        duckdb.sql("select 1.5 as a, 'x' as shop from range(120)"),
    ],
    ids=["pandas", "polars", "Arrow", "DuckDB"],
)
def test_a_column_of_text_is_named(given):
    with pytest.raises(
        covey.InvalidDataError, match=r"X\['shop'\] must hold numbers, got the string 'x'. HybridFeatures"
    ):
        covey.HDBSCAN().fit(given)


def test_a_column_of_text_in_an_array_is_named():
    with pytest.raises(covey.InvalidDataError, match="column 1 of X must hold numbers, got the string 'x'"):
        covey.HDBSCAN().fit(np.array([[1.5, "x"]] * 20, dtype=object))
    with pytest.raises(covey.InvalidDataError, match=r"X\['l'\]"):
        covey.HDBSCAN().fit(pl.DataFrame({"l": [[1.0, 2.0], [1.0]] * 20}))


def test_many_categories_are_told_and_limited():
    merchants = [f"m{number}" for number in GENERATOR.zipf(1.4, 3000) % 700]
    table = pd.DataFrame({"merchant": merchants, "id": [f"i{row}" for row in range(3000)]})
    with pytest.warns(covey.DataWarning) as told:
        covey.HybridFeatures().fit(table)
    texts = [str(warning.message) for warning in told]
    assert "features['merchant'] has" in texts[0] and "max_categories" in texts[0]
    assert "features['id'] has 3000 different values in 3000 rows" in texts[1] and "names the rows" in texts[1]
    most = table.merchant.value_counts(sort=True)
    for given in (table[["merchant"]], pl.DataFrame({"merchant": merchants})):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            hybrid = covey.HybridFeatures(max_categories=4).fit(given)
        names = {name.partition("=")[2] for name in hybrid.get_feature_names_out()}
        assert len(names) == 4 and most[list(names)].min() >= most.iloc[3]
        rows = hybrid.transform(None, given)
        assert ((rows != 0).sum(axis=1) == np.isin(merchants, list(names))).all()
    with pytest.raises(covey.InvalidArgumentError, match="max_categories must be at least 1"):
        covey.HybridFeatures(max_categories=0).fit(table)
