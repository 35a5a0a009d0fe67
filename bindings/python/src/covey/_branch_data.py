"""The neighbours and distances of fitted rows, from which branches inside clusters are found."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

from ._clusters import Clusters

#: The library's metrics by their number, as scikit-learn names them.
_NAMES = ("euclidean", "manhattan", "cosine")


class BranchDetectionData:
    """hdbscan's object of that name.

    Attributes:
        all_finite: no row has a NaN or an infinity.
        finite_index: the numbers of the rows without one, or None if that is all of them.
        internal_to_raw: those numbers as a dictionary, or None.
        core_distances: of the finite rows, the distance of the min_samples-th neighbour, the row itself counted.
        neighbors: of the finite rows, min_samples neighbours each, among the finite rows.
    """

    def __init__(self, rows: NDArray[Any], metric: Any, parameters: dict[str, Any], min_samples: int) -> None:
        """rows: what distances are measured on, n x d. Errors: scikit-learn's, of a metric that it does not have."""
        self._metric, self._parameters = metric, parameters
        finite = np.isfinite(rows).all(axis=1)
        self.all_finite = bool(finite.all())
        numbers = np.flatnonzero(finite)
        self.finite_index: Optional[NDArray[np.int64]] = None if self.all_finite else numbers
        self.internal_to_raw: Optional[dict[int, int]] = None if self.all_finite else dict(enumerate(numbers.tolist()))
        self._rows = np.ascontiguousarray(rows if self.all_finite else rows[finite], dtype=np.float64)
        count = len(self._rows)
        wanted = max(1, min(min_samples, count))
        if count == 0:
            self.core_distances: NDArray[np.float64] = np.zeros(0)
            self.neighbors: NDArray[np.int64] = np.zeros((0, wanted), dtype=np.int64)
            return
        distances, neighbors = self._search(self._rows).kneighbors(self._rows, n_neighbors=wanted)
        self.core_distances, self.neighbors = distances[:, -1].copy(), neighbors.astype(np.int64)

    def _search(self, rows: NDArray[Any]) -> Any:
        others = {name: value for name, value in self._parameters.items() if name != "p"}
        return NearestNeighbors(metric=self._metric, metric_params=others or None, p=self._parameters.get("p", 2)).fit(
            rows
        )

    def distances(self, rows: NDArray[Any], others: Any = None) -> NDArray[np.float64]:
        """All distances between rows, or between rows and others."""
        found: NDArray[np.float64] = pairwise_distances(rows, others, metric=self._metric, **self._parameters)
        return found

    def centralities(self, members: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """1 / distance of each member, a finite row's number, from the members' weighted mean."""
        rows = self._rows[members]
        # A cluster whose strengths are all 0 has its plain mean.
        centre = np.average(rows, weights=weights if weights.sum() > 0 else None, axis=0)
        with np.errstate(divide="ignore"):
            found = 1 / self.distances(rows, centre[None])[:, 0]
        # The rows in the middle come last in the tree, whose distances are finite and above 0.
        return np.clip(found, 1e-300, 1e300)

    def core_graph(self, members: NDArray[np.int64], tree: NDArray[Any]) -> NDArray[np.float64]:
        """Edges of members with their neighbours among the members, and those of the spanning tree: from, to, 0,
        reachability."""
        places = np.full(len(self._rows), -1, dtype=np.int64)
        places[members] = np.arange(len(members))
        first = np.repeat(np.arange(len(members)), self.neighbors.shape[1])
        second = places[self.neighbors[members].ravel()]
        kept = (second >= 0) & (first != second)
        near = np.column_stack([first, second])[kept]
        reach = np.maximum(self.core_distances[members[near[:, 0]]], self.core_distances[members[near[:, 1]]])
        ends = np.concatenate([np.column_stack([places[tree["from"]], places[tree["to"]]]), near])
        ends.sort(axis=1)
        # The tree's edges come first, so that their distances are kept.
        _, chosen = np.unique(ends[:, 0] * len(members) + ends[:, 1], return_index=True)
        return _edges(ends[chosen], np.concatenate([tree["distance"], reach])[chosen])

    def full_graph(self, members: NDArray[np.int64], radius: float) -> NDArray[np.float64]:
        """All edges between members that are no longer than the radius."""
        rows = self._rows[members]
        # Trees and products round differently: search a little further, and compare.
        distances, others = self._search(rows).radius_neighbors(rows, radius=radius * (1 + 1e-9) + 1e-8)
        first = np.repeat(np.arange(len(rows)), [len(found) for found in others])
        second, lengths = np.concatenate(others).astype(np.int64), np.concatenate(distances)
        kept = (first < second) & (lengths <= radius)
        ends = np.column_stack([first, second])[kept]
        cores = self.core_distances[members]
        return _edges(ends, np.maximum(lengths[kept], np.maximum(cores[ends[:, 0]], cores[ends[:, 1]])))


def branch_data(clusterer: Any) -> BranchDetectionData:
    """Of a fitted clusterer whose rows are at hand."""
    rows = np.asarray(clusterer._fitted_rows("branch detection"))
    measured = clusterer._measure()
    metric, parameters = clusterer.metric, dict(clusterer._own_parameters())
    if measured.change is not None:
        finite = np.isfinite(rows).all(axis=1)
        changed = np.full(rows.shape, np.nan)
        changed[finite] = measured.change(rows[finite])
        rows = changed
    if measured.distances is None:
        metric, parameters = _NAMES[measured.code], {}
    elif metric in ("minkowski", "p"):
        metric, parameters = "minkowski", {**parameters, "p": parameters.get("p", clusterer.p)}
    elif metric == "infinity":
        metric = "chebyshev"
    return BranchDetectionData(rows, metric, parameters, clusterer.min_samples or clusterer.min_cluster_size)


def _edges(ends: NDArray[Any], reach: NDArray[np.float64]) -> NDArray[np.float64]:
    edges = np.zeros((len(ends), 4))
    edges[:, :2], edges[:, 3] = ends, reach
    return edges


def outermost(tree: Clusters) -> list[NDArray[np.int64]]:
    """Of each selected node, the rows that leave its leaves last."""
    edges, selected = tree.array("condensed_tree"), tree.array("selected_nodes")
    branches = edges[edges["child_size"] > 1]
    result = []
    for node in selected.tolist():
        leaves, stack = [], [node]
        while stack:
            at = stack.pop()
            below = branches["child"][branches["parent"] == at].tolist()
            stack.extend(below)
            leaves.extend([] if below else [at])
        rows = []
        for leaf in leaves:
            inside = edges[edges["parent"] == leaf]
            rows.append(inside["child"][inside["lambda_val"] == inside["lambda_val"].max()])
        result.append(np.concatenate(rows))
    return result
