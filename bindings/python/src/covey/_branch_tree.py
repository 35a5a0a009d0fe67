"""The branches of one cluster: the tree of its graph, and its clusters."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any, NamedTuple, Optional

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from ._checks import judged_call
from ._cluster_options import cluster_options
from ._clusters import Clusters
from ._handle import Native
from ._trees import EDGE
from .clustering import HDBSCAN
from .context import running


class Branches(NamedTuple):
    """What one cluster came to. tree is None if its graph is in pieces, which are then the branches."""

    rows: NDArray[np.int64]
    centralities: NDArray[np.float64]
    edges: NDArray[np.float64]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    persistences: NDArray[np.float64]
    tree: Optional[Clusters]


def one_cluster(clusterer: HDBSCAN, clusters: Clusters) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels and strengths; a single cluster that may be all there is holds every row, as in hdbscan, up to epsilon."""
    labels, strengths = clusters.array("labels").astype(np.int64), clusters.array("probabilities").copy()
    if not clusterer.allow_single_cluster or clusters.clusters != 1:
        return labels, strengths
    labels[:], strengths[:] = 0, 1.0
    if clusterer.cluster_selection_epsilon > 0:
        tree = clusters.array("condensed_tree")
        left = (tree["child_size"] == 1) & (tree["lambda_val"] < 1 / clusterer.cluster_selection_epsilon)
        rows = tree["child"][left]
        labels[rows], strengths[rows] = -1, 0.0
    return labels, strengths


def centrality_tree(
    first: NDArray[np.int64], second: NDArray[np.int64], edges: NDArray[np.float64], count: int
) -> tuple[NDArray[Any], int, NDArray[np.int64]]:
    """A minimum spanning tree by centrality, of ties the edge with the shorter distance; and the pieces of the
    graph."""
    order = np.lexsort((edges[:, 3], edges[:, 2]))
    ranks = np.empty(len(edges))
    ranks[order] = np.arange(1, len(edges) + 1)
    tree = minimum_spanning_tree(csr_matrix((ranks, (first, second)), shape=(count, count))).tocoo()
    pieces, piece = connected_components(tree, directed=False) if count else (0, np.zeros(0))
    chosen = order[tree.data.astype(np.int64) - 1]
    found = np.empty(len(chosen), dtype=EDGE)
    found["from"], found["to"], found["distance"] = first[chosen], second[chosen], edges[chosen, 2]
    return found, int(pieces), np.asarray(piece, dtype=np.int64)


def cluster_tree(options: HDBSCAN, spanning: NDArray[Any], count: int) -> Clusters:
    pointer = c_void_p()
    native_options = cluster_options(options, 0)
    with running(options.context) as native:
        judged_call(
            "covey_cluster_spanning_tree", native, count, spanning.ctypes.data, byref(native_options), byref(pointer)
        )
    return Clusters(Native(pointer.value, "covey_clustering_destroy"))
