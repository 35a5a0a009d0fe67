"""How good clusters are, without labels of the truth (covey.h section 8)."""

from __future__ import annotations

from ctypes import byref, c_double
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from ._arguments import checked
from ._arrays import flag, matrix, vector
from ._errors import InvalidArgumentError, MismatchError
from ._library import call
from ._metrics import measure
from ._work import Work
from .context import Context, running


@checked
def validity_index(
    X: Any,
    labels: Any,
    metric: Any = "euclidean",
    d: Optional[int] = None,
    per_cluster_scores: bool = False,
    mst_raw_dist: bool = False,
    verbose: bool = False,
    *,
    p: Optional[float] = None,
    context: Optional[Context] = None,
    **metric_parameters: Any,
) -> Union[float, tuple[float, NDArray[np.float64]]]:
    """DBCV (Moulavi et al. 2014), as hdbscan's function: -1 to 1, the larger the better; with per_cluster_scores also
    that of each cluster. NaN if there is one cluster alone.

    Example::

        covey.validity_index(rows.astype(float), clusterer.labels_)  # -1 to 1

    Args:
        X: n x features; with metric "precomputed" the n x n distances, and `d` the number of features. Metrics are
            those of :class:`HDBSCAN`; those that are not searched go through all distances in memory.
        labels: n integers, -1 = noise.
        mst_raw_dist: distances as they are in the place of mutual reachability.
        verbose: hdbscan's; prints nothing.

    Cost: O(d m^2) for each cluster of m rows and each pair of clusters; memory O(n).
    """
    measured = measure(metric, p, metric_parameters, None)
    given = vector(labels, "labels", np.int32)
    flag(per_cluster_scores, "per_cluster_scores")
    plain = flag(mst_raw_dist, "mst_raw_dist")
    if measured.precomputed or measured.distances is not None:
        from ._validity_matrix import matrix_validity

        with Work(context) as work:
            rows = np.asarray(matrix(X, "X")[1], np.float64)
            if len(rows) != len(given):
                raise MismatchError(f"labels must have {len(rows)} values, one a row, got {len(given)}")
            distances = rows if measured.distances is None else measured.distances(rows, work)
        if d is None and measured.precomputed:
            raise InvalidArgumentError("d, the number of features, must be given with the metric precomputed")
        index, clusters = matrix_validity(distances, given, d or np.asarray(X).shape[1], bool(plain))
    else:
        rows = np.asarray(X)
        view, borrowed = matrix(rows if measured.change is None else measured.change(rows), "X")
        if view.rows != len(given):
            raise MismatchError(f"labels must have {view.rows} values, one a row, got {len(given)}")
        clusters = np.zeros(max(0, int(given.max(initial=-1)) + 1), dtype=np.float64)
        found = c_double()
        with running(context) as native:
            call(
                "covey_validity",
                native,
                byref(view),
                given.ctypes.data,
                measured.code,
                plain,
                byref(found),
                clusters.ctypes.data,
                len(clusters),
            )
        del borrowed
        index = found.value
    return (index, clusters) if per_cluster_scores else index


def relative_validity(labels: NDArray[np.int64], edges: NDArray[Any], weights: NDArray[np.int64]) -> float:
    """hdbscan's quick estimate of DBCV: what the edges of the spanning tree say of density and separation. Rows count
    as often as their weights say."""
    count = int(labels.max(initial=-1)) + 1
    total = int(weights.sum())
    if count == 0 or len(edges) == 0:
        return 0.0
    first, second, lengths = labels[edges["from"]], labels[edges["to"]], edges["distance"]
    sparseness = np.zeros(count)
    separation = np.full(count, np.inf)
    inside = (first >= 0) & (first == second)
    np.maximum.at(sparseness, first[inside], lengths[inside])
    between = (first >= 0) & (second >= 0) & (first != second)
    np.minimum.at(separation, first[between], lengths[between])
    np.minimum.at(separation, second[between], lengths[between])
    to_noise = (first < 0) != (second < 0)
    longest = lengths.max()
    # A cluster without an edge to another is as far from it as twice the longest edge; one alone, as twice the way to
    # noise.
    far = longest if count > 1 else lengths[to_noise].min(initial=np.inf) if to_noise.any() else longest
    separation[np.isinf(separation)] = 2 * far
    larger = np.maximum(separation, sparseness)
    scores = np.divide(separation - sparseness, larger, out=np.zeros(count), where=larger > 0)
    sizes = np.bincount(labels[labels >= 0], weights=weights[labels >= 0], minlength=count)
    return float((sizes * scores).sum() / total)
