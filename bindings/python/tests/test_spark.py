"""covey.spark on one machine against the library without Spark; the rest is in Tests/Spark."""

import numpy as np
import pytest

pytest.importorskip("pyspark", reason="needs pyspark, which requirements-test.txt names")

import pandas as pd
import pyarrow as pa
from spark_support import blobs, columns, frame, session
from support import write_random_encoder

import covey
import covey.spark
from covey.spark._parcels import slots
from covey.spark._runs import whole_runs


@pytest.fixture(scope="module")
def spark():
    spark = session()
    yield spark
    spark.stop()


def same(found, whole):
    labels, strengths, outliers = columns(found, "prediction", "probability", "outlier_score")
    assert labels.astype(np.int64).tobytes() == whole.labels_.tobytes()
    assert strengths.tobytes() == whole.probabilities_.tobytes()
    assert outliers.tobytes() == whole.outlier_scores_.tobytes()


def test_the_labels_of_one_machine(spark, tmp_path):
    rows = blobs(0)
    whole = covey.HDBSCAN(min_cluster_size=8, min_samples=4).fit(rows)
    shuffled = np.random.default_rng(1).permutation(len(rows))
    stages = []
    given = frame(spark, rows, shuffled, 3)
    estimator = covey.spark.HDBSCAN(
        min_cluster_size=8,
        min_samples=4,
        keyCol="id",
        block_rows=90,
        progress=lambda stage, share: stages.append(stage),
    )
    model = estimator.fit(given)
    assert model.summary["blocks"] >= 5 and model.summary["edges"] == len(rows) - 1
    assert "core distances" in stages
    same(model.transform(given), whole)
    assert np.allclose(model.clusterer.cluster_persistence_, whole.cluster_persistence_)
    model.save(str(tmp_path / "model"))
    model.close()
    again = covey.spark.HDBSCANModel.load(str(tmp_path / "model"))
    assert again.getOrDefault("min_samples") == 4 and again.summary["rows"] == len(rows)
    # Rows that were not fitted get nulls.
    other = again.transform(given.union(spark.createDataFrame([(9999, [0.0] * 4)], given.schema)))
    assert [line.prediction for line in other.where("id = 9999").collect()] == [None]
    same(other.where("id < 9999"), whole)
    assert (again.clusterer.labels_ == whole.labels_).all()
    with pytest.raises(covey.InvalidArgumentError, match="has a column 'prediction' already"):
        again.transform(other)


def test_rows_without_keys_and_with_holes(spark):
    rows = blobs(2, 150)
    rows[7, 2], rows[100, 0] = np.nan, np.inf
    rows[20:30] = rows[20]
    whole = covey.HDBSCAN(min_cluster_size=8, missing="noise").fit(rows)
    given = frame(spark, rows, partitions=1)
    # One of the partitions is empty.
    model = covey.spark.HDBSCAN(min_cluster_size=8, missing="noise", block_rows=60).fit(
        given.union(given.where("id < 0"))
    )
    same(model.transform(given), whole)
    with pytest.raises(covey.InvalidDataError, match=r"features of key 7 hold a null, a NaN or an infinity"):
        covey.spark.HDBSCAN(keyCol="id", missing="reject").fit(given)


def test_bad_input(spark):
    rows = blobs(3, 20)
    given = frame(spark, rows)

    def fit(found=given, **options):
        return covey.spark.HDBSCAN(**{"keyCol": "id", "min_cluster_size": 3, **options}).fit(found)

    with pytest.raises(covey.InvalidDataError, match="keyCol='id' must be unique, got 3 twice"):
        fit(given.union(given.where("id = 3")))
    with pytest.raises(covey.MismatchError, match="as many numbers in each row, got 2 and 4"):
        fit(given.union(spark.createDataFrame([(99, [1.0, 2.0])], given.schema)))
    with pytest.raises(covey.OutOfMemoryError, match=r"20 rows takes up to 6400 bytes on the driver .* it has 5000"):
        fit(driver_memory=5000)
    for options, message in [
        ({"keyCol": "number"}, "'number' is not a column"),
        ({"featuresCol": "vector"}, "'vector' is not a column"),
        ({"featuresCol": ["features"]}, "must be a column of numbers"),
        ({"featuresCol": "id"}, "must be an array of numbers"),
        ({"metric": "chebyshev"}, "metric must be one of"),
        ({"algorithm": "approximate"}, "no approximate search"),
        ({"min_cluster_size": 2.5}, "min_cluster_size"),
        ({"epsilon": 1}, "epsilon is no parameter"),
    ]:
        with pytest.raises(covey.CoveyError, match=message):
            fit(**options)
    assert columns(fit(given.where("id < 2")).transform(given.where("id < 2")), "prediction")[0].tolist() == [-1, -1]
    empty = given.where("id < 0")
    assert fit(empty).transform(empty).count() == 0


def test_slots_are_partitions(spark):
    found = slots(13)
    lines = spark.createDataFrame([(int(slot),) for slot in found], "slot int").repartition(13, "slot")
    places = dict(lines.selectExpr("slot", "spark_partition_id() as place").collect())
    assert [places[slot] for slot in found.tolist()] == list(range(13))


def test_runs_are_cut_and_whole():
    generator = np.random.default_rng(0)
    lengths = generator.integers(1, 40, size=60)
    keys = np.repeat(np.arange(60), lengths)
    whole = pa.table({"key": keys, "at": np.concatenate([np.arange(length) for length in lengths])})
    for size, most in [(1, 100), (50, 7), (10**6, 12)]:
        batches = whole.to_batches(max_chunksize=int(generator.integers(3, 30)))
        tables = list(whole_runs(batches, "key", most, size))
        joined = pa.concat_tables(tables)
        assert joined.equals(whole.filter(pa.array(np.asarray(whole["at"]) < most)))
        owners = [set(table["key"].to_pylist()) for table in tables]
        assert sum(map(len, owners)) == 60 == len(set.union(*owners))


def events_of(seed, count):
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 30, size=count)
    lengths[3] = 900  # one giant sequence
    names = np.array(["home", "search", "pay", "other"])
    return pd.DataFrame(
        {
            "who": np.repeat([f"k{i:03}" for i in range(count)], lengths),
            "time": generator.integers(0, 50, size=lengths.sum()).astype(float),
            "event": names[generator.integers(0, 4, size=lengths.sum())],
        }
    )


def test_embed(spark, tmp_path):
    write_random_encoder(tmp_path / "encoder", ["home", "search", "pay"])
    encoder = covey.SequenceEncoder.load(tmp_path / "encoder")
    events = events_of(0, 80)
    shuffled = list(events.sample(frac=1, random_state=0).itertuples(index=False, name=None))
    lines = spark.createDataFrame(spark.sparkContext.parallelize(shuffled, 3), "who string, time double, event string")
    ordered = events.sort_values(["who", "time", "event"], kind="stable").groupby("who").tail(200)
    sequences = covey.Sequences.from_frame(ordered, sequence="who", time="time", event="event")
    expected = np.asarray(encoder.embed(sequences))
    for given in (encoder, str(tmp_path / "encoder")):
        found = (
            covey.spark.embed(lines, given, by="who", time="time", event="event", max_length=200)
            .orderBy("who")
            .collect()
        )
        assert [line.who for line in found] == list(sequences.keys)
        assert np.array([line.embedding for line in found], dtype=np.float32).tobytes() == expected.tobytes()
    with pytest.raises(covey.InvalidArgumentError, match="event='kind' is not a column"):
        covey.spark.embed(lines, encoder, by="who", time="time", event="kind")
    with pytest.raises(covey.InvalidTypeError, match="encoder must be a SequenceEncoder"):
        covey.spark.embed(lines, 5, by="who", time="time", event="event")


def test_score_and_risk(spark, tmp_path):
    write_random_encoder(tmp_path / "encoder", ["home", "search", "pay"])
    encoder = covey.SequenceEncoder.load(tmp_path / "encoder")
    events, generator = events_of(1, 120), np.random.default_rng(1)
    events = events.sort_values(["who", "time", "event"], kind="stable")
    keys = [f"k{i:03}" for i in range(1, 122)]  # the last one has no events, and k000 no features
    table = pd.DataFrame(
        {
            "who": keys,
            "amount": generator.gamma(2, 20, size=121),
            "country": generator.choice(["NL", "DE", "FR"], size=121),
            "guest": generator.integers(0, 2, size=121) == 1,
            "label": generator.choice([1.0, 0.0, np.nan], size=121),
        }
    )
    features = table[["amount", "country", "guest"]]
    sequences = covey.Sequences.from_frame(
        events, sequence="who", time="time", event="event", order=keys, time_unit="s"
    )
    hybrid = covey.HybridFeatures()
    rows = hybrid.fit_transform(encoder.embed(sequences), features=features)
    clusterer = covey.HDBSCAN(min_cluster_size=5, prediction_data=True).fit(rows)
    risk = covey.cluster_risk(clusterer.labels_, table.label, table.amount, min_lift=1.0, min_fraud=1)
    engine = covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=clusterer, risk=risk)
    expected = engine.score(sequences, features)
    clicks = spark.createDataFrame(
        list(events.sample(frac=1, random_state=0).itertuples(index=False, name=None)),
        "who string, time double, event string",
    )
    lines = table.sample(frac=1, random_state=1).itertuples(index=False)
    given = spark.createDataFrame(
        [tuple(None if x != x else x for x in line) for line in lines],
        "who string, amount double, country string, guest boolean, label double",
    )
    found = covey.spark.score(clicks, given, engine, key="who", reasons=True).orderBy("who").collect()
    assert [line.who for line in found] == keys
    assert [line.risk for line in found] == expected.risk.tolist()
    assert [line.cluster for line in found] == expected.cluster.tolist()
    assert [tuple(line.reasons) for line in found] == [one.reasons for one in expected]
    vectors = covey.spark.embed(clicks, encoder, by="who", time="time", event="event")
    both = given.join(vectors, "who")  # without the last two keys, which have no events
    made = covey.spark.hybrid_rows(both, hybrid, features=["amount", "country", "guest"], outputCol="row").orderBy(
        "who"
    )
    made = np.array([line.row for line in made.collect()], dtype=np.float32)
    assert made.tobytes() == np.asarray(rows)[:-2].tobytes()
    scored = spark.createDataFrame(
        [(who, int(label)) for who, label in zip(keys, clusterer.labels_)], "who string, prediction int"
    ).join(given, "who")
    rated = covey.spark.cluster_risk(scored, fraud="label", amounts="amount", min_lift=1.0, min_fraud=1)
    assert [(one.cluster, one.fraud, one.size) for one in rated] == [(one.cluster, one.fraud, one.size) for one in risk]
    with pytest.raises(covey.InvalidDataError, match="'who' must be unique in features"):
        try:
            covey.spark.score(clicks, given.union(given.limit(1)), engine, key="who").collect()
        except Exception as failure:
            raise covey.InvalidDataError(str(failure)) from failure
    with pytest.raises(covey.InvalidArgumentError, match="is not a column"):
        covey.spark.score(clicks, given.drop("amount"), engine, key="who")
