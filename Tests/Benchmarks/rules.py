#!/usr/bin/env python3
"""Rules: Covey and its peers on tables with three planted conjunctions, 40 features, 1 % positives, 5 % label noise and
5 % missing values.

    rules.py [--quick] [--only covey,jrip,...] [--sizes 20000,200000,...] [--seeds 10] [--limit SECONDS]
             [--results FILE] [--again]

The last 30 % of the rows are unseen: peers are fitted on the others, Covey holds them out itself. F1 is measured there
and, since Covey drops rules that fail there, on fresh rows that nobody has seen; beside it stands the F1 of the planted
rules themselves. "Found" counts planted conjunctions that come back with the same features and directions. The smallest
size is run with many seeds and reported as means. Every result goes to a file as it comes, and a run that was stopped
goes on from there. A peer that must take longer than the limit, were its time no more than proportional to the rows, is
not started.
"""

import argparse
import hashlib
import json
import os
import resource
import signal
import statistics
import sys
import tempfile

import numpy as np

import harness
import rules_peers
from rules_data import Table, f1, planted_shapes

COLUMNS = 40
SIZES = [20_000, 200_000, 1_000_000, 10_000_000]
FRESH_ROWS = 200_000
# Peers that need an older NumPy live in an environment beside this one.
OLD = {"skope-rules", "wittgenstein RIPPER", "pysubgroup"}


def python_of(peer):
    return os.path.join(sys.prefix + ("-old" if peer in OLD else ""), "bin", "python")


def run_one(peer, rows, seed):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 9 // 10
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    fit = rules_peers.PEERS[peer]()
    table = Table(rows, COLUMNS, seed)
    fresh = Table(FRESH_ROWS, COLUMNS, seed + 1000, rules=table.rules)
    kept = {}

    def quality():
        unseen, beyond = (
            kept["predicted"]()
            if "predicted" in kept
            else (kept["predict"](table.x[table.unseen]), kept["predict"](fresh.x))
        )
        target = table.y[table.unseen]
        return {
            "rules": len(kept["rules"]),
            "found": rules_peers.exact(kept["rules"], planted_shapes()),
            "f1": f1(np.asarray(unseen), target),
            "planted_f1": f1(table.planted(table.unseen), target),
            "fresh_f1": f1(np.asarray(beyond), fresh.y),
            "planted_fresh_f1": f1(fresh.planted(), fresh.y),
        }

    if peer == "Weka JRip":  # warms itself up, and tells its seconds

        def run():
            seconds, kept["rules"], predicted = fit(table, [table.x[table.unseen], fresh.x])
            kept["predicted"] = lambda: predicted
            return {"seconds": seconds}

        return harness.measure(lambda: None, run, quality)

    def run():
        kept["predict"], kept["rules"] = fit(table)

    harness.measure(lambda: fit(Table(4000, COLUMNS, seed + 2000)), run, quality)


class Results:
    """Measurements by size, seed and peer, in a file; those of another machine or of another build of Covey do not
    count."""

    def __init__(self, path, again):
        self.path = path
        self.all = {"machine": harness.machine(), "runs": {}}
        if not again and os.path.exists(path):
            with open(path) as file:
                stored = json.load(file)
            if stored.get("machine") == self.all["machine"]:
                self.all = stored

    @staticmethod
    def key(rows, seed, peer):
        build = ""
        if peer == "Covey":
            from covey._library import library

            library.covey_version_number()
            with open(os.path.realpath(library.path), "rb") as file:
                build = " " + hashlib.sha256(file.read()).hexdigest()[:12]
        return f"{rows} rows, seed {seed}: {peer}{build}"

    def get(self, rows, seed, peer, limit):
        found = self.all["runs"].get(self.key(rows, seed, peer))
        return None if found and "failure" in found and found.get("limit", 0) < limit else found

    def put(self, rows, seed, peer, limit, result):
        self.all["runs"][self.key(rows, seed, peer)] = {**result, "limit": limit}
        with open(self.path + ".new", "w") as file:
            json.dump(self.all, file, indent=1)
        os.replace(self.path + ".new", self.path)


def measure(results, rows, seed, peer, limit, slowest):
    """`slowest` knows each peer's (rows, seconds) at the size before; None where it failed there."""
    found = results.get(rows, seed, peer, limit)
    if found is None:
        before = slowest.get(peer, (rows, 0))
        if before is None or before[1] * rows / before[0] > limit:
            found = {"failure": "failed on fewer rows" if before is None else f"over {limit:.0f} s by proportion"}
        else:
            print(f"... {rows:,} rows, seed {seed}: {peer}", file=sys.stderr, flush=True)
            found = harness.measured(__file__, ["--one", peer, rows, seed], limit + loading(rows), python_of(peer))
            if found.get("seconds", 0) > limit:
                found = {"failure": f"over {limit:.0f} s"}
            results.put(rows, seed, peer, limit, found)
    return found


def loading(rows):
    """Seconds for making the table and predicting, which the limit does not count."""
    return 60 + rows / 50_000


def mean(runs, field):
    return statistics.fmean(run[field] for run in runs)


def report(rows, seeds, measured):
    title = f"{rows:,} x {COLUMNS}" + (f", means over {seeds} seeds" if seeds > 1 else "")
    print(
        f"\n{title}\n  {'':22}{'seconds':>10}{'ratio':>9}{'F1':>8}{'fresh F1':>10}{'rules':>7}{'found':>10}"
        f"{'memory MB':>11}{'peak MB':>9}"
    )
    ours = [run for run in measured.get("Covey", []) if "seconds" in run]
    everyone = [run for runs in measured.values() for run in runs if "seconds" in run]
    for peer, runs in measured.items():
        failures = [run["failure"] for run in runs if "failure" in run]
        if failures:
            print(f"  {peer:22}  {failures[0]}" + (f" ({len(failures)} of {len(runs)} seeds)" if len(runs) > 1 else ""))
            continue
        ratio = f"{mean(runs, 'seconds') / mean(ours, 'seconds'):9.1f}" if ours else f"{'-':>9}"
        found = f"{mean(runs, 'found'):.1f} of 3" if len(runs) > 1 else f"{runs[0]['found']} of 3"
        print(
            f"  {peer:22}{mean(runs, 'seconds'):10.3f}{ratio}{mean(runs, 'f1'):8.4f}{mean(runs, 'fresh_f1'):10.4f}"
            f"{mean(runs, 'rules'):7.1f}{found:>10}{mean(runs, 'bytes') / 1e6:11.1f}{mean(runs, 'peak') / 1e6:9.0f}"
        )
    if everyone:
        print(
            f"  {'the planted rules':22}{'':19}{mean(everyone, 'planted_f1'):8.4f}"
            f"{mean(everyone, 'planted_fresh_f1'):10.4f}"
        )
    theirs = [run for run in measured.get("Weka JRip", []) if "seconds" in run]
    if seeds > 1 and len(ours) == len(theirs) == seeds:
        for field, what in (("f1", "F1"), ("fresh_f1", "fresh F1")):
            steps = [mine[field] - other[field] for mine, other in zip(ours, theirs)]
            error = statistics.stdev(steps) / len(steps) ** 0.5
            print(
                f"  Covey's {what} less JRip's, seed by seed: {statistics.fmean(steps):+.4f}, standard error"
                f" {error:.4f}"
            )
    sys.stdout.flush()


def main():
    if sys.argv[1:2] == ["--one"]:
        return run_one(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20,000 rows, two seeds, 30 seconds a peer")
    parser.add_argument("--only", help="peers, by any part of their names")
    parser.add_argument("--sizes", help="rows; the first is run with all seeds")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--limit", type=float, help="seconds of a fit, default 300")
    parser.add_argument("--results", default=os.path.join(tempfile.gettempdir(), "bench-rules.json"))
    parser.add_argument("--again", action="store_true", help="forget earlier results")
    arguments = parser.parse_args()
    sizes = SIZES[:1] if arguments.quick else SIZES
    if arguments.sizes:
        sizes = [int(size) for size in arguments.sizes.split(",")]
    seeds = arguments.seeds or (2 if arguments.quick else 10)
    limit = arguments.limit or (30 if arguments.quick else 300)
    parts = arguments.only.lower().split(",") if arguments.only else [""]
    peers = [peer for peer in rules_peers.PEERS if any(part in peer.lower() for part in parts)]
    # What a stopped benchmark has started must not go on without it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = Results(arguments.results, arguments.again)
    print(f"{results.all['machine']}, {harness.THREADS} threads; results in {arguments.results}")
    slowest = {}
    for place, rows in enumerate(sizes):
        count = seeds if place == 0 else 1
        measured = {peer: [] for peer in peers}
        for seed in range(count):
            for peer in peers:
                measured[peer].append(measure(results, rows, seed, peer, limit, slowest))
        for peer, runs in measured.items():
            took = [run["seconds"] for run in runs if "seconds" in run]
            slowest[peer] = (rows, max(took)) if took else None
        report(rows, count, measured)
    return 0


sys.exit(main())
