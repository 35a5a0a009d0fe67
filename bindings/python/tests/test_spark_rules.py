"""Rules of rows on Spark, against a count of all rows."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyspark", reason="needs pyspark")

import covey
import covey.spark
from spark_support import session

FEATURES = ["amount", "country", "guest"]
SCHEMA = "amount double, country string, guest boolean, inside boolean"


@pytest.fixture(scope="module")
def spark():
    spark = session()
    yield spark
    spark.stop()


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(3)
    made = pd.DataFrame(
        {
            "amount": np.round(generator.gamma(2, 40, size=6000), 2),
            "country": generator.choice(["NL", "DE", "FR"], size=6000),
            "guest": generator.integers(0, 2, size=6000) == 1,
        }
    )
    ring = (made.amount > 150) & (made.country == "FR")
    made["inside"] = np.where(ring, generator.random(6000) < 0.9, generator.random(6000) < 0.01)
    made.loc[::50, "amount"] = np.nan
    return made


def frame_of(spark, table, partitions):
    lines = [
        (None if line[0] != line[0] else line[0], *line[1:])
        for line in table.astype(object).itertuples(index=False, name=None)
    ]
    return spark.createDataFrame(spark.sparkContext.parallelize(lines, partitions), SCHEMA)


def check(found, table):
    fired = np.stack([found.rules.fired(table[FEATURES])[:, place] for place in range(len(found.rules))], axis=1)
    inside = table.inside.to_numpy(dtype=bool)
    for matching, one in [*zip(fired.T, found.measured), (fired.any(axis=1), found.together)]:
        support = int((matching & inside).sum())
        assert (one.matched, one.support) == (int(matching.sum()), support)
        assert one.precision == pytest.approx(support / matching.sum())
        assert one.recall == pytest.approx(support / inside.sum())
        assert one.lift == pytest.approx(support / matching.sum() / inside.mean())
        # Wilson 1927, by the roots of its equation.
        p, n, z = support / matching.sum(), int(matching.sum()), 1.959963984540054
        roots = np.sort(np.roots([1 + z * z / n, -(2 * p + z * z / n), p * p]))
        assert [one.precision_low, one.precision_high] == pytest.approx(roots.tolist())
    assert (found.rows, found.target_rows) == (len(table), int(inside.sum()))


def test_rules_of_a_sample_are_measured_on_all_rows(spark, table):
    shuffled = table.sample(frac=1, random_state=1)
    found = covey.spark.extract_rules(
        frame_of(spark, table, 3), features=FEATURES, target="inside", sample_rows=1200, min_support=5
    )
    assert 0 < found.sample_target_rows < found.sample_rows < 1500 and len(found.rules) > 0
    check(found, table)
    texts = " ".join(condition.text for rule in found.rules for condition in rule.conditions)
    assert "amount" in texts and "country" in texts
    # Partitions and order change nothing, empty partitions among them.
    again = covey.spark.extract_rules(
        frame_of(spark, shuffled, 5).repartition(40),
        features=FEATURES,
        target="inside",
        sample_rows=1200,
        min_support=5,
    )
    assert again.rules.to_json() == found.rules.to_json()
    assert again.measured == found.measured


def test_few_rows_are_all_searched(spark, table):
    found = covey.spark.extract_rules(frame_of(spark, table, 2), features=FEATURES, target="inside")
    assert (found.sample_rows, found.sample_target_rows) == (found.rows, found.target_rows)
    check(found, table)


def test_bad_input(spark, table):
    few = frame_of(spark, table.head(200), 2)
    with pytest.raises(covey.InvalidArgumentError, match="features='nothing' is not a column"):
        covey.spark.extract_rules(few, features=["nothing"], target="inside")
    with pytest.raises(covey.InvalidArgumentError, match="at least 1 column"):
        covey.spark.extract_rules(few, features=[], target="inside")
    with pytest.raises(covey.InvalidArgumentError, match="weights cannot be given"):
        covey.spark.extract_rules(few, features=FEATURES, target="inside", weights=[1.0])
    with pytest.raises(covey.InvalidArgumentError, match="sample_rows must be at least 2"):
        covey.spark.extract_rules(few, features=FEATURES, target="inside", sample_rows=1)
    with pytest.raises(covey.InvalidDataError, match="must be true or false in every row, got 7"):
        covey.spark.extract_rules(few.selectExpr("*", "7 as seven"), features=FEATURES, target="seven")
    with pytest.raises(covey.InvalidDataError, match="got None"):
        covey.spark.extract_rules(few.selectExpr("*", "cast(null as int) as none"), features=FEATURES, target="none")
    with pytest.raises(covey.InvalidDataError, match="must hold in some rows"):
        covey.spark.extract_rules(few.limit(0), features=FEATURES, target="inside")
