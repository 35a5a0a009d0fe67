#!/usr/bin/env python3
"""Inference of the encoder: Covey and its peers on the same weights and sequences, every measurement in a process of
its own.

    encode.py [--sequences 20000] [--limit SECONDS] [--peers NAME,...] [--json FILE]

The model and the sequences are those of encode_model.py.
1. Events a second on two threads. PyTorch runs packed batches, as people write it, and sorted or equal lengths without
   packing. ONNX Runtime runs two callers with one thread each, OpenVINO two streams; each on batches of equal lengths
   and on sorted, padded ones. Every arrangement is warmed up with the whole input and then run three times; the fastest
   run of the fastest arrangement counts. Errors are against PyTorch in float64.
2. One sequence of 30 events on one thread: median and 99th percentile of 3,000 calls.
3. A model file loaded and the first sequence embedded, in a process that has done neither.
The peak of matrix products is the best that PyTorch's and NumPy's sgemm reach in the same run at 4096 x 4096.
"""

import argparse
import json
import os
import sys
import tempfile
import time

import numpy as np

import harness

FLOAT, LOW = "covey float32", "covey bfloat16"
FLOAT_PEERS = ["torch packed", "torch sorted", "onnxruntime float32", "openvino float32"]
LOW_PEERS = ["onnxruntime int8", "openvino bfloat16"]
SINGLE_PEERS = ["onnxruntime float32", "openvino float32", "torchscript", "torch sorted"]
EXACT = 1000
# An arrangement that is further off does not compute the same and does not count: OpenVINO's with padding, in float32
# as well.
WRONG = 0.05


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def throughput(name, folder, count):
    import torch
    from encode_model import make
    from encode_peers import PEERS

    torch.set_num_threads(harness.THREADS)
    data = make(count)
    exact = np.load(os.path.join(folder, "exact.npy"))
    peer = PEERS[name](folder)
    best = None
    for arrangement in peer.arrangements:
        embed = peer.prepare(*data, arrangement)
        error = float(np.abs(embed()[: len(exact)] - exact).max())
        if error > WRONG:
            continue
        seconds = min(timed(embed) for _ in range(3))
        if best is None or seconds < best["seconds"]:
            best = {
                "seconds": seconds,
                "events_per_second": int(data[0][-1]) / seconds,
                "error": error,
                "arrangement": arrangement,
            }
    return best or {"failure": f"no arrangement is within {WRONG}"}


def single(name, folder, calls=3000):
    from encode_model import one_sequence
    from encode_peers import PEERS

    run = PEERS[name](folder).single(*one_sequence())
    error = float(np.abs(run()[0] - np.load(os.path.join(folder, "exact_one.npy"))).max())
    times = np.empty(calls)
    for call in range(-300, calls):
        start = time.perf_counter_ns()
        run()
        times[max(call, 0)] = time.perf_counter_ns() - start
    return {"median_us": float(np.median(times)) / 1e3, "p99_us": float(np.percentile(times, 99)) / 1e3, "error": error}


def first(name, folder):
    """From the file to the first embedding. What a library imports is not counted."""
    from encode_model import one_sequence
    from encode_peers import PEERS

    data = one_sequence()
    __import__(name.split()[0])
    return {"milliseconds": 1e3 * timed(lambda: PEERS[name](folder).single(*data)())}


def gemm():
    import torch

    torch.set_num_threads(harness.THREADS)
    size = 4096
    result = {}
    for name, dtype in [("torch float32", torch.float32), ("torch bfloat16", torch.bfloat16)]:
        a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
        torch.mm(a, b)
        result[name] = 2 * size**3 / min(timed(lambda: torch.mm(a, b)) for _ in range(3)) / 1e9
    x, y = (np.random.default_rng(0).standard_normal((size, size), dtype=np.float32) for _ in range(2))
    x @ y
    result["numpy float32"] = 2 * size**3 / min(timed(lambda: x @ y) for _ in range(3)) / 1e9
    return result


def exact(folder, count):
    from encode_model import make, one_sequence
    from encode_peers import PyTorch

    peer = PyTorch(folder)
    peer.model = peer.model.double()
    offsets, types, times = make(count)
    offsets = offsets[: EXACT + 1]
    for name, data in [("exact", (offsets, types[: offsets[-1]], times[: offsets[-1]])), ("exact_one", one_sequence())]:
        np.save(os.path.join(folder, name), peer.prepare(*data, "packed", np.float64)())
    return {}


def run_one(what, folder, *arguments):
    if what == "models":
        from encode_peers import write_models

        write_models(folder)
        result = exact(folder, int(arguments[0]))
    else:
        functions = {
            "throughput": lambda: throughput(arguments[0], folder, int(arguments[1])),
            "single": lambda: single(arguments[0], folder),
            "first": lambda: first(arguments[0], folder),
            "gemm": gemm,
        }
        result = functions[what]()
    print(harness.MARK + json.dumps(result))
    return 0


def lines(title, columns, rows):
    print(f"\n{title}\n  {'':24}" + "".join(f"{name:>12}" for name in columns))
    for name, row in rows.items():
        print(
            f"  {name:24}"
            + (
                f"{row['failure']}"
                if "failure" in row
                else "".join(f"{form(row):>12}" for form in columns.values()) + f"  {row.get('arrangement', '')}"
            )
        )
    sys.stdout.flush()


def ratio(title, ours, theirs, value, mark):
    """Ours over the best of theirs, where more is better."""
    known = {name: value(row) for name, row in theirs.items() if "failure" not in row}
    if "failure" in ours or not known:
        return None
    best = max(known, key=known.get)
    result = value(ours) / known[best]
    print(f"  {title}: {result:.2f} times {best} (mark {mark})")
    return result


def main():
    if sys.argv[1:2] == ["--one"]:
        return run_one(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=20_000)
    parser.add_argument("--limit", type=float, default=240)
    parser.add_argument("--peers", default=",".join(FLOAT_PEERS + LOW_PEERS + ["torchscript"]))
    parser.add_argument("--json", default=".build-out/bench-encode.json")
    arguments = parser.parse_args()
    chosen = [FLOAT, LOW] + arguments.peers.split(",")
    with tempfile.TemporaryDirectory() as folder:

        def measured(what, *rest):
            return harness.measured(__file__, ["--one", what, folder, *rest], arguments.limit)

        failure = measured("models", arguments.sequences).get("failure")
        if failure:
            sys.exit(f"the models could not be made: {failure}")
        machine = harness.machine()
        print(f"{machine}\n{arguments.sequences:,} sequences, {harness.THREADS} threads")
        report = {"machine": machine, "threads": harness.THREADS, "sequences": arguments.sequences}
        report["gemm_gflops"] = gemm_rates = measured("gemm")
        report["throughput"] = speed = {
            name: measured("throughput", name, arguments.sequences)
            for name in chosen
            if name in [FLOAT, LOW] + FLOAT_PEERS + LOW_PEERS
        }
        report["single"] = latency = {
            name: measured("single", name)
            for name in chosen
            if name in [FLOAT, LOW] + SINGLE_PEERS + ["onnxruntime int8"]
        }
        report["first"] = loading = {
            name: measured("first", name) for name in chosen if name.split()[0] in ("covey", "onnxruntime", "openvino")
        }

    lines(
        "Events a second",
        {"M events/s": lambda row: f"{row['events_per_second'] / 1e6:.3f}", "error": lambda row: f"{row['error']:.1e}"},
        speed,
    )
    marks = report["marks"] = {}

    def rate(row):
        return row["events_per_second"]

    def among(rows, names):
        return {name: rows[name] for name in names if name in rows}

    marks["float32"] = ratio("float32", speed[FLOAT], among(speed, FLOAT_PEERS), rate, 1.7)
    marks["packed"] = ratio("float32", speed[FLOAT], among(speed, ["torch packed"]), rate, 6)
    marks["bfloat16"] = ratio("bfloat16", speed[LOW], among(speed, LOW_PEERS), rate, 2.5)
    if "failure" not in gemm_rates and "failure" not in speed[FLOAT]:
        from encode_model import OPERATIONS

        peak = max(gemm_rates["torch float32"], gemm_rates["numpy float32"])
        reached = rate(speed[FLOAT]) * OPERATIONS / 1e9
        marks["gemm_share"] = reached / peak
        print(
            f"  float32: {reached:.0f} GFLOP/s of matrix products ({OPERATIONS:,} an event), {100 * reached / peak:.0f}"
            f" % of the {peak:.0f} that sgemm reaches (mark 70 %)"
        )
    lines(
        "One sequence of 30 events, one thread",
        {
            "median us": lambda row: f"{row['median_us']:.1f}",
            "p99 us": lambda row: f"{row['p99_us']:.1f}",
            "error": lambda row: f"{row['error']:.1e}",
        },
        latency,
    )
    marks["single"] = ratio(
        "float32", latency[FLOAT], among(latency, SINGLE_PEERS), lambda row: 1 / row["median_us"], 3
    )
    lines("Model file to first embedding", {"ms": lambda row: f"{row['milliseconds']:.2f}"}, loading)
    print("  (mark 20 ms)")
    if os.path.isdir(os.path.dirname(os.path.abspath(arguments.json))):
        with open(arguments.json, "w") as file:
            json.dump(report, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
