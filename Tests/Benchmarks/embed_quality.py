#!/usr/bin/env python3
"""How much of what labels ask for do embeddings hold that were trained without labels?

    embed_quality.py [--quick] [--sets bpi2012_loan,...] [--peers CoLES,autoencoder,...] [--budget SECONDS]
                     [--part check|choice|all] [--seeds 1] [--options JSON] [--peer-options JSON] [--folder FOLDER] [--again]

Encoders are trained on all sequences without labels: Covey's objectives, and pytorch-lifestream 0.7.0's CoLES with
embeddings of the same size. Each gets the same number of processor seconds, of two threads, whatever else runs on the
machine; it is only full where an encoder does not stop before, as its held-out loss no longer falls. Then a logistic
regression and gradient-boosted trees learn the label from the embeddings, from hand-made aggregates of the same events, and
from both joined: AUROC and average precision on 5 folds, their mean and standard deviation.

How defaults were chosen: half of the customers (of the cases), drawn by a seed, are for choosing (--part choice), of Covey's
training as of the peer's. The table is of the other half, on which nothing was chosen. embed_data.py says what the
sequences, labels and aggregates are. Results go to a file as they come; a run that was stopped goes on from there.
"""
import argparse
import hashlib
import json
import os
import sys
import tempfile

import numpy as np

import embed_data
import embed_heads
import harness
from embed_peers import COVEY

DIMENSION = 64
AGGREGATES, PEER = "aggregates", "CoLES"
SEQUENCES = {"full": 8_000, "quick": 3_000}
BUDGET = {"full": 10, "quick": 3}


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


def digest():
    """Of the library that trains."""
    from covey._library import library
    library.covey_version_number()
    with open(os.path.realpath(library.path), "rb") as file:
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
        np.savez(source, offsets=data.offsets, types=data.types, times=data.times, names=data.names,
                 channels=list(data.numeric), numeric=list(data.numeric.values()))
    options = arguments.peer_options if method == PEER else arguments.options
    told = harness.measured(
        os.path.join(os.path.dirname(__file__), "embed_peers.py"),
        [method, source, arguments.budget, DIMENSION, seed, options, kept + ".npy"], 60 * arguments.budget + 1800, python)
    if "failure" in told:
        return None, told
    with open(kept + ".json", "w") as file:
        json.dump(told, file)
    return np.load(kept + ".npy"), told


def run_set(name, arguments, results, library):
    data = embed_data.SETS[name](SEQUENCES["quick" if arguments.quick else "full"])
    part = embed_heads.half(data.group, arguments.part)
    label, group = data.label[part], data.group[part]
    hand = data.aggregates.to_numpy()[part]
    rows = {}
    stem = f"{name}, {len(data)} sequences"
    with tempfile.TemporaryDirectory() as folder:
        for method in arguments.peers:
            for seed in range(arguments.seeds):
                key = f"{stem}, {DIMENSION}: {method}"
                if method != AGGREGATES:
                    options = arguments.peer_options if method == PEER else f"{arguments.options}, {library}"
                    key += f", {arguments.budget:g} s, seed {seed}, {options}"
                trained, key = key, f"{arguments.part}: {key}"
                if key not in results.all:
                    if method == AGGREGATES:
                        found = {"": embed_heads.evaluate(hand, label, group)}
                    else:
                        x, found = embeddings(trained, method, data, folder, seed, arguments)
                        if x is not None:
                            found["alone"] = embed_heads.evaluate(x[part], label, group)
                            found["joined"] = embed_heads.evaluate(np.hstack([x[part], hand]), label, group)
                    if "failure" in found:
                        print(f"{key}: {found['failure']}", file=sys.stderr)
                        continue
                    results.put(key, found)
                merge(rows, method, results.all[key])
                if method == AGGREGATES:
                    break
    events = int(data.offsets[-1])
    print(f"\n{name}: {len(data):,} sequences, {events:,} events; labelled: {len(label):,} ({arguments.part}), "
          f"{label.mean():.1%} positive")
    show(rows)


def merge(rows, method, found):
    """Adds one seed's folds to the method's."""
    for use, heads in found.items():
        if isinstance(heads, dict):
            row = rows.setdefault((method, use), {"epochs": [], "cpu_seconds": []})
            for head, scores in heads.items():
                for measure, values in scores.items():
                    row.setdefault((head, measure), []).extend(values)
            for field in ("epochs", "cpu_seconds"):
                row[field].append(found.get(field, 0))


def show(rows):
    """Mean and deviation over the folds; Covey's over the peer's, joined over the aggregates alone."""
    for head in embed_heads.HEADS:
        print(f"  {head:26}{'':8}{'AUROC':>15}{'difference':>12}{'AP':>17}{'difference':>12}{'epochs':>8}{'seconds':>9}")
        for (method, use), row in rows.items():
            base = rows.get((AGGREGATES, "") if use == "joined" else (PEER, "alone"))
            line = f"  {method:26}{use:8}"
            for measure in ("auroc", "ap"):
                values = np.array(row[head, measure])
                line += f"   {values.mean():.4f} ± {values.std():.4f}"[-17:].rjust(17 if measure == "ap" else 15)
                is_base = base is None or base is row or use == ""
                line += f"{'':12}" if is_base else f"{values.mean() - np.mean(base[head, measure]):+12.4f}"
            if use == "alone":
                line += f"{np.mean(row['epochs']):8.1f}{np.mean(row['cpu_seconds']):9.1f}"
            print(line)
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sets", default=",".join(embed_data.SETS))
    parser.add_argument("--peers", default=",".join([AGGREGATES, PEER, *COVEY]))
    parser.add_argument("--budget", type=float)
    parser.add_argument("--part", default="check", choices=["check", "choice", "all"])
    parser.add_argument("--seeds", type=int, default=1)
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
    arguments.peers = arguments.peers.split(",")
    print(f"{harness.machine()}; {harness.THREADS} threads, {arguments.budget:g} processor seconds for each training")
    for name in arguments.sets.split(","):
        run_set(name, arguments, Results(os.path.join(arguments.folder, f"{name}.json"), arguments.again), digest())
    return 0


if __name__ == "__main__":
    sys.exit(main())
