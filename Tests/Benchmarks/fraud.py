#!/usr/bin/env python3
"""Does covey.find find the fraud, at default settings? Beside it: peers on the same rows and the same known frauds.

    fraud.py [--quick] [--sets hdfs_sessions,...] [--seeds 5] [--part report|choose|all] [--known 0.3] [--null 20]
             [--no-peers] [--results FILE] [--again]

Protocol: of each set half of the rows, drawn by a fixed seed, was there to choose the method on (--part choose); the
other half is what is measured. Of that, the first 60 % are for training, by time if rows have one, otherwise at random;
30 % of the training fraud is known, and of all other rows nothing. Held-out rows are scored by the engine that find
made. Each seed draws anew what is known (and the split, if there is no time). Sets with labels of their own (planted
rings; the sample as a whole) keep them: "sample, own labels" is one find on all of it.

With --null N, the known labels are permuted over the training rows N times: any risky group is a false find, and so
is any rule.
Results go to a file as they come, and a run that was stopped goes on from there; another build of Covey starts anew.
"""

import argparse
import hashlib
import json
import os
import sys
import time
import warnings

import numpy as np
from scipy.stats import rankdata

import covey
import fraud_metrics
import fraud_peers
import fraud_sets
import fraud_tables
import harness
from covey._library import library

TRAINING = 0.6
QUICK = ["hdfs_sessions", "amlsim_accounts", "wikipedia_bans", "sample"]


def split(data, seed, known):
    """(training rows, held-out rows, y): y is 1 for known fraud and NaN for the rest."""
    random = np.random.default_rng(1000 + seed)
    order = random.permutation(len(data)) if data.when is None else np.argsort(data.when, kind="stable")
    cut = int(TRAINING * len(order))
    train, test = order[:cut], order[cut:]
    fraud = np.flatnonzero(data.truth[train] == 1)
    y = np.full(cut, np.nan)
    if data.name.startswith("rings"):
        y = data.labels[train].copy()  # the generator says what is known
    else:
        y[random.permutation(fraud)[: max(1, round(known * len(fraud)))]] = 1
    return train, test, y


class Road:
    """One find on the training rows, with the encoder kept: other finds of the same rows need not train it again."""

    def __init__(self, train, y, encoder=None):
        start = time.perf_counter()
        self.found = self._find(train, y, train.events, train.features, encoder)
        self.seconds = time.perf_counter() - start
        self.train, self.y = train, y
        self.encoder = self.found.engine.encoder

    @staticmethod
    def _find(data, y, events, features, encoder):
        return covey.find(
            events,
            features,
            y,
            key="key",
            time="time",
            event="event",
            encoder=encoder,
            dwell="dwell" if events is not None and "dwell" in events else None,
        )

    def again(self, y=None, events=True, features=True):
        """Find with other labels, or without one of the two tables."""
        y = self.y if y is None else y
        train = self.train
        return self._find(
            train,
            y,
            train.events if events else None,
            train.features if features else train.features[["key"]],
            self.encoder if events else None,
        )

    def embed(self, data):
        sequences = covey.Sequences.from_frame(
            data.events,
            sequence="key",
            time="time",
            event="event",
            order=data.features["key"].to_numpy(),
            dwell="dwell" if "dwell" in data.events else None,
        )
        return self.encoder.embed(sequences)


def run(data, seed, arguments, encoders):
    rows, held, y = split(data, seed, arguments.known)
    train, test = data.part(rows), data.part(held)
    digest = hashlib.sha256(np.sort(rows).tobytes()).hexdigest()
    road = Road(train, y, encoders.get(digest))
    encoders[digest] = road.encoder
    found, unknown = road.found, ~(y == 1)
    known = np.where(y == 1, 1, 0)
    result = {
        "rows": len(train),
        "known": int(known.sum()),
        "base": float(test.truth.mean()),
        "seconds": road.seconds,
        "groups": len(found.groups),
        "findings": [finding.code for finding in found.findings],
        "risky": fraud_metrics.chosen(train.truth[unknown], found.risky[unknown]),
    }
    scored = found.engine.score(test.events, test.features)
    ours = np.asarray(scored.risk)
    result["held-out risky"] = fraud_metrics.chosen(test.truth, np.asarray(scored.risky))
    scores = {"Covey": ours}
    if len(data) <= 20_000 and not arguments.no_peers:  # each block alone
        for name, keep in (("Covey, events alone", (True, False)), ("Covey, features alone", (False, True))):
            alone = road.again(events=keep[0], features=keep[1])
            scores[name] = np.asarray(
                alone.engine.score(
                    test.events if keep[0] else None, test.features if keep[1] else test.features[["key"]]
                ).risk
            )
    if not arguments.no_peers:
        peers, joined = peers_of(train, test, known, road, ours, seed)
        scores |= peers
        result["joined model"] = joined
    result["ranking"] = {name: fraud_metrics.ranking(test.truth, score, test.amount) for name, score in scores.items()}
    boosted = scores.get("boosted trees, features")
    if boosted is not None:
        result["added"] = {
            "Covey to boosted trees": fraud_metrics.added(test.truth, boosted, ours),
            "boosted trees to Covey": fraud_metrics.added(test.truth, ours, boosted),
        }
    result["rules"] = rules_of(found, train, test)
    if len(found.rules):
        result["rules on unknown"] = fraud_metrics.chosen(
            train.truth[unknown], found.rules.predict(train.features.drop(columns="key"))[unknown]
        )
    random = np.random.default_rng(2000 + seed)
    nulls = arguments.null if len(train) <= 10_000 else 0
    result["null"] = {"runs": nulls, "false finds": 0, "false rules": 0}
    for _ in range(nulls):
        chance = road.again(y=random.permutation(y))
        result["null"]["false finds"] += bool(chance.groups)
        result["null"]["false rules"] += bool(len(chance.rules))
    return result


def peers_of(train, test, known, road, ours, seed):
    """({name: scores}, what Covey's score beside the features adds to the average precision of two models)"""
    rows = {"raw": fraud_peers.raw(train.features, test.features)}
    tables = [part.features.drop(columns="key") for part in (train, test)]
    scaled = covey.HybridFeatures().fit(features=tables[0])
    rows["scaled"] = tuple(scaled.transform(None, table) for table in tables)
    embeddings = [road.embed(part) for part in (train, test)]
    hybrid = covey.HybridFeatures().fit(embeddings[0], features=tables[0])
    rows["hybrid"] = tuple(hybrid.transform(*pair) for pair in zip(embeddings, tables))
    scores = {}
    for name, (method, kind) in fraud_peers.PEERS.items():
        score = method(rows[kind][0], known, rows[kind][1], seed)
        if score is not None:
            scores[name] = score

    # Covey's scores of training rows are made by what is known of other parts of the rows, so that a known fraud and
    # its unknown twin see the same, and a model that is fitted to the same labels cannot read them out of that column.
    def log_odds(risk):
        risk = np.clip(risk, 1e-9, 1 - 1e-9)
        return np.log(risk / (1 - risk))

    beside = [
        np.column_stack([rows["raw"][part], log_odds(np.asarray(score))])
        for part, score in ((0, road.found.scores), (1, ours))
    ]
    joined = {}
    for name, method in (("forest", fraud_peers.random_forest), ("boosted trees", fraud_peers.boosted_trees)):
        alone = fraud_metrics.ranking(test.truth, scores[f"{name}, features"])["AP"]
        both = np.mean([rankdata(score) for score in (scores[f"{name}, features"], ours)], axis=0)
        joined[f"{name}, mean of ranks"] = fraud_metrics.ranking(test.truth, both)["AP"] - alone
        stacked = method(beside[0], known, beside[1], seed)
        joined[f"{name}, one more column"] = fraud_metrics.ranking(test.truth, stacked)["AP"] - alone
    return scores, joined


def rules_of(found, train, test):
    """What each rule for fraud claims (the share of known fraud), and what held-out rows say: the share of fraud there,
    and times the share that is known, whether the claim's 95 % interval holds it."""
    told = []
    share = np.sum(found.to_frame()["fraud"] == 1) / max(1, train.truth.sum())
    if not len(found.rules):
        return told
    fires = np.asarray(found.rules.fired(test.features.drop(columns="key")))
    for rule, fire in zip(found.rules.rules, fires.T if fires.shape[0] == len(test) else fires):
        if fire.sum() >= 5:
            precision = float(test.truth[fire].mean())
            told.append(
                {
                    "matches": int(fire.sum()),
                    "precision": precision,
                    "held": bool(rule.precision_low <= precision * share <= rule.precision_high),
                }
            )
    if told:
        told[0]["recall of all"] = float(
            test.truth[fires.any(axis=1 if fires.shape[0] == len(test) else 0)].sum() / max(1, test.truth.sum())
        )
    return told


def own_labels():
    """The sample as README goes about it: all of it, its own late labels, nothing chosen."""
    data = fraud_sets.SETS["sample"]()
    encoder = covey.SequenceEncoder.load(os.path.join(fraud_sets.ROOT, "examples", "data", "shop.safetensors"))
    told = {}
    for name, given in (("its encoder", encoder), ("trained anew", None)):
        found = covey.find(
            data.events, data.features, data.labels, key="key", time="time", event="event", dwell="dwell", encoder=given
        )
        told[name] = {
            "found": int(data.truth[found.risky].sum()),
            "of": int(data.truth.sum()),
            "rows": int(found.risky.sum()),
            "groups": len(found.groups),
        }
    return told


class Results:
    """By what was run, in a file; another build of Covey or of these programs starts anew."""

    def __init__(self, path, again):
        self.path, self.build = path, self._build()
        self.all = {"build": self.build, "runs": {}}
        if not again and os.path.exists(path):
            with open(path) as file:
                stored = json.load(file)
            if stored.get("build") == self.build:
                self.all = stored

    @staticmethod
    def _build():
        folder = os.path.dirname(__file__)
        library.covey_version_number()  # loads it
        digest = hashlib.sha256()
        for path in [os.path.realpath(library.path)] + sorted(
            os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("fraud_") or name == "fraud.py"
        ):
            with open(path, "rb") as file:
                digest.update(file.read())
        return digest.hexdigest()[:16]

    def get(self, key, make):
        if key not in self.all["runs"]:
            self.all["runs"][key] = make()
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            with open(self.path + ".new", "w") as file:
                json.dump(self.all, file, indent=1)
            os.replace(self.path + ".new", self.path)
        return self.all["runs"][key]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"two seeds, 5 permutations, and only {', '.join(QUICK)}")
    parser.add_argument("--sets", help=f"of {', '.join(fraud_sets.SETS)}")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--part", choices=["report", "choose", "all"], default="report")
    parser.add_argument("--known", type=float, default=0.3, help="share of the training fraud that is known")
    parser.add_argument("--null", type=int, help="permutations of the known labels a set and seed")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--results", default=os.path.join(fraud_sets.ROOT, ".build-out", "bench", "fraud.json"))
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    names = arguments.sets.split(",") if arguments.sets else QUICK if arguments.quick else list(fraud_sets.SETS)
    seeds = arguments.seeds or (2 if arguments.quick else 5)
    arguments.null = arguments.null if arguments.null is not None else (5 if arguments.quick else 20)
    warnings.filterwarnings("ignore", module="sklearn|hdbscan")
    results = Results(arguments.results, arguments.again)
    print(
        f"{harness.machine()}; part {arguments.part}, {arguments.known:.0%} of the training fraud known, {seeds} seeds"
    )
    found = {}
    for name in names:
        data, encoders = None, {}
        for seed in range(seeds):

            def once():
                nonlocal data
                if data is None:
                    data = fraud_sets.SETS[name]()
                    if arguments.part != "all":
                        data = fraud_sets.half(data, arguments.part)
                return run(data, seed, arguments, encoders)

            key = (
                f"{arguments.part} {arguments.known} {name} {seed} null {arguments.null} peers {not arguments.no_peers}"
            )
            try:
                found.setdefault(name, []).append(results.get(key, once))
            except FileNotFoundError as error:
                print(f"{name} is left out: {error}", file=sys.stderr)
                break
        if name in found:
            fraud_tables.of_set(name, found[name])
    own = results.get("sample, own labels", own_labels) if "sample" in names else None
    fraud_tables.marks(found, own)


if __name__ == "__main__":
    main()
