"""Rows that must, or cannot, share a cluster (covey.h section 8)."""

from __future__ import annotations

from ctypes import byref, c_int64, c_void_p
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._arguments import checked
from ._arrays import contiguous, integer
from ._clusters import Clusters
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError, UnsupportedError
from ._handle import Native
from ._library import call
from ._trees import EDGE
from .context import Context, running
from .parts import edge_array

if TYPE_CHECKING:
    from .clustering import HDBSCAN

#: Pairs of rows of one group that are written out.
_MOST_PAIRS = 50_000_000


@checked
def constrain_edges(
    n: int, edges: Any, *, must_link: Any = None, cannot_link: Any = None, context: Optional[Context] = None
) -> NDArray[Any]:
    """The minimum spanning forest of edges between `n` rows under constraints, for :func:`cluster_edges`: rows that
    must link are joined first, at distance 0, and an edge is left out if it would bring two rows that cannot link into
    one part. No cluster holds rows of two parts.

    Args:
        edges: as :func:`cluster_edges` takes them. With the edges of a spanning tree, parts that an edge left out would
            have joined stay apart; with all pairs of rows they are joined by longer edges where that is allowed.
        must_link, cannot_link: m x 2 row numbers, or a sparse n x n matrix whose entries are pairs.

    Returns an array of (from, to, distance). Errors: INVALID_DATA names an edge or a pair that cannot be, and a pair
    that must and cannot link.

    Example::

        forest = covey.constrain_edges(4, [(0, 1, 1.0), (1, 2, 2.0), (2, 3, 3.0)], cannot_link=[(0, 3)])
        clusterer = covey.cluster_edges(4, forest, min_cluster_size=2)
    """
    count = integer(n, "n")
    given = edge_array(edges)
    links, forbidden = row_pairs(must_link, count, "must_link"), row_pairs(cannot_link, count, "cannot_link")
    forest = np.empty(max(0, min(count - 1, len(given) + len(links))), dtype=EDGE)
    kept = c_int64()
    with running(context) as native:
        call(
            "covey_constrain_edges",
            native,
            count,
            given.ctypes.data,
            len(given),
            links.ctypes.data,
            len(links),
            forbidden.ctypes.data,
            len(forbidden),
            forest.ctypes.data,
            len(forest),
            byref(kept),
        )
    return forest[: kept.value].copy()


def row_pairs(pairs: Any, rows: int, name: str) -> NDArray[np.int64]:
    """m x 2 row numbers from pairs or from a sparse matrix, of which both triangles count."""
    if pairs is None:
        return np.empty((0, 2), dtype=np.int64)
    if hasattr(pairs, "tocoo"):
        entries = pairs.tocoo()
        if entries.shape != (rows, rows):
            raise MismatchError(f"{name} must be {rows} x {rows}, got {entries.shape[0]} x {entries.shape[1]}")
        marked = entries.data != 0
        first, second = entries.row[marked], entries.col[marked]
        found = np.column_stack([np.minimum(first, second), np.maximum(first, second)]).astype(np.int64)
        return np.ascontiguousarray(np.unique(found, axis=0))
    table = np.asarray(pairs)
    if not table.size:
        return np.empty((0, 2), dtype=np.int64)
    if table.ndim != 2 or table.shape[1] != 2:
        raise InvalidArgumentError(
            f"{name} must be m x 2 row numbers or a sparse n x n matrix, got shape {table.shape}"
        )
    return contiguous(table.reshape(-1), name, np.int64).reshape(-1, 2)


def group_pairs(groups: Any, rows: int) -> NDArray[np.int64]:
    """The pairs of rows of one group; a group below 0 is none."""
    numbers = contiguous(groups, "cannot_link_groups", np.int64, rows)
    if rows and numbers.min() < -1:
        raise InvalidDataError(f"cannot_link_groups must be at least -1, got {numbers.min()}")
    order = np.argsort(numbers, kind="stable")
    order = order[numbers[order] >= 0]
    members = np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1) if len(order) else []
    total = sum(len(rows_) * (len(rows_) - 1) // 2 for rows_ in members)
    if total > _MOST_PAIRS:
        raise UnsupportedError(f"cannot_link_groups has {total} pairs of rows, more than {_MOST_PAIRS}")
    found = [np.column_stack([rows_[first] for first in np.triu_indices(len(rows_), 1)]) for rows_ in members]
    return np.ascontiguousarray(np.concatenate(found)) if found else np.empty((0, 2), dtype=np.int64)


def is_constrained(clusterer: HDBSCAN) -> bool:
    """Raises what constraints cannot be combined with."""
    given = [clusterer.must_link, clusterer.cannot_link, clusterer.cannot_link_groups]
    if all(constraint is None for constraint in given):
        return False
    if clusterer.cannot_link is not None and clusterer.cannot_link_groups is not None:
        raise InvalidArgumentError("cannot_link and cannot_link_groups exclude each other: pass one of them")
    if clusterer.prediction_data or clusterer.branch_detection_data:
        raise UnsupportedError(
            "must_link and cannot_link constrain the fitted rows alone: prediction_data and branch_detection_data must "
            "be False"
        )
    return True


def constrained(clusterer: HDBSCAN, clusters: Clusters, options: _structs.ClusterOptions) -> Clusters:
    """The clusters of the same spanning tree under the constraints of `clusterer`."""
    rows = len(clusters.array("labels"))
    forbidden = (
        row_pairs(clusterer.cannot_link, rows, "cannot_link")
        if clusterer.cannot_link_groups is None
        else group_pairs(clusterer.cannot_link_groups, rows)
    )
    forest = constrain_edges(
        rows,
        clusters.array("spanning_tree"),
        must_link=row_pairs(clusterer.must_link, rows, "must_link"),
        cannot_link=forbidden,
        context=clusterer.context,
    )
    pointer = c_void_p()
    with running(clusterer.context) as native:
        call("covey_cluster_edges", native, rows, forest.ctypes.data, len(forest), None, byref(options), byref(pointer))
    return Clusters(Native(pointer.value, "covey_clustering_destroy"))


@checked
def condense_hierarchy(
    dendrogram: Any,
    min_cluster_size: int,
    allow_single_cluster: bool = False,
    cluster_selection_epsilon: float = 0.0,
    context: Optional[Context] = None,
) -> Any:
    """cuML's function: the condensed tree, with its selected clusters, of a dendrogram in SciPy's format (n - 1 rows of
    left, right, distance, size, of which the size is not read), as :attr:`HDBSCAN.condensed_tree_`.

    Example::

        from scipy.cluster.hierarchy import linkage

        tree = covey.condense_hierarchy(linkage([[0.0], [0.1], [5.0], [5.1]]), min_cluster_size=2)
    """
    from ._cluster_options import cluster_options
    from ._trees import CondensedTree
    from .clustering import HDBSCAN

    table = np.asarray(dendrogram, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 3:
        raise InvalidTypeError(f"dendrogram must be (n - 1) x 4 as SciPy has it, got shape {table.shape}")
    merges = len(table)
    nodes = table[:, :2].astype(np.int64)
    wrong = (nodes != table[:, :2]) | (nodes < 0) | (nodes >= merges + 1 + np.arange(merges)[:, None])
    if wrong.any():
        merge = int(np.argmax(wrong.any(axis=1)))
        raise InvalidDataError(f"dendrogram[{merge}] must join two rows or earlier merges, got {table[merge, :2]}")
    if merges and (np.diff(table[:, 2]) < 0).any():
        merge = int(np.argmax(np.diff(table[:, 2]) < 0)) + 1
        raise InvalidDataError(f"dendrogram must ascend by distance, merge {merge} is shorter than the one before")
    # A row of each node stands for it.
    rows = np.arange(2 * merges + 1)
    for merge, left in enumerate(nodes[:, 0].tolist()):
        rows[merges + 1 + merge] = rows[left]
    edges = np.empty(merges, dtype=EDGE)
    edges["from"], edges["to"], edges["distance"] = rows[nodes[:, 0]], rows[nodes[:, 1]], table[:, 2]
    model = HDBSCAN(
        min_cluster_size, allow_single_cluster=allow_single_cluster, cluster_selection_epsilon=cluster_selection_epsilon
    )
    options = cluster_options(model, 0)
    pointer = c_void_p()
    with running(context) as native:
        call("covey_cluster_spanning_tree", native, merges + 1, edges.ctypes.data, byref(options), byref(pointer))
    clusters = Clusters(Native(pointer.value, "covey_clustering_destroy"))
    return CondensedTree(clusters.array("condensed_tree"), clusters.array("selected_nodes"))
