"""The labels of covey.spark against those of one machine, for every number of partitions, in any order, while tasks
fail.

COVEY_SPARK_MASTER names where it runs: local[2,8] (the default), or local-cluster[2,1,1024] with two executors of their
    own.
"""

import glob
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyspark", reason="needs pyspark")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings" / "python" / "tests"))

import covey
import covey.spark
from spark_support import blobs, columns, fails_at_first, frame, session

MASTER = os.environ.get("COVEY_SPARK_MASTER", "local[2,8]")


@pytest.fixture(scope="module")
def spark():
    spark = session(
        MASTER,
        spark__task__maxFailures="8",
        spark__stage__maxConsecutiveAttempts="20",
        spark__executor__memory="512m",
        spark__deploy__maxExecutorRetries="50",
    )
    yield spark
    spark.stop()


def same(found, whole):
    labels, strengths, outliers = columns(found, "prediction", "probability", "outlier_score")
    assert labels.astype(np.int64).tobytes() == whole.labels_.tobytes()
    assert strengths.tobytes() == whole.probabilities_.tobytes()
    assert outliers.tobytes() == whole.outlier_scores_.tobytes()


@pytest.mark.parametrize("partitions", [1, 4, 16])
@pytest.mark.parametrize(
    "case",
    [
        {"metric": "euclidean"},
        {"metric": "manhattan", "alpha": 0.8, "cluster_selection_method": "leaf"},
        {"metric": "cosine", "min_samples": 12},
    ],
)
def test_partitions_and_order(spark, partitions, case, show_time):
    rows = blobs(partitions, 2500, 8, 7)
    options = {"min_cluster_size": 12, "min_samples": 5, **case}
    whole = covey.HDBSCAN(**options).fit(rows)
    given = frame(spark, rows, np.random.default_rng(partitions).permutation(len(rows)), partitions)
    model = covey.spark.HDBSCAN(keyCol="id", block_rows=400, **options).fit(given)
    show_time(
        f"{case} in {partitions} partitions: {sum(model.summary['seconds'].values()):.1f} s, {model.summary['pairs']}"
        f" pairs, {model.summary['pairs_left_out']} left out"
    )
    same(model.transform(given), whole)
    model.close()


def test_pairs_are_left_out_where_clusters_lie_apart(spark):
    generator = np.random.default_rng(5)
    centres = generator.uniform(-50, 50, size=(8, 6))
    rows = np.concatenate([generator.normal(size=(300, 6)) * 0.2 + centre for centre in centres])
    whole = covey.HDBSCAN(min_cluster_size=10).fit(rows)
    model = covey.spark.HDBSCAN(keyCol="id", block_rows=300, min_cluster_size=10).fit(frame(spark, rows))
    assert model.summary["pairs_left_out"] > 0
    same(model.transform(frame(spark, rows)), whole)


def test_float_rows_and_columns(spark):
    from pyspark.ml.feature import VectorAssembler
    from pyspark.sql import functions as F

    rows = blobs(9, 1200, 5).astype(np.float32)
    whole = covey.HDBSCAN(min_cluster_size=8).fit(rows)
    given = frame(spark, rows, kind="array<float>")
    model = covey.spark.HDBSCAN(keyCol="id", block_rows=300, min_cluster_size=8).fit(given)
    same(model.transform(given), whole)
    flat = given.select("id", *[F.col("features")[place].alias(f"x{place}") for place in range(5)])
    names = [f"x{place}" for place in range(5)]
    vectors = VectorAssembler(inputCols=names, outputCol="features").transform(flat)
    for found, features in [(flat, names), (vectors, "features")]:
        model = covey.spark.HDBSCAN(keyCol="id", block_rows=300, min_cluster_size=8, featuresCol=features).fit(found)
        same(model.transform(found), whole)


def test_a_pipeline_is_kept(spark, tmp_path):
    from pyspark.ml import Pipeline, PipelineModel

    rows = blobs(4, 300)
    given = frame(spark, rows)
    pipeline = Pipeline(stages=[covey.spark.HDBSCAN(keyCol="id", min_cluster_size=6)])
    pipeline.write().overwrite().save(str(tmp_path / "pipeline"))
    again = Pipeline.load(str(tmp_path / "pipeline"))
    assert again.getStages()[0].getOrDefault("min_cluster_size") == 6
    model = pipeline.fit(given)
    model.write().overwrite().save(str(tmp_path / "model"))
    same(PipelineModel.load(str(tmp_path / "model")).transform(given), covey.HDBSCAN(min_cluster_size=6).fit(rows))


def test_failures_change_nothing(spark):
    rows = blobs(6, 1500, 6)
    whole = covey.HDBSCAN(min_cluster_size=10).fit(rows)
    given = frame(spark, rows, np.random.default_rng(0).permutation(1500), 4)
    broken = given.mapInArrow(fails_at_first, given.schema)
    same(covey.spark.HDBSCAN(keyCol="id", block_rows=300, min_cluster_size=10).fit(broken).transform(given), whole)


def descendants(names):
    """The processes below this one whose command has one of the names, and whose parent's has it as well where it is a
    fork."""
    found = {}
    for entry in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(entry) as stat, open(entry.replace("/stat", "/cmdline")) as command:
                fields = stat.read().rsplit(")", 1)[1].split()
                found[int(entry.split("/")[2])] = (int(fields[1]), command.read())
        except OSError:
            continue
    mine, grown = {os.getpid()}, True
    while grown:
        more = {pid for pid, (parent, _) in found.items() if parent in mine} - mine
        grown, mine = bool(more), mine | more
    mine.discard(os.getpid())
    return [
        pid
        for pid in mine
        if any(name in found[pid][1] for name in names)
        and ("pyspark" not in names[0] or "pyspark.daemon" in found.get(found[pid][0], (0, ""))[1])
    ]


class Killing:
    """Kills five Python workers while it is entered and, on a cluster, one executor."""

    def __init__(self, pause):
        self.killed, self._pause, self._ends = 0, pause, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        executors = 1
        while self.killed < 6 and not self._ends.wait(self._pause):
            for pid in descendants(["pyspark.daemon"])[:1]:
                self._kill(pid)
            if executors and self.killed > 2:
                for pid in descendants(["CoarseGrainedExecutorBackend"])[:1]:
                    self._kill(pid)
                    executors -= 1

    def _kill(self, pid):
        try:
            os.kill(pid, signal.SIGKILL)
            self.killed += 1
        except ProcessLookupError:
            pass

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()


def test_killed_tasks_change_nothing(spark, show_time):
    rows = blobs(7, 6000, 8, 9)
    whole = covey.HDBSCAN(min_cluster_size=20, min_samples=6).fit(rows)
    given = frame(spark, rows, np.random.default_rng(1).permutation(6000), 5)
    start = time.time()
    with Killing(4) as killing:
        model = covey.spark.HDBSCAN(keyCol="id", block_rows=900, min_cluster_size=20, min_samples=6).fit(given)
    show_time(f"{killing.killed} processes killed in {time.time() - start:.0f} s")
    assert killing.killed > 0
    same(model.transform(given), whole)


def test_a_failed_fit_leaves_nothing_behind(spark):
    before = set(glob.glob(os.path.join(tempfile.gettempdir(), "covey-*")))
    rows = blobs(8, 200)
    rows[50, 0] = np.nan
    with pytest.raises(covey.InvalidDataError, match="features of key 50"):
        covey.spark.HDBSCAN(keyCol="id", missing="reject").fit(frame(spark, rows))
    model = covey.spark.HDBSCAN(keyCol="id", missing="noise").fit(frame(spark, rows))
    model.close()
    assert set(glob.glob(os.path.join(tempfile.gettempdir(), "covey-*"))) == before
