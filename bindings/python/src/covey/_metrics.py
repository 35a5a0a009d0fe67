"""How a metric's name, parameters and callables come to what the library can cluster."""

from __future__ import annotations

from typing import Any, Callable, Optional

import numpy as np
from numpy.typing import NDArray

from ._arrays import integer, numeric, real
from ._distance_matrix import blockwise, pairwise, refuse_missing
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError
from ._work import Work

#: Searched by the library itself.
NATIVE = {"euclidean": 0, "l2": 0, "manhattan": 1, "l1": 1, "cityblock": 1, "cosine": 2}
#: Those that hdbscan's trees know; the library does not need trees, but the names of algorithms ask for them.
_KD_TREE = {"euclidean", "l2", "minkowski", "p", "manhattan", "cityblock", "l1", "chebyshev", "infinity"}
_BALL_TREE = _KD_TREE | {
    "braycurtis",
    "canberra",
    "dice",
    "hamming",
    "haversine",
    "jaccard",
    "mahalanobis",
    "rogerstanimoto",
    "russellrao",
    "seuclidean",
    "sokalmichener",
    "sokalsneath",
}
#: By scikit-learn and SciPy, as a matrix of all distances.
_PAIRWISE = _BALL_TREE | {"angular", "arccos", "correlation", "sqeuclidean", "yule", "nan_euclidean"}
NAMES = {"p": "minkowski", "infinity": "chebyshev"}
_REFUSED = {
    "prims_kdtree": _KD_TREE,
    "prims_balltree": _BALL_TREE,
    "boruvka_kdtree": _BALL_TREE,
    "boruvka_balltree": _BALL_TREE,
}


class Measure:
    """What a metric comes to: one of the library's, of rows that are changed first, or a matrix of distances.

    Attributes:
        code: the library's metric.
        change: what the rows go through first, or None.
        distances: the matrix of all distances between rows, as a part of a :class:`Work`; or None.
        precomputed: the rows are that matrix already.
        chords: rows between which Euclidean distances grow as this metric's, so that they have its tree; or None.
        lengths: this metric's distances from those Euclidean ones.
    """

    def __init__(
        self,
        code: int = 0,
        change: Optional[Callable[[NDArray[Any]], NDArray[Any]]] = None,
        distances: Optional[Callable[[NDArray[Any], Optional[Work]], NDArray[Any]]] = None,
        precomputed: bool = False,
        chords: Optional[Callable[[NDArray[Any]], NDArray[Any]]] = None,
        lengths: Optional[Callable[[NDArray[Any]], NDArray[Any]]] = None,
    ) -> None:
        self.code = code
        self.change = change
        self.distances = distances
        self.precomputed = precomputed
        self.chords = chords
        self.lengths = lengths

    @property
    def is_euclidean(self) -> bool:
        """The library finds neighbours by Euclidean distances, which are this metric's."""
        return self.code == NATIVE["euclidean"] and self.distances is None and not self.precomputed


def measure(metric: Any, p: Any, parameters: dict[str, Any], algorithm: Any) -> Measure:
    """Raises InvalidArgumentError for a metric that nobody knows, or that the algorithm does not."""
    found = _measure(metric, p, parameters, algorithm)
    if isinstance(algorithm, str) and algorithm == "approximate" and not found.is_euclidean:
        raise InvalidArgumentError(
            "algorithm 'approximate' searches by the metrics euclidean, l2, seuclidean, mahalanobis and minkowski with"
            f" p=2 alone, got the metric {metric!r}: use algorithm='exact'"
        )
    return found


def _measure(metric: Any, p: Any, parameters: dict[str, Any], algorithm: Any) -> Measure:
    if isinstance(metric, str) and (metric in NATIVE or metric in ("precomputed", "correlation", "angular", "arccos")):
        for name in parameters:
            if name != "max_dist":  # hdbscan's, of sparse distances
                raise InvalidTypeError(f"{name} is no parameter of HDBSCAN or of the metric {metric!r}")
    if callable(metric):
        return Measure(distances=lambda rows, work: pairwise(rows, metric, parameters, work))
    if not isinstance(metric, str):
        raise InvalidTypeError(f"metric must be a name or a callable, got {metric!r}")
    known = _REFUSED.get(algorithm) if isinstance(algorithm, str) else None
    if metric == "cosine" or metric == "precomputed":
        if known is not None:
            raise InvalidArgumentError(f"algorithm {algorithm!r} cannot be used with the metric {metric!r}")
        return Measure(NATIVE["cosine"]) if metric == "cosine" else Measure(precomputed=True)
    if metric in NATIVE:
        return Measure(NATIVE[metric])
    if metric not in _PAIRWISE or (known is not None and metric not in known):
        raise InvalidArgumentError(
            f"metric must be one of {', '.join(sorted({*NATIVE, *_PAIRWISE, 'precomputed'}))}, got {metric!r}"
        )
    metric = NAMES.get(metric, metric)
    parameters = dict(parameters)
    if metric == "minkowski":
        return _minkowski(parameters.pop("p", p), parameters)
    if metric == "seuclidean":
        return Measure(change=_scaled(parameters.get("V")))
    if metric == "mahalanobis":
        return Measure(change=_mahalanobis(parameters.get("V"), parameters.get("VI")))
    if metric == "correlation":
        return Measure(NATIVE["cosine"], change=_centred)
    if metric in ("angular", "arccos"):
        return Measure(distances=_all_angles, chords=_directions, lengths=lambda chords: _angles(chords) / np.pi)
    if metric == "haversine" and not parameters:
        return Measure(
            distances=lambda rows, work: pairwise(rows, metric, {}, work), chords=_on_sphere, lengths=_angles
        )
    return Measure(distances=lambda rows, work: pairwise(rows, metric, parameters, work))


def _on_sphere(rows: NDArray[Any]) -> NDArray[Any]:
    """Latitude and longitude as points of the unit sphere."""
    if rows.shape[1] != 2:
        raise InvalidArgumentError(
            f"metric haversine needs 2 columns, latitude and longitude in radians, got {rows.shape[1]}"
        )
    latitude, longitude = np.asarray(rows, dtype=np.float64).T
    with np.errstate(invalid="ignore"):  # the library names the row with an infinity
        circle = np.cos(latitude)
        return np.column_stack([circle * np.cos(longitude), circle * np.sin(longitude), np.sin(latitude)])


def _centred(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Rows less their mean, of any size: powers of two bring their largest number near 1, so that no square underflows,
    and a constant row is 0 whatever rounding leaves of it."""
    given = np.asarray(rows, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # the library judges rows with an infinity
        largest = np.abs(given).max(axis=1, initial=0, keepdims=True)
        scaled = np.ldexp(given, -np.frexp(largest)[1])
        found: NDArray[np.float64] = scaled - scaled.mean(axis=1, keepdims=True)
        rounding = np.abs(found).max(axis=1, initial=0) <= 4 * np.finfo(np.float64).eps
    found[rounding] = 0
    return found


def _directions(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Rows as points of the unit sphere. Directions are told apart to 45 bits of their largest number, as with cosine,
    so that rounding splits no direction. Rows of zeros are one more direction, at a right angle to every other."""
    given = np.asarray(rows, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # the library names the row with an infinity
        largest = np.abs(given).max(axis=1, initial=0, keepdims=True)
        units = np.round(given / np.where(largest == 0, 1, largest) * 2.0**45) / 2.0**45
        lengths = np.sqrt((units * units).sum(axis=1, keepdims=True))
        units = units / np.where(lengths == 0, 1, lengths)
    zero = largest[:, 0] == 0
    return np.column_stack([units, zero.astype(np.float64)]) if zero.any() else units


def _all_angles(rows: NDArray[Any], work: Optional[Work]) -> NDArray[np.float64]:
    from scipy.spatial.distance import cdist

    units = _directions(rows)
    refuse_missing(rows, "angular")
    return blockwise(
        len(units), units.shape[1], lambda start, end: _angles(cdist(units[start:end], units[start:])) / np.pi, work
    )


def _angles(chords: NDArray[Any]) -> NDArray[Any]:
    found: NDArray[Any] = 2 * np.arcsin(np.minimum(chords / 2, 1))
    return found


def _minkowski(p: Any, parameters: dict[str, Any]) -> Measure:
    if p is None:
        raise InvalidTypeError("metric minkowski needs p")
    order = real(p, "p")
    if not order > 0:
        raise InvalidArgumentError(f"p must be above 0, got {p}")
    weighted = parameters.get("w") is not None
    if order in (1.0, 2.0) and not weighted:
        return Measure(NATIVE["manhattan" if order == 1 else "euclidean"])
    if np.isinf(order):
        return Measure(distances=lambda rows, work: pairwise(rows, "chebyshev", parameters, work))
    return Measure(distances=lambda rows, work: pairwise(rows, "minkowski", {**parameters, "p": order}, work))


def _scaled(variances: Any) -> Callable[[NDArray[Any]], NDArray[Any]]:
    def change(rows: NDArray[Any]) -> NDArray[Any]:
        if variances is None:
            raise InvalidTypeError("metric seuclidean needs V, the variance of each column")
        given = np.asarray(numeric(variances, "V"), dtype=np.float64)
        if given.shape != (rows.shape[1],) or not (given > 0).all():
            raise InvalidArgumentError(f"V must be {rows.shape[1]} numbers above 0, one a column")
        return np.asarray(rows, dtype=np.float64) / np.sqrt(given)

    return change


def _mahalanobis(covariance: Any, inverse: Any) -> Callable[[NDArray[Any]], NDArray[Any]]:
    def change(rows: NDArray[Any]) -> NDArray[Any]:
        if covariance is None and inverse is None:
            raise InvalidTypeError("metric mahalanobis needs V, the covariances, or VI, their inverse")
        name = "V" if inverse is None else "VI"
        try:
            given = np.asarray(covariance if inverse is None else inverse, dtype=np.float64)
            matrix = np.linalg.inv(given) if inverse is None else given
            return np.asarray(rows, dtype=np.float64) @ np.linalg.cholesky(matrix)
        except (np.linalg.LinAlgError, ValueError, TypeError) as failure:
            raise InvalidArgumentError(
                f"{name} must be a positive definite matrix of {rows.shape[1]} columns: {failure}"
            ) from None

    return change


def sparse_tree(distances: Any, min_samples: int, alpha: float) -> tuple[int, NDArray[Any]]:
    """The spanning tree of mutual reachability of a sparse matrix of distances, of which those that are not there are
    infinite."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

    from ._trees import EDGE

    matrix = csr_matrix(distances, dtype=np.float64, copy=True)
    count = matrix.shape[0]
    if matrix.shape[0] != matrix.shape[1]:
        raise InvalidDataError(f"distances must be square, got {matrix.shape[0]} x {matrix.shape[1]}")
    if matrix.nnz and not (np.isfinite(matrix.data).all() and (matrix.data >= 0).all()):
        raise InvalidDataError("distances must be finite and at least 0")
    matrix.eliminate_zeros()
    cores = np.full(count, np.inf)
    wanted = min(integer(min_samples, "min_samples"), count - 1)
    for row in range(count):
        line = matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]]
        if 1 <= wanted <= len(line):
            # The stored distances alone; the row itself is not among them.
            cores[row] = np.partition(line, wanted - 1)[wanted - 1]
    entries = matrix.tocoo()
    reach = np.maximum(np.maximum(entries.data / alpha, cores[entries.row]), cores[entries.col])
    kept = np.isfinite(reach)
    graph = csr_matrix((reach[kept], (entries.row[kept], entries.col[kept])), shape=matrix.shape)
    if count > 1 and connected_components(graph, directed=False, return_labels=False) > 1:
        few = np.isinf(cores).any()
        raise InvalidDataError(
            f"There exists points with fewer than {wanted} neighbors among the sparse distances, so that they join not"
            " all rows"
            if few
            else "HDBSCAN cannot be performed on a disconnected graph: the sparse distances must join all rows"
        )
    tree = minimum_spanning_tree(graph).tocoo()
    edges = np.empty(tree.nnz, dtype=EDGE)
    edges["from"], edges["to"], edges["distance"] = tree.row, tree.col, tree.data
    return count, edges
