"""``covey.sklearn.HDBSCAN``: the estimator with scikit-learn's names and conventions, on the same library."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import ClusterMixin
from sklearn.neighbors import BallTree, KDTree

from ._arguments import checked_methods
from ._arrays import choice, flag, integer, real
from ._checks import check_features, checked_rows
from ._errors import InvalidArgumentError, InvalidDataError
from ._estimator import Estimator
from .clustering import HDBSCAN as _HDBSCAN
from .context import Context

_ALGORITHMS = {"auto": 0, "brute": 0, "kd_tree": 0, "ball_tree": 0}
_CENTRES = {"centroid": 1, "medoid": 2, "both": 3}


def _check_distances(rows: Any) -> None:
    """scikit-learn's words for distances that cannot be."""
    if rows.shape[0] != rows.shape[1]:
        raise InvalidDataError(
            f"The precomputed distance matrix is expected to be symmetric, however it has shape {rows.shape}. Please"
            " verify that the distance matrix was constructed correctly."
            if not np.isnan(rows.data if issparse(rows) else rows).any()
            else "np.nan values found in precomputed-dense"
        )
    if issparse(rows):
        return
    if np.isnan(rows).any():
        raise InvalidDataError("np.nan values found in precomputed-dense")
    if not np.allclose(rows, rows.T):
        raise InvalidDataError(
            "The precomputed distance matrix is expected to be symmetric, however its values appear to be asymmetric."
            " Please verify that the distance matrix was constructed correctly."
        )


@checked_methods
class HDBSCAN(ClusterMixin, Estimator):
    """``sklearn.cluster.HDBSCAN``: the same parameters, results and labels, up to the numbering of clusters and ties.

    What differs from :class:`covey.HDBSCAN`: ``min_samples`` counts the row itself; rows with an infinity have the
    label -2 and rows with a NaN -3, both with the probability NaN or 0 as there; ``store_centers``; ``metric_params``.

    Args:
        min_cluster_size: at least 2.
        min_samples: 1 to n, the row itself counted; None = min_cluster_size.
        cluster_selection_epsilon, max_cluster_size (None = no limit), alpha, cluster_selection_method,
            allow_single_cluster: as :class:`covey.HDBSCAN`.
        metric, metric_params: its metrics; "precomputed" takes distances, dense or sparse.
        algorithm: "auto", "brute", "kd_tree", "ball_tree": all exact, and the same search.
        leaf_size, n_jobs, copy: accepted and without effect: threads come from `context`, and X is never written.
        store_centers: None, "centroid", "medoid" or "both": ``centroids_``, ``medoids_``, one row a cluster.

    Attributes: ``labels_``, ``probabilities_``, ``n_features_in_``, ``centroids_``, ``medoids_``."""

    def __init__(
        self,
        min_cluster_size: int = 5,
        min_samples: Optional[int] = None,
        cluster_selection_epsilon: float = 0.0,
        max_cluster_size: Optional[int] = None,
        metric: Any = "euclidean",
        metric_params: Optional[dict[str, Any]] = None,
        alpha: float = 1.0,
        algorithm: str = "auto",
        leaf_size: int = 40,
        n_jobs: Optional[int] = None,
        cluster_selection_method: str = "eom",
        allow_single_cluster: bool = False,
        store_centers: Optional[str] = None,
        copy: Any = "warn",
        *,
        context: Optional[Context] = None,
    ) -> None:
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples
        self.cluster_selection_epsilon = cluster_selection_epsilon
        self.max_cluster_size = max_cluster_size
        self.metric = metric
        self.metric_params = metric_params
        self.alpha = alpha
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.n_jobs = n_jobs
        self.cluster_selection_method = cluster_selection_method
        self.allow_single_cluster = allow_single_cluster
        self.store_centers = store_centers
        self.copy = copy
        self.context = context

    def fit(self, X: Any, y: Any = None) -> "HDBSCAN":
        """Clusters the rows of X (n x d), or its distances. `y` is ignored."""
        choice(self.algorithm, "algorithm", _ALGORITHMS)
        centres = 0 if self.store_centers is None else choice(self.store_centers, "store_centers", _CENTRES)
        distances = isinstance(self.metric, str) and self.metric == "precomputed"
        if distances and centres:
            raise InvalidArgumentError("Cannot store centers when using a precomputed distance matrix.")
        if issparse(X) and not distances and self.algorithm not in ("auto", "brute"):
            raise InvalidDataError("Sparse data matrices only support algorithm `brute`.")
        self._check_metric()
        rows = X if distances and issparse(X) else checked_rows(X)
        if distances:
            _check_distances(rows)
        check_features(self, X, reset=True)
        self._fitted = self._fit(rows, distances)
        labels = self._fitted.labels_.copy()
        probabilities = self._fitted.probabilities_.copy()
        if not distances:
            # A NaN weighs more than an infinity.
            labels[np.isinf(rows).any(axis=1)], labels[np.isnan(rows).any(axis=1)] = -2, -3
            probabilities[np.isinf(rows).any(axis=1)], probabilities[np.isnan(rows).any(axis=1)] = 0, np.nan
        self.labels_: NDArray[np.int64] = labels
        self.probabilities_: NDArray[np.float64] = probabilities
        count = max(0, int(labels.max(initial=-1)) + 1)
        if centres & 1:
            self.centroids_ = np.array([self._fitted.weighted_cluster_centroid(i) for i in range(count)]).reshape(
                count, rows.shape[1]
            )
        if centres & 2:
            self.medoids_ = np.array([self._fitted.weighted_cluster_medoid(i) for i in range(count)]).reshape(
                count, rows.shape[1]
            )
        return self

    def _check_metric(self) -> None:
        """scikit-learn's trees know some metrics only; here the search does not depend on their names."""
        known = {"kd_tree": KDTree, "ball_tree": BallTree}.get(self.algorithm)
        if known is not None and (callable(self.metric) or self.metric not in known.valid_metrics):
            kind = "KDTree" if self.algorithm == "kd_tree" else "BallTree"
            raise InvalidArgumentError(
                f"{self.metric} is not a valid metric for a {kind}-based algorithm. Please select a different metric."
            )

    def _fit(self, rows: Any, distances: bool) -> _HDBSCAN:
        count = rows.shape[0]
        min_cluster_size = integer(self.min_cluster_size, "min_cluster_size")
        wanted = min_cluster_size if self.min_samples is None else integer(self.min_samples, "min_samples")
        if wanted < 1:
            raise InvalidArgumentError(f"min_samples must be at least 1 or None, got {wanted}")
        if wanted > count:
            raise InvalidDataError(f"min_samples ({wanted}) must be at most the number of samples in X ({count})")
        flag(self.allow_single_cluster, "allow_single_cluster")
        parameters = dict(self.metric_params or {})
        base: dict[str, Any] = {
            "min_cluster_size": min_cluster_size,
            "cluster_selection_epsilon": self.cluster_selection_epsilon,
            "max_cluster_size": self.max_cluster_size,
            "alpha": real(self.alpha, "alpha"),
            "cluster_selection_method": self.cluster_selection_method,
            "allow_single_cluster": bool(self.allow_single_cluster),
            "context": self.context,
        }
        if wanted == 1:
            # The row itself: reachability is the distance, as it is with the nearest other row, but for alpha, which
            # then scales all distances alike.
            base["cluster_selection_epsilon"] = (
                real(self.cluster_selection_epsilon, "cluster_selection_epsilon") * base["alpha"]
            )
            base["alpha"] = 1.0
        return _HDBSCAN(
            min_samples=max(1, wanted - 1),
            metric=self.metric,
            missing="reject" if distances else "noise",
            **base,
            **parameters,
        ).fit(rows)

    def fit_predict(self, X: Any, y: Any = None, **ignored: Any) -> NDArray[np.int64]:
        """``fit(X).labels_``."""
        return self.fit(X).labels_

    def dbscan_clustering(self, cut_distance: float, min_cluster_size: int = 5) -> NDArray[np.int64]:
        """The labels of DBSCAN* at that distance; rows with an infinity -2, with a NaN -3."""
        labels = self._fitted.dbscan_clustering(cut_distance, min_cluster_size)
        return np.where(self.labels_ < -1, self.labels_, labels)

    def __sklearn_is_fitted__(self) -> bool:
        return "_fitted" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.metric != "precomputed"
        return tags
