"""Sessions and rows for the tests of covey.spark. A test module that needs Spark calls ``session``."""

import os
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent


def session(master="local[2]", **settings):
    """A session whose workers are this Python with this checkout."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent / "src"), str(HERE), os.environ.get("PYTHONPATH", "")])
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.master(master).appName("covey tests")
    plain = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.log.level": "OFF",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.memory": "1g",
        "spark.default.parallelism": "2",
        # For inputs this small, compiling takes longer than running.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        **{name.replace("__", "."): value for name, value in settings.items()},
    }
    for name, value in plain.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def blobs(seed, n=400, d=4, k=5):
    """Clusters of several densities in a tenth of noise."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(k, d)) * 4
    spread = generator.uniform(0.3, 1.2, size=k)
    group = generator.integers(0, k, size=n)
    rows = centres[group] + generator.normal(size=(n, d)) * spread[group, None]
    rows[: n // 10] = generator.uniform(-8, 8, size=(n // 10, d))
    return rows


def frame(spark, rows, order=None, partitions=2, kind="array<double>"):
    """Rows with the key `id`, in any order."""
    order = range(len(rows)) if order is None else order
    lines = [(int(i), [float(x) for x in rows[i]]) for i in order]
    return spark.createDataFrame(spark.sparkContext.parallelize(lines, partitions), f"id long, features {kind}")


def columns(found, *names):
    """Columns of a DataFrame in the order of `id`, as arrays."""
    lines = found.select("id", *names).collect()
    lines.sort(key=lambda line: line[0])
    return [np.array([line[place + 1] for line in lines]) for place in range(len(names))]


def fails_at_first(batches):
    """Rows as they are, after a failure of the first attempt of every task, in the middle of its rows."""
    from pyspark import TaskContext

    for place, batch in enumerate(batches):
        if TaskContext.get().attemptNumber() == 0 and place == 0:
            yield batch.slice(0, batch.num_rows // 2)
            raise RuntimeError("the first attempt fails")
        yield batch
