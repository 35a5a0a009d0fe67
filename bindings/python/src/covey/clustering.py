"""HDBSCAN as a scikit-learn estimator with hdbscan's names (covey.h section 8)."""

from __future__ import annotations

import copy
import os
from ctypes import byref, c_void_p
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import ClusterMixin

from . import _structs
from ._arguments import checked, checked_methods
from ._arrays import choice, flag, matrix
from ._checks import check_features, checked_rows, judged_call
from ._cluster_options import cluster_options, parameters_of
from ._cluster_options import MISSING as _MISSING  # noqa: F401 (the words of the header's values, for its test)
from ._cluster_options import SEARCH as _SEARCH  # noqa: F401
from ._cluster_options import SELECTION as _SELECTION  # noqa: F401
from ._cluster_options import STRENGTHS as _STRENGTHS  # noqa: F401
from ._clustering_prediction import ClusteringPrediction, PredictionData  # noqa: F401
from ._clustering_selection import ClusteringSelection
from ._clusters import Clusters
from ._errors import InvalidArgumentError, InvalidDataError, UnsupportedError
from ._gower import Gower
from ._handle import Native
from ._metrics import NATIVE as _METRICS  # noqa: F401
from ._rows import keys_of
from ._semi_supervised import known_labels, nodes_by_labels
from ._weights import row_weights
from .constraints import constrained, is_constrained
from .context import Context, running


@checked_methods
class HDBSCAN(ClusterMixin, ClusteringPrediction, ClusteringSelection):
    """Density clusters of all densities (Campello, Moulavi, Sander 2013; Campello et al. 2015; McInnes & Healy 2017).

    Example::

        clusterer = covey.HDBSCAN(min_cluster_size=15, prediction_data=True).fit(rows)
        clusterer.labels_, clusterer.probabilities_
        clusterer.predict(rows[:5])

    Parameters and results have the names and defaults of ``hdbscan.HDBSCAN``, and the exact search gives its result up
    to the numbering of clusters and ties.

    Args:
        min_cluster_size: at least 2.
        min_samples: the neighbour whose distance is the core distance, the row itself not counted, at least 1; None =
            min_cluster_size; n - 1 if it is more than that. As in hdbscan; scikit-learn's min_samples is one more.
        cluster_selection_epsilon: clusters born below this distance are merged; >= 0 (Malzer & Baum 2020).
        cluster_selection_persistence: leaves of the tree that live for less than this, in lambda, are dissolved first;
            >= 0.
        max_cluster_size: larger clusters are not selected ("eom" takes those below them, larger leaves are noise); 0,
            None or infinity = no limit.
        metric: "euclidean" ("l2"), "manhattan" ("l1", "cityblock"), "cosine", "seuclidean" (with V), "mahalanobis" (V
            or VI) and "correlation" are searched; "precomputed" takes a square matrix of distances, dense or sparse;
            the others of scikit-learn ("chebyshev", "minkowski" with p, "canberra", ...) and callables go through all
            n^2 distances, in memory that counts against the budget of `context`, and have no prediction; "haversine"
            (latitude and longitude in radians) and "angular" (the angle between rows as a share of half a turn,
            hdbscan's "arccos") are searched where alpha is 1, to 1e-15 radians, but have no prediction either. "gower"
            takes a table of numbers, categories and flags (see :meth:`fit`), with prediction if no value is missing.
        alpha: distances are divided by it in mutual reachability; > 0.
        p: of "minkowski".
        algorithm: "exact" ("best" and hdbscan's other names mean it too) or "approximate" (euclidean, seuclidean and
            mahalanobis; any other metric is refused with it; see ``recall_``).
        index: the index of FAISS that finds the neighbours of the approximate search, by its name there
            ("IVF4096,Flat", "HNSW32", "IVF4096,PQ16"; covey.h has them all); None = Covey's own search. FAISS needs not
            be installed, and no file of it is read.
        index_search: parameters of its searches, as FAISS names them: "nprobe=32,efSearch=64"; None = its defaults. A
            UserWarning says if the index found less than half of the nearest rows.
        cluster_selection_method: "eom" (excess of mass) or "leaf".
        allow_single_cluster: the root may be the only cluster.
        prediction_data: keeps a copy of the rows, which ``predict``, ``membership``, ``exemplars_`` and an engine need.
        match_reference_implementation: as in hdbscan: min_cluster_size + 1, min_samples - 1, and rows that leave their
            cluster where it is born are noise.
        cluster_selection_epsilon_max: "eom" passes over clusters born above this distance; infinity = no limit.
        leaf_size, approx_min_span_tree, gen_min_span_tree, core_dist_n_jobs, memory: accepted for hdbscan's callers and
            without effect: the spanning tree is always exact and always there, threads come from `context`, and
            ``select`` chooses other clusters on a tree without a cache.
        branch_detection_data: keeps neighbours and core distances for :class:`covey.BranchDetector`.
        missing: "warn" (rows with a NaN or an infinity are noise, as in hdbscan, and a UserWarning says how many there
            are), "noise" (the same without a warning) or "reject" (such a row is an error). Their label is -1, their
            probability 0, their outlier score 1; they leave the condensed tree's root at lambda 0 and are merged last,
            at an infinite distance. ``predict`` then takes rows with a NaN or an infinity too, as noise. By metrics
            that are not searched such a row is an error, but for "gower" and "nan_euclidean".
        seed: of the approximate search, 0 to 2^64 - 1.
        semi_supervised: "eom" takes the clusters that agree best with the labels that ``fit`` gets as y (-1, NaN or
            None = not known), by the B-cubed F measure, and by stability where labels do not decide (Castro Gertrudes
            et al. 2019), as in fast_hdbscan. With it cluster_selection_epsilon, cluster_selection_epsilon_max and
            max_cluster_size must be left alone.
        ss_algorithm: "bc" (a labelled row that is lost between clusters counts against them) or "bc_simple" (it does
            not).
        strengths: "hdbscan", or "bounded": relative to the largest finite lambda, where hdbscan's strengths,
            persistence and outlier scores are 0 or 1 beside min_cluster_size equal rows. Changes no label.
        must_link, cannot_link: pairs of rows (m x 2 row numbers, or a sparse n x n matrix) that must, or cannot, share
            a cluster: :func:`covey.constrain_edges` on the spanning tree. Rows that must link are in one cluster or
            noise together. Without prediction, and without sample_weight.
        cannot_link_groups: n whole numbers in the place of cannot_link: rows of one number of at least 0 cannot share a
            cluster; -1 = no constraint. As in fast_hdbscan.
        context: see :class:`covey.Context`.
        metric_parameters: V, VI, w and the like, of the metric.

    Attributes (after ``fit``; arrays are read-only):
        labels_: n int64, 0..clusters-1, -1 = noise.
        probabilities_: n float64, strength of membership, 0 (noise) to 1.
        outlier_scores_: n float64, GLOSH, 0 to 1.
        cluster_persistence_: one float64 a cluster, 0 to 1.
        condensed_tree_, single_linkage_tree_, minimum_spanning_tree_: objects with ``to_numpy``, ``to_pandas``,
            ``to_networkx`` and ``plot``.
        exemplars_: the rows, exemplar_indices_: the row numbers, of each cluster's exemplars (needs prediction_data).
        relative_validity_: a quick estimate of DBCV from the spanning tree, to compare parameters on the same rows.
        recall_: the share of true neighbours that the approximate search found, measured on a sample; 1 if exact.
        n_features_in_, feature_names_in_ (where fitted to a DataFrame with string names).
        keys_, key_name_: of rows that carry keys (from HybridFeatures); else None.

    Cost: exact O(n^2 d) at the worst. C-contiguous float32 and float64 rows are read in place. Fitted objects are
    immutable and may be shared by threads. Pickles and copies keep everything but the caller's rows, prediction too;
    ``save`` and ``load`` keep it in a file that C and Java read as well.
    """

    def __init__(
        self,
        min_cluster_size: int = 5,
        min_samples: Optional[int] = None,
        cluster_selection_epsilon: float = 0.0,
        cluster_selection_persistence: float = 0.0,
        max_cluster_size: Optional[float] = 0,
        metric: Any = "euclidean",
        alpha: float = 1.0,
        p: Optional[float] = None,
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
        missing: str = "warn",
        seed: int = 0,
        strengths: str = "hdbscan",
        semi_supervised: bool = False,
        ss_algorithm: str = "bc",
        *,
        must_link: Any = None,
        cannot_link: Any = None,
        cannot_link_groups: Any = None,
        index: Optional[str] = None,
        index_search: Optional[str] = None,
        context: Optional[Context] = None,
        **metric_parameters: Any,
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
        self.strengths = strengths
        self.semi_supervised = semi_supervised
        self.ss_algorithm = ss_algorithm
        self.must_link = must_link
        self.cannot_link = cannot_link
        self.cannot_link_groups = cannot_link_groups
        self.index = index
        self.index_search = index_search
        self.context = context
        if metric_parameters:
            self._metric_parameters = metric_parameters

    # ------------------------------------------------------------------------------------------------------- fitting

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> "HDBSCAN":
        """Clusters the rows of X (n x d, n >= 1; sparse rows are filled up). `y` is ignored, but with semi_supervised.

        With the metric "gower" X is a table as :class:`HybridFeatures` takes them. Two rows are as far from each other
        as the mean over the columns that both know of |a - b| / range for numbers, and of 0 or 1 for categories (Gower
        1971); a missing value leaves its column out, and rows without a column in common are at distance 1. Its
        parameters: ``categorical``, names or places of columns whose numbers are categories, and ``w``, weights of
        columns.

        Args:
            sample_weight: n whole numbers: a row of weight w stands for w equal rows, in every result (neighbours of
                the core distance, sizes, persistence, prediction), up to the numbering of clusters. A row of weight 0
                is left out: noise, of size 0 in the trees, whatever its numbers are. Negative, fractional and missing
                weights are refused, as are weights of sparse distances and with branch_detection_data.

        Errors: INVALID_ARGUMENT (a parameter), INVALID_DATA (names row and column), OUT_OF_MEMORY, CANCELLED."""
        if self._is_gower():
            self._gower = Gower(X, **self._gower_parameters())
        measured = self._measure()
        options = cluster_options(self, measured.code)
        rows = (
            X if measured.precomputed and issparse(X) else self._gower.coded(X) if self._is_gower() else checked_rows(X)
        )
        if self._is_gower() and not len(rows):
            raise InvalidDataError("X must have at least one row")
        self._check_labels(y, rows.shape[0])
        weights = row_weights(sample_weight, rows.shape[0])
        bound = is_constrained(self)
        if bound and weights is not None:
            raise UnsupportedError("sample_weight cannot be used with must_link and cannot_link")
        if weights is not None:
            if issparse(rows) or self.branch_detection_data:
                raise UnsupportedError(
                    "sample_weight cannot be used with sparse distances, nor with branch_detection_data"
                )
            options.weights = weights.ctypes.data
        kept = rows
        pointer = c_void_p()
        if measured.precomputed or measured.distances is not None:
            if options.prediction:
                raise InvalidArgumentError(
                    f"prediction_data must be False with the metric {self.metric!r}, by which there is no search"
                )
            self._cluster_distances(rows, measured, options, pointer)
        else:
            view, kept = matrix(rows if measured.change is None else measured.change(rows), "X")
            with running(self.context) as native:
                judged_call("covey_cluster_matrix", native, byref(view), byref(options), byref(pointer))
        check_features(self, X, reset=True)
        self.keys_, self.key_name_ = keys_of(X)
        self._raw_data = None if measured.precomputed else rows if measured.change is not None else kept
        clusters = Clusters(Native(pointer.value, "covey_clustering_destroy"))
        edges = len(clusters.array("spanning_tree"))
        if bound:
            clusters = constrained(self, clusters, options)
        self._finish(self._by_labels(clusters, options))
        self._warn_of_recall()
        if self.missing == "warn" and not issparse(rows) and not self._is_gower():
            if edges < len(rows) - 1 or len(rows) == 1:
                self._warn_of_missing(rows, weights)
        self.__dict__.pop("_branch_data", None)
        if flag(self.branch_detection_data, "branch_detection_data"):
            self.generate_branch_detection_data()
        return self

    def _check_labels(self, y: Any, rows: int) -> None:
        choice(self.ss_algorithm, "ss_algorithm", {"bc": 1, "bc_simple": 0})
        if not flag(self.semi_supervised, "semi_supervised"):
            self.__dict__.pop("_known", None)
            return
        limits = (self.cluster_selection_epsilon, self.max_cluster_size or 0, self.cluster_selection_epsilon_max)
        if self.cluster_selection_method != "eom" or limits != (0, 0, np.inf) and limits != (0, np.inf, np.inf):
            raise InvalidArgumentError(
                "semi_supervised takes cluster_selection_method='eom', without cluster_selection_epsilon, "
                "cluster_selection_epsilon_max and max_cluster_size"
            )
        self._known = known_labels(y, rows)

    def _by_labels(self, clusters: Clusters, options: _structs.ClusterOptions) -> Clusters:
        """The clusters that agree with the labels that are known."""
        if not self.semi_supervised:
            return clusters
        nodes = nodes_by_labels(
            clusters.array("condensed_tree"),
            self._known,
            clusters.weights(),
            self.ss_algorithm == "bc",
            bool(self.allow_single_cluster),
        )
        return clusters.select(options, nodes, self.context)

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None, **ignored: Any) -> NDArray[np.int64]:
        """``fit(X, sample_weight=sample_weight).labels_``."""
        return self.fit(X, y, sample_weight=sample_weight).labels_

    def save(self, path: Union[str, "os.PathLike[Any]"], *, context: Optional[Context] = None) -> None:
        """Writes the fitted clustering to a file, whole or not at all. Errors: IO, OUT_OF_MEMORY, CANCELLED."""
        self._result().save(path, context)

    @classmethod
    def load(cls, path: Union[str, "os.PathLike[Any]"], *, context: Optional[Context] = None) -> "HDBSCAN":
        """Reads a fitted clustering, as ``save``, C or Java wrote it, with the parameters that it was made with. O(n
        log n).
        Errors: IO, CORRUPT_FILE, UNSUPPORTED, OUT_OF_MEMORY."""
        clusters = Clusters.load(path, context)
        result = cls(**parameters_of(clusters.options()))
        result.n_features_in_ = clusters.columns()
        result.keys_, result.key_name_, result._raw_data = None, None, None
        result._finish(clusters)
        return result

    # -------------------------------------------------------------------------------------------------------- copies

    def __getstate__(self) -> dict[str, Any]:
        # The caller's rows stay with the caller; prediction data has its own.
        state = dict(super().__getstate__())
        return {**state, "_raw_data": None} if "_raw_data" in state else state

    def __copy__(self) -> "HDBSCAN":
        result = type(self).__new__(type(self))
        result.__dict__.update(self.__dict__)
        return result

    def __deepcopy__(self, memo: Any) -> "HDBSCAN":
        # What was fitted never changes, so that copies share it; parameters are copied.
        result = type(self).__new__(type(self))
        memo[id(self)] = result
        for name, value in self.__dict__.items():
            shared = name in ("_clusters", "_labels", "_exemplars", "_branch_data", "_raw_data", "context")
            result.__dict__[name] = value if shared else copy.deepcopy(value, memo)
        return result

    def __sklearn_is_fitted__(self) -> bool:
        return "_clusters" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing != "reject"
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = self.metric == "precomputed"
        return tags

    def _more_tags(self) -> dict[str, Any]:  # scikit-learn before 1.6
        return {"allow_nan": self.missing != "reject"}


@checked
def hdbscan(X: Any, *parameters: Any, gen_min_span_tree: bool = False, **options: Any) -> tuple[Any, ...]:
    """hdbscan's function: (labels, probabilities, persistence, condensed tree, single-linkage tree, spanning tree), the
    trees as arrays, the last one None without gen_min_span_tree. The parameters are those of :class:`HDBSCAN`; in
    order, those of hdbscan's function: min_cluster_size, min_samples, alpha, cluster_selection_epsilon,
    cluster_selection_persistence, max_cluster_size, metric, p, leaf_size, algorithm.

    Example::

        labels, strengths, *trees = covey.hdbscan(rows, min_cluster_size=15)
    """
    names = (
        "min_cluster_size",
        "min_samples",
        "alpha",
        "cluster_selection_epsilon",
        "cluster_selection_persistence",
        "max_cluster_size",
        "metric",
        "p",
        "leaf_size",
        "algorithm",
    )
    if len(parameters) > len(names):
        raise InvalidArgumentError(f"hdbscan takes X and {len(names)} parameters in order, got {len(parameters)}")
    given = {"p": 2, **dict(zip(names, parameters)), **options}
    fitted = HDBSCAN(**given).fit(X)
    return (
        fitted.labels_.copy(),
        fitted.probabilities_.copy(),
        fitted.cluster_persistence_.copy(),
        fitted.condensed_tree_.to_numpy(),
        fitted.single_linkage_tree_.to_numpy(),
        fitted.minimum_spanning_tree_.to_numpy() if gen_min_span_tree else None,
    )
