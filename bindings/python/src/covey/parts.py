"""Clustering from edges and lists of neighbours that come from anywhere, and the kernels that cluster data in parts
(covey.h section 8)."""

from __future__ import annotations

import sys
from ctypes import byref, c_int64, c_void_p
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
from numpy.typing import NDArray

from ._arguments import checked, unknown_argument
from ._arrays import as_array, contiguous, flag, integer, matrix, numeric, real
from ._cluster_options import cluster_options
from ._clusters import Clusters
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError, OutOfMemoryError
from ._handle import Native
from ._library import call, library
from ._metrics import NATIVE
from ._trees import EDGE
from .context import Context, running

if TYPE_CHECKING:  # a task of Spark that takes a kernel does not load scikit-learn for it
    from .clustering import HDBSCAN

_COLUMNS = ("from", "to", "distance")


@checked
def cluster_edges(n: int, edges: Any, *, core_distances: Any = None, **parameters: Any) -> HDBSCAN:
    """HDBSCAN of `n` rows by any weighted edges between them: a spanning tree, forests of parts of the data, a graph.

    Example::

        clusterer = covey.cluster_edges(4, [(0, 1, 1.0), (1, 2, 1.5), (2, 3, 9.0)], min_cluster_size=2)

    Args:
        edges: m x 3 numbers (a, b, distance), three columns (a, b, distance), or a sparse matrix of distances. A pair
            of rows once, or once in each direction at the same distance.
        core_distances: n numbers: distances become mutual reachability, max(core, core, distance / alpha). None = they
            are taken as they are.
        parameters: those of :class:`HDBSCAN` that choose clusters, and `context`.

    Returns a fitted HDBSCAN without prediction. Parts of the graph that no edge joins are joined at an infinite
    distance, so that no cluster holds rows of two parts; ``connected_parts_`` counts them.
    Errors: INVALID_DATA names the edge (out of range, repeated, to itself, negative, NaN, asymmetric). O(m log m).
    """
    count = integer(n, "n")
    given = edge_array(edges)
    cores = None if core_distances is None else contiguous(core_distances, "core_distances", np.float64, count)
    result, options, context = _clusterer("cluster_edges", parameters)
    pointer = c_void_p()
    with running(context) as native:
        call(
            "covey_cluster_edges",
            native,
            count,
            given.ctypes.data,
            len(given),
            None if cores is None else cores.ctypes.data,
            byref(options),
            byref(pointer),
        )
    return _fitted(result, pointer, count)


@checked
def cluster_neighbours(indices: Any, distances: Any, **parameters: Any) -> HDBSCAN:
    """HDBSCAN of n rows by lists of their nearest rows: n x k row numbers (-1 = none; the row itself is passed over)
    and n x k
    distances, from a GPU, FAISS (whose euclidean distances are squares: take their roots) or anything else.

    Example::

        indices, distances = covey.nearest(rows, rows, 20, query_numbers=range(len(rows)))
        clusterer = covey.cluster_neighbours(indices, distances, min_cluster_size=15, min_samples=5)
        clusterer.certified_edges_  # len(rows) - 1 = exact

    k must be at least min_samples. ``certified_edges_`` says how many of the n - 1 edges of the tree no edge that is in
    no list could
    replace, if each list holds the nearest rows: n - 1 = exact. ``connected_parts_`` as in :func:`cluster_edges`.
    Errors: INVALID_DATA names row and slot. O(n k log(n k)).
    """
    rows, numbers = _lists(indices, distances)
    result, options, context = _clusterer("cluster_neighbours", parameters)
    pointer, certified = c_void_p(), c_int64()
    with running(context) as native:
        call(
            "covey_cluster_neighbours",
            native,
            rows.shape[0],
            rows.shape[1],
            rows.ctypes.data,
            numbers.ctypes.data,
            byref(options),
            byref(pointer),
            byref(certified),
        )
    fitted = _fitted(result, pointer, rows.shape[0])
    fitted.certified_edges_ = certified.value
    return fitted


@checked
def nearest(
    queries: Any,
    rows: Any,
    k: int,
    *,
    query_numbers: Any = None,
    row_numbers: Any = None,
    metric: str = "euclidean",
    merge: Optional[tuple[Any, Any]] = None,
    context: Optional[Context] = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The k nearest rows of each query, exactly: m x k row numbers and m x k distances, ascending by distance, then by
    row number; -1 and infinity if there are fewer rows.

    Example::

        indices, distances = covey.nearest(rows[:3], rows, 5)

    Args:
        query_numbers: the queries' numbers among the rows: a row of that number is the query itself, and left out.
        row_numbers: the rows' numbers, ascending; None = 0 and up.
        merge: what a call before has returned for other rows: the nearest of both are kept.
    """
    first, kept = matrix(queries, "queries")
    second, others = matrix(rows, "rows")
    width = integer(k, "k")
    if width < 1:
        raise InvalidArgumentError(f"k must be at least 1, got {width}")
    own = None if query_numbers is None else contiguous(query_numbers, "query_numbers", np.int64, first.rows)
    numbers = None if row_numbers is None else contiguous(row_numbers, "row_numbers", np.int64, second.rows)
    if merge is None:
        indices, distances = _room(first.rows, width)
    else:
        try:
            indices = np.array(merge[0], dtype=np.int64, order="C")
            distances = np.array(merge[1], dtype=np.float64, order="C")
        except (TypeError, ValueError, IndexError) as failure:
            raise InvalidTypeError(f"merge must be what a call before has returned: {failure}") from None
        if indices.shape != (first.rows, width) or distances.shape != (first.rows, width):
            raise MismatchError(
                f"merge must hold two arrays of {first.rows} x {width}, got {indices.shape}, {distances.shape}"
            )
    with running(context) as native:
        call(
            "covey_nearest",
            native,
            byref(first),
            _address(own),
            byref(second),
            _address(numbers),
            width,
            _metric(metric),
            merge is not None,
            indices.ctypes.data,
            distances.ctypes.data,
            indices.size,
        )
    del kept, others
    return indices, distances


@checked
def spanning_edges(
    rows: Any,
    core_distances: Any,
    *,
    row_numbers: Any = None,
    metric: str = "euclidean",
    alpha: float = 1.0,
    context: Optional[Context] = None,
) -> NDArray[Any]:
    """The minimum spanning tree of a block of rows, or of a pair of blocks one after the other, by mutual reachability
    with core distances that were found among all rows. An array of (from, to, distance). `row_numbers` ascend; None = 0
    and up.

    Example::

        _, distances = covey.nearest(rows, rows, 5, query_numbers=range(len(rows)))
        edges = covey.spanning_edges(rows, distances[:, -1])
    """
    view, kept = matrix(rows, "rows")
    cores = contiguous(core_distances, "core_distances", np.float64, view.rows)
    numbers = None if row_numbers is None else contiguous(row_numbers, "row_numbers", np.int64, view.rows)
    edges = np.empty(max(0, view.rows - 1), dtype=EDGE)
    with running(context) as native:
        call(
            "covey_spanning_edges",
            native,
            byref(view),
            _address(numbers),
            cores.ctypes.data,
            _metric(metric),
            real(alpha, "alpha"),
            edges.ctypes.data,
            len(edges),
        )
    del kept
    return edges


@checked
def merge_edges(n: int, *lists: Any, context: Optional[Context] = None) -> NDArray[Any]:
    """The minimum spanning forest of lists of edges between `n` rows: an array of (from, to, distance), in order. Ties
    are broken by
    distance, then by row numbers, so that the order of the lists changes nothing. Memory: n edges and the largest
        list.

    Example::

        edges = covey.merge_edges(3, [(0, 1, 1.0)], [(1, 2, 2.0), (0, 2, 3.0)])  # 2 edges
    """
    count = integer(n, "n")
    kept = np.empty(0, dtype=EDGE)
    for edges in lists:
        joined = np.concatenate([kept, edge_array(edges)])
        size = c_int64()
        with running(context) as native:
            call("covey_merge_edges", native, count, joined.ctypes.data, len(joined), byref(size))
        kept = joined[: size.value].copy()
    return kept


def edge_array(edges: Any) -> NDArray[Any]:
    """Edges in any of their forms as an array of (from, to, distance)."""
    sparse = sys.modules.get("scipy.sparse")
    if isinstance(edges, np.ndarray) and edges.dtype.names is not None:
        if edges.dtype == EDGE:
            return np.ascontiguousarray(edges)
        if len(edges.dtype.names) != 3:
            raise InvalidArgumentError(f"edges must have 3 fields (a, b, distance), got {edges.dtype.names}")
        columns = [edges[name] for name in edges.dtype.names]
    elif sparse is not None and sparse.issparse(edges):
        entries = edges.tocoo()
        columns = [entries.row, entries.col, entries.data]
    elif isinstance(edges, tuple) and len(edges) == 3 and np.ndim(edges[0]) == 1:
        columns = list(edges)
    else:
        table = as_array(edges, "edges")
        if table.size == 0:
            return np.empty(0, dtype=EDGE)
        if table.ndim != 2 or table.shape[1] != 3:
            raise InvalidArgumentError(f"edges must be m x 3 (a, b, distance), got shape {table.shape}")
        columns = [table[:, 0], table[:, 1], table[:, 2]]
    found = np.empty(len(columns[0]), dtype=EDGE)
    for name, column in zip(_COLUMNS, columns):
        kind = np.float64 if name == "distance" else np.int64
        found[name] = contiguous(column, f"edges[{name!r}]", kind, len(found))
    return found


def _lists(indices: Any, distances: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rows = as_array(indices, "indices")
    numbers = np.ascontiguousarray(numeric(distances, "distances"), dtype=np.float64)
    if rows.ndim != 2 or rows.shape != numbers.shape:
        raise MismatchError(f"indices and distances must be two arrays of n x k, got {rows.shape} and {numbers.shape}")
    if rows.shape[1] < 1:
        raise InvalidArgumentError("indices must have at least 1 column")
    if rows.dtype.kind not in "iu":
        raise InvalidDataError(f"indices must hold whole numbers, got dtype {rows.dtype}")
    return np.ascontiguousarray(rows, dtype=np.int64), numbers


def _clusterer(call: str, parameters: dict[str, Any]) -> tuple[HDBSCAN, Any, Optional[Context]]:
    if "metric" in parameters:
        raise InvalidArgumentError("metric cannot be given: the distances are")
    from .clustering import HDBSCAN

    known = HDBSCAN().get_params()
    for name in parameters:
        if name not in known:  # HDBSCAN takes it for a parameter of a metric
            raise InvalidTypeError(unknown_argument(call, name, list(known)))
    result = HDBSCAN(metric="precomputed", **parameters)
    if result.prediction_data:
        raise InvalidArgumentError("prediction_data must be False if distances are given: there are no rows to keep")
    for name, needed in (("semi_supervised", "labels (y)"), ("branch_detection_data", "rows")):
        if flag(getattr(result, name), name):
            raise InvalidArgumentError(f"{name} must be False in {call}, which has no {needed}")
    if result.algorithm == "approximate":
        raise InvalidArgumentError(f"algorithm must be exact in {call}, which searches no rows, got 'approximate'")
    return result, cluster_options(result, 0), result.context


def _fitted(result: HDBSCAN, pointer: c_void_p, rows: int) -> HDBSCAN:
    clusters = Clusters(Native(pointer.value, "covey_clustering_destroy"))
    result.n_features_in_ = rows
    result.keys_, result.key_name_, result._raw_data = None, None, None
    result._finish(clusters)
    result.connected_parts_ = int(library.covey_clustering_parts(clusters.handle()))
    return result


def _room(count: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    try:
        return np.empty((count, width), dtype=np.int64), np.empty((count, width))
    except (MemoryError, ValueError):  # NumPy's word for more than the address space is a ValueError
        raise OutOfMemoryError(
            f"k = {width} needs two arrays of {count} x {width}, more than there is memory"
        ) from None


def _metric(metric: str) -> int:
    if not isinstance(metric, str) or metric not in NATIVE:
        raise InvalidArgumentError(f"metric must be one of {', '.join(map(repr, NATIVE))}, got {metric!r}")
    return NATIVE[metric]


def _address(array: Optional[NDArray[Any]]) -> Optional[int]:
    return None if array is None else array.ctypes.data
