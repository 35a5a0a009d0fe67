#!/usr/bin/env python3
"""HDBSCAN: Covey, exact and approximate, hdbscan, scikit-learn, fast_hdbscan and hdbscan-rs on the same arrays.

    make bench-cluster [BENCH_OPTIONS="--quick --only 64:full --sizes 10000,50000 --limit 300"]

Every measurement is a process of its own with two threads. It prints seconds (of the fit alone, the best of a few where
it is short), ratios, the memory beyond the input, the adjusted Rand index to the exact labels, the recall that
approximate search reports, the share of the GEMM peak that the tile pass reaches, and which marks are met; and writes
cluster.json and cluster.png (time against rows and columns, with the GEMM limit) beside its results file.

Results are kept, by case and by the library's version (Covey's by its build): a run that was stopped goes on where it
was, and parts may be run one after the other. A fit that would take longer than the limit is not run: its time is
extrapolated from the measured growth on fewer rows of the same kind, and called so.

Data: Gaussian clusters of unequal size, 20 % uniform noise; `full` has full rank, `low` lies near a 6-dimensional
subspace; the other names are shapes on which searches were slow once (equal rows, one-hot and boolean columns, far
rows, `HARD`
in cluster_data.py). Above a million rows: float32 in a mapped file, approximate search alone.
"""

import argparse
import json
import math
import os
import signal
import sys

import harness
from cluster_data import HARD, file_of
from cluster_peers import (
    ALWAYS_EXACT_UP_TO,
    APPROXIMATE,
    EXACT,
    MIN_CLUSTER_SIZE,
    MIN_SAMPLES,
    PEERS,
    is_exact,
    measure,
    version,
)

FOLDER = ".build-out/bench"
#: Columns and rank: the rows, ascending, so that growth is known before the largest.
LADDER = {
    (2, "full"): "10000,20000,50000,100000,200000,500000,1000000",
    (3, "full"): "10000,20000,50000,100000,1000000",
    (16, "full"): "10000,20000,50000,100000,200000,1000000",
    (16, "low"): "10000,20000,50000,200000,1000000",
    (64, "full"): "10000,20000,50000,100000,200000,500000,1000000,10000000",
    (64, "low"): "10000,20000,100000,1000000",
    (32, "full"): "10000,20000,50000,100000,1000000,10000000",
    (32, "low"): "10000,20000,100000,1000000",
    (8, "full"): "10000,50000",
    (128, "full"): "10000,50000",
    (12, "equal"): "10000,50000,120000",
    (64, "distinct"): "10000,50000,100000",
    (60, "one-hot"): "10000,50000,100000",
    (61, "one-hot-noise"): "10000,50000,100000",
    (16, "boolean"): "10000,50000,100000,400000",
    (16, "sphere"): "10000,50000,100000",
    (16, "far"): "10000,20000,50000",
    (16, "sentinels"): "10000,20000,50000",
}
QUICK = {
    (2, "full"): "5000,10000,20000",
    (16, "full"): "5000,10000,20000",
    (16, "low"): "5000,10000,20000",
    (64, "full"): "5000,10000,20000",
}
PATIENCE = 1800  # seconds for Covey itself


class Results:
    """Measurements by case and version, in a file; those of another machine do not count."""

    def __init__(self, path, again):
        self.path = path
        self.all = {"machine": harness.machine(), "threads": harness.THREADS, "runs": {}}
        if not again and os.path.exists(path):
            with open(path) as file:
                stored = json.load(file)
            if (stored.get("machine"), stored.get("threads")) == (self.all["machine"], self.all["threads"]):
                self.all = stored

    def get(self, key, limit=math.inf):
        """None where it was not measured, or failed with less patience."""
        found = self.all["runs"].get(key)
        return None if found and "failure" in found and found["limit"] < limit else found

    def put(self, key, limit, result):
        self.all["runs"][key] = {**result, "limit": limit}
        with open(self.path + ".new", "w") as file:
            json.dump(self.all, file, indent=1)
        os.replace(self.path + ".new", self.path)


def extrapolated(known, rows):
    """Seconds for more rows by the power of n between the two largest measured sizes; `known` is [(rows, seconds)]."""
    if len(known) < 2 or known[-1][1] < 0.2:
        return None
    (n, s), (m, t) = known[-2:]
    power = min(3.0, max(1.0, math.log(t / s) / math.log(m / n)))
    return {"seconds": t * (rows / m) ** power, "from": m, "power": power}


class Case:
    def __init__(self, rows, columns, rank):
        self.rows, self.columns, self.rank = rows, columns, rank
        self.name = f"{rows}x{columns}:{rank}"
        self.title = f"{rows:,} x {columns}, {rank}{'' if rank in HARD else ' rank'}"

    def peers(self, wanted):
        if self.rows > 1_000_000:
            return [peer for peer in wanted if peer == APPROXIMATE]
        return [peer for peer in wanted if peer != APPROXIMATE or self.columns > ALWAYS_EXACT_UP_TO]


def run_case(case, peer, results, folder, limit, known):
    """One peer's result for a case: stored, measured or extrapolated."""
    key = f"{case.name} {peer} {version(peer)}"
    ours = PEERS[peer] == "covey"
    patience = max(limit, PATIENCE) if ours else limit
    found = results.get(key, patience)
    guess = None if ours else extrapolated(known, case.rows)
    if found is None and guess and guess["seconds"] > limit:
        return {**guess, "extrapolated": True}
    if found is None:
        file = file_of(folder, case.rows, case.columns, case.rank)
        print(f"... {case.title}: {peer}", file=sys.stderr, flush=True)
        labels = os.path.join(folder, "labels", key.replace(" ", "_") + ".npy")
        # Loading and the small fit before are not the fit's.
        found = harness.measured(__file__, ["--one", peer, file, case.rank, labels], 1.2 * patience + 120)
        found = {**found, **({"labels": labels} if "seconds" in found else {})}
        if "seconds" in found or found["failure"].startswith("over"):
            results.put(key, patience, found)
    if "failure" in found and guess:
        return {**guess, "extrapolated": True}
    return found


def agreement(found, exact):
    """The adjusted Rand index to the exact labels; None without both."""
    if not exact or not all("labels" in each and os.path.exists(each["labels"]) for each in (found, exact)):
        return None
    if "ari" not in found or found.get("ari_to") != exact["labels"]:
        import numpy as np
        from sklearn.metrics import adjusted_rand_score

        found["ari"] = float(adjusted_rand_score(np.load(exact["labels"]), np.load(found["labels"])))
        found["ari_to"] = exact["labels"]
    return found["ari"]


def print_case(case, rows):
    """rows: {peer: result}; ratios are the peer's seconds over Covey's, exact and approximate."""
    print(
        f"\n{case.title}\n  {'':20}{'seconds':>11}{'x exact':>9}{'x approx.':>11}{'memory MB':>11}{'bytes a row':>13}"
        f"{'clusters':>10}{'ARI':>9}{'recall':>8}"
    )
    exact, approximate = (rows.get(peer, {}).get("seconds") for peer in (EXACT, APPROXIMATE))
    for peer, row in rows.items():
        if "seconds" not in row:
            print(f"  {peer:20}  {row['failure']}")
            continue

        def field(value, width, form):
            return f"{'-' if value is None else format(value, form):>{width}}"

        seconds, size, recall = row["seconds"], row.get("bytes"), row.get("recall") if peer == APPROXIMATE else None
        print(
            f"  {peer:20}{seconds:11.3f}{field(exact and seconds / exact, 9, '.2f')}"
            f"{field(approximate and seconds / approximate, 11, '.2f')}{field(size and size / 1e6, 11, '.1f')}"
            f"{field(size and size / case.rows, 13, '.0f')}{field(row.get('clusters'), 10, 'd')}"
            f"{field(row.get('ari'), 9, '.4f')}{field(recall, 8, '.4f')}"
            + (f"  extrapolated from {row['from']:,} rows, n^{row['power']:.2f}" if row.get("extrapolated") else "")
            + ("" if is_exact(peer, case.columns) or peer == APPROXIMATE else "  (approximate)")
        )
    sys.stdout.flush()


def gemm(results, quick):
    """The machine's peak and the share of it that the tile pass reaches."""
    rows = 20_000 if quick else 50_000
    key = f"gemm {rows}x64 {version(EXACT)}"
    found = results.get(key)
    if found is None:
        found = harness.measured(__file__, ["--gemm", rows], 600)
        if "failure" not in found:
            results.put(key, math.inf, found)
    if "failure" in found:
        print(f"\nGEMM: {found['failure']}")
        return None
    print(
        f"\nThe tile pass ({rows:,} x 64, uniform) reaches {found['tiles'] / 1e9:.0f} GFLOP/s of the "
        f"{found['peak'] / 1e9:.0f} of a large sgemm on as many threads: {found['share']:.0%}; the mark is 70%"
    )
    return found


def main():
    if sys.argv[1:2] == ["--one"]:
        return measure(*sys.argv[2:])
    if sys.argv[1:2] == ["--gemm"]:
        import gemm_share

        print(harness.MARK + json.dumps(gemm_share.measure(int(sys.argv[2]), 64)))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="up to 20,000 rows and 30 seconds a fit: some minutes")
    parser.add_argument("--only", default="", help="cases, by parts of their names, as 64:full or x2:")
    parser.add_argument("--sizes", help="rows, in the place of those of each case")
    parser.add_argument("--peers", default="", help="peers, by parts of their names")
    parser.add_argument("--limit", type=float, help="seconds of a peer's fit before it is extrapolated, default 420")
    parser.add_argument("--results", default=FOLDER, help=f"the folder of all that is written, default {FOLDER}")
    parser.add_argument("--again", action="store_true", help="forget earlier results")
    parser.add_argument("--keep-arrays", action="store_true", help="leave the arrays in the folder")
    arguments = parser.parse_args()
    limit = arguments.limit or (30 if arguments.quick else 420)
    folder = os.path.abspath(arguments.results)
    os.makedirs(os.path.join(folder, "labels"), exist_ok=True)
    # What a stopped benchmark has started must not go on without it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = Results(os.path.join(folder, "cluster-runs.json"), arguments.again)
    wanted = arguments.peers.lower().split(",")
    names = {peer.lower() for peer in PEERS}
    # A name that is a part of others means that peer alone.
    peers = [
        peer
        for peer in PEERS
        if any(part == peer.lower() or (part in peer.lower() and part not in names) for part in wanted)
    ]
    print(
        f"{results.all['machine']}, {harness.THREADS} threads; "
        f"min_cluster_size {MIN_CLUSTER_SIZE}, min_samples {MIN_SAMPLES}; "
        + ", ".join(f"{peer} {version(peer)}" for peer in peers if peer != APPROXIMATE)
    )
    peak = gemm(results, arguments.quick)
    measured = []
    for (columns, rank), sizes in (QUICK if arguments.quick else LADDER).items():
        known = {peer: [] for peer in PEERS}
        for rows in sorted(map(int, (arguments.sizes or sizes).split(","))):
            case = Case(rows, columns, rank)
            if not any(part in case.name for part in arguments.only.split(",")):
                continue
            found = {}
            for peer in case.peers(peers):
                found[peer] = run_case(case, peer, results, folder, limit, known[peer])
                if "seconds" in found[peer] and not found[peer].get("extrapolated"):
                    known[peer].append((rows, found[peer]["seconds"]))
                found[peer]["ari"] = agreement(found[peer], found.get(EXACT))
            print_case(case, found)
            measured += [
                {"rows": rows, "columns": columns, "rank": rank, "peer": peer, "version": version(peer), **row}
                for peer, row in found.items()
            ]
            if not arguments.keep_arrays:
                path = os.path.join(folder, f"{rows}x{columns}-{rank}.npy")
                if os.path.exists(path):
                    os.remove(path)
    import cluster_marks

    marks = cluster_marks.check(measured, peak)
    print(f"\n{sum(mark['met'] for mark in marks)} of {len(marks)} marks met")
    for mark in marks:
        print(mark["text"])
    with open(os.path.join(folder, "cluster.json"), "w") as file:
        json.dump(
            {
                "machine": results.all["machine"],
                "threads": harness.THREADS,
                "gemm": peak,
                "cases": measured,
                "marks": marks,
            },
            file,
            indent=1,
        )
    import cluster_plot

    cluster_plot.draw(measured, peak, results.all["machine"], os.path.join(folder, "cluster.png"))
    print(f"\n{folder}/cluster.json, {folder}/cluster.png")
    return 0


sys.exit(main())
