"""New rows: a part of :class:`covey.HDBSCAN`."""

from __future__ import annotations

import warnings
from ctypes import byref
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from ._arguments import checked_methods
from ._arrays import integer, matrix
from ._branch_data import BranchDetectionData, branch_data
from ._checks import judged_call
from ._clustering_results import ClusteringResults
from ._errors import InvalidArgumentError, UnavailableError, UnsupportedError
from .context import Context, running


@checked_methods
class ClusteringPrediction(ClusteringResults):
    """What an HDBSCAN says of new rows, and what it keeps for that."""

    semi_supervised: bool

    @property
    def predict(self) -> Any:
        """``predict(X)``: the labels that :func:`approximate_predict` gives. There with prediction_data=True only."""
        if not self.prediction_data:
            raise UnavailableError("predict needs prediction_data=True")
        return self._predict

    def _predict(self, X: Any) -> NDArray[np.int64]:
        return self._place(X, self.context)[0]

    def _place(
        self, X: Any, context: Optional[Context]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Labels, strengths, outlier scores, and the fitted rows beside which new rows stand in the tree."""
        handle = self._result().handle()
        self._need_prediction()
        view, borrowed = matrix(self._changed(X), "X")
        labels = np.empty(view.rows, dtype=np.int32)
        strengths, scores = np.empty(view.rows), np.empty(view.rows)
        neighbours = np.empty(view.rows, dtype=np.int64)
        with running(context) as native:
            judged_call(
                "covey_clustering_place",
                handle,
                native,
                byref(view),
                labels.ctypes.data,
                strengths.ctypes.data,
                scores.ctypes.data,
                neighbours.ctypes.data,
            )
        del borrowed
        return labels.astype(np.int64), strengths, scores, neighbours

    def membership(
        self, X: Any = None, k: Optional[int] = None, *, context: Optional[Context] = None
    ) -> Union[NDArray[np.float64], tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """How much each row belongs to every cluster: m x clusters float64 with sums of at most 1; what is missing is
        the chance that it is in none. Needs prediction_data.

        Args:
            X: new rows (hdbscan's membership_vector); None = the fitted ones (all_points_membership_vectors).
            k: the k largest numbers alone: m x k clusters (-1 if there are fewer) and m x k numbers, the largest
                first.
            context: None = that of this HDBSCAN.

        Cost: the distance from each row to every exemplar; memory for the result alone."""
        clusters = self._result()
        self._need_prediction()
        view, borrowed = (None, None) if X is None else matrix(self._changed(X), "X")
        count = len(self._labels) if view is None else view.rows
        width = clusters.clusters if k is None else integer(k, "k")
        if k is not None and width < 1:
            raise InvalidArgumentError(f"k must be at least 1, got {k}")
        numbers = np.zeros((count, width), dtype=np.float64)
        best = None if k is None else np.full((count, width), -1, dtype=np.int32)
        with running(self.context if context is None else context) as native:
            judged_call(
                "covey_clustering_membership",
                clusters.handle(),
                native,
                None if view is None else byref(view),
                0 if best is None else width,
                None if best is None else best.ctypes.data,
                numbers.ctypes.data,
                numbers.size,
            )
        del borrowed
        return numbers if best is None else (best.astype(np.int64), numbers)

    def generate_prediction_data(self) -> None:
        """What ``prediction_data=True`` would have kept. Clusters the rows again where it was not kept."""
        self._result()
        if "_exemplars" in self.__dict__:
            return
        if self._is_gower():
            raise UnavailableError(
                "with the metric 'gower' prediction data must be asked for when fitting: prediction_data=True"
            )
        rows = self._fitted_rows("prediction data")
        self.prediction_data = True
        known = self.__dict__.get("_known") if self.semi_supervised else None
        self.fit(rows, known, sample_weight=self._result().weights())

    def generate_branch_detection_data(self) -> None:
        """What ``branch_detection_data=True`` would have kept. Distances alone have no branches: a warning says so."""
        if (self._result().weights() != 1).any():
            raise UnsupportedError("branches are not found among rows with weights")
        if self.metric in ("gower", "angular", "arccos"):
            raise UnsupportedError(f"branches are not found by the metric {self.metric!r}")
        if self._measure().precomputed:
            warnings.warn("Branch detection for non-vector space inputs is not (yet) implemented.", stacklevel=2)
            return
        self._branch_data = branch_data(self)

    @property
    def branch_detection_data_(self) -> BranchDetectionData:
        self._result()
        found: Optional[BranchDetectionData] = self.__dict__.get("_branch_data")
        if found is None:
            raise UnavailableError(
                "branches need branch_detection_data=True when fitting, or generate_branch_detection_data()"
            )
        return found

    @property
    def prediction_data_(self) -> "PredictionData":
        self._result()
        self._need_prediction(
            "there is no prediction data: fit with prediction_data=True, or call generate_prediction_data"
        )
        return PredictionData(self)


class PredictionData:
    """What hdbscan's callers look at: ``raw_data``, the fitted rows; ``exemplars``, those of each cluster."""

    def __init__(self, clusterer: ClusteringPrediction) -> None:
        self.raw_data = clusterer._result().rows()
        self.exemplars = clusterer.exemplars_
