"""Exact clustering against hdbscan 0.8.44 on every set of up to 20,000 rows of the development data.

    make check-datasets

COVEY_LARGEST_SET says up to how many rows; `make test` keeps to the small sets, as hdbscan takes minutes for the largest.

Needs hdbscan, numpy and pytest, the built library (COVEY_LIBRARY, or .build-out/lib) and the data (COVEY_SHARED_DATA, or
../shared/data); skipped where one of them is missing. For every set:

- the spanning tree is a tree, each of its edges is as long as the mutual reachability of its ends, and its edges are, in
  ascending order, as long as those of hdbscan's (relative 1e-9). So it is a minimum spanning tree, whatever the ties.
- hdbscan's own tree code, given Covey's single-linkage tree, must give the very same labels, strengths, persistence and
  outlier scores.
- the labels equal those of hdbscan, run on the rows, up to numbering, unless the set is ambiguous: hdbscan itself then gives
  other labels for the rows in another order, or for a minimum spanning tree of the same rows with its ties in another
  order. What is counted as ambiguous is thus shown each time, and never presumed.
"""

import ctypes
import gzip
import os
import warnings
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
hdbscan = pytest.importorskip("hdbscan")
from hdbscan._hdbscan_linkage import label  # noqa: E402
from hdbscan._hdbscan_tree import outlier_scores  # noqa: E402
from hdbscan.hdbscan_ import _tree_to_labels  # noqa: E402

warnings.simplefilter("ignore")
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("COVEY_SHARED_DATA", ROOT.parent / "shared" / "data")) / "clustering"
LIBRARY = Path(os.environ.get("COVEY_LIBRARY", ROOT / ".build-out" / "lib" / "libcovey.so"))
LARGEST = int(os.environ.get("COVEY_LARGEST_SET", 20_000))
REORDERINGS = 8
SIZES = (15, 50)
if not DATA.is_dir():
    pytest.skip(f"no development data at {DATA}", allow_module_level=True)
if not LIBRARY.exists():
    pytest.skip(f"no library at {LIBRARY}; make build", allow_module_level=True)


# ------------------------------------------------------------------------------------------------------- the library
class Matrix(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("data", ctypes.c_void_p), ("rows", ctypes.c_int64),
                ("columns", ctypes.c_int64), ("row_stride", ctypes.c_int64), ("type", ctypes.c_int32),
                ("reserved", ctypes.c_int32)]


class Options(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("min_cluster_size", ctypes.c_int64),
                ("min_samples", ctypes.c_int64), ("max_cluster_size", ctypes.c_int64),
                ("cluster_selection_epsilon", ctypes.c_double), ("alpha", ctypes.c_double),
                ("metric", ctypes.c_int32), ("selection", ctypes.c_int32), ("allow_single_cluster", ctypes.c_int32),
                ("search", ctypes.c_int32), ("missing", ctypes.c_int32), ("prediction", ctypes.c_int32),
                ("seed", ctypes.c_uint64)]


EDGE = np.dtype([("from", "i8"), ("to", "i8"), ("distance", "f8")])
MERGE = np.dtype([("left", "i8"), ("right", "i8"), ("distance", "f8"), ("size", "i8")])
library = ctypes.CDLL(str(LIBRARY))
library.covey_error_message.restype = ctypes.c_char_p
library.covey_error_message.argtypes = [ctypes.c_void_p]
library.covey_cluster_matrix.argtypes = [ctypes.c_void_p, ctypes.POINTER(Matrix), ctypes.POINTER(Options),
                                         ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_void_p)]
library.covey_clustering_destroy.argtypes = [ctypes.c_void_p]
for name in ("rows", "clusters", "edge_count"):
    function = getattr(library, f"covey_clustering_{name}")
    function.restype, function.argtypes = ctypes.c_int64, [ctypes.c_void_p]


def cluster(rows, min_cluster_size):
    rows = np.ascontiguousarray(rows, np.float64)
    matrix = Matrix(ctypes.sizeof(Matrix), rows.ctypes.data, *rows.shape, 0, 1, 0)
    options = Options(ctypes.sizeof(Options), min_cluster_size, 0, 0, 0.0, 1.0, 0, 0, 0, 0, 0, 0, 0)
    handle, error = ctypes.c_void_p(), ctypes.c_void_p()
    status = library.covey_cluster_matrix(None, matrix, options, handle, error)
    assert status == 0, library.covey_error_message(error)

    def read(what, dtype, count):
        result = np.empty(count, dtype)
        get = getattr(library, f"covey_clustering_{what}")
        get.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p]
        assert get(handle, result.ctypes.data, count, None) == 0
        return result

    n, edges = library.covey_clustering_rows(handle), library.covey_clustering_edge_count(handle)
    result = dict(
        labels=read("labels", "i4", n), probabilities=read("probabilities", "f8", n),
        scores=read("outlier_scores", "f8", n),
        persistence=read("persistence", "f8", library.covey_clustering_clusters(handle)),
        edges=read("spanning_tree", EDGE, edges), merges=read("single_linkage_tree", MERGE, edges))
    library.covey_clustering_destroy(handle)
    return result


# ---------------------------------------------------------------------------------------------------------- the data
def data_sets():
    sets = {}
    for path in sorted((DATA / "gagolews_v1").glob("*/*.data.gz")):
        sets[f"{path.parent.name}/{path.name[:-8]}"] = path
    for name in ("letter.csv.gz", "shuttle.csv.gz", "satellite.csv.gz", "usps_9298x256.npz"):
        if (DATA / name).exists():
            sets[name.split(".")[0]] = DATA / name
    return sets


def load(path):
    if path.suffix == ".npz":
        return np.load(path)["X"].astype(float)
    if path.name.endswith(".csv.gz"):
        # Numeric columns without the class, which is the only one that is not a number, or is called so.
        with gzip.open(path, "rt") as file:
            header = file.readline().strip().replace('"', "").split(",")
            table = [line.strip().replace('"', "").split(",") for line in file]
        columns = [i for i, name in enumerate(header) if name.lower() not in ("class", "classes", "lettr", "", "rownames")]
        return np.array([[float(row[i]) for i in columns] for row in table])
    return np.atleast_2d(np.loadtxt(path))


# ------------------------------------------------------------------------------------------------------ the reference
def partition(labels):
    """Labels free of numbering: clusters by their first row."""
    labels = np.asarray(labels)
    clusters, first = np.unique(labels, return_index=True)
    rank = {int(c): place for place, c in enumerate(clusters[np.argsort(first)])}
    return np.array([-1 if c < 0 else rank[int(c)] for c in clusters])[np.searchsorted(clusters, labels)]


def same_partition(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if not np.array_equal(a < 0, b < 0):
        return False
    pairs = np.unique(np.stack([a, b]), axis=1)
    return len(np.unique(pairs[0])) == pairs.shape[1] == len(np.unique(pairs[1]))


def core_distances(rows, k):
    from sklearn.neighbors import KDTree
    return KDTree(rows).query(rows, k=k + 1)[0][:, -1]


def hdbscan_tree(rows, min_cluster_size):
    return hdbscan.HDBSCAN(min_cluster_size=min_cluster_size, algorithm="prims_kdtree", gen_min_span_tree=True).fit(rows)


def ambiguous(rows, model, labels, min_cluster_size, edges):
    """How hdbscan comes to other labels than `labels` of its own; None where it never does."""
    rng = np.random.default_rng(0)
    own = np.array(model._min_spanning_tree)
    theirs = np.column_stack([edges["from"], edges["to"], edges["distance"]])
    for trial in range(REORDERINGS):
        for name, tree in (("ties in another order", own), ("ties in another order, another tree", theirs)):
            # Distances that differ by rounding alone are ties.
            shuffled = tree[np.lexsort((rng.random(len(tree)), np.round(tree[:, 2], 10)))]
            other = _tree_to_labels(rows, label(shuffled), min_cluster_size)[0]
            if not same_partition(other, labels):
                return name
        if len(rows) <= 10_000 or trial == 0:
            order = rng.permutation(len(rows))
            other = np.empty(len(rows), int)
            other[order] = hdbscan_tree(rows[order], min_cluster_size).labels_
            if not same_partition(other, labels):
                return "rows in another order"
    return None


def check_spanning_tree(rows, result, cores, reference):
    edges = result["edges"]
    a, b, distance = edges["from"], edges["to"], edges["distance"]
    # In float64 from the differences, as both compute it.
    straight = np.array([np.sqrt(((rows[i] - rows[j]) ** 2).sum()) for i, j in zip(a, b)])
    reach = np.maximum(straight, np.maximum(cores[a], cores[b]))
    np.testing.assert_allclose(distance, reach, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(distance, np.sort(reference), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(distance.sum(), reference.sum(), rtol=1e-9)
    parent = np.arange(len(rows))

    def root(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in zip(a.tolist(), b.tolist()):
        i, j = root(i), root(j)
        assert i != j, "the spanning tree has a cycle"
        parent[i] = j
    assert len(edges) == len(rows) - 1


def check_tree_code(rows, result, min_cluster_size):
    """hdbscan's tree code on Covey's single-linkage tree."""
    merges = result["merges"]
    linkage = np.column_stack([merges[name].astype(float) for name in ("left", "right", "distance", "size")])
    labels, probabilities, persistence, condensed, _ = _tree_to_labels(rows, linkage, min_cluster_size)
    scores = outlier_scores(condensed)
    np.testing.assert_array_equal(result["labels"], labels)
    np.testing.assert_allclose(result["probabilities"], probabilities, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(result["persistence"], persistence, rtol=1e-6)
    # Where hdbscan divides infinity by infinity, the score is 1.
    np.testing.assert_allclose(result["scores"], np.where(np.isnan(scores), 1, scores), rtol=1e-9, atol=1e-12)


SUMMARY = {"equal": [], "ambiguous": []}


@pytest.mark.parametrize("name", list(data_sets()))
def test_set(name):
    rows = load(data_sets()[name])
    if len(rows) > LARGEST:
        pytest.skip(f"{len(rows)} rows")
    for size in SIZES:
        result = cluster(rows, size)
        model = hdbscan_tree(rows, size)
        cores = core_distances(rows, min(size, len(rows) - 1))
        check_spanning_tree(rows, result, cores, model._min_spanning_tree[:, 2])
        check_tree_code(rows, result, size)
        if same_partition(result["labels"], model.labels_):
            SUMMARY["equal"].append((name, size))
            continue
        how = ambiguous(rows, model, model.labels_, size, result["edges"])
        differing = int((partition(result["labels"]) != partition(model.labels_)).sum())
        assert how is not None, f"min_cluster_size {size}: {differing} labels differ, and hdbscan's do not depend on ties"
        SUMMARY["ambiguous"].append((name, size, how))


def test_summary():
    print(f"\n{len(SUMMARY['equal'])} clusterings equal to hdbscan's, {len(SUMMARY['ambiguous'])} ambiguous:")
    for name, size, how in SUMMARY["ambiguous"]:
        print(f"  {name}, min_cluster_size {size}: hdbscan gives other labels with {how}")
