"""Results: a part of :class:`covey.HDBSCAN`."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ._arguments import checked_methods
from ._arrays import integer, real
from ._clustering_measure import ClusteringMeasure
from ._clusters import Clusters
from ._errors import InvalidArgumentError, UnavailableError
from ._metrics import NAMES
from ._not_fitted import NotFittedError
from ._trees import CondensedTree, MinimumSpanningTree, SingleLinkageTree
from .validity import relative_validity


@checked_methods
class ClusteringResults(ClusteringMeasure):
    """What an HDBSCAN found: labels, strengths, trees, exemplars and centres."""

    _raw_data: Any
    prediction_data: bool

    def _result(self) -> Clusters:
        found: Optional[Clusters] = self.__dict__.get("_clusters")
        if found is None:
            raise NotFittedError("this HDBSCAN is not fitted yet: call fit first")
        return found

    @property
    def labels_(self) -> NDArray[np.int64]:
        self._result()
        return self._labels

    @property
    def probabilities_(self) -> NDArray[np.float64]:
        return self._result().array("probabilities")

    @property
    def outlier_scores_(self) -> NDArray[np.float64]:
        return self._result().array("outlier_scores")

    @property
    def cluster_persistence_(self) -> NDArray[np.float64]:
        return self._result().array("persistence")

    @property
    def condensed_tree_(self) -> CondensedTree:
        clusters = self._result()
        return CondensedTree(clusters.array("condensed_tree"), clusters.array("selected_nodes"))

    @property
    def single_linkage_tree_(self) -> SingleLinkageTree:
        return SingleLinkageTree(self._result().all_merges(), self._result().cut)

    @property
    def minimum_spanning_tree_(self) -> MinimumSpanningTree:
        return MinimumSpanningTree(self._result().array("spanning_tree"), self._raw_data)

    @property
    def relative_validity_(self) -> float:
        return relative_validity(self.labels_, self._result().array("spanning_tree"), self._result().weights())

    @property
    def recall_(self) -> float:
        return self._result().recall

    @property
    def exemplar_indices_(self) -> list[NDArray[np.int64]]:
        return self._exemplar_data()[0]

    @property
    def exemplars_(self) -> list[NDArray[Any]]:
        return self._exemplar_data()[1]

    def _exemplar_data(self) -> tuple[list[NDArray[np.int64]], list[NDArray[Any]]]:
        self._result()
        self._need_prediction("exemplars need prediction_data=True")
        data: tuple[list[NDArray[np.int64]], list[NDArray[Any]]] = self._exemplars
        return data

    def dbscan_clustering(self, cut_distance: float, min_cluster_size: int = 5) -> NDArray[np.int64]:
        """The labels of DBSCAN* with that radius: rows joined by edges of the tree that are shorter; clusters of fewer
        than min_cluster_size rows are noise. O(n)."""
        return self._result().cut(real(cut_distance, "cut_distance"), integer(min_cluster_size, "min_cluster_size"))

    def weighted_cluster_centroid(self, cluster_id: int) -> NDArray[Any]:
        """The mean of a cluster's rows, weighted by their strengths."""
        if self._is_gower():
            raise UnavailableError("a table with categories has no mean row: see weighted_cluster_medoid")
        rows, strengths = self._members(cluster_id)
        centre: NDArray[Any] = np.average(rows, weights=strengths, axis=0)
        return centre

    def weighted_cluster_medoid(self, cluster_id: int) -> NDArray[Any]:
        """The row of a cluster with the least sum of distances to the others, weighted by their strengths. O(m^2)
        time."""
        from sklearn.metrics import pairwise_distances_chunked

        rows, strengths = self._members(cluster_id)
        if self._is_gower():
            nearest: NDArray[Any] = rows[int(np.argmin(self._gower.distances(rows) @ strengths))]
            return nearest
        measured = self._measure()
        if measured.chords is not None and measured.distances is not None:  # angles, which scikit-learn does not have
            return np.asarray(rows[int(np.argmin(measured.distances(rows, None) @ strengths))])
        parameters = {**self._own_parameters(), **({} if self.p is None else {"p": self.p})}
        metric = NAMES.get(self.metric, self.metric) if isinstance(self.metric, str) else self.metric
        sums = [block @ strengths for block in pairwise_distances_chunked(rows, metric=metric, **parameters)]
        found: NDArray[Any] = rows[int(np.argmin(np.concatenate(sums)))]
        return found

    def _members(self, cluster_id: int) -> tuple[NDArray[Any], NDArray[np.float64]]:
        clusters = self._result()
        cluster = integer(cluster_id, "cluster_id")
        if not 0 <= cluster < clusters.clusters:
            raise InvalidArgumentError(f"cluster_id must be 0 to {clusters.clusters - 1}, got {cluster_id}")
        member = self._labels == cluster
        return (
            self._fitted_rows("a centre")[member],
            clusters.array("probabilities")[member] * clusters.weights()[member],
        )

    def _fitted_rows(self, what: str) -> NDArray[Any]:
        rows: Any = self._raw_data
        if rows is None and "_exemplars" in self.__dict__:
            rows = self._result().rows()
        if rows is None:
            raise UnavailableError(
                f"{what} needs the rows, which distances lack, and which a pickle or a file keeps with"
                " prediction_data=True"
            )
        found: NDArray[Any] = rows
        return found

    def _need_prediction(self, message: str = "prediction needs prediction_data=True when fitting") -> None:
        if "_exemplars" not in self.__dict__:
            raise UnavailableError(message)

    def _finish(self, clusters: Clusters) -> None:
        self._clusters = clusters
        self._labels: NDArray[np.int64] = clusters.array("labels").astype(np.int64)
        self._labels.flags.writeable = False
        self.__dict__.pop("_exemplars", None)
        if self.prediction_data:
            rows: Any = self._raw_data
            if rows is None:
                rows = clusters.rows()
            indices = [clusters.exemplars(cluster) for cluster in range(clusters.clusters)]
            self._exemplars = (indices, [rows[index] for index in indices])
