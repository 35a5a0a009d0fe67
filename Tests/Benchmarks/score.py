#!/usr/bin/env python3
"""Placing new rows in clusters, and making hybrid rows: Covey, hdbscan and scikit-learn on the same arrays.

    score.py [--rows 20000] [--columns 48] [--limit SECONDS]

Prediction: 2,000 new rows one at a time (as a payment comes) and in one batch, by hdbscan.approximate_predict and
    Covey.
Hybrid rows: 200,000 x 40 with missing values, robust scaling, by scikit-learn's SimpleImputer and RobustScaler and
    Covey.
"""

import argparse
import sys

import numpy as np

import harness
from cluster_data import make

SINGLE, BATCH, HYBRID = "one at a time", "in one batch", "hybrid rows"


def predictor(peer, known):
    options = {"min_cluster_size": 50, "min_samples": 10, "prediction_data": True}
    if peer == "covey":
        import covey

        fitted = covey.HDBSCAN(context=covey.Context(threads=harness.THREADS), **options).fit(known)
        return lambda rows: covey.approximate_predict(fitted, rows)
    import hdbscan

    fitted = hdbscan.HDBSCAN(core_dist_n_jobs=harness.THREADS, **options).fit(known)
    return lambda rows: hdbscan.approximate_predict(fitted, rows)


def transformer(peer, table):
    names = [f"f{index}" for index in range(table.shape[1])]
    if peer == "covey":
        import covey

        context = covey.Context(threads=harness.THREADS)
        return lambda: covey.HybridFeatures(clip=np.inf, context=context).fit_transform(
            features=dict(zip(names, table.T))
        )
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import RobustScaler

    return lambda: make_pipeline(SimpleImputer(strategy="median"), RobustScaler()).fit_transform(table)


def run_one(task, peer, rows, columns):
    if task == HYBRID:
        random = np.random.default_rng(1)
        table = random.gamma(2.0, 50.0, (200_000, 40))
        table[random.random(table.shape) < 0.05] = np.nan
        transform = transformer(peer, table)

        def run_transform():
            transform()

        return harness.measure(transform, run_transform)
    points = make(rows + 2000, columns, "full")
    known, new = points[:rows], points[rows:]
    predict = predictor(peer, known)

    def run():
        if task == BATCH:
            predict(new)
            return None
        for row in range(200):
            predict(new[row : row + 1])
        return {"rows": 200}

    harness.measure(lambda: predict(new[:10]), run)


def main():
    if sys.argv[1:2] == ["--one"]:
        return run_one(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--columns", type=int, default=48)
    parser.add_argument("--limit", type=float, default=200)
    arguments = parser.parse_args()
    for task in (SINGLE, BATCH, HYBRID):
        peers = ["covey", "sklearn" if task == HYBRID else "hdbscan"]
        results = {
            peer: harness.measured(__file__, ["--one", task, peer, arguments.rows, arguments.columns], arguments.limit)
            for peer in peers
        }
        what = (
            "200,000 x 40"
            if task == HYBRID
            else f"{200 if task == SINGLE else 2000} new rows, {arguments.rows:,} known"
        )
        harness.table(f"{task}: {what}", results, "covey")
    return 0


sys.exit(main())
