"""HDBSCAN as a scikit-learn estimator with hdbscan's names (covey.h section 8)."""

from __future__ import annotations

import inspect
from ctypes import byref, c_void_p
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_array

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # scikit-learn before 1.6
    validate_data = None

from . import _structs
from ._arrays import choice, flag, integer, matrix, real
from ._clusters import Clusters
from ._errors import (
    CoveyError,
    InvalidArgumentError,
    InvalidDataError,
    InvalidTypeError,
    MismatchError,
    NotFittedError,
    UnavailableError,
)
from ._handle import Native
from ._library import call
from ._rows import keys_of
from ._trees import CondensedTree, MinimumSpanningTree, SingleLinkageTree
from .context import Context, running

_METRICS = {"euclidean": 0, "l2": 0, "manhattan": 1, "l1": 1, "cityblock": 1, "cosine": 2}
_SELECTION = {"eom": 0, "leaf": 1}
_MISSING = {"reject": 0, "noise": 1}
# hdbscan's algorithms all give the exact result, so each of their names is the exact search.
_SEARCH = {
    name: 0
    for name in ("best", "exact", "generic", "prims_kdtree", "prims_balltree", "boruvka_kdtree", "boruvka_balltree")
}
_SEARCH["approximate"] = 1
# hdbscan's parameters that have no counterpart here.
_DEFAULT_ONLY: dict[str, Any] = {
    "cluster_selection_persistence": 0.0,
    "p": None,
    "memory": None,
    "branch_detection_data": False,
    "cluster_selection_epsilon_max": float("inf"),
}
_FINITE = "ensure_all_finite" if "ensure_all_finite" in inspect.signature(check_array).parameters else "force_all_finite"


class HDBSCAN(ClusterMixin, BaseEstimator):
    """Density clusters of all densities (Campello, Moulavi, Sander 2013; Campello et al. 2015; McInnes & Healy 2017).

    Parameters and results have the names and defaults of ``hdbscan.HDBSCAN``, and the exact search gives its result up
    to the numbering of clusters and ties.

    Args:
        min_cluster_size: at least 2.
        min_samples: the neighbour whose distance is the core distance, the row itself not counted, 1 to n - 1; None =
            min_cluster_size (or n - 1 where that is smaller). As in hdbscan; scikit-learn's min_samples is one more.
        cluster_selection_epsilon: clusters born below this distance are merged; >= 0 (Malzer & Baum 2020).
        max_cluster_size: larger clusters are not selected by "eom"; 0 or None = no limit.
        metric: "euclidean" ("l2"), "manhattan" ("l1", "cityblock") or "cosine".
        alpha: distances are divided by it in mutual reachability; > 0.
        algorithm: "exact" ("best" and hdbscan's other names mean it too) or "approximate" (euclidean only; see
            ``recall_``).
        cluster_selection_method: "eom" (excess of mass) or "leaf".
        allow_single_cluster: the root may be the only cluster.
        prediction_data: keeps a copy of the rows, which ``predict``, ``exemplars_`` and an engine need.
        leaf_size, approx_min_span_tree, gen_min_span_tree, core_dist_n_jobs, match_reference_implementation: accepted
            for hdbscan's callers and without effect: the spanning tree is always exact and always there, and threads
            come from `context`.
        cluster_selection_persistence, cluster_selection_epsilon_max, p, memory, branch_detection_data: hdbscan's too, of
            which Covey has only the default (0, infinity, None, None or a joblib Memory without a location, False);
            another value is refused by ``fit``.
        missing: "reject" (a NaN or an infinity is an error) or "noise": such rows are noise, as in hdbscan. Their label is -1,
            their probability 0, their outlier score 1; they leave the condensed tree's root at lambda 0 and are merged last,
            at an infinite distance. ``predict`` then takes rows with a NaN or an infinity too, as noise.
        seed: of the approximate search, 0 to 2^64 - 1.
        context: see :class:`covey.Context`.

    Attributes (after ``fit``):
        labels_: n int64, 0..clusters-1, -1 = noise.
        probabilities_: n float64, strength of membership, 0 (noise) to 1.
        outlier_scores_: n float64, GLOSH, 0 to 1.
        cluster_persistence_: one float64 a cluster, 0 to 1.
        condensed_tree_, single_linkage_tree_, minimum_spanning_tree_: objects with ``to_numpy`` and ``to_pandas``.
        exemplars_: the rows, exemplar_indices_: the row numbers, of each cluster's exemplars (needs prediction_data).
        recall_: the share of true neighbours that the approximate search found, measured on a sample; 1 if exact.
        n_features_in_, feature_names_in_ (where fitted to a DataFrame with string names).
        keys_, key_name_: of rows that carry keys (from HybridFeatures); else None.

    Cost: exact O(n^2 d) at the worst. C-contiguous float32 and float64 rows are read in place. Fitted objects are
    immutable and may be shared by threads. Pickles keep the arrays; prediction needs the object that was fitted.
    """

    def __init__(
        self,
        min_cluster_size: int = 5,
        min_samples: Optional[int] = None,
        cluster_selection_epsilon: float = 0.0,
        cluster_selection_persistence: float = 0.0,
        max_cluster_size: Optional[int] = 0,
        metric: str = "euclidean",
        alpha: float = 1.0,
        p: None = None,
        algorithm: str = "best",
        leaf_size: int = 40,
        memory: Any = None,
        approx_min_span_tree: bool = True,
        gen_min_span_tree: bool = False,
        core_dist_n_jobs: int = 4,
        cluster_selection_method: str = "eom",
        allow_single_cluster: bool = False,
        prediction_data: bool = False,
        branch_detection_data: bool = False,
        match_reference_implementation: bool = False,
        cluster_selection_epsilon_max: float = float("inf"),
        missing: str = "reject",
        seed: int = 0,
        context: Optional[Context] = None,
    ) -> None:
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples
        self.cluster_selection_epsilon = cluster_selection_epsilon
        self.cluster_selection_persistence = cluster_selection_persistence
        self.max_cluster_size = max_cluster_size
        self.metric = metric
        self.alpha = alpha
        self.p = p
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.memory = memory
        self.approx_min_span_tree = approx_min_span_tree
        self.gen_min_span_tree = gen_min_span_tree
        self.core_dist_n_jobs = core_dist_n_jobs
        self.cluster_selection_method = cluster_selection_method
        self.allow_single_cluster = allow_single_cluster
        self.prediction_data = prediction_data
        self.branch_detection_data = branch_detection_data
        self.match_reference_implementation = match_reference_implementation
        self.cluster_selection_epsilon_max = cluster_selection_epsilon_max
        self.missing = missing
        self.seed = seed
        self.context = context

    def fit(self, X: Any, y: Any = None) -> "HDBSCAN":
        """Clusters the rows of X (n x d, n >= 1). `y` is ignored.

        Errors: INVALID_ARGUMENT (a parameter), INVALID_DATA (names row and column), OUT_OF_MEMORY, CANCELLED."""
        options = self._options()
        rows = _rows(X)
        view, borrowed = matrix(rows, "X")
        pointer = c_void_p()
        with running(self.context) as native:
            _judge("covey_cluster_matrix", native, byref(view), byref(options), byref(pointer))
        self._clusters = Clusters(Native(pointer.value, "covey_clustering_destroy"))
        _check_features(self, X, reset=True)
        self.keys_, self.key_name_ = keys_of(X)
        self._labels: NDArray[np.int64] = self._clusters.array("labels").astype(np.int64)
        if options.prediction:
            indices = [self._clusters.exemplars(cluster) for cluster in range(self._clusters.clusters)]
            self._exemplars = (indices, [borrowed[index] for index in indices])
        else:
            self.__dict__.pop("_exemplars", None)
        return self

    def fit_predict(self, X: Any, y: Any = None, **ignored: Any) -> NDArray[np.int64]:
        """``fit(X).labels_``."""
        return self.fit(X).labels_

    def _options(self) -> _structs.ClusterOptions:
        for name, default in _DEFAULT_ONLY.items():
            value = getattr(self, name)
            if name == "memory" and getattr(value, "location", "") is None:
                continue  # hdbscan's default, which caches nothing
            if value is not default and not (isinstance(value, (int, float, np.number, np.bool_)) and value == default):
                raise InvalidArgumentError(f"{name} must be {default!r}, which is all that Covey has of it, got {value!r}")
        min_samples = 0
        if self.min_samples is not None:
            min_samples = integer(self.min_samples, "min_samples")
            if min_samples < 1:  # 0 is the header's word for None
                raise InvalidArgumentError(f"min_samples must be at least 1 or None, got {min_samples}")
        return _structs.ClusterOptions(
            min_cluster_size=integer(self.min_cluster_size, "min_cluster_size"),
            min_samples=min_samples,
            max_cluster_size=integer(0 if self.max_cluster_size is None else self.max_cluster_size, "max_cluster_size"),
            cluster_selection_epsilon=real(self.cluster_selection_epsilon, "cluster_selection_epsilon"),
            alpha=real(self.alpha, "alpha"),
            metric=choice(self.metric, "metric", _METRICS),
            selection=choice(self.cluster_selection_method, "cluster_selection_method", _SELECTION),
            allow_single_cluster=flag(self.allow_single_cluster, "allow_single_cluster"),
            search=choice(self.algorithm, "algorithm", _SEARCH),
            missing=choice(self.missing, "missing", _MISSING),
            prediction=flag(self.prediction_data, "prediction_data"),
            seed=integer(self.seed, "seed", signed=False),
        )

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
        return CondensedTree(self._result().array("condensed_tree"), self._result().array("selected_nodes"))

    @property
    def single_linkage_tree_(self) -> SingleLinkageTree:
        return SingleLinkageTree(self._result().all_merges())

    @property
    def minimum_spanning_tree_(self) -> MinimumSpanningTree:
        return MinimumSpanningTree(self._result().array("spanning_tree"))

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
        if "_exemplars" not in self.__dict__:
            raise UnavailableError("exemplars need prediction_data=True")
        data: tuple[list[NDArray[np.int64]], list[NDArray[Any]]] = self._exemplars
        return data

    @property
    def predict(self) -> Any:
        """``predict(X)``: the labels that :func:`approximate_predict` gives. There with prediction_data=True only."""
        if not self.prediction_data:
            raise UnavailableError("predict needs prediction_data=True")
        return self._predict

    def _predict(self, X: Any) -> NDArray[np.int64]:
        return approximate_predict(self, X, context=self.context)[0]

    def __sklearn_is_fitted__(self) -> bool:
        return "_clusters" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing == "noise"
        return tags

    def _more_tags(self) -> dict[str, Any]:  # scikit-learn before 1.6
        return {"allow_nan": self.missing == "noise"}


def approximate_predict(
    clusterer: HDBSCAN,
    points_to_predict: Any,
    return_connecting_points: bool = False,
    *,
    context: Optional[Context] = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places new rows (m x d) in the clusters without changing them: labels and strengths, as hdbscan's function.

    One search among the fitted rows for each new one. return_connecting_points: hdbscan's; only False. Errors: INVALID_ARGUMENT (not fitted with prediction_data=True),
    MISMATCH (columns), INVALID_DATA, CANCELLED.
    """
    if not isinstance(clusterer, HDBSCAN):
        raise InvalidTypeError(f"clusterer must be a covey.HDBSCAN, got {type(clusterer).__name__}")
    if flag(return_connecting_points, "return_connecting_points"):
        raise InvalidArgumentError("return_connecting_points must be False, which is all that Covey has of it, got True")
    handle = clusterer._result().handle()
    if "_exemplars" not in clusterer.__dict__:
        raise UnavailableError("prediction needs prediction_data=True when fitting")
    rows = _rows(points_to_predict)
    _check_features(clusterer, points_to_predict, reset=False)
    view, borrowed = matrix(rows, "X")
    labels = np.empty(view.rows, dtype=np.int32)
    strengths = np.empty(view.rows, dtype=np.float64)
    with running(context) as native:
        _judge("covey_clustering_predict", handle, native, byref(view), labels.ctypes.data, strengths.ctypes.data)
    del borrowed
    return labels.astype(np.int64), strengths


def _rows(X: Any) -> NDArray[Any]:
    """scikit-learn's checks and words, as CoveyError; finiteness is the library's to judge."""
    try:
        checked: NDArray[Any] = check_array(X, dtype=[np.float64, np.float32], input_name="X", **{_FINITE: False})
    except CoveyError:
        raise
    except TypeError as failure:
        raise InvalidTypeError(str(failure)) from failure
    except ValueError as failure:
        raise InvalidDataError(str(failure)) from failure
    return checked


def _judge(name: str, *arguments: Any) -> None:
    """A call whose refusal of a number is told in scikit-learn's words too."""
    try:
        call(name, *arguments)
    except InvalidDataError as failure:
        raise InvalidDataError(f"X contains NaN, infinity or a number that cannot be used: {failure}") from None


def _check_features(clusterer: HDBSCAN, X: Any, reset: bool) -> None:
    """scikit-learn's bookkeeping of n_features_in_ and feature_names_in_."""
    try:
        if validate_data is not None:
            validate_data(clusterer, X=X, reset=reset, skip_check_array=True)
        else:
            clusterer._check_feature_names(X, reset=reset)
            clusterer._check_n_features(X, reset=reset)
    except TypeError as failure:
        raise InvalidTypeError(str(failure)) from failure
    except ValueError as failure:
        raise MismatchError(str(failure)) from failure
