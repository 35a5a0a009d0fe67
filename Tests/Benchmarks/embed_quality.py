#!/usr/bin/env python3
"""How much of what labels ask for do embeddings hold that were trained without labels?

    embed_quality.py [--quick] [--sets bpi2012_loan,...] [--peers CoLES,autoencoder,...] [--budget SECONDS] [--seeds 3]
                     [--part check|choice|all] [--options JSON] [--peer-options JSON] [--folder FOLDER] [--again]

Encoders are trained on all sequences without labels: Covey's with its default objectives, and pytorch-lifestream
0.7.0's CoLES with embeddings of the same size. Each gets the same number of processor seconds, whatever else runs on
the machine; only Covey's may stop before, as its held-out loss no longer falls. Then a logistic regression and
gradient-boosted trees learn the label from the embeddings, from hand-made aggregates of the same events, as published
for such logs or all that an
expert might think of, and from both joined: AUROC and average precision on 5 folds. All of it is done once for each
seed, which draws the weights, the batches, the folds and what the boosted trees draw. A difference is paired, seed by
seed and fold by fold, with its standard error and the seeds in which it is above 0.

How defaults were chosen: half of the customers (of the cases), drawn by a seed, are for choosing (--part choice), of
Covey's training as of the peer's; their table has all objectives, and at its end their order by the mean of all
figures. What is measured is the other half, on which nothing was chosen. embed_data.py says what the sequences, labels
and aggregates are. Results go to a file as they come; a run that was stopped goes on from there.
"""

import argparse
import hashlib
import itertools
import json
import os
import sys
import tempfile

import numpy as np

import embed_data
import embed_heads
import harness
from covey._library import library
from embed_peers import COVEY

DIMENSION = 64
AGGREGATES, EXPERT, PEER, DEFAULT = "aggregates", "expert", "CoLES", "next + autoencoder"
PEERS = {"check": [AGGREGATES, EXPERT, PEER, DEFAULT], "choice": [AGGREGATES, *COVEY]}
PEERS["all"] = PEERS["check"]
# What embeddings are joined with, by the name of the use.
JOINED = {"joined": AGGREGATES, "with expert": EXPERT}
SEQUENCES = {"full": 16_000, "quick": 3_000}
BUDGET = {"full": 60, "quick": 3}


class Results:
    """Fold scores by part, set, method and what they depend on, in a file."""

    def __init__(self, path, again):
        self.path, self.all = path, {}
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not again and os.path.exists(path):
            with open(path) as file:
                self.all = json.load(file)

    def put(self, key, result):
        self.all[key] = result
        with open(self.path + ".new", "w") as file:
            json.dump(self.all, file, indent=1)
        os.replace(self.path + ".new", self.path)


def digest(path):
    with open(os.path.realpath(path), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:12]


def embeddings(key, method, data, folder, seed, arguments):
    """Trains in a process of its own, or takes what it left before; (embeddings, what it says of itself)."""
    kept = os.path.join(arguments.folder, hashlib.sha256(key.encode()).hexdigest()[:16])
    if os.path.exists(kept + ".json") and not arguments.again:
        with open(kept + ".json") as file:
            return np.load(kept + ".npy"), json.load(file)
    python = os.path.join(sys.prefix + ("-coles" if method == PEER else ""), "bin", "python")
    source = os.path.join(folder, "sequences.npz")
    if not os.path.exists(source):
        np.savez(
            source,
            offsets=data.offsets,
            types=data.types,
            times=data.times,
            names=data.names,
            channels=list(data.numeric),
            numeric=list(data.numeric.values()),
        )
    options = arguments.peer_options if method == PEER else arguments.options
    told = harness.measured(
        os.path.join(os.path.dirname(__file__), "embed_peers.py"),
        [method, source, arguments.budget, DIMENSION, seed, options, kept + ".npy"],
        60 * arguments.budget + 1800,
        python,
    )
    if "failure" in told:
        return None, told
    with open(kept + ".json", "w") as file:
        json.dump(told, file)
    return np.load(kept + ".npy"), told


def run_set(name, arguments, results, trainer):
    """{(method, use): {seed: scores}}"""
    data = embed_data.SETS[name](SEQUENCES["quick" if arguments.quick else "full"])
    part = embed_heads.half(data.group, arguments.part)
    label, group = data.label[part], data.group[part]
    hand = {AGGREGATES: data.aggregates.to_numpy()[part], EXPERT: data.expert.to_numpy()[part]}
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed, method in itertools.product(range(arguments.seeds), arguments.peers):
            trained = f"{name} {digest(embed_data.__file__)}, {len(data)} sequences, {DIMENSION}: {method}, seed {seed}"
            if method not in hand:
                options = arguments.peer_options if method == PEER else f"{arguments.options}, {trainer}"
                trained += f", {arguments.budget:g} s, {options}"
            key = f"{arguments.part}: {trained}, {digest(embed_heads.__file__)}"
            if key not in results.all:
                if method in hand:
                    found = {"": embed_heads.evaluate(hand[method], label, group, seed)}
                else:
                    x, found = embeddings(trained, method, data, folder, seed, arguments)
                    if x is not None:
                        found["alone"] = embed_heads.evaluate(x[part], label, group, seed)
                        for use, by_hand in JOINED.items():
                            if by_hand in arguments.peers:
                                found[use] = embed_heads.evaluate(
                                    np.hstack([x[part], hand[by_hand]]), label, group, seed
                                )
                if "failure" in found:
                    print(f"{key}: {found['failure']}", file=sys.stderr)
                    continue
                results.put(key, found)
            found = results.all[key]
            for use in ("", "alone", *JOINED):
                if use in found:
                    rows.setdefault((method, use), {})[seed] = {**found, **found[use]}
    print(
        f"\n{name}: {len(data):,} sequences, {int(data.offsets[-1]):,} events; labelled: {len(label):,} "
        f"({arguments.part}), {label.mean():.1%} positive"
    )
    show(rows)
    return rows


def compared(values, base):
    """Mean difference of two arrays [seed, fold], its standard error, and in how many of the seeds it is above 0.
    Folds of all seeds share rows, so that their mean is less certain than that of as many numbers drawn apart: the
    corrected variance of repeated cross-validation (Nadeau and Bengio 2003; Bouckaert and Frank 2004)."""
    differences = values - base
    scale = 1 / differences.size + 1 / (differences.shape[1] - 1)
    return differences.mean(), np.sqrt(scale * differences.var(ddof=1)), (differences.mean(axis=1) > 0).sum()


def in_words(values, base):
    mean, error, wins = compared(values, base)
    return f"{mean:+.4f} ± {error:.4f} {wins}/{len(values)}"


def figures(row, head, measure, seeds):
    return np.array([row[seed][head][measure] for seed in seeds])


def show(rows):
    """Alone over the peer alone, joined over the columns by hand alone; how many seeds of all are above."""
    for head in embed_heads.HEADS:
        print(f"  {head:31}{'':12}{'AUROC':>7}{'difference':>22}{'AP':>9}{'difference':>22}{'epochs':>8}{'seconds':>9}")
        for (method, use), row in rows.items():
            base = rows.get((JOINED[use], "") if use in JOINED else (PEER, "alone"), {})
            line = f"  {method:31}{use:12}"
            for measure, width in (("auroc", 7), ("ap", 9)):
                line += f"{figures(row, head, measure, row).mean():.4f}".rjust(width)
                both = [seed for seed in row if seed in base and base is not row and use]
                line += (
                    in_words(figures(row, head, measure, both), figures(base, head, measure, both)) if both else ""
                ).rjust(22)
            if use == "alone":
                line += "".join(
                    f"{np.mean([one[field] for one in row.values()]):{width}.1f}"
                    for field, width in (("epochs", 8), ("cpu_seconds", 9))
                )
            print(line)
    sys.stdout.flush()


def choose(sets):
    """Covey's objectives by the mean of all figures: sets, heads, scores, alone and joined. The first is the
    default."""
    totals = {}
    for method in COVEY:
        rows = [found.get((method, use)) for found in sets for use in ("alone", "joined")]
        if all(rows):
            seeds = sorted(set.intersection(*map(set, rows)))
            totals[method] = np.mean(
                [
                    figures(row, head, measure, seeds)
                    for row in rows
                    for head in embed_heads.HEADS
                    for measure in ("auroc", "ap")
                ],
                axis=0,
            )
    first = max(totals, key=lambda method: totals[method].mean(), default=None)
    print(f"\n  {'mean of all figures':33}{'':6}{'behind the first, seeds above it':>34}")
    for method, values in sorted(totals.items(), key=lambda one: -one[1].mean()):
        beside = "" if method == first or values.shape != totals[first].shape else in_words(values, totals[first])
        print(f"  {method:33}{values.mean():.4f}{beside:>34}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sets", default=",".join(embed_data.SETS))
    parser.add_argument(
        "--peers", help=f"default: {AGGREGATES}, {PEER} and Covey's default; for choosing all of Covey's"
    )
    parser.add_argument("--budget", type=float)
    parser.add_argument("--part", default="check", choices=["check", "choice", "all"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--options", default="{}", help="of covey.SequenceEncoder.train")
    parser.add_argument("--peer-options", default="{}", help="of CoLES: see embed_peers.py")
    parser.add_argument("--folder", default=os.path.join(embed_data.ROOT, ".build-out", "bench", "embed_quality"))
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    if not os.path.isdir(embed_data.DATA):
        print(f"no development data at {embed_data.DATA}")
        return 0
    os.environ.update(harness.ENVIRONMENT, OMP_WAIT_POLICY="PASSIVE")
    arguments.budget = arguments.budget or BUDGET["quick" if arguments.quick else "full"]
    arguments.peers = arguments.peers.split(",") if arguments.peers else PEERS[arguments.part]
    print(
        f"{harness.machine()}; {harness.THREADS} threads, {arguments.budget:g} processor seconds for each training, "
        f"{arguments.seeds} seeds"
    )
    library.covey_version_number()  # loads it
    sets = [
        run_set(
            name,
            arguments,
            Results(os.path.join(arguments.folder, f"{name}.json"), arguments.again),
            digest(library.path),
        )
        for name in arguments.sets.split(",")
    ]
    if arguments.part == "choice":
        choose(sets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
