"""Other clusters on the same tree: a part of :class:`covey.HDBSCAN`."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
from numpy.typing import NDArray

from ._arguments import checked_methods
from ._arrays import integer
from ._cluster_options import CHOICE, cluster_options
from ._clustering_results import ClusteringResults
from ._errors import InvalidArgumentError

if TYPE_CHECKING:
    from .clustering import HDBSCAN


@checked_methods
class ClusteringSelection(ClusteringResults):
    """Other clusters on the tree of a fitted HDBSCAN."""

    min_cluster_size: int
    cluster_selection_epsilon: float

    def select(self, *, n_clusters: Optional[int] = None, nodes: Any = None, **parameters: Any) -> "HDBSCAN":
        """Other clusters on the same tree, without clustering again: a fitted copy. O(n).

        Args:
            n_clusters: how many there are to be: the tree is cut by the largest epsilon that gives so many; where "eom"
                has fewer, the leaves are cut.
            nodes: the nodes of the condensed tree (n = the root, and above) that are the clusters, none above another.
            parameters: min_cluster_size, max_cluster_size, cluster_selection_method, cluster_selection_epsilon,
                cluster_selection_epsilon_max, cluster_selection_persistence, allow_single_cluster, strengths; the
                others stay.

        Errors: INVALID_ARGUMENT, also where the tree cannot be cut into so many clusters."""
        clusters = self._result()
        for name in parameters:
            if name not in CHOICE:
                raise InvalidArgumentError(f"select takes {', '.join(CHOICE)}, n_clusters and nodes, got {name}")
        result = copy.copy(self)
        result.set_params(**parameters)
        options = cluster_options(result, 0)
        if n_clusters is not None:
            options.clusters = integer(n_clusters, "n_clusters")
            if options.clusters < 1:
                raise InvalidArgumentError(f"n_clusters must be at least 1, got {n_clusters}")
        chosen = clusters.select(options, nodes, self.context)
        if n_clusters is not None:
            result.cluster_selection_epsilon = chosen.options().cluster_selection_epsilon
        result._finish(chosen)
        return result

    def size_trace(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Which min_cluster_size to take: the sizes at which the leaves of the tree change, from the fitted one up, and
        how persistent the leaves are there (PLSCAN, arXiv 2512.16558). Empty if no cluster is ever split. O(clusters
        log clusters)."""
        return self._result().sizes()

    def select_persistent(self) -> "HDBSCAN":
        """The leaves at the min_cluster_size with the largest persistence: a fitted copy, as ``select`` gives it. Fit
        with a small
        min_cluster_size first: it is the least that can be chosen."""
        sizes, persistence = self.size_trace()
        size = int(sizes[np.argmax(persistence)]) if len(sizes) else self.min_cluster_size
        return self.select(min_cluster_size=size, cluster_selection_method="leaf")

    def layers(self, most: Optional[int] = None) -> list["HDBSCAN"]:
        """The leaves at every peak of the persistence, from fine to coarse: fitted copies. most: the highest peaks
        alone."""
        sizes, persistence = self.size_trace()
        padded = np.concatenate([[0.0], persistence, [0.0]])
        peaks = np.flatnonzero((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]))
        if most is not None:
            best = np.argsort(-persistence[peaks], kind="stable")[: integer(most, "most")]
            peaks = peaks[np.sort(best)]
        return [self.select(min_cluster_size=int(sizes[peak]), cluster_selection_method="leaf") for peak in peaks]
