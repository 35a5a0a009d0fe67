"""Robust single linkage (Chaudhuri & Dasgupta 2010), as hdbscan has it."""

from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClusterMixin

from ._arguments import checked, checked_methods
from ._arrays import integer, real
from ._errors import InvalidArgumentError
from ._estimator import Estimator
from ._not_fitted import NotFittedError
from ._trees import SingleLinkageTree
from .clustering import HDBSCAN
from .context import Context


@checked_methods
class RobustSingleLinkage(ClusterMixin, Estimator):
    """The single-linkage tree of mutual reachability, cut at a distance.

    Example::

        labels = covey.RobustSingleLinkage(cut=0.5, k=5).fit_predict(rows)

    Args:
        cut: rows joined by edges shorter than this are a cluster.
        k: the neighbour that gives the core distance, the row itself not counted; n - 1 if it is more.
        alpha: distances are divided by it in mutual reachability; a float of at least 1.
        gamma: clusters of fewer rows are noise; at least 1.
        metric, algorithm: as :class:`covey.HDBSCAN`. metric_params: the metric's parameters.
        core_dist_n_jobs: hdbscan's, without effect.

    Attributes: ``labels_``, ``cluster_hierarchy_`` (a :class:`covey.SingleLinkageTree`).
    """

    def __init__(
        self,
        cut: float = 0.4,
        k: int = 5,
        alpha: float = math.sqrt(2),
        gamma: int = 5,
        metric: Any = "euclidean",
        algorithm: str = "best",
        core_dist_n_jobs: int = 4,
        metric_params: Optional[dict[str, Any]] = None,
        *,
        context: Optional[Context] = None,
    ) -> None:
        self.cut = cut
        self.k = k
        self.alpha = alpha
        self.gamma = gamma
        self.metric = metric
        self.algorithm = algorithm
        self.core_dist_n_jobs = core_dist_n_jobs
        self.metric_params = metric_params
        self.context = context

    def fit(self, X: Any, y: Any = None) -> "RobustSingleLinkage":
        """Clusters the rows of X, or its distances with metric "precomputed"."""
        if integer(self.gamma, "gamma") < 1:
            raise InvalidArgumentError(f"gamma must be at least 1, got {self.gamma}")
        if not real(self.alpha, "alpha") >= 1:
            raise InvalidArgumentError(f"alpha must be at least 1, got {self.alpha}")
        if integer(self.k, "k") < 1:
            raise InvalidArgumentError(f"k must be at least 1, got {self.k}")
        self._fitted = HDBSCAN(
            min_samples=self.k,
            min_cluster_size=2,
            alpha=self.alpha,
            metric=self.metric,
            algorithm=self.algorithm,
            missing="reject",
            context=self.context,
            **(self.metric_params or {}),
        ).fit(X)
        self.n_features_in_ = self._fitted.n_features_in_
        self.labels_: NDArray[np.int64] = self._fitted.dbscan_clustering(self.cut, self.gamma)
        return self

    def fit_predict(self, X: Any, y: Any = None, **ignored: Any) -> NDArray[np.int64]:
        """``fit(X).labels_``."""
        return self.fit(X).labels_

    @property
    def cluster_hierarchy_(self) -> SingleLinkageTree:
        if "_fitted" not in self.__dict__:
            raise NotFittedError("this RobustSingleLinkage is not fitted yet: call fit first")
        return self._fitted.single_linkage_tree_


@checked
def robust_single_linkage(
    X: Any,
    cut: float,
    k: int = 5,
    alpha: float = math.sqrt(2),
    gamma: int = 5,
    metric: Any = "euclidean",
    algorithm: str = "best",
    memory: Any = None,
    leaf_size: int = 40,
    core_dist_n_jobs: int = 4,
    **metric_parameters: Any,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels and the single-linkage tree as an array; see :class:`RobustSingleLinkage`. memory and leaf_size are
    without effect.

    Example::

        labels, tree = covey.robust_single_linkage(rows, 0.5)
    """
    if integer(leaf_size, "leaf_size") < 1:
        raise InvalidArgumentError(f"leaf_size must be at least 1, got {leaf_size}")
    fitted = RobustSingleLinkage(
        cut, k, alpha, gamma, metric, algorithm, core_dist_n_jobs, metric_parameters or None
    ).fit(X)
    return fitted.labels_, fitted.cluster_hierarchy_.to_numpy()
