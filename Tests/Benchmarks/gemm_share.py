#!/usr/bin/env python3
"""The share of the GEMM peak that exact clustering's tile pass reaches.

    gemm_share.py [ROWS [COLUMNS]]

Uniform noise has no cells that the triangle inequality could rule out: the search for neighbours multiplies each pair
of rows once, ROWS^2 / 2 pairs of 2 COLUMNS operations. Its time is that between the progress stages; it contains
everything that the stage does beside the products. The peak is that of a large float32 product of NumPy in the same
process, on as many threads.
"""

import sys
import time

import numpy as np

import harness


def peak(side=4096, repeats=3):
    """Operations a second of a large product."""
    random = np.random.default_rng(0)
    a, b = (random.standard_normal((side, side), dtype=np.float32) for _ in range(2))
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


def tile_pass(rows, columns):
    """Operations a second of the stage "neighbours"."""
    import covey

    starts = {}
    context = covey.Context(
        threads=harness.THREADS,
        progress=lambda stage, fraction: bool(starts.setdefault(stage, time.perf_counter()) is None),
    )
    points = np.random.default_rng(1).uniform(-1, 1, (rows, columns))
    covey.HDBSCAN(algorithm="best", min_cluster_size=50, min_samples=10, context=context).fit(points)
    return rows**2 * columns / (starts.get("spanning tree", time.perf_counter()) - starts["neighbours"])


def measure(rows=50_000, columns=64):
    """The peak and the tile pass, in operations a second, and their ratio."""
    tile_pass(9000, columns)
    tiles, limit = tile_pass(rows, columns), peak()
    return {"peak": limit, "tiles": tiles, "share": tiles / limit}


if __name__ == "__main__":
    import os

    if any(os.environ.get(name) != value for name, value in harness.ENVIRONMENT.items()):
        # NumPy reads its number of threads when it is loaded.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **harness.ENVIRONMENT})
    result = measure(*map(int, sys.argv[1:]))
    print(
        f"tile pass {result['tiles'] / 1e9:.0f} GFLOP/s, peak {result['peak'] / 1e9:.0f} GFLOP/s: {result['share']:.0%}"
    )
