"""Runs Covey and its peers on the same input in one run and prints ratios.

Every measurement is a process of its own: the time is that of the fit alone, after a small one that loads and compiles
what a library compiles; the memory is the growth of the largest resident set from just before the fit.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time

THREADS = 2
MARK = "MEASURED "

# What the peers look at for their number of threads.
ENVIRONMENT = {
    name: str(THREADS)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
}


def resident(field):
    """VmRSS, RssAnon (without files) or VmHWM (the largest so far) of this process, in bytes."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))


def forget_peak():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # VmHWM starts again from VmRSS
    except OSError:
        pass


def measure(warm_up, run, after=None):
    """Called in the measuring process: seconds, bytes and what `run` and then, not timed, `after` say of the result."""
    warm_up()
    forget_peak()
    before = resident("VmRSS")
    start = time.perf_counter()
    result = run() or {}
    seconds = time.perf_counter() - start
    # A process of its own that `run` waits for counts too.
    peak = max(resident("VmHWM"), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
    print(
        MARK
        + json.dumps(
            {"seconds": seconds, "bytes": max(0, peak - before), "peak": peak, **result, **(after() if after else {})}
        )
    )


def measured(script, arguments, limit, python=sys.executable):
    """Runs `script` as a measuring process; a failure where it takes over `limit` seconds or its library is not
    there."""
    process = subprocess.Popen(
        [python, script, *map(str, arguments)],
        env={**os.environ, **ENVIRONMENT},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return {"failure": f"over {limit:.0f} s"}
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # with what it started
            process.communicate()
    for line in output.splitlines():
        if line.startswith(MARK):
            return json.loads(line[len(MARK) :])
    lines = errors.strip().splitlines()
    return {"failure": lines[-1][:60] if lines else f"ended with status {process.returncode}"}


def machine():
    """Processor, number of processors and memory, in words."""
    with open("/proc/cpuinfo") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{names[0] if names else 'unknown processor'}, {len(os.sched_getaffinity(0))} processors, {gigabytes:.0f} GiB"
    )


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
        print(
            f"  {name:28}{row['seconds']:10.3f}{ratio}{row['bytes'] / 1e6:12.1f}"
            + "".join(f"{row.get(name, ''):>14}" for name in extra)
        )
    sys.stdout.flush()
