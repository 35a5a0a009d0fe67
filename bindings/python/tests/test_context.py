"""Threads, memory, progress, cancel, Ctrl-C, fork, and handles that are closed while in use."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback

import numpy as np
import pytest

import covey

LONG = np.random.default_rng(0).normal(size=(200_000, 64)).astype(np.float32)  # many seconds of exact search
SHORT = LONG[:400, :4]


def cluster(context=None, rows=LONG):
    return covey.HDBSCAN(context=context).fit(rows)


def test_progress_reports_stages_and_fractions():
    seen = []
    # The callback also runs where another context is used inside it.
    context = covey.Context(threads=2, progress=lambda stage, fraction: seen.append((stage, fraction)))
    covey.HDBSCAN(context=context).fit(LONG[:6000])
    assert seen
    assert all(isinstance(stage, str) and stage and 0 <= fraction <= 1 for stage, fraction in seen)


def test_a_progress_callback_that_returns_true_stops_the_call():
    with pytest.raises(covey.CancelledError) as caught:
        cluster(covey.Context(progress=lambda stage, fraction: True))
    assert caught.value.code == covey.StatusCode.CANCELLED


def test_an_exception_in_the_callback_stops_the_call_and_comes_out():
    class Own(Exception):
        pass

    def progress(stage, fraction):
        raise Own(stage)

    context = covey.Context(progress=progress)
    started = time.monotonic()
    with pytest.raises(Own):
        cluster(context)
    assert time.monotonic() - started < 30
    calm = covey.Context()
    assert len(cluster(calm, SHORT).labels_) == len(SHORT)  # nothing is left behind


def test_a_callback_may_call_with_another_context():
    inner = []

    def progress(stage, fraction):
        if not inner:
            inner.append(cluster(covey.Context(threads=1), SHORT).labels_)

    covey.HDBSCAN(context=covey.Context(progress=progress)).fit(LONG[:6000])
    assert np.array_equal(inner[0], cluster(None, SHORT).labels_)


def test_cancel_from_another_thread():
    context = covey.Context()
    timer = threading.Timer(0.3, context.cancel)
    timer.start()
    with pytest.raises(covey.CancelledError):
        cluster(context)
    timer.join()
    assert len(cluster(context, SHORT).labels_) == len(SHORT)  # later calls are not affected


@pytest.fixture
def default_interrupts():
    """Ctrl-C as in a terminal: a test run in the background inherits that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("own_context", [False, True])
def test_ctrl_c_stops_a_long_call(own_context, default_interrupts):
    before = signal.getsignal(signal.SIGINT)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        cluster(covey.Context() if own_context else None)
    timer.join()
    assert time.monotonic() - started < 30
    assert signal.getsignal(signal.SIGINT) is before
    assert len(cluster(None, SHORT).labels_) == len(SHORT)


def test_memory_budget():
    with pytest.raises(covey.OutOfMemoryError, match="budget|bytes") as caught:
        cluster(covey.Context(memory_budget=10_000), LONG[:3000])
    assert caught.value.code == covey.StatusCode.OUT_OF_MEMORY and isinstance(caught.value, MemoryError)


@pytest.mark.parametrize(
    "options", [{"threads": -1}, {"threads": 1025}, {"threads": 1.5}, {"threads": 2**40}, {"memory_budget": -1},
                {"memory_budget": 2**64}, {"progress": 3}],
    ids=str,
)  # fmt: skip
def test_bad_options(options):
    with pytest.raises(covey.CoveyError) as caught:
        covey.Context(**options)
    assert caught.value.code == covey.StatusCode.INVALID_ARGUMENT
    assert next(iter(options)) in str(caught.value)


def test_close_waits_for_nobody_and_disturbs_nobody():
    context = covey.Context()
    results = []
    thread = threading.Thread(target=lambda: results.append(covey.HDBSCAN(context=context).fit(LONG[:5000])))
    thread.start()
    time.sleep(0.05)
    context.close()
    context.close()
    thread.join()
    assert len(results) == 1
    with pytest.raises(covey.CoveyError, match="closed"):
        cluster(context, SHORT)
    with covey.Context() as inside:
        pass
    assert inside.closed


def test_many_threads_at_once():
    expected = cluster(None, SHORT).labels_
    shared, results = covey.Context(threads=2), []
    threads = [threading.Thread(target=lambda: results.append(cluster(shared, SHORT).labels_)) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(results) == 8 and all(np.array_equal(result, expected) for result in results)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_after_fork():
    """Fork while another thread is inside a call; the child uses what the parent made and makes its own."""
    expected = cluster(None, SHORT)
    context = covey.Context(threads=2)
    running = threading.Thread(target=lambda: covey.HDBSCAN().fit(LONG[:5000]))
    running.start()
    time.sleep(0.05)
    child = os.fork()
    if child == 0:
        try:
            same = np.array_equal(cluster(None, SHORT).labels_, expected.labels_)
            same &= np.array_equal(cluster(context, SHORT).labels_, expected.labels_)
            same &= np.array_equal(expected.outlier_scores_, cluster(None, SHORT).outlier_scores_)
            os._exit(0 if same else 1)
        except BaseException:
            traceback.print_exc()
            os._exit(2)
    _, status = os.waitpid(child, 0)
    running.join()
    assert os.waitstatus_to_exitcode(status) == 0


def test_contexts_travel_without_their_callback():
    again = pickle.loads(pickle.dumps(covey.Context(threads=3, memory_budget=10**9, progress=print)))
    assert (again.threads, again.memory_budget, again.progress) == (3, 10**9, None)


def test_errors_keep_their_code_when_pickled():
    error = pickle.loads(pickle.dumps(covey.MismatchError("rows")))
    assert type(error) is covey.MismatchError and error.code == covey.StatusCode.MISMATCH and str(error) == "rows"
    for kind in (covey.FileError, covey.CorruptFileError, covey.UnsupportedError, covey.NotFittedError):
        assert str(kind("words")) == "words" and issubclass(kind, covey.CoveyError)


def test_a_library_that_is_not_there():
    program = "import covey\ntry: covey.Context()\nexcept covey.CoveyError as e: print(int(e.code), e)"
    environment = {**os.environ, "COVEY_LIBRARY": "/nowhere/libcovey.so"}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith("6 cannot load /nowhere/libcovey.so")


def in_new_process(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_instructions_are_set_once_and_before_all_else():
    program = """
import covey
covey.set_instructions("avx2")
covey.Vocabulary(["a"])
covey.set_instructions("avx2")
try:
    covey.set_instructions("all")
except covey.InvalidArgumentError as error:
    print(error)
"""
    done = in_new_process(program)
    if "UnsupportedError" in done.stderr:
        pytest.skip("the processor lacks AVX2 or FMA")
    assert done.returncode == 0 and done.stdout.startswith("instructions must be set before the first call")
    for wrong in ("sse", "", 1, None):
        with pytest.raises(covey.InvalidArgumentError, match="instructions must be"):
            covey.set_instructions(wrong)
    cluster(rows=SHORT)
    covey.set_instructions("all")


def test_amx_changes_no_byte():
    program = """
import sys, hashlib, numpy, covey
covey.set_instructions(sys.argv[1])
rows = numpy.random.default_rng(1).normal(size=(6000, 24)) + numpy.arange(6000)[:, None] % 5 * 4
model = covey.HDBSCAN(min_cluster_size=30, algorithm="exact").fit(rows)
found = model.labels_.tobytes() + model.probabilities_.tobytes() + model.minimum_spanning_tree_.to_numpy().tobytes()
print(hashlib.sha256(found).hexdigest(), model.labels_.max())
"""
    found = [
        subprocess.run([sys.executable, "-c", program, name], capture_output=True, text=True, check=True).stdout
        for name in ("all", "no_amx")
    ]
    assert found[0] == found[1] and found[0].endswith(" 4\n")


METRICS = [
    {"metric": "chebyshev"},
    {"metric": lambda one, other: float(np.abs(one - other).max())},
    {"metric": "angular", "alpha": 2.0},  # is not searched beside an alpha
]


@pytest.mark.parametrize("parameters", METRICS, ids=["named", "callable", "angular"])
def test_distances_that_python_works_out_keep_to_the_budget(parameters):
    rows = LONG[:600, :3]
    with pytest.raises(covey.OutOfMemoryError, match="between 600 rows needs .* above the memory budget of 1000000"):
        covey.HDBSCAN(context=covey.Context(memory_budget=1_000_000), **parameters).fit(rows)
    fitted = covey.HDBSCAN(context=covey.Context(memory_budget=50_000_000), **parameters).fit(rows)
    assert (fitted.labels_ == covey.HDBSCAN(**parameters).fit(rows).labels_).all()


def test_the_library_gets_what_is_left_of_the_budget():
    """The matrix and a block take 5,760,000 bytes, so that 100 are left."""
    with pytest.raises(covey.OutOfMemoryError, match="budget of 100$"):
        covey.HDBSCAN(metric="chebyshev", context=covey.Context(memory_budget=5_760_100)).fit(LONG[:600, :3])


def test_gower_and_validity_keep_to_it_too():
    import pandas as pd

    small = covey.Context(memory_budget=1_000_000)
    table = pd.DataFrame({"a": np.r_[np.nan, np.arange(599.0)]})
    with pytest.raises(covey.OutOfMemoryError, match="600 rows"):
        covey.HDBSCAN(metric="gower", context=small).fit(table)
    with pytest.raises(covey.OutOfMemoryError, match="600 rows"):
        covey.validity_index(LONG[:600, :3], np.zeros(600), metric="chebyshev", context=small)


@pytest.mark.parametrize("parameters", METRICS, ids=["named", "callable", "angular"])
def test_distances_that_python_works_out_are_cancelled(parameters):
    context = covey.Context()
    rows = LONG[:12_000, :3]
    covey.HDBSCAN(context=context, **parameters).fit(rows[:50])  # imports what it needs
    timer = threading.Timer(0.3, context.cancel)
    timer.start()
    started = time.monotonic()
    with pytest.raises(covey.CancelledError):
        covey.HDBSCAN(context=context, **parameters).fit(rows)
    assert time.monotonic() - started < 10
    timer.join()
    assert len(covey.HDBSCAN(context=context, **parameters).fit(rows[:50]).labels_) == 50


@pytest.mark.parametrize("parameters", METRICS, ids=["named", "callable", "angular"])
def test_distances_that_python_works_out_report_progress(parameters):
    seen = []
    rows = LONG[: 3000 if parameters["metric"] == "chebyshev" else 400, :3]
    covey.HDBSCAN(context=covey.Context(progress=lambda *found: seen.append(found)), **parameters).fit(rows)
    assert "distances" in {stage for stage, _ in seen} and all(0 <= fraction <= 1 for _, fraction in seen)
    with pytest.raises(covey.CancelledError):
        covey.HDBSCAN(context=covey.Context(progress=lambda *found: True), **parameters).fit(rows)
    with pytest.raises(ZeroDivisionError):
        covey.HDBSCAN(context=covey.Context(progress=lambda *found: 1 / 0), **parameters).fit(rows)
