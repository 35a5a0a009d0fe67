#!/usr/bin/env python3
"""How long clustering keeps its host waiting: the longest time between two calls of the progress callback, by stage,
and how soon covey_cancel ends the call, wherever it strikes.

    cluster_stops.py [--shapes 1000000x2:full:exact,...] [--cancels 20]

Both should stay below 100 ms at every size. The figures are those of the machine with all that runs on it: quiet it
    first.
"""

import argparse
import threading
import time

import covey
import harness
from cluster_data import make

LIMIT = 0.1
SHAPES = "1000000x2:full:exact,1000000x16:low:exact,50000x64:full:exact,1000000x32:low:approximate"


def silences(points, options):
    """The seconds of the whole call, how often the host was told, and the silences, longest first: (seconds, stage and
    fraction before, stage and fraction after)."""
    heard = []

    def progress(stage, part):
        heard.append((time.perf_counter(), stage, part))

    context = covey.Context(threads=harness.THREADS, progress=progress)
    start = time.perf_counter()
    covey.HDBSCAN(context=context, **options).fit(points)
    end = time.perf_counter()
    moments = [(start, "start", 0.0), *heard, (end, "end", 1.0)]
    gaps = sorted(((b[0] - a[0], a[1], a[2], b[1], b[2]) for a, b in zip(moments, moments[1:])), reverse=True)
    return end - start, len(heard), gaps


def answers(points, options, seconds, count):
    """For cancels spread over the call: (how long until the call had ended, when the cancel struck)."""
    found = []
    for number in range(count):
        context = covey.Context(threads=harness.THREADS)
        moment = seconds * (number + 0.5) / count
        struck = []

        def strike():
            struck.append(time.perf_counter())
            context.cancel()

        timer = threading.Timer(moment, strike)
        timer.start()
        try:
            covey.HDBSCAN(context=context, **options).fit(points)
        except covey.CoveyError as failure:
            end = time.perf_counter()
            assert failure.code == covey.StatusCode.CANCELLED, failure
            found.append((end - struck[0], moment))
        finally:
            timer.cancel()
            timer.join()
    return sorted(found, reverse=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", default=SHAPES)
    parser.add_argument("--cancels", type=int, default=20)
    arguments = parser.parse_args()
    print(f"{harness.machine()}, {harness.THREADS} threads")
    for shape in arguments.shapes.split(","):
        size, rank, search = shape.split(":")
        rows, columns = map(int, size.split("x"))
        points = make(rows, columns, rank)
        options = {"min_cluster_size": 50, "min_samples": 10, "algorithm": search}
        seconds, calls, gaps = silences(points, options)
        print(f"\n{rows:,} x {columns}, {rank} rank, {search}: {seconds:.2f} s, {calls} calls of the progress callback")
        for gap, before, part, after, next_part in gaps[:5]:
            mark = "  above the limit" if gap > LIMIT else ""
            print(f"  {gap * 1e3:8.1f} ms of silence from '{before}' {part:.3f} to '{after}' {next_part:.3f}{mark}")
        found = answers(points, options, seconds, arguments.cancels)
        late = [f"{delay * 1e3:.0f} ms at {moment:.2f} s" for delay, moment in found if delay > LIMIT]
        if found:
            print(
                f"  cancel answered in at most {found[0][0] * 1e3:.1f} ms "
                f"({len(found)} of {arguments.cancels} struck in time)"
                + (": above the limit: " + ", ".join(late) if late else "")
            )


main()
