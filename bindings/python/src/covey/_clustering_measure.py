"""Distances between rows: a part of :class:`covey.HDBSCAN`."""

from __future__ import annotations

import warnings
from ctypes import byref, c_void_p
from typing import Any, Optional, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from . import _structs
from ._arguments import checked_methods
from ._arrays import matrix
from ._checks import check_features, checked_rows, judged_call
from ._clusters import Clusters
from ._distance_matrix import refuse_missing
from ._errors import InvalidArgumentError, InvalidTypeError
from ._estimator import Estimator
from ._gower import Gower
from ._handle import Native
from ._metrics import Measure, measure, sparse_tree
from ._work import Work
from .context import Context, running

M = TypeVar("M", bound="ClusteringMeasure")


@checked_methods
class ClusteringMeasure(Estimator):
    """The metric of an HDBSCAN with its parameters, and the calls that cluster what it measures."""

    metric: Any
    p: Optional[float]
    algorithm: str
    alpha: float
    missing: str
    context: Optional[Context]
    _gower: Gower

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters, those of the metric too."""
        return {**super().get_params(deep), **self._own_parameters()}

    def set_params(self: M, **parameters: Any) -> M:
        own = dict(self._own_parameters())
        for name in own:
            if name in parameters:
                own[name] = parameters.pop(name)
        if own:
            self._metric_parameters = own
        super().set_params(**parameters)
        return self

    def _own_parameters(self) -> dict[str, Any]:
        own: dict[str, Any] = self.__dict__.get("_metric_parameters", {})
        return own

    def _warn_of_missing(self, rows: NDArray[Any], weights: Optional[NDArray[np.int64]] = None) -> None:
        """Says how many rows are noise for what is in them."""
        wrong = ~np.isfinite(rows).all(axis=1)
        if weights is not None:
            wrong &= weights > 0
        if wrong.any():
            warnings.warn(
                f"{wrong.sum()} of {len(rows)} rows have a NaN or an infinity, the first of them row"
                f" {np.argmax(wrong)}: they are noise. missing='noise' takes them so without a warning,"
                " missing='reject' refuses them.",
                stacklevel=4,
            )

    def _warn_of_recall(self) -> None:
        """Says that an index found few of the nearest rows."""
        recall = self._result().recall
        if self.index is not None and recall < 0.5:
            warnings.warn(
                f"the index {self.index} found {100 * recall:.0f} % of the nearest rows (recall_), so that clusters may"
                " differ from exact ones: let its searches look at more rows, as with"
                " index_search='nprobe=32,efSearch=64'.",
                stacklevel=3,
            )

    def _is_gower(self) -> bool:
        return isinstance(self.metric, str) and self.metric == "gower"

    def _gower_parameters(self) -> dict[str, Any]:
        own = self._own_parameters()
        for name in own:
            if name not in ("categorical", "w"):
                raise InvalidTypeError(f"{name} is no parameter of HDBSCAN or of the metric 'gower'")
        if self.algorithm not in ("best", "exact", "generic"):
            raise InvalidArgumentError(f"algorithm {self.algorithm!r} cannot be used with the metric 'gower'")
        return own

    def _measure(self) -> Measure:
        if self._is_gower():
            found: Measure = self._gower.measure()
            return found
        return measure(self.metric, self.p, self._own_parameters(), self.algorithm)

    def _cluster_distances(
        self, rows: Any, measured: Measure, options: _structs.ClusterOptions, pointer: c_void_p
    ) -> None:
        if measured.chords is not None and self.alpha == 1 and not options.weights:
            # The larger of distances stays the larger on the sphere, so that the tree of chords is the tree of angles.
            # A tree says nothing of weights.
            view, borrowed = matrix(measured.chords(rows), "X")
            with running(self.context) as native:
                judged_call("covey_cluster_matrix", native, byref(view), byref(options), byref(pointer))
            tree = Clusters(Native(pointer.value, "covey_clustering_destroy")).array("spanning_tree").copy()
            if len(tree) < len(rows) - 1:
                refuse_missing(rows, self.metric)
            if measured.lengths is not None:
                tree["distance"] = measured.lengths(tree["distance"])
                self._cluster_tree(len(rows), tree, options, pointer)
                return
        if issparse(rows):
            count, edges = sparse_tree(rows, options.min_samples or options.min_cluster_size, options.alpha)
            self._cluster_tree(count, edges, options, pointer)
            return
        with Work(self.context) as work:
            view, borrowed = matrix(rows if measured.distances is None else measured.distances(rows, work), "X")
            with running(work.context) as native:
                judged_call("covey_cluster_distances", native, byref(view), byref(options), byref(pointer))
            del borrowed

    def _cluster_tree(
        self, count: int, edges: NDArray[Any], options: _structs.ClusterOptions, pointer: c_void_p
    ) -> None:
        with running(self.context) as native:
            judged_call("covey_cluster_spanning_tree", native, count, edges.ctypes.data, byref(options), byref(pointer))

    def _changed(self, X: Any) -> NDArray[Any]:
        """New rows as the fit would see them."""
        if self._is_gower():
            coded = self._gower.coded(X)
            if self.missing == "warn":
                self._warn_of_missing(coded)
            return self._gower.places(coded)
        rows = checked_rows(X, least=0)
        check_features(self, X if len(rows) else rows, reset=False)
        if self.missing == "warn":
            self._warn_of_missing(rows)
        change = self._measure().change
        return rows if change is None else change(rows)
