#!/usr/bin/env python3
"""HDBSCAN: Covey, hdbscan, scikit-learn and fast_hdbscan on the same arrays.

    cluster.py [--shapes 50000x2,50000x16,...] [--limit SECONDS] [--peers covey,hdbscan,...]

Data: Gaussian clusters of unequal size and 20 % uniform noise; `full` has full rank, `low` lies near a 6-dimensional subspace.
"""
import argparse
import sys

import numpy as np

import harness
from cluster_data import make

SHAPES = "10000x2:full,50000x2:full,50000x16:full,50000x16:low,50000x64:full,100000x64:low"
PEERS = ["covey", "covey approximate", "hdbscan", "fast_hdbscan", "sklearn"]
MIN_CLUSTER_SIZE, MIN_SAMPLES = 50, 10


def fitter(peer):
    options = {"min_cluster_size": MIN_CLUSTER_SIZE, "min_samples": MIN_SAMPLES}
    if peer.startswith("covey"):
        import covey
        search = "approximate" if "approximate" in peer else "best"
        context = covey.Context(threads=harness.THREADS)
        return lambda x: covey.HDBSCAN(algorithm=search, context=context, **options).fit(x).labels_
    if peer == "hdbscan":
        import hdbscan
        return lambda x: hdbscan.HDBSCAN(core_dist_n_jobs=harness.THREADS, **options).fit(x).labels_
    if peer == "fast_hdbscan":
        import fast_hdbscan
        return lambda x: fast_hdbscan.HDBSCAN(**options).fit(x).labels_
    if peer == "sklearn":
        from sklearn.cluster import HDBSCAN
        options["min_samples"] += 1  # scikit-learn counts the row itself
        return lambda x: HDBSCAN(n_jobs=harness.THREADS, copy=False, **options).fit(x).labels_
    raise ValueError(peer)


def run_one(peer, rows, columns, rank, labels_file):
    fit = fitter(peer)
    points = make(rows, columns, rank)
    small = make(2000, columns, rank)
    kept = {}

    def run():
        kept["labels"] = fit(points)
        return {"clusters": int(kept["labels"].max()) + 1}

    harness.measure(lambda: fit(small), run)
    np.save(labels_file, kept["labels"])


def agreement(file, reference):
    from sklearn.metrics import adjusted_rand_score
    return f"{adjusted_rand_score(np.load(reference), np.load(file)):.4f}"


def main():
    if sys.argv[1:2] == ["--one"]:
        peer, rows, columns, rank, file = sys.argv[2:]
        return run_one(peer, int(rows), int(columns), rank, file)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", default=SHAPES)
    parser.add_argument("--limit", type=float, default=240)
    parser.add_argument("--peers", default=",".join(PEERS))
    arguments = parser.parse_args()
    import tempfile
    for shape in arguments.shapes.split(","):
        size, rank = shape.split(":")
        rows, columns = map(int, size.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            results = {}
            for peer in arguments.peers.split(","):
                file = f"{folder}/{peer}.npy"
                results[peer] = harness.measured(__file__, ["--one", peer, rows, columns, rank, file], arguments.limit)
                if "seconds" in results[peer] and "seconds" in results.get("covey", {}):
                    results[peer]["ARI to exact"] = agreement(file, f"{folder}/covey.npy")
            harness.table(f"{rows:,} x {columns}, {rank} rank, min_cluster_size {MIN_CLUSTER_SIZE}, min_samples {MIN_SAMPLES}",
                          results, "covey", ["clusters", "ARI to exact"])
    return 0


sys.exit(main())
