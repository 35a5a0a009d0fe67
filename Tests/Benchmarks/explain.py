#!/usr/bin/env python3
"""Explanations of sessions with planted events: which method finds them, how faithful it is, and what it costs.

    explain.py [--sessions 3000] [--explained 150] [--hidden 64] [--json FILE]

Sessions have 30 events of 24 ordinary types. One in ten belongs to a ring: three of its events, at places drawn for
each session, are of three types that nobody else has. An encoder is trained on all sessions, without labels. What
sets the ring's cluster apart is explained (explained="contrast", the default), and a planted event should be one that
adds to it.

- precision: mean over sessions of the average precision (area under precision and recall) of the attributions, with
  the planted events as the truth.
- difference, preservation: as covey.h defines them, measured here by the same code for all; difference up,
  preservation down.
- one: median milliseconds of calls for one session on one thread; batch: of one call for all on two threads, a session.
  Attributions alone, without features and figures.

The peer is KernelSHAP over events as TimeSHAP (Bento et al. 2021) samples it, in NumPy, with all its coalitions
embedded by Covey in one batch: from so many coalitions (TimeSHAP's examples take 32,000) the weighted least squares
are solved, for fewer sessions where there are many. "random" is a random order.
"""

import argparse
import json
import math
import sys
import time

import numpy as np

import covey
import harness

EVENTS, TYPES, PLANTED = 30, 24, 3
COALITIONS = (128, 512, 2048, 32_000)


def make(count, seed=1):
    random = np.random.default_rng(seed)
    popular = 1 / np.arange(1, TYPES + 1)
    types = random.choice(TYPES, size=(count, EVENTS), p=popular / popular.sum())
    ring = np.arange(count) % 10 == 0
    planted = np.zeros((count, EVENTS), dtype=bool)
    for row in np.flatnonzero(ring):
        places = np.sort(random.choice(EVENTS, PLANTED, replace=False))
        types[row, places] = TYPES + np.arange(PLANTED)
        planted[row, places] = True
    times = np.cumsum(random.exponential(12, size=(count, EVENTS)), axis=1)
    names = np.array([f"page {index}" for index in range(TYPES)] + ["new card", "new address", "gift card"])
    offsets = np.arange(count + 1) * EVENTS
    sequences = covey.Sequences(offsets, names[types.ravel()], times.ravel())
    # What makes the ring a cluster, so that only the events say what a member's distance to its centre is.
    features = {"device": np.where(ring, "emulator", random.choice(["ios", "android", "desktop"], count))}
    return sequences, features, ring, planted


def build(sequences, features, ring, hidden):
    encoder = covey.SequenceEncoder.train(sequences, hidden_size=hidden, seed=1, epochs=20)
    hybrid = covey.HybridFeatures(embedding_weight=1.0, feature_weight=3.0)
    rows = hybrid.fit_transform(encoder.embed(sequences), features=features)
    clusterer = covey.HDBSCAN(min_cluster_size=50, prediction_data=True).fit(rows)
    risk = covey.cluster_risk(clusterer.labels_, ring)
    engine = covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=clusterer, risk=risk)
    labels = clusterer.labels_[ring]
    cluster = int(np.bincount(labels[labels >= 0]).argmax())
    embeddings = np.array([name.startswith(("embedding[", "component[")) for name in hybrid.get_feature_names_out()])
    return engine, hybrid, cluster, discriminant(rows.astype(float), clusterer.labels_ == cluster, embeddings)


def discriminant(rows, own, embeddings):
    """COVEY_EXPLAINED_CONTRAST, by slow code: weights and start."""
    inside, outside = rows[own].mean(axis=0), rows[~own].mean(axis=0)
    centred = np.where(own[:, None], rows - inside, rows - outside)
    weights = np.zeros(rows.shape[1])
    for block in (embeddings, ~embeddings):
        covariance = centred[:, block].T @ centred[:, block] / len(rows)
        covariance += 0.01 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        weights[block] = np.linalg.solve(covariance, (inside - outside)[block])
    weights /= weights @ (inside - outside)
    return weights, weights @ outside


class Value:
    """The contrast of sessions with some of their events, by the public functions."""

    def __init__(self, engine, hybrid, contrast, sequences, features, context):
        self.engine, self.hybrid, self.contrast, self.context = engine, hybrid, contrast, context
        self.types = sequences._types.indices(engine.encoder.vocabulary).reshape(-1, EVENTS)
        self.times = sequences.times.reshape(-1, EVENTS)
        self.features = features

    def __call__(self, row, kept):
        """kept: coalitions x events."""
        lengths = kept.sum(axis=1)
        which = np.nonzero(kept)[1]
        batch = covey.Sequences(
            np.concatenate(([0], np.cumsum(lengths))), self.types[row][which], self.times[row][which], indices=True
        )
        features = {name: np.repeat(values[row], len(kept)) for name, values in self.features.items()}
        rows = self.hybrid.transform(self.engine.encoder.embed(batch, context=self.context), features)
        return rows @ self.contrast[0] - self.contrast[1]


def kernel_shap(value, row, count, random):
    """Shapley values over events from `count` coalitions, in pairs of a coalition and what it lacks."""
    sizes = np.arange(1, EVENTS)
    weights = (EVENTS - 1) / (sizes * (EVENTS - sizes))
    drawn = random.choice(sizes, size=count // 2, p=weights / weights.sum())
    order = np.argsort(random.random((count // 2, EVENTS)), axis=1)
    half = np.zeros((count // 2, EVENTS), dtype=bool)
    np.put_along_axis(half, order, np.arange(EVENTS) < drawn[:, None], axis=1)
    kept = np.concatenate([half, ~half, np.zeros((1, EVENTS), dtype=bool), np.ones((1, EVENTS), dtype=bool)])
    values = value(row, kept)
    base, whole, kept, values = values[-2], values[-1], kept[:-2], values[:-2]
    # The values add up to whole - base: the last event's is what is left.
    design = kept[:, :-1].astype(float) - kept[:, -1:]
    target = values - base - kept[:, -1] * (whole - base)
    found = np.linalg.lstsq(design, target, rcond=None)[0]
    return np.append(found, whole - base - found.sum())


def average_precision(scores, truth):
    order = np.argsort(-scores, kind="stable")
    hits = truth[order]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def faithfulness(value, row, attributions):
    """The figures of covey.h, by slow code."""
    order = np.argsort(-np.abs(attributions), kind="stable")
    steps = min(EVENTS, 16)
    cuts = [cut * EVENTS // steps for cut in range(1, (steps + 1) // 2 + 1)]
    rank = np.empty(EVENTS, dtype=int)
    rank[order] = np.arange(EVENTS)
    kept = (
        [rank >= cut for cut in [0, *cuts]] + [rank < EVENTS - cut for cut in [0, *cuts]] + [rank < cut for cut in cuts]
    )
    values = value(row, np.array(kept))
    down, up, alone = values[: len(cuts) + 1], values[len(cuts) + 1 : 2 * len(cuts) + 2], values[2 * len(cuts) + 2 :]
    return {
        "difference": float(np.abs(np.diff(down)).sum()), "preservation": float(np.abs(np.diff(up)).sum()),
        "comprehensiveness": float(np.abs(down[1:] - down[0]).mean()),
        "sufficiency": float(np.abs(alone - down[0]).mean()),
    }  # fmt: skip


def measure(name, attributions, value, rows, planted, one, batch):
    figures = [faithfulness(value, row, found) for row, found in zip(rows, attributions)]
    precision = [average_precision(found, planted[row]) for row, found in zip(rows, attributions)]
    return {
        "method": name,
        "precision": float(np.mean(precision)),
        "one": one,
        "batch": batch,
        **{key: float(np.mean([figure[key] for figure in figures])) for key in figures[0]},
    }


def milliseconds(function, times):
    spans = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        spans.append(time.perf_counter() - start)
    return float(np.median(spans)) * 1e3


FIGURES = ("precision", "difference", "preservation", "comprehensiveness", "sufficiency")


def tell(row, results):
    results.append(row)
    if len(results) == 1:
        print(f"{'':22}" + "".join(f"{name[:13]:>15}" for name in FIGURES) + f"{'one, ms':>12}{'batch, ms':>12}")
    print(
        f"{row['method']:22}"
        + "".join(f"{row[name]:15.4f}" for name in FIGURES)
        + "".join(f"{row[key]:12.3f}" if not math.isnan(row[key]) else f"{'-':>12}" for key in ("one", "batch"))
    )
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=3000)
    parser.add_argument("--explained", type=int, default=150)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    print(harness.machine())
    sequences, features, ring, planted = make(arguments.sessions)
    engine, hybrid, cluster, contrast = build(sequences, features, ring, arguments.hidden)
    rows = np.flatnonzero(ring)[: arguments.explained]
    single, double = covey.Context(threads=1), covey.Context(threads=harness.THREADS)
    value = Value(engine, hybrid, contrast, sequences, features, double)
    chosen = lambda rows: {name: values[rows] for name, values in features.items()}  # noqa: E731
    batch, table = sequences[rows], chosen(rows)
    options = dict(explained="contrast", cluster=cluster, explain_features=False, faithfulness=False)
    results = []
    for name, more in [
        ("occlusion", {}), ("gradients", {}), *[("shapley", {"permutations": n}) for n in (4, 8, 16, 32, 128)],
    ]:  # fmt: skip

        def explain(context, batch=batch, table=table, name=name, more=more):
            return engine.explain(batch, table, method=name, context=context, **more, **options)

        one_batch, one_table = batch[:1], chosen(rows[:1])
        one = milliseconds(lambda: explain(single, one_batch, one_table), 200)
        all_ = milliseconds(lambda: explain(double), 5) / len(rows)
        found = [explanation.attributions for explanation in explain(double)]
        tell(measure(" ".join([name, *map(str, more.values())]), found, value, rows, planted, one, all_), results)
    random = np.random.default_rng(7)
    slow = Value(engine, hybrid, contrast, sequences, features, single)
    for count in COALITIONS:
        few = rows[: max(5, min(len(rows), 200_000 // count))]
        found = [kernel_shap(value, row, count, random) for row in few]
        one = milliseconds(lambda: kernel_shap(slow, rows[0], count, random), 3 if count > 10_000 else 20)
        tell(measure(f"kernel shap {count}", found, value, few, planted, one, math.nan), results)
    attention = np.array(engine.encoder.attention(batch, context=double))
    tell(measure("attention", attention, value, rows, planted, math.nan, math.nan), results)
    chance = random.normal(size=(len(rows), EVENTS))
    tell(measure("random", chance, value, rows, planted, math.nan, math.nan), results)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump({"machine": harness.machine(), "results": results}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
