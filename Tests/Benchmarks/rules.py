#!/usr/bin/env python3
"""Rules: Covey and its peers on a table with three planted conjunctions.

    rules.py [--rows 200000] [--columns 40] [--limit SECONDS] [--peers covey,tree,skoperules,figs]

1 % positives made of three conjunctions of 2 to 4 conditions, 5 % label noise, 5 % missing values; figures on unseen rows.
"""
import argparse
import sys

import numpy as np

import harness

PEERS = ["covey", "tree", "figs", "skoperules"]


def make(rows, columns, seed=1):
    """Features, noisy target, and what the planted rules themselves say."""
    random = np.random.default_rng(seed)
    x = random.gamma(2.0, 50.0, (rows, columns))
    x[:, columns // 2:] = random.standard_normal((rows, columns - columns // 2))
    uniform = x.argsort(axis=0).argsort(axis=0) / rows  # each column's ranks, to plant conditions of known share
    planted = [
        (uniform[:, 0] > 0.94) & (uniform[:, 21] < 0.06),
        (uniform[:, 3] > 0.84) & (uniform[:, 5] < 0.16) & (uniform[:, 25] > 0.85),
        (uniform[:, 7] > 0.75) & (uniform[:, 9] > 0.75) & (uniform[:, 30] < 0.25) & (uniform[:, 33] < 0.22),
    ]
    x[random.random(x.shape) < 0.05] = np.nan
    cells = [(0, 21), (3, 5, 25), (7, 9, 30, 33)]
    seen = np.zeros(rows, dtype=bool)
    for rule, features in zip(planted, cells):
        seen |= rule & ~np.isnan(x[:, features]).any(axis=1)
    target = seen.copy()
    flipped = random.random(rows)
    target[seen & (flipped < 0.05)] = False
    target[~seen & (flipped < 0.05 * seen.mean())] = True
    return x, target, seen


def f1(predicted, target):
    return 2 * (predicted & target).sum() / max(1, predicted.sum() + target.sum())


def predictor(peer, columns):
    """fit(x, target) -> predict(x), rules."""
    names = [f"f{index}" for index in range(columns)]
    if peer == "covey":
        import covey
        context = covey.Context(threads=harness.THREADS)

        def fit(x, target):
            rules = covey.extract_rules(dict(zip(names, x.T)), target, max_conditions=4, context=context)
            return lambda unseen: rules.predict(dict(zip(names, unseen.T))), len(rules.rules)
        return fit
    from sklearn.impute import SimpleImputer

    def with_imputer(make_model, count):
        def fit(x, target):
            imputer = SimpleImputer(strategy="median").fit(x)
            model = make_model().fit(imputer.transform(x), target)
            return lambda unseen: model.predict(imputer.transform(unseen)).astype(bool), count(model)
        return fit
    if peer == "tree":
        from sklearn.tree import DecisionTreeClassifier
        return with_imputer(lambda: DecisionTreeClassifier(max_leaf_nodes=40, min_samples_leaf=20), lambda m: m.get_n_leaves())
    import imodels
    if peer == "figs":
        return with_imputer(lambda: imodels.FIGSClassifier(max_rules=20), lambda m: m.complexity_)
    if peer == "skoperules":
        return with_imputer(lambda: imodels.SkopeRulesClassifier(max_depth=4, precision_min=0.5), lambda m: len(m.rules_))
    raise ValueError(peer)


def run_one(peer, rows, columns):
    fit = predictor(peer, columns)
    x, target, _ = make(rows, columns)
    unseen_x, unseen_target, unseen_planted = make(rows // 2, columns, seed=2)
    small = make(4000, columns, seed=3)
    fitted = {}

    def run():
        fitted["predict"], fitted["rules"] = fit(x, target)
        predicted = fitted["predict"](unseen_x)
        return {"F1": f"{f1(predicted, unseen_target):.3f}", "rules": int(fitted["rules"]),
                "planted F1": f"{f1(unseen_planted, unseen_target):.3f}"}

    harness.measure(lambda: fit(small[0], small[1]), run)


def main():
    if sys.argv[1:2] == ["--one"]:
        return run_one(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=40)
    parser.add_argument("--limit", type=float, default=200)
    parser.add_argument("--peers", default=",".join(PEERS))
    arguments = parser.parse_args()
    results = {peer: harness.measured(__file__, ["--one", peer, arguments.rows, arguments.columns], arguments.limit)
               for peer in arguments.peers.split(",")}
    harness.table(f"{arguments.rows:,} x {arguments.columns}, three planted conjunctions", results, "covey",
                  ["F1", "planted F1", "rules"])
    return 0


sys.exit(main())
