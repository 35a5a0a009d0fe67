#!/usr/bin/env python3
"""covey.spark.HDBSCAN over executors of this machine: seconds of each stage, edges on the driver, bytes of shuffles,
memory.

    spark.py [--rows 200000] [--columns 64] [--executors 1 2] [--block-rows N] [--check]

Each run is a process of its own with local-cluster[E,1,...]: E executors with one core. --check compares the labels
with one machine's.
"""

import argparse
import glob
import json
import os
import sys
import tempfile
import threading
import time

import numpy as np

from harness import machine, measured

MEMORY = 2048  # megabytes of an executor


def rows_of(count, columns):
    """Clusters of full rank in a fifth of noise."""
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(60, columns)) * 3
    rows = (centres[generator.integers(0, 60, size=count)] + generator.normal(size=(count, columns))).astype(np.float32)
    rows[: count // 5] = generator.uniform(-8, 8, size=(count // 5, columns))
    return rows


class Memory(threading.Thread):
    """The largest resident sets of the driver's Python and of a worker's, which are forks of pyspark.daemon."""

    def __init__(self):
        super().__init__(daemon=True)
        self.worker, self.ends = 0, threading.Event()

    def run(self):
        while not self.ends.wait(0.2):
            for path in glob.glob("/proc/[0-9]*/cmdline"):
                try:
                    with open(path) as command:
                        if "pyspark.daemon" not in command.read():
                            continue
                    with open(path.replace("cmdline", "status")) as status:
                        size = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))
                    self.worker = max(self.worker, size)
                except (OSError, StopIteration):
                    pass


def one(arguments):
    """A run; prints what it measured."""
    import urllib.request

    from harness import MARK, resident
    from pyspark.sql import SparkSession

    import covey
    import covey.spark

    rows = rows_of(arguments.rows, arguments.columns)
    with tempfile.TemporaryDirectory() as folder:
        spark = (
            SparkSession.builder.master(f"local-cluster[{arguments.executors[0]},1,{MEMORY}]")
            .config("spark.executor.memory", f"{MEMORY}m")
            .config("spark.driver.memory", "2g")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", str(2 * arguments.executors[0]))
            .config("spark.local.dir", folder)
            .config("spark.driver.host", "127.0.0.1")
            .getOrCreate()
        )
        spark.sparkContext.setLogLevel("ERROR")
        import pyarrow as pa
        import pyarrow.parquet as pq

        for part in range(8):
            chosen = np.arange(part, len(rows), 8)
            table = pa.table(
                {
                    "id": chosen,
                    "features": (
                        pa.FixedSizeListArray.from_arrays(pa.array(rows[chosen].reshape(-1)), arguments.columns).cast(
                            pa.list_(pa.float32())
                        )
                    ),
                }
            )
            pq.write_table(table, os.path.join(folder, f"{part}.parquet"))
        frame = spark.read.parquet(os.path.join(folder, "[0-9].parquet"))
        memory = Memory()
        memory.start()
        start = time.perf_counter()
        model = covey.spark.HDBSCAN(
            min_cluster_size=100, min_samples=10, keyCol="id", block_rows=arguments.block_rows
        ).fit(frame)
        seconds = time.perf_counter() - start
        memory.ends.set()
        shuffled = -1
        try:
            address = f"{spark.sparkContext.uiWebUrl}/api/v1/applications/{spark.sparkContext.applicationId}/stages"
            stages = json.load(urllib.request.urlopen(address, timeout=20))
            shuffled = sum(stage["shuffleWriteBytes"] for stage in stages)
        except OSError:
            pass
        found = {
            "seconds": seconds,
            "worker": memory.worker,
            "driver": resident("VmHWM"),
            "shuffled": shuffled,
            **model.summary,
            "stages": model.summary["seconds"],
        }
        found["seconds"] = seconds
        if arguments.check:
            start = time.perf_counter()
            whole = covey.HDBSCAN(min_cluster_size=100, min_samples=10).fit(rows)
            found["one_machine"] = time.perf_counter() - start
            found["same"] = bool((whole.labels_ == model.clusterer.labels_).all())
        model.close()
        spark.stop()
    print(MARK + json.dumps(found))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=64)
    parser.add_argument("--executors", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--block-rows", type=int, default=0)
    parser.add_argument("--limit", type=float, default=3600)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        one(arguments)
        return
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    print(f"covey.spark.HDBSCAN, {arguments.rows} x {arguments.columns} float32, on {machine()}")
    for executors in arguments.executors:
        options = [
            "--measure",
            "--rows",
            arguments.rows,
            "--columns",
            arguments.columns,
            "--executors",
            executors,
            "--block-rows",
            arguments.block_rows,
            *(["--check"] if arguments.check else []),
        ]
        found = measured(__file__, options, arguments.limit)
        if "failure" in found:
            print(f"  {executors} executors: {found['failure']}")
            continue
        print(
            f"  {executors} executors of 1 core: {found['seconds']:.0f} s; {found['blocks']} blocks, {found['pairs']}"
            f" pairs, {found['pairs_left_out']} left out; {found['edges']} edges on the driver; shuffles"
            f" {found['shuffled'] / 1e6:.0f} MB; largest worker {found['worker'] / 1e6:.0f} MB, driver's Python"
            f" {found['driver'] / 1e6:.0f} MB"
        )
        print("    " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found["stages"].items()))
        if "same" in found:
            print(
                f"    one machine: {found['one_machine']:.1f} s; labels are"
                f" {'the same' if found['same'] else 'DIFFERENT'}"
            )


main()
