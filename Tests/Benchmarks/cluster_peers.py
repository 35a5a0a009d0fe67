"""HDBSCAN by Covey and its peers, and one measurement of one of them in a process of its own."""

import functools
import hashlib
import os
import threading
import time

import numpy as np

import harness
from cluster_data import make

MIN_CLUSTER_SIZE, MIN_SAMPLES = 50, 10
EXACT, APPROXIMATE = "Covey", "Covey approximate"
#: Name, and the distribution whose version counts.
PEERS = {
    EXACT: "covey",
    APPROXIMATE: "covey",
    "hdbscan": "hdbscan",
    "scikit-learn": "scikit-learn",
    "fast_hdbscan": "fast_hdbscan",
    "hdbscan-rs": "hdbscan_rs",
}
#: From here on fast_hdbscan's neighbours are approximate (pynndescent).
FAST_IS_APPROXIMATE_FROM = 31
#: Up to here Covey's approximate search is the exact one.
ALWAYS_EXACT_UP_TO = 12


def is_exact(peer, columns):
    return peer != APPROXIMATE and not (peer == "fast_hdbscan" and columns >= FAST_IS_APPROXIMATE_FROM)


@functools.cache
def version(peer):
    """With Covey's, the build: a library that was built anew is measured anew."""
    if PEERS[peer] != "covey":
        from importlib.metadata import version as installed

        return installed(PEERS[peer])
    from covey._library import library

    number = library.covey_version_number()
    with open(os.path.realpath(library.path), "rb") as file:
        build = hashlib.sha256(file.read()).hexdigest()[:10]
    return f"{number // 10000}.{number // 100 % 100}.{number % 100} build {build}"


def fitter(peer):
    """points -> (labels, what else is known of the result)."""
    options = {"min_cluster_size": MIN_CLUSTER_SIZE, "min_samples": MIN_SAMPLES}
    if peer in (EXACT, APPROXIMATE):
        import covey

        context = covey.Context(threads=harness.THREADS)

        def fit(points):
            search = "approximate" if peer == APPROXIMATE else "exact"
            model = covey.HDBSCAN(algorithm=search, context=context, **options).fit(points)
            return model.labels_, {"recall": model.recall_}

        return fit
    if peer == "hdbscan":
        from hdbscan import HDBSCAN

        model = HDBSCAN(core_dist_n_jobs=harness.THREADS, **options)
    elif peer == "scikit-learn":
        from sklearn.cluster import HDBSCAN

        options["min_samples"] += 1  # it counts the row itself
        model = HDBSCAN(n_jobs=harness.THREADS, copy=False, **options)
    elif peer == "fast_hdbscan":
        from fast_hdbscan import HDBSCAN

        model = HDBSCAN(**options)
    else:
        from hdbscan_rs import HDBSCAN

        options["min_samples"] += 1  # likewise
        model = HDBSCAN(**options)
    return lambda points: (np.asarray(model.fit_predict(points)), {})


class PrivateMemory:
    """The largest private memory of this process meanwhile, looked at every 20 ms: a mapped file's pages do not
    count."""

    def __enter__(self):
        self._done = threading.Event()
        self._before = self._most = harness.resident("RssAnon")
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self):
        while not self._done.wait(0.02):
            self._most = max(self._most, harness.resident("RssAnon"))

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()
        self.bytes = max(self._most, harness.resident("RssAnon")) - self._before


def measure(peer, file, rank, labels_file, longest=2.0, most=5):
    """The best of a few fits, if they are short. Files of float32 (more than a million rows) stay mapped."""
    points = np.load(file, mmap_mode="r")
    if points.dtype == np.float64:
        points = np.array(points)
    fit = fitter(peer)
    # Enough rows that all code is loaded or compiled which many rows need (pynndescent has another for up to 4,096).
    small = make(9000 if peer in (APPROXIMATE, "fast_hdbscan") else 3000, points.shape[1], rank).astype(points.dtype)
    kept = {}

    def run():
        best, spent = float("inf"), 0.0
        with PrivateMemory() as memory:
            for _ in range(most):
                start = time.perf_counter()
                kept["labels"], known = fit(points)
                seconds = time.perf_counter() - start
                best, spent = min(best, seconds), spent + seconds
                if spent + best > longest:
                    break
        mapped = {"bytes": memory.bytes} if isinstance(points, np.memmap) else {}
        return {"seconds": best, "clusters": int(kept["labels"].max()) + 1, **known, **mapped}

    def after():
        np.save(labels_file, kept["labels"].astype(np.int32))
        return {}

    harness.measure(lambda: fit(small), run, after)
