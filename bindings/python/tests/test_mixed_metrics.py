"""Gower's distance of mixed tables, and angles."""

import pickle

import covey
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score


def gower(table: pd.DataFrame, categorical: list, weights: dict) -> np.ndarray:
    """Gower 1971, pair by pair."""
    n = len(table)
    columns = [(list(table[name]), list(table[name].isna()), weights.get(name, 1), name) for name in table]
    spreads = {
        name: (
            0.0
            if name in categorical or isinstance(values[0], (str, bool)) or table[name].dtype.kind not in "fi"
            else float(table[name].max() - table[name].min()) or 1.0
        )
        for name, values in table.items()
    }
    result = np.zeros((n, n))
    for i in range(n):
        for j in range(i):
            total = known = 0.0
            for values, missing, weight, name in columns:
                if missing[i] or missing[j]:
                    continue
                spread = spreads[name]
                total += weight * (abs(values[i] - values[j]) / spread if spread else float(values[i] != values[j]))
                known += weight
            result[i, j] = result[j, i] = total / known if known else 1
    return result


def mixed(count: int, holes: float, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    group = random.integers(0, 3, count)
    table = pd.DataFrame(
        {
            "amount": random.gamma(2, 20, count) + 400 * group,
            "country": np.array(["DE", "NL", "FR"], dtype=object)[np.where(random.uniform(size=count) < 0.9, group, 0)],
            "guest": group == 1,
            "code": np.where(random.uniform(size=count) < 0.9, 10 * group, 70).astype(float),
            "constant": 3.0,
        }
    )
    if holes:
        table["guest"] = table["guest"].astype("boolean")
        for name in table.columns[:-1]:
            table.loc[random.uniform(size=count) < holes, name] = (
                None if name == "country" else pd.NA if name == "guest" else np.nan
            )
    return table


def tree_of(clusterer: covey.HDBSCAN) -> np.ndarray:
    return clusterer.single_linkage_tree_.to_numpy()[:, 2]


@pytest.mark.parametrize("holes", [0, 0.2, 0.6])
@pytest.mark.parametrize(
    "parameters", [{}, {"categorical": ["code"]}, {"categorical": 3, "w": {"amount": 3, "guest": 0}}], ids=str
)
def test_gower_is_the_definition(holes: float, parameters: dict) -> None:
    table = mixed(90, holes)
    distances = gower(table, ["code"] if "categorical" in parameters else [], parameters.get("w", {}))
    options = {"min_cluster_size": 10, "min_samples": 3}
    found = covey.HDBSCAN(**options, metric="gower", **parameters).fit(table)
    given = covey.HDBSCAN(**options, metric="precomputed").fit(distances)
    np.testing.assert_allclose(tree_of(found), tree_of(given), atol=1e-12)
    assert adjusted_rand_score(found.labels_, given.labels_) == 1
    if not holes:
        assert len(set(found.labels_)) - (-1 in found.labels_) == 3


def test_gower_takes_every_kind_of_table() -> None:
    table = mixed(80, 0)
    expected = covey.HDBSCAN(metric="gower").fit(table).labels_
    polars = pytest.importorskip("polars")
    pyarrow = pytest.importorskip("pyarrow")
    for other in (
        polars.from_pandas(table),
        pyarrow.Table.from_pandas(table),
        table.assign(country=table.country.astype("category")),
    ):
        np.testing.assert_array_equal(covey.HDBSCAN(metric="gower").fit(other).labels_, expected)
    numbers = table[["amount", "code"]].to_numpy()
    scaled = numbers / (numbers.max(axis=0) - numbers.min(axis=0)) / 2
    np.testing.assert_allclose(
        tree_of(covey.HDBSCAN(metric="gower").fit(numbers)),
        tree_of(covey.HDBSCAN(metric="manhattan").fit(scaled)),
        atol=1e-12,
    )


def test_gower_predicts_where_nothing_is_missing() -> None:
    table = mixed(120, 0)
    fitted = covey.HDBSCAN(metric="gower", min_cluster_size=10, prediction_data=True).fit(table)
    np.testing.assert_array_equal(fitted.predict(table), fitted.labels_)
    again = pickle.loads(pickle.dumps(fitted))
    new = table.iloc[:6].assign(country=["DE", "XX", "YY", "NL", "FR", "DE"], amount=[1e6, 20, 30, 420, 830, 25])
    labels, strengths = covey.approximate_predict(again, new)
    # By the matrix: a row of a new country is at distance 1 / 5 in that column from all.
    both = gower(pd.concat([table, new], ignore_index=True).assign(amount=lambda all: all.amount * 0), [], {})[
        120:, :120
    ]
    amounts = np.abs(new.amount.to_numpy()[:, None] - table.amount.to_numpy()) / (
        table.amount.max() - table.amount.min()
    )
    core = np.sort(both + amounts / 5, axis=1)[:, 10]
    assert core[0] > 10 and strengths[0] < 0.2  # far beyond the range of the fitted amounts
    assert set(labels[1:].tolist()) <= {-1, 0, 1, 2}
    with pytest.warns(UserWarning, match="1 of 6 rows have a NaN"):
        assert again.predict(new.assign(amount=[np.nan, 1, 2, 3, 4, 5]))[0] == -1
    with pytest.raises(covey.MismatchError, match="must have the columns"):
        again.predict(new.drop(columns="guest"))
    holed = covey.HDBSCAN(metric="gower", prediction_data=True)
    with pytest.raises(covey.InvalidArgumentError, match="prediction_data"):
        holed.fit(mixed(60, 0.2))


def test_gower_with_weights_of_rows() -> None:
    for holes in (0, 0.3):
        table = mixed(70, holes, seed=4)
        weights = np.random.default_rng(1).integers(0, 4, 70)
        source = np.repeat(np.arange(70), weights)
        found = covey.HDBSCAN(metric="gower", min_cluster_size=8).fit(table, sample_weight=weights)
        expected = covey.HDBSCAN(metric="gower", min_cluster_size=8)
        # The ranges are those of the whole table.
        distances = gower(table, [], {})[np.ix_(source, source)]
        expected = covey.HDBSCAN(metric="precomputed", min_cluster_size=8).fit(distances)
        assert adjusted_rand_score(found.labels_[source], expected.labels_) == 1


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"categorical": "nothing"}, "categorical must name columns"),
        ({"categorical": [7]}, "categorical must name columns"), ({"w": [1, 2]}, "w must be 5 finite weights"),
        ({"w": {"amount": -1}}, "w must be 5 finite weights"), ({"w": [0] * 5}, "w must be 5 finite"),
        ({"V": [1]}, "V is no parameter"), ({"algorithm": "approximate"}, "algorithm"),
        ({"algorithm": "boruvka_kdtree"}, "algorithm"),
    ],
)  # fmt: skip
def test_gower_that_cannot_be(parameters: dict, match: str) -> None:
    with pytest.raises(covey.CoveyError, match=match):
        covey.HDBSCAN(metric="gower", **parameters).fit(mixed(20, 0))


def test_tables_that_cannot_be() -> None:
    with pytest.raises(covey.InvalidDataError, match="infinity in column 'amount'"):
        covey.HDBSCAN(metric="gower").fit(mixed(20, 0).assign(amount=np.inf))
    with pytest.raises(covey.InvalidDataError, match="at least one row"):
        covey.HDBSCAN(metric="gower").fit(mixed(20, 0).iloc[:0])
    with pytest.raises(covey.UnavailableError, match="no mean row"):
        covey.HDBSCAN(metric="gower").fit(mixed(60, 0)).weighted_cluster_centroid(0)
    fitted = covey.HDBSCAN(metric="gower").fit(mixed(60, 0))
    assert fitted.weighted_cluster_medoid(0).shape == (5,)
    with pytest.raises(covey.UnavailableError, match="prediction_data=True"):
        fitted.generate_prediction_data()
    with pytest.raises(covey.UnsupportedError, match="branches"):
        fitted.generate_branch_detection_data()


def angles(rows: np.ndarray) -> np.ndarray:
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return 2 * np.arcsin(np.minimum(cdist(units, units) / 2, 1)) / np.pi


@pytest.mark.parametrize("alpha", [1.0, 1.3])
@pytest.mark.parametrize("name", ["angular", "arccos"])
def test_angles_are_those_between_rows(name: str, alpha: float) -> None:
    random = np.random.default_rng(5)
    rows = random.normal(size=(200, 6)) + np.repeat(random.normal(size=(4, 6)) * 4, 50, axis=0)
    rows *= random.gamma(1, 5, size=(200, 1))
    options = {"min_cluster_size": 10, "min_samples": 4, "alpha": alpha}
    found = covey.HDBSCAN(**options, metric=name).fit(rows)
    given = covey.HDBSCAN(**options, metric="precomputed").fit(angles(rows))
    np.testing.assert_allclose(tree_of(found), tree_of(given), rtol=1e-9)
    assert adjusted_rand_score(found.labels_, given.labels_) == 1
    from hdbscan.dist_metrics import DistanceMetric

    theirs = DistanceMetric.get_metric("arccos").pairwise(rows)
    np.testing.assert_allclose(angles(rows), theirs, atol=1e-7)  # theirs loses half of the digits of small angles


def test_rows_of_one_direction_are_one() -> None:
    profiles = np.array([[1, 2, 3, 0], [3, 1, 0, 2], [0, 5, 1, 1], [7, 0, 0, 3]], dtype=float)
    rows = np.concatenate([profile * np.arange(1, 21)[:, None] for profile in profiles])
    found = covey.HDBSCAN(metric="angular", min_cluster_size=5).fit(rows)
    assert len(set(found.labels_.tolist())) == 4 and (found.labels_.reshape(4, 20) == found.labels_[::20, None]).all()
    with_zero = covey.HDBSCAN(metric="angular", min_cluster_size=5).fit(np.vstack([rows, np.zeros((1, 4))]))
    assert with_zero.labels_[-1] == -1 and with_zero.minimum_spanning_tree_.to_numpy()[-1, 2] == pytest.approx(0.5)


def test_angles_that_cannot_be() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 3))
    for change in ({"prediction_data": True}, {"algorithm": "approximate"}, {"V": 1}, {"algorithm": "boruvka_kdtree"}):
        with pytest.raises(covey.CoveyError):
            covey.HDBSCAN(metric="angular", **change).fit(rows)
    rows[3, 1] = np.nan
    with pytest.raises(covey.InvalidDataError, match="NaN"):
        covey.HDBSCAN(metric="angular").fit(rows)
