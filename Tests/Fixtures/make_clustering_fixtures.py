"""Writes clustering.json: small data sets with what hdbscan 0.8.44 and scikit-learn make of them.

    python make_clustering_fixtures.py        # needs hdbscan==0.8.44, scikit-learn, numpy

Mutual reachability is full of ties (all edges of a row within its core distance are equally long), and then hdbscan's
own answer depends on the order of the rows. So the expectation is what hdbscan's tree code makes of its own spanning
tree with ties in Covey's order, and a case is "certain" where it gives the same labels for other orders of the rows and
for minimum spanning trees with ties in random order. Infinities and NaN are written as strings.
"""

import json
import math
import warnings
from importlib.metadata import version
from pathlib import Path

import hdbscan
import numpy as np
from hdbscan._hdbscan_linkage import label
from hdbscan._hdbscan_reachability import mutual_reachability
from hdbscan._hdbscan_tree import outlier_scores
from hdbscan.hdbscan_ import _tree_to_labels
from hdbscan.prediction import approximate_predict
from sklearn.cluster import HDBSCAN as SklearnHDBSCAN
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import pairwise_distances

warnings.simplefilter("ignore")
assert version("hdbscan") == "0.8.44"


def data_sets():
    rng = np.random.default_rng(7)
    blobs, _ = make_blobs([40, 30, 20], centers=[[0, 0], [4, 1], [1, 5]], cluster_std=0.7, random_state=1)
    blobs = np.vstack([blobs, rng.uniform(-4, 9, (20, 2))])
    moons, _ = make_moons(120, noise=0.08, random_state=2)
    dense = [
        rng.normal(c, s, (n, 2))
        for c, s, n in [((0, 0), 0.1, 40), ((1, 0), 0.1, 30), ((6, 6), 1.0, 40), ((12, 0), 2.0, 30)]
    ]
    varied = np.vstack(dense)
    duplicates = np.repeat(rng.integers(0, 12, (14, 2)).astype(float), rng.integers(1, 12, 14), axis=0)
    near_duplicates = np.vstack(
        [
            np.tile([0.0, 0.0], (9, 1)),
            rng.normal(0, 0.3, (25, 2)),
            rng.normal(5, 0.5, (30, 2)),
            np.tile([5.0, 5.0], (6, 1)),
        ]
    )
    grid = np.stack(np.meshgrid(np.arange(9.0), np.arange(7.0)), -1).reshape(-1, 2)
    grid = np.vstack([grid, grid[:30] + [30, 0]])
    line = np.sort(np.concatenate([rng.normal(0, 1, 40), rng.normal(8, 0.5, 30), rng.uniform(-10, 20, 20)]))[:, None]
    wide = np.vstack(
        [rng.normal(c, 1, (n, 50)) for c, n in [(0, 35), (1.6, 30), (-2, 25)]] + [rng.uniform(-6, 6, (10, 50))]
    )
    single = rng.normal(0, 1, (60, 3))
    equal = np.tile([2.5, -1.0], (30, 1))
    few = rng.normal(0, 1, (4, 2))
    two = np.array([[0.0, 0.0], [1.0, 1.0]])
    chain = np.cumsum(1.05 ** np.arange(60))[:, None]
    return {
        name: np.round(rows, 3)
        for name, rows in dict(
            blobs=blobs,
            moons=moons,
            varied=varied,
            duplicates=duplicates,
            near_duplicates=near_duplicates,
            grid=grid,
            line=line,
            wide=wide,
            single=single,
            equal=equal,
            few=few,
            two=two,
            chain=chain,
        ).items()
    }


BASIC = [
    {},
    dict(min_cluster_size=10),
    dict(min_cluster_size=5, min_samples=1),
    dict(min_cluster_size=3, min_samples=8),
    dict(cluster_selection_method="leaf"),
    dict(min_cluster_size=8, cluster_selection_method="leaf", min_samples=3),
    dict(allow_single_cluster=True),
    dict(metric="manhattan", min_cluster_size=6),
]
MORE = [
    dict(cluster_selection_epsilon=0.3),
    dict(cluster_selection_epsilon=0.8, min_samples=2),
    dict(cluster_selection_epsilon=2.0, min_cluster_size=4),
    dict(cluster_selection_epsilon=50.0),
    dict(cluster_selection_epsilon=0.5, cluster_selection_method="leaf", min_cluster_size=3),
    dict(cluster_selection_epsilon=1.5, cluster_selection_method="leaf", min_cluster_size=4, min_samples=2),
    dict(cluster_selection_epsilon=0.8, allow_single_cluster=True),
    dict(cluster_selection_epsilon=50.0, allow_single_cluster=True),
    dict(cluster_selection_epsilon=0.6, allow_single_cluster=True, cluster_selection_method="leaf", min_cluster_size=3),
    dict(max_cluster_size=25),
    dict(max_cluster_size=12, min_cluster_size=4, min_samples=2),
    dict(max_cluster_size=40, allow_single_cluster=True),
    dict(max_cluster_size=20, cluster_selection_epsilon=0.7),
    dict(alpha=0.7),
    dict(alpha=1.6, min_samples=2),
    dict(metric="cosine"),
    dict(metric="cosine", min_cluster_size=8),
    dict(allow_single_cluster=True, cluster_selection_method="leaf"),
    dict(min_cluster_size=60),
    dict(min_cluster_size=2),
]
RICH = {"blobs", "varied", "moons"}


def settings(options):
    """The arguments of hdbscan's tree code."""
    return dict(
        min_cluster_size=options.get("min_cluster_size", 5),
        cluster_selection_method=options.get("cluster_selection_method", "eom"),
        allow_single_cluster=options.get("allow_single_cluster", False),
        cluster_selection_epsilon=options.get("cluster_selection_epsilon", 0.0),
        max_cluster_size=options.get("max_cluster_size", 0),
    )


def partition(labels):
    """Labels free of numbering."""
    seen = {}
    return [(-1 if l < 0 else seen.setdefault(int(l), len(seen))) for l in labels]


def selected_nodes(tree, labels):
    """The node of the condensed tree that each cluster is: the lowest one above all of the cluster's rows.

    hdbscan's own guess, the lowest-numbered node that a row of the cluster leaves, misses the clusters that split
    before any row has left them."""
    root = tree["parent"].min()
    parent_of = dict(zip(tree["child"].tolist(), tree["parent"].tolist()))

    def path(node):
        nodes = []
        while node != root:
            node = parent_of[node]
            nodes.append(node)
        return nodes

    result = []
    for cluster in range(labels.max() + 1):
        common = None
        for row in np.flatnonzero(labels == cluster).tolist():
            above = path(row)
            common = above if common is None else [node for node in common if node in set(above)]
        result.append(common[0])
    return result


hdbscan.plots.CondensedTree._select_clusters = lambda self: selected_nodes(self._raw_tree, self._labels)


def fit(rows, options, algorithm, order):
    """hdbscan's model of the reordered rows, and its labels in the given order."""
    model = hdbscan.HDBSCAN(algorithm=algorithm, gen_min_span_tree=True, **options).fit(rows[order])
    return model, model.labels_[np.argsort(order)]


def merge_order(edges, min_cluster_size):
    """Covey's order of edges of one length: see TieOrder.swift."""
    component = {row: {row} for row in range(len(edges) + 1)}
    order, start = [], 0
    while start < len(edges):
        group = [i for i in range(start, len(edges)) if edges[i, 2] == edges[start, 2]]
        ends = {i: (id(component[int(edges[i, 0])]), id(component[int(edges[i, 1])])) for i in group}
        # The largest first, of equal ones that which the edges name first.
        named = {}
        for i in group:
            for end in ends[i]:
                named.setdefault(end, len(named))
        sizes = {id(c): (-len(c), named.get(id(c), 0)) for c in component.values()}
        seen, chosen = set(), []

        def grow(queue):
            seen.update(queue)
            while queue:
                here = queue.pop(0)
                for i in group:
                    for a, b in (ends[i], ends[i][::-1]):
                        if a == here and b not in seen:
                            seen.add(b)
                            queue.append(b)
                            chosen.append(i)

        nodes = sorted({end for pair in ends.values() for end in pair}, key=sizes.get)
        grow([end for end in nodes if -sizes[end][0] >= min_cluster_size])
        for end in nodes:
            if end not in seen:
                grow([end])
        chosen += [i for i in group if i not in chosen]
        for i in chosen:
            merged = component[int(edges[i, 0])] | component[int(edges[i, 1])]
            for row in merged:
                component[row] = merged
            order.append(i)
        start = group[-1] + 1
    return order


def random_spanning_tree(rows, options, rng):
    """A minimum spanning tree of mutual reachability, with ties in a random order (Kruskal)."""
    distances = pairwise_distances(rows, metric=options.get("metric", "euclidean"))
    samples = min(options.get("min_samples", options.get("min_cluster_size", 5)), len(rows) - 1)
    reach = mutual_reachability(distances, samples, options.get("alpha", 1.0))
    a, b = np.triu_indices(len(rows), 1)
    # Distances that differ by rounding alone are ties.
    order = np.lexsort((rng.random(len(a)), np.round(reach[a, b], 10)))
    parent = list(range(len(rows)))

    def root(node):
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    edges = []
    for i, j in zip(a[order].tolist(), b[order].tolist()):
        left, right = root(i), root(j)
        if left != right:
            parent[left] = right
            edges.append((i, j, reach[i, j]))
    return np.array(edges)


def case(rows, queries, options):
    cosine = options.get("metric") == "cosine"
    exact = "generic" if cosine else "prims_kdtree"
    straight = np.arange(len(rows))
    model, labels = fit(rows, options, exact, straight)
    # hdbscan's tree code on its own spanning tree, ties in Covey's order.
    edges = np.array(model._min_spanning_tree)
    edges = np.column_stack([edges[:, :2].min(1), edges[:, :2].max(1), edges[:, 2]])
    edges = edges[np.lexsort((edges[:, 1], edges[:, 0], edges[:, 2]))]
    linkage = label(edges[merge_order(edges, options.get("min_cluster_size", 5))])
    tree_labels, probabilities, persistence, condensed, linkage = _tree_to_labels(rows, linkage, **settings(options))
    expected = {
        # With all digits: near ties must stay what they are.
        "from": edges[:, 0].astype(int),
        "to": edges[:, 1].astype(int),
        "distances": edges[:, 2],
        "left": linkage[:, 0].astype(int),
        "right": linkage[:, 1].astype(int),
        "merged": linkage[:, 3].astype(int),
        "parents": condensed["parent"],
        "children": condensed["child"],
        "lambdas": short(condensed["lambda_val"]),
        "sizes": condensed["child_size"],
        "labels": tree_labels,
        "probabilities": short(probabilities),
        "persistence": short(persistence),
        "scores": short(outlier_scores(condensed.copy())),
    }
    min_samples = options.get("min_samples") or options.get("min_cluster_size", 5)
    # A root that is the only cluster, but too sparse to keep a row, has no node to find.
    found = tree_labels.max() + 1 == len(persistence)
    if not cosine and 2 * min_samples <= len(rows) and len(queries) and found:
        model._condensed_tree, model.labels_ = condensed, tree_labels
        model.generate_prediction_data()
        expected["predicted"], strengths = approximate_predict(model, queries)
        expected["strengths"] = short(strengths)
        if len(np.unique(rows, axis=0)) == len(rows):
            expected["exemplars"] = [
                sorted(int(np.flatnonzero((rows == e).all(1))[0]) for e in cluster) for cluster in model.exemplars_
            ]
    rng = np.random.default_rng(5)
    others = [labels, fit(rows, options, exact, rng.permutation(len(rows)))[1]]
    others += [
        _tree_to_labels(rows, label(random_spanning_tree(rows, options, rng)), **settings(options))[0]
        for _ in range(12)
    ]
    certain = all(partition(other) == partition(tree_labels) for other in others)
    result = {"options": options, "certain": certain, "expected": expected}
    sklearn = sklearn_labels(rows, options)
    if certain and sklearn is not None:
        result["sklearn"] = sklearn
    return result


def sklearn_labels(rows, options):
    options = dict(options)
    size = options.get("min_cluster_size", 5)
    # scikit-learn counts the row itself.
    samples = min(options.pop("min_samples", size), len(rows) - 1) + 1
    if len(rows) < max(samples, size):
        return None
    algorithm = "brute" if options.get("metric") == "cosine" else "kd_tree"
    try:
        return SklearnHDBSCAN(min_samples=samples, algorithm=algorithm, copy=True, **options).fit(rows).labels_
    except TypeError:  # scikit-learn's epsilon search fails with numpy 2
        return None


def short(values):
    """Twelve digits, which is more than the tests compare."""
    return [float(f"{v:.12g}") for v in values]


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else str(float(value))
    return value


def main():
    rng = np.random.default_rng(11)
    sets = []
    for name, rows in data_sets().items():
        low, high = rows.min(0) - 1, rows.max(0) + 1
        queries = (
            np.round(
                np.vstack(
                    [
                        rng.uniform(low, high, (12, rows.shape[1])),
                        rows[rng.integers(0, len(rows), 8)] + rng.normal(0, 0.05, (8, rows.shape[1])),
                        rows[:2],
                    ]
                ),
                3,
            )
            if len(rows) > 4
            else rows[:0]
        )
        cases = [case(rows, queries, options) for options in BASIC + (MORE if name in RICH else MORE[::6])]
        for c in cases:
            sklearn = c.get("sklearn")
            differs = sklearn is not None and partition(sklearn) != partition(c["expected"]["labels"])
            print(
                f"{name:16s} {str(c['options']):110s} {'certain' if c['certain'] else 'ties'}"
                f"{', scikit-learn differs' if differs else ''}"
            )
        sets.append({"name": name, "rows": rows, "queries": queries, "cases": cases})
    path = Path(__file__).with_name("clustering.json")
    path.write_text(json.dumps(plain({"sets": sets}), separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
