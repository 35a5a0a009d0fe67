"""What the tests of clustering share: Covey's results as arrays, the development data, and hdbscan 0.8.44."""

import gzip
import os
import sys
import warnings
from pathlib import Path

import hdbscan
import numpy as np
from hdbscan._hdbscan_linkage import label
from hdbscan._hdbscan_tree import outlier_scores
from hdbscan.hdbscan_ import _tree_to_labels

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python" / "src"))

import covey  # noqa: E402

warnings.simplefilter("ignore")
DATA = Path(os.environ.get("COVEY_SHARED_DATA", ROOT.parent / "shared" / "data")) / "clustering"
REORDERINGS = 8


def cluster(rows, min_cluster_size, threads=0, **options):
    """Every result of a clustering, as arrays."""
    context = covey.Context(threads=threads)
    fitted = covey.HDBSCAN(min_cluster_size=min_cluster_size, context=context, **options).fit(rows)
    results = {
        name: fitted._clusters.array(name)
        for name in ("labels", "probabilities", "outlier_scores", "persistence", "selected_nodes", "condensed_tree")
    }
    results["edges"] = fitted._clusters.array("spanning_tree")
    results["merges"] = fitted._clusters.array("single_linkage_tree")
    results["recall"] = fitted.recall_
    return results


# ---------------------------------------------------------------------------------------------------------- the data
def data_sets():
    """The files by name; none where the data is not there."""
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
        columns = [
            i for i, name in enumerate(header) if name.lower() not in ("class", "classes", "lettr", "", "rownames")
        ]
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


def hdbscan_tree(rows, min_cluster_size, **options):
    return hdbscan.HDBSCAN(
        min_cluster_size=min_cluster_size, algorithm="prims_kdtree", gen_min_span_tree=True, **options
    ).fit(rows)


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
    np.testing.assert_allclose(result["outlier_scores"], np.where(np.isnan(scores), 1, scores), rtol=1e-9, atol=1e-12)
