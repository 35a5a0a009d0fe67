#!/usr/bin/env python3
"""Tests Covey in one process with NumPy, SciPy, scikit-learn, FAISS and PyTorch (OpenBLAS, MKL and OpenMP).

    coexistence.py FOLDER     FOLDER has the programs that `make test-guest` builds

The libraries are loaded in either order. Covey's results must be those of a process of its own, and the others' results
must be those of a process without Covey, bit for bit. No more threads start than the context allows, and no thread
stays. Each library keeps its number of threads. All this also works in children after fork(). Libraries that are not
installed are left out, and the program prints their names.
"""

import ctypes
import gc
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

THREADS = 3  # the threads of Covey's context
failures = []
passed = 0


def check(condition, what):
    global passed
    if condition:
        passed += 1
    else:
        failures.append(what)
        print(f"failed: {what}", flush=True)


# ------------------------------------------------------------------------------------------------------------ Covey
class Road:
    """Calls every entry point of covey.h through Tests/Guest/operations.c."""

    def __init__(self, folder):
        self.library = ctypes.CDLL(str(folder / "libguest_road.so"))
        self.library.guest_digest.restype = ctypes.c_uint64
        self.library.guest_digest.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]

    def digests(self, threads=THREADS):
        found, name = {}, ctypes.c_char_p()
        for operation in range(1000):
            value = self.library.guest_digest(operation, threads, ctypes.byref(name))
            if name.value is None:
                return found
            found[name.value.decode()] = value
        raise AssertionError("no end")

    def end(self):
        self.library.guest_end()


# ------------------------------------------------------------------------------------------------------------ hosts
def numpy_work():
    import numpy as np

    random = np.random.default_rng(1)
    a, b = random.normal(size=(400, 300)), random.normal(size=(300, 350))
    return [a @ b, np.linalg.eigh(a.T @ a)[0], np.linalg.solve(a.T @ a, b[:, 0])]


def scipy_work():
    import numpy as np
    import scipy.linalg
    import scipy.spatial

    random = np.random.default_rng(2)
    a = random.normal(size=(300, 200))
    tree = scipy.spatial.cKDTree(a[:, :3])
    return [scipy.linalg.svd(a)[1], scipy.linalg.qr(a)[1], tree.query(a[:, :3], 5, workers=2)[0]]


def sklearn_work():
    import numpy as np
    from sklearn.cluster import HDBSCAN, KMeans
    from sklearn.ensemble import HistGradientBoostingClassifier

    random = np.random.default_rng(3)
    a = random.normal(size=(1500, 8))
    target = (a[:, 0] + a[:, 1] > 0.5).astype(int)
    return [
        KMeans(6, n_init=1, random_state=0).fit(a).cluster_centers_,
        HDBSCAN(min_cluster_size=10, copy=True).fit(a[:400]).labels_,
        HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(a, target).predict_proba(a),
    ]


def faiss_work():
    import faiss
    import numpy as np

    random = np.random.default_rng(4)
    a = random.normal(size=(3000, 24)).astype(np.float32)
    index = faiss.IndexFlatL2(24)
    index.add(a)
    means = faiss.Kmeans(24, 16, niter=4, seed=1)
    means.train(a)
    return [*index.search(a[:200], 5), means.centroids]


def torch_work():
    import torch

    generator = torch.Generator().manual_seed(5)
    a, b = (torch.randn(size, generator=generator) for size in ((500, 300), (300, 400)))
    torch.manual_seed(6)
    lstm = torch.nn.LSTM(12, 24, batch_first=True, bidirectional=True)
    out, _ = lstm(torch.randn(40, 30, 12, generator=generator))
    out.square().mean().backward()
    return [
        (a @ b).numpy(),
        torch.linalg.eigvalsh(a.T @ a).numpy(),
        out.detach().numpy(),
        lstm.weight_hh_l0.grad.numpy(),
    ]


HOSTS = {"numpy": numpy_work, "scipy": scipy_work, "sklearn": sklearn_work, "faiss": faiss_work, "torch": torch_work}


def installed():
    import importlib.util

    return [name for name in HOSTS if importlib.util.find_spec(name) is not None]


def hosts(names):
    found = {}
    for name in names:
        found[name] = [hashlib.sha256(array.tobytes()).hexdigest() for array in HOSTS[name]()]
        gc.collect()
    return found


def pools():
    """Returns each BLAS and OpenMP library and the number of threads that it would use."""
    import threadpoolctl

    return sorted(
        (info["user_api"], info["internal_api"], info["filepath"], info["num_threads"])
        for info in threadpoolctl.threadpool_info()
    )


# ---------------------------------------------------------------------------------------------------------- threads
EXITING = 0x4  # Linux's PF_EXITING, in field 9 of /proc/self/task/N/stat


def is_exiting(thread):
    """Says whether a thread has begun to exit. A join can return before the kernel has removed the thread's entry."""
    try:
        text = Path(f"/proc/self/task/{thread}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return bool(int(text.rpartition(")")[2].split()[6]) & EXITING)


def threads_now():
    """Counts the threads that run. All that it counts were there when the list of them was complete."""
    return sum(not is_exiting(thread) for thread in os.listdir("/proc/self/task"))


class Sampler:
    """Measures the largest number of threads of this process while a body runs, without its own thread."""

    def __enter__(self):
        self.most, self.stop = 0, False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        while not self.stop:
            self.most = max(self.most, threads_now() - 1)
            time.sleep(0.0002)

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()


# --------------------------------------------------------------------------------------------------------- children
def forked(body, what):
    """Runs the body in a child. An alarm ends the child if it hangs."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        signal.alarm(120)
        try:
            os._exit(0 if body() else 1)
        except BaseException as error:
            print(f"in the child: {error!r}", flush=True)
            os._exit(2)
    check(os.waitpid(child, 0)[1] == 0, what)


# --------------------------------------------------------------------------------------------------------- one process
def together(folder, order, names, reference, alone):
    if order == "covey first":
        road = Road(folder)
        check(road.digests() == reference, f"{order}: Covey before the others")
        first = hosts(names)
    else:
        first = hosts(names)
        road = Road(folder)
    check(first == alone, f"{order}: the others' first results")
    before, count = pools(), threads_now()
    with Sampler() as sampler:
        check(road.digests() == reference, f"{order}: Covey between the others")
    check(sampler.most <= count + THREADS - 1, f"{order}: {sampler.most} threads, {count} before and {THREADS} allowed")
    check(threads_now() == count, f"{order}: {threads_now()} threads stay of {count}")
    check(pools() == before, f"{order}: numbers of threads of BLAS and OpenMP: {before} became {pools()}")
    check(not any("covey" in Path(pool[2]).name for pool in before), f"{order}: Covey's own BLAS shows")
    with Sampler() as sampler:
        check(road.digests(1) == reference, f"{order}: one thread")
    check(sampler.most <= count, f"{order}: {sampler.most} threads where one is allowed and {count} were there")
    check(hosts(names) == alone, f"{order}: the others' results after Covey")
    check(pools() == before, f"{order}: pools after all")
    if "torch" in names:
        import torch

        # The host flushes subnormal numbers to zero on this thread. Covey's results and this setting do not change.
        torch.set_flush_denormal(True)
        check(road.digests() == reference, f"{order}: Covey where the host flushes denormals")
        tiny = torch.tensor([1e-310], dtype=torch.float64)
        check((tiny * 0.5).item() == 0.0, f"{order}: denormals are still flushed")
        torch.set_flush_denormal(False)

    # Covey works in a child of a process that uses all of them and Covey, and then in the parent again.
    forked(lambda: road.digests() == reference, f"{order}: Covey in a child")
    # The child starts while another thread of the parent is in a call.
    worker = threading.Thread(target=lambda: [road.digests() for _ in range(2)])
    worker.start()
    time.sleep(0.05)
    forked(lambda: road.digests() == reference, f"{order}: Covey in a child of a busy process")
    worker.join()
    # NumPy works after Covey in a child. (PyTorch and libgomp document that they do not work in one.)
    forked(
        lambda: road.digests() == reference and hosts(["numpy"])["numpy"] == alone["numpy"], f"{order}: both in a child"
    )
    check(road.digests() == reference, f"{order}: Covey in the parent after its children")
    road.end()


def child_first(folder, names, reference):
    """Uses Covey first in a child; the parent loads it later."""
    hosts(names)

    def body():
        road = Road(folder)
        same = road.digests() == reference
        road.end()
        return same

    forked(body, "first use in a child")
    road = Road(folder)
    check(road.digests() == reference, "first use in the parent after that in a child")
    road.end()


def run(*arguments):
    """Runs this program in a process of its own. Returns the last line of its output, read as JSON."""
    result = subprocess.run(
        [sys.executable, __file__, *map(str, arguments)], stdout=subprocess.PIPE, text=True, timeout=1500
    )
    if result.returncode != 0:
        print(result.stdout)
        sys.exit(f"{arguments[0]} ended with {result.returncode}")
    return json.loads(result.stdout.splitlines()[-1])


def main():
    folder = Path(sys.argv[1]).resolve()
    if len(sys.argv) > 2:  # one of the processes below
        state = json.loads(sys.argv[3])
        names, reference = state["names"], state["reference"]
        if sys.argv[2] == "alone":
            twice = [hosts(names), hosts(names)]
            print(json.dumps(twice))
        else:
            if sys.argv[2] == "child first":
                child_first(folder, names, reference)
            else:
                together(folder, sys.argv[2], names, reference, state["alone"])
            print(json.dumps([passed, failures]))
        return 0
    names = installed()
    print("with " + ", ".join(names))
    for name in HOSTS.keys() - set(names):
        print(f"skipped: {name} is not installed")
    output = subprocess.run([str(folder / "digests"), "2"], check=True, stdout=subprocess.PIPE, text=True).stdout
    reference = {name: int(value) for name, value in (line.split("\t") for line in output.splitlines())}
    check(len(reference) >= 12 and all(reference.values()), f"Covey in a process of its own: {reference}")
    state = {"names": names, "reference": reference}
    first, second = run(folder, "alone", json.dumps(state))
    # If the results of a library differ between two runs without Covey, they cannot be compared.
    steady = [name for name in names if first[name] == second[name]]
    for name in set(names) - set(steady):
        print(f"not compared: {name}, which by itself gives other bytes the second time")
    state |= {"names": steady, "alone": {name: first[name] for name in steady}}
    total = passed
    problems = list(failures)
    for order in ("covey first", "covey last", "child first"):
        done, failed = run(folder, order, json.dumps(state))
        total += done
        problems += failed
    for problem in problems:
        print(f"failed: {problem}")
    print(f"{total} passed, {len(problems)} failed")
    return 1 if problems else 0


sys.exit(main())
