"""Runs Covey and its peers on the same input in one run and prints ratios.

Every measurement is a process of its own: the time is that of the fit alone, after a small one that loads and compiles what
a library compiles; the memory is the growth of the largest resident set from just before the fit.
"""
import json
import os
import resource
import subprocess
import sys
import time

THREADS = 2
MARK = "MEASURED "

# What the peers look at for their number of threads.
ENVIRONMENT = {name: str(THREADS) for name in (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")}


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(warm_up, run):
    """Called in the measuring process: seconds, bytes and what `run` says of its result."""
    warm_up()
    before = peak_bytes()
    start = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - start
    print(MARK + json.dumps({"seconds": seconds, "bytes": max(0, peak_bytes() - before), **(result or {})}))


def measured(script, arguments, limit):
    """Runs `script` as a measuring process; None where it took longer than `limit` seconds or its library is not there."""
    try:
        process = subprocess.run(
            [sys.executable, script, *map(str, arguments)], env={**os.environ, **ENVIRONMENT}, text=True,
            capture_output=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"failure": f"over {limit:.0f} s"}
    for line in process.stdout.splitlines():
        if line.startswith(MARK):
            return json.loads(line[len(MARK):])
    lines = process.stderr.strip().splitlines()
    return {"failure": lines[-1][:60] if lines else f"ended with status {process.returncode}"}


def table(title, rows, ours, extra=()):
    """rows: {name: measurement}; ratios are the peer's seconds over ours."""
    print(f"\n{title}")
    print(f"  {'':28}{'seconds':>10}{'ratio':>9}{'memory MB':>12}" + "".join(f"{name:>14}" for name in extra))
    base = rows.get(ours, {}).get("seconds")
    for name, row in rows.items():
        if "failure" in row:
            print(f"  {name:28}{row['failure']:>10}")
            continue
        ratio = f"{row['seconds'] / base:9.2f}" if base else f"{'-':>9}"
        print(f"  {name:28}{row['seconds']:10.3f}{ratio}{row['bytes'] / 1e6:12.1f}"
              + "".join(f"{row.get(name, ''):>14}" for name in extra))
    sys.stdout.flush()
