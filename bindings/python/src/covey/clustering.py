"""HDBSCAN as a scikit-learn estimator with hdbscan's names (covey.h section 8)."""

from __future__ import annotations

import copy
import os
import warnings
from ctypes import byref, c_void_p
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import ClusterMixin

from . import _structs
from ._arguments import checked, checked_methods
from ._arrays import choice, flag, integer, matrix, real
from ._branch_data import BranchDetectionData, branch_data
from ._checks import check_features, checked_rows, judged_call
from ._cluster_options import CHOICE, cluster_options, parameters_of
from ._cluster_options import MISSING as _MISSING  # noqa: F401 (the words of the header's values, for its test)
from ._cluster_options import SEARCH as _SEARCH  # noqa: F401
from ._cluster_options import SELECTION as _SELECTION  # noqa: F401
from ._cluster_options import STRENGTHS as _STRENGTHS  # noqa: F401
from ._clusters import Clusters
from ._distance_matrix import refuse_missing
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, UnavailableError, UnsupportedError
from ._estimator import Estimator
from ._gower import Gower
from ._handle import Native
from ._metrics import NATIVE as _METRICS  # noqa: F401
from ._metrics import NAMES, Measure, measure, sparse_tree
from ._not_fitted import NotFittedError
from ._rows import keys_of
from ._semi_supervised import known_labels, nodes_by_labels
from ._trees import CondensedTree, MinimumSpanningTree, SingleLinkageTree
from ._weights import row_weights
from ._work import Work
from .constraints import constrained, is_constrained
from .context import Context, running
from .validity import relative_validity


@checked_methods
class HDBSCAN(ClusterMixin, Estimator):
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
            min_cluster_size; n - 1 where it is more than that. As in hdbscan; scikit-learn's min_samples is one more.
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
            takes a table of numbers, categories and flags (see :meth:`fit`), with prediction where no value is missing.
        alpha: distances are divided by it in mutual reachability; > 0.
        p: of "minkowski".
        algorithm: "exact" ("best" and hdbscan's other names mean it too) or "approximate" (euclidean, seuclidean and
            mahalanobis; any other metric is refused with it; see ``recall_``).
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
        self.context = context
        if metric_parameters:
            self._metric_parameters = metric_parameters

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters, those of the metric too."""
        return {**super().get_params(deep), **self._own_parameters()}

    def set_params(self, **parameters: Any) -> "HDBSCAN":
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
        if self.missing == "warn" and not issparse(rows) and not self._is_gower():
            if edges < len(rows) - 1 or len(rows) == 1:
                self._warn_of_missing(rows, weights)
        self.__dict__.pop("_branch_data", None)
        if flag(self.branch_detection_data, "branch_detection_data"):
            self.generate_branch_detection_data()
        return self

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

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None, **ignored: Any) -> NDArray[np.int64]:
        """``fit(X, sample_weight=sample_weight).labels_``."""
        return self.fit(X, y, sample_weight=sample_weight).labels_

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
        how persistent the leaves are there (PLSCAN, arXiv 2512.16558). Empty where no cluster is ever split. O(clusters
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

    # ------------------------------------------------------------------------------------------------------- results

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

    # ---------------------------------------------------------------------------------------------------- prediction

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
            k: the k largest numbers alone: m x k clusters (-1 where there are fewer) and m x k numbers, the largest
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

    def _need_prediction(self, message: str = "prediction needs prediction_data=True when fitting") -> None:
        if "_exemplars" not in self.__dict__:
            raise UnavailableError(message)

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


class PredictionData:
    """What hdbscan's callers look at: ``raw_data``, the fitted rows; ``exemplars``, those of each cluster."""

    def __init__(self, clusterer: HDBSCAN) -> None:
        self.raw_data = clusterer._result().rows()
        self.exemplars = clusterer.exemplars_


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
