"""The road on Spark, from Parquet to risky clusters and scores: python find_on_spark.py [FOLDER OF THE SAMPLE]

On this machine it takes two cores; on a cluster give it to spark-submit, with Covey installed on the workers and
`work_dir` a folder that all of them share.
"""

import sys
import tempfile
from pathlib import Path

import covey
import covey.spark
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

SAMPLE = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "data")
NUMERIC = [
    "amount",
    "items",
    "discount",
    "account_age_days",
    "orders_before",
    "returns_share",
    "email_age_days",
    "distance_km",
    "ip_risk",
]
CATEGORICAL = ["country", "device", "payment", "basket", "delivery"]
BOOLEAN = ["guest", "ships_elsewhere", "vpn"]
FEATURES = NUMERIC + CATEGORICAL + BOOLEAN


def to_parquet(spark, lake):
    """The sample as it would lie in a lake."""
    events = spark.read.csv(
        f"{SAMPLE}/events.csv", header=True, schema="transaction long, seconds double, event string, dwell double"
    )
    table = spark.read.csv(f"{SAMPLE}/transactions.csv", header=True)
    table = table.select(
        F.col("transaction").cast("long"),
        F.col("time").cast("double"),
        *[F.col(name).cast("double") for name in NUMERIC],
        *CATEGORICAL,
        *[(F.col(name) == "1").alias(name) for name in BOOLEAN],
        F.col("label").cast("double"),
    )
    events.write.parquet(f"{lake}/events")
    table.write.parquet(f"{lake}/transactions")
    return spark.read.parquet(f"{lake}/events"), spark.read.parquet(f"{lake}/transactions")


def main(spark, lake):
    events, table = to_parquet(spark, lake)

    # Click streams -> vectors, one for each transaction.
    encoder = covey.SequenceEncoder.load(SAMPLE / "shop.safetensors")
    clicks = {"time": "seconds", "event": "event", "dwell": "dwell"}
    vectors = covey.spark.embed(events, encoder, by="transaction", **clicks)
    both = table.join(vectors, "transaction")

    # Vectors and features -> rows. Scales come of a sample: here every second transaction.
    drawn = both.where(F.pmod(F.hash("transaction"), F.lit(2)) == 0).select("embedding", *FEATURES).collect()
    columns = {name: [line[name] for line in drawn] for name in FEATURES}
    hybrid = covey.HybridFeatures(embedding_weight=1.5, clip=3.0).fit(
        [line["embedding"] for line in drawn], features=columns
    )
    rows = covey.spark.hybrid_rows(both, hybrid, features=FEATURES, outputCol="row")

    # Rows -> clusters, exactly as on one machine.
    options = {"min_cluster_size": 12, "min_samples": 5, "cluster_selection_method": "leaf"}
    model = covey.spark.HDBSCAN(featuresCol="row", keyCol="transaction", **options).fit(rows)
    clusters = model.transform(rows)
    print(
        f"{model.summary['rows']} rows in {model.summary['blocks']} blocks: {model.clusterer.labels_.max() + 1}"
        " clusters"
    )

    # Clusters -> risk.
    risk = covey.spark.cluster_risk(clusters, fraud="label", amounts="amount", times="time")
    held = clusters.where(F.col("prediction").isin(risk.risky_clusters))
    truth = spark.read.csv(f"{SAMPLE}/truth.csv", header=True).select(
        F.col("transaction").cast("long"), F.col("fraud").cast("int")
    )
    size, fraud = held.join(truth, "transaction").agg(F.count("*"), F.sum("fraud")).first()
    print(f"{len(risk.risky_clusters)} risky clusters hold {size} transactions, {fraud} of them fraud")
    for cluster in risk.risky_clusters:
        found = risk[cluster]
        print(
            f"  cluster {cluster}: {found.size} transactions, {found.fraud} known fraud, share at least"
            f" {found.share_low:.0%}"
        )

    # An engine of the risky clusters and a sample of the rest (here of all) scores new transactions, on Spark or
    # anywhere.
    kept = clusters.select("row", "prediction", "label", "amount", "time").orderBy("transaction").collect()
    fitted = covey.HDBSCAN(prediction_data=True, **options).fit([line["row"] for line in kept])
    rated = covey.cluster_risk(
        fitted.labels_,
        [line["label"] for line in kept],
        [line["amount"] for line in kept],
        [line["time"] for line in kept],
    )
    engine = covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=fitted, risk=rated)
    scores = covey.spark.score(events, table, engine, key="transaction", **clicks)
    for line in scores.orderBy(F.desc("risk"), "transaction").limit(5).collect():
        print(f"  transaction {line['transaction']}: risk {line['risk']:.3f}, cluster {line['cluster']}")
    model.close()


if __name__ == "__main__":
    session = SparkSession.builder.appName("covey").config("spark.sql.shuffle.partitions", "8").getOrCreate()
    with tempfile.TemporaryDirectory() as folder:
        main(session, folder)
    session.stop()
