#!/usr/bin/env python3
"""`covey find` on many events, from Parquet files to the report: seconds, processor seconds and memory.

    find_events.py [--events 10000000] [--encoder FILE | --train] [--threads 2] [--folder FOLDER]

The tables are the sample's, drawn with replacement: each copy of a transaction gets a pace, amounts and a time of its
own, so that copies are near each other but not equal. Labels are copied as they are. With --train no encoder is given,
and one is trained."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "data"


def tables(events, seed=1):
    """Events and transactions of about `events` events, as pyarrow tables."""
    random = np.random.default_rng(seed)
    clicks, shop = csv.read_csv(SAMPLE / "events.csv"), csv.read_csv(SAMPLE / "transactions.csv")
    owner = clicks.column("transaction").to_numpy()
    starts = np.searchsorted(owner, np.arange(shop.num_rows + 1))
    lengths = np.diff(starts)
    drawn = random.integers(0, shop.num_rows, round(events / lengths.mean()))
    sizes = lengths[drawn]
    begins = np.concatenate([[0], np.cumsum(sizes)])
    row = np.repeat(starts[drawn] - begins[:-1], sizes) + np.arange(begins[-1])
    copy = np.repeat(np.arange(len(drawn)), sizes)
    pace = np.exp(random.normal(0, 0.15, len(drawn)))
    shift = random.uniform(-86_400, 86_400, len(drawn))
    seconds = clicks.column("seconds").to_numpy()
    first = seconds[starts[drawn]]
    times = np.repeat(first + shift, sizes) + (seconds[row] - np.repeat(first, sizes)) * np.repeat(pace, sizes)
    dwell = clicks.column("dwell").to_numpy(zero_copy_only=False)[row] * np.repeat(pace, sizes)
    log = pa.table(
        {
            "transaction": copy,
            "seconds": times,
            "event": clicks.column("event").combine_chunks().dictionary_encode().take(pa.array(row)).cast(pa.string()),
            "dwell": pa.array(dwell, from_pandas=True),
        }
    )
    frame = shop.take(pa.array(drawn)).set_column(0, "transaction", pa.array(np.arange(len(drawn))))
    for name in ("amount", "ip_risk", "distance_km", "account_age_days", "email_age_days"):
        at = frame.column_names.index(name)
        values = frame.column(name).to_numpy(zero_copy_only=False) * np.exp(random.normal(0, 0.1, len(drawn)))
        frame = frame.set_column(at, name, pa.array(values, from_pandas=True))
    moment = frame.column("time").to_numpy() + shift
    return log, frame.set_column(frame.column_names.index("time"), "time", pa.array(moment))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--encoder", default=str(SAMPLE / "shop.safetensors"))
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder")
    options = parser.parse_args()
    folder = Path(options.folder or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "events.parquet").exists():
        log, frame = tables(options.events)
        parquet.write_table(log, folder / "events.parquet")
        parquet.write_table(frame, folder / "transactions.parquet")
        print(f"{log.num_rows:,} events of {frame.num_rows:,} transactions in {folder}")
    command = [sys.executable, "-m", "covey", "find", "events.parquet", "transactions.parquet", "-o", "case"]
    command += ["--threads", str(options.threads)]
    command += [] if options.train else ["--encoder", os.path.abspath(options.encoder)]
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {
        "seconds": round(time.perf_counter() - begun, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_gigabytes": round(used.ru_maxrss / 2**20, 2),
        "report_bytes": (folder / "case" / "report.html").stat().st_size,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
