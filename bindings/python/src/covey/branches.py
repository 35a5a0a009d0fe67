"""Branches inside clusters (FLASC: Bot, Peeters, Liesenborgs, Aerts 2025), as hdbscan has them.

Of each cluster a graph is made, whose edges have the larger centrality of their ends as distance; its tree is
condensed and selected as that of rows is, so that what is far from the cluster's middle and apart is a branch.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClusterMixin

from ._arguments import checked, checked_methods
from ._arrays import contiguous, flag, integer
from ._branch_data import BranchDetectionData, outermost
from ._branch_graph import ApproximationGraph
from ._branch_tree import Branches, centrality_tree, cluster_tree, one_cluster
from ._cluster_options import cluster_options
from ._errors import InvalidArgumentError, InvalidTypeError
from ._estimator import Estimator
from ._not_fitted import NotFittedError
from ._trees import CondensedTree, SingleLinkageTree
from .clustering import HDBSCAN
from .prediction import approximate_predict


@checked_methods
class BranchDetector(ClusterMixin, Estimator):
    """Finds branches inside the clusters of a fitted :class:`covey.HDBSCAN`. Parameters and results are those of
    ``hdbscan.BranchDetector``; each edge counts once, where hdbscan's "core" adds up the distances of those it met
    twice.

    Example::

        fitted = covey.HDBSCAN(min_cluster_size=15, branch_detection_data=True).fit(rows)
        branches = covey.BranchDetector(min_cluster_size=10).fit(fitted).labels_

    Args:
        branch_detection_method: "full" (all edges up to the longest in the cluster's spanning tree) or "core" (the
            edges to the nearest neighbours, and the spanning tree; fewer, and noisier).
        label_sides_as_branches: two branches count too; by default there are at least three (two are the ends of a
            line).
        min_cluster_size, max_cluster_size, allow_single_cluster, cluster_selection_method: as of HDBSCAN, for
            branches; None = the clusterer's.
        cluster_selection_epsilon, cluster_selection_persistence: as of HDBSCAN, for branches.

    Attributes (after ``fit``):
        labels_, probabilities_: of all groups, clusters without branches and branches; -1 = noise.
        cluster_labels_, cluster_probabilities_, branch_labels_, branch_probabilities_: the same apart.
        branch_persistences_: of each cluster, one number a branch.
        centralities_: 1 / distance from the weighted middle of the cluster.
        cluster_points_: of each cluster, the numbers of its rows.
        approximation_graph_, condensed_trees_, linkage_trees_, exemplars_.

    Cost: "core" O(m k), "full" the number of edges within the radius, at the worst m^2 for a cluster of m rows.
    """

    def __init__(
        self,
        branch_detection_method: str = "full",
        label_sides_as_branches: bool = False,
        min_cluster_size: Optional[int] = None,
        max_cluster_size: Optional[float] = None,
        allow_single_cluster: Optional[bool] = None,
        cluster_selection_method: Optional[str] = None,
        cluster_selection_epsilon: float = 0.0,
        cluster_selection_persistence: float = 0.0,
    ) -> None:
        self.branch_detection_method = branch_detection_method
        self.label_sides_as_branches = label_sides_as_branches
        self.min_cluster_size = min_cluster_size
        self.max_cluster_size = max_cluster_size
        self.allow_single_cluster = allow_single_cluster
        self.cluster_selection_method = cluster_selection_method
        self.cluster_selection_epsilon = cluster_selection_epsilon
        self.cluster_selection_persistence = cluster_selection_persistence

    def fit(self, clusterer: HDBSCAN, labels: Any = None, probabilities: Any = None) -> "BranchDetector":
        """Finds branches in the clusterer's clusters, or in those of labels (one a row, -1 = noise) and probabilities.

        Errors: INVALID_ARGUMENT (a parameter; a clusterer without branch_detection_data)."""
        data = _data_of(clusterer)
        options = self._options(clusterer)
        cluster_labels, strengths, count = _clusters_of(clusterer, labels, probabilities)
        finite = np.arange(len(cluster_labels)) if data.finite_index is None else data.finite_index
        outside = np.setdiff1d(np.arange(len(cluster_labels)), finite)
        cluster_labels[outside], strengths[outside] = -1, 0.0
        tree = clusterer._result().array("spanning_tree")
        self._found = [
            self._branches(clusterer, options, data, finite, cluster_labels, strengths, tree, cluster)
            for cluster in range(count)
        ]
        self._clusterer = clusterer
        self.cluster_labels_, self.cluster_probabilities_ = cluster_labels, strengths
        self.cluster_points_ = [found.rows for found in self._found]
        self.branch_persistences_ = tuple(found.persistences for found in self._found)
        self._number(outside)
        return self

    def fit_predict(self, clusterer: HDBSCAN, labels: Any = None, probabilities: Any = None) -> NDArray[np.int64]:
        """``fit(clusterer).labels_``."""
        return self.fit(clusterer, labels, probabilities).labels_

    def _options(self, clusterer: HDBSCAN) -> HDBSCAN:
        """What selects branches, as the parameters of an HDBSCAN."""
        if self.branch_detection_method not in ("core", "full"):
            raise InvalidArgumentError(
                f"branch_detection_method must be 'core' or 'full', got {self.branch_detection_method!r}"
            )
        flag(self.label_sides_as_branches, "label_sides_as_branches")
        inherited = {
            name: getattr(clusterer if getattr(self, name) is None else self, name)
            for name in ("min_cluster_size", "max_cluster_size", "allow_single_cluster", "cluster_selection_method")
        }
        chosen = HDBSCAN(
            cluster_selection_epsilon=self.cluster_selection_epsilon,
            cluster_selection_persistence=self.cluster_selection_persistence,
            context=clusterer.context,
            **inherited,
        )
        if integer(chosen.min_cluster_size, "min_cluster_size") < 2:
            raise InvalidArgumentError(f"min_cluster_size must be at least 2, got {chosen.min_cluster_size}")
        for name in ("cluster_selection_epsilon", "cluster_selection_persistence"):
            if not getattr(cluster_options(chosen, 0), name) >= 0:
                raise InvalidArgumentError(f"{name} must be at least 0, got {getattr(self, name)}")
        return chosen

    def _branches(
        self,
        clusterer: HDBSCAN,
        options: HDBSCAN,
        data: BranchDetectionData,
        finite: NDArray[np.int64],
        labels: NDArray[np.int64],
        strengths: NDArray[np.float64],
        tree: NDArray[Any],
        cluster: int,
    ) -> Branches:
        rows = np.flatnonzero(labels == cluster)
        members = np.searchsorted(finite, rows)
        centralities = data.centralities(members, strengths[rows]) if len(rows) else np.zeros(0)
        inner = tree[(labels[tree["from"]] == cluster) & (labels[tree["to"]] == cluster)].copy()
        inner["from"], inner["to"] = np.searchsorted(finite, inner["from"]), np.searchsorted(finite, inner["to"])
        edges = np.zeros((0, 4))
        if len(inner):
            full = self.branch_detection_method == "full"
            edges = data.full_graph(members, inner["distance"].max()) if full else data.core_graph(members, inner)
        first, second = edges[:, 0].astype(np.int64), edges[:, 1].astype(np.int64)
        edges[:, 2] = np.maximum(centralities[first], centralities[second])
        spanning, pieces, piece = centrality_tree(first, second, edges, len(rows))
        edges[:, 0], edges[:, 1] = rows[first], rows[second]
        if pieces != 1 or len(rows) == 1:
            return Branches(rows, centralities, edges, piece, np.ones(len(rows)), np.zeros(pieces), None)
        found = cluster_tree(options, spanning, len(rows))
        inside, shares = one_cluster(options, found)
        return Branches(rows, centralities, edges, inside, shares, found.array("persistence"), found)

    def _number(self, outside: NDArray[np.int64]) -> None:
        """One numbering of clusters without branches, branches, and the middles that are on no branch."""
        count = len(self.cluster_labels_)
        self.labels_: NDArray[np.int64] = np.full(count, -1, dtype=np.int64)
        self.probabilities_ = self.cluster_probabilities_.copy()
        self.branch_labels_: NDArray[np.int64] = np.zeros(count, dtype=np.int64)
        self.branch_probabilities_ = np.ones(count)
        self.centralities_ = np.zeros(count)
        self._first_labels: list[int] = []
        running_label = 0
        for found in self._found:
            rows, branches = found.rows, len(found.persistences)
            self.centralities_[rows] = found.centralities
            self._first_labels.append(running_label)
            if not self._has_branches(found):
                self.labels_[rows] = running_label
                running_label += 1
                continue
            middle = int((found.labels < 0).any())
            self.labels_[rows] = found.labels + running_label + middle
            self.branch_labels_[rows], self.branch_probabilities_[rows] = found.labels, found.probabilities
            self.probabilities_[rows] = (self.probabilities_[rows] + found.probabilities) / 2
            running_label += branches + middle
        self.branch_probabilities_[outside] = 0.0

    def _has_branches(self, found: Branches) -> bool:
        if found.tree is None:
            return len(found.persistences) > 1
        return len(found.persistences) > (1 if self.label_sides_as_branches else 2)

    # ------------------------------------------------------------------------------------------------------- results

    def _results(self) -> list[Branches]:
        found: Optional[list[Branches]] = self.__dict__.get("_found")
        if found is None:
            raise NotFittedError("this BranchDetector is not fitted yet: call fit with a fitted HDBSCAN first")
        return found

    def weighted_centroid(self, label_id: int, data: Any = None) -> NDArray[Any]:
        """The mean of a group's rows, weighted by their strengths. data: other rows to take it of."""
        rows, strengths = self._members(label_id, data)
        centre: NDArray[Any] = np.average(rows, weights=strengths, axis=0)
        return centre

    def weighted_medoid(self, label_id: int, data: Any = None) -> NDArray[Any]:
        """The row of a group with the least sum of distances to the others, weighted by their strengths. O(m^2)."""
        rows, strengths = self._members(label_id, data)
        sums = _data_of(self._clusterer).distances(rows) @ strengths
        found: NDArray[Any] = rows[int(np.argmin(sums))]
        return found

    def _members(self, label_id: int, data: Any) -> tuple[NDArray[Any], NDArray[np.float64]]:
        self._results()
        member = self.labels_ == integer(label_id, "label_id")
        if label_id < 0 or not member.any():
            raise InvalidArgumentError(f"label_id must be 0 to {self.labels_.max()}, got {label_id}")
        rows = self._clusterer._fitted_rows("a centre") if data is None else np.asarray(data)
        return rows[member], self.probabilities_[member]

    @property
    def approximation_graph_(self) -> ApproximationGraph:
        graphs = [found.edges for found in self._results()]
        columns = {
            "label": self.labels_,
            "probability": self.probabilities_,
            "centrality": self.centralities_,
            "cluster_label": self.cluster_labels_,
            "cluster_probability": self.cluster_probabilities_,
            "branch_label": self.branch_labels_,
            "branch_probability": self.branch_probabilities_,
        }
        return ApproximationGraph(graphs, columns, self._clusterer._raw_data)

    @property
    def condensed_trees_(self) -> list[Optional[CondensedTree]]:
        """Of each cluster, over its rows in the order of ``cluster_points_``; None if its graph is in pieces."""
        return [
            None if tree is None else CondensedTree(tree.array("condensed_tree"), tree.array("selected_nodes"))
            for tree in (found.tree for found in self._results())
        ]

    @property
    def linkage_trees_(self) -> list[Optional[SingleLinkageTree]]:
        """Of each cluster, as ``condensed_trees_``."""
        return [
            None if tree is None else SingleLinkageTree(tree.all_merges(), tree.cut)
            for tree in (found.tree for found in self._results())
        ]

    @property
    def exemplars_(self) -> list[Optional[list[NDArray[Any]]]]:
        """Of each cluster, the rows that are farthest out on each branch; None if it has no branches."""
        rows = (
            None if all(found.tree is None for found in self._results()) else self._clusterer._fitted_rows("exemplars")
        )
        return [
            [rows[found.rows[places]] for places in outermost(found.tree)]
            if found.tree is not None and rows is not None and self._has_branches(found)
            else None
            for found in self._results()
        ]


@checked
def detect_branches_in_clusters(
    clusterer: HDBSCAN, cluster_labels: Any = None, cluster_probabilities: Any = None, **parameters: Any
) -> tuple[Any, ...]:
    """hdbscan's function: the results of :class:`BranchDetector`, whose parameters it takes: labels, probabilities,
    cluster_labels, cluster_probabilities, branch_labels, branch_probabilities, branch_persistences, approximation
    graphs, condensed trees, linkage trees (arrays), centralities, cluster_points.

    Example::

        fitted = covey.HDBSCAN(min_cluster_size=15, branch_detection_data=True).fit(rows)
        labels, *others = covey.detect_branches_in_clusters(fitted, min_cluster_size=10)
    """
    _data_of(clusterer)
    found = BranchDetector(**parameters).fit(clusterer, cluster_labels, cluster_probabilities)
    return (
        found.labels_,
        found.probabilities_,
        found.cluster_labels_,
        found.cluster_probabilities_,
        found.branch_labels_,
        found.branch_probabilities_,
        found.branch_persistences_,
        tuple(part.edges for part in found._results()),
        tuple(None if tree is None else tree.to_numpy() for tree in found.condensed_trees_),
        tuple(None if tree is None else tree.to_numpy() for tree in found.linkage_trees_),
        found.centralities_,
        found.cluster_points_,
    )


@checked
def approximate_predict_branch(branch_detector: BranchDetector, points_to_predict: Any) -> tuple[NDArray[Any], ...]:
    """Groups, clusters and branches of new rows: labels, probabilities, cluster_labels, cluster_probabilities,
    branch_labels, branch_probabilities. A row is on the branch of the fitted row beside which it stands in the tree.
    Labels are those of ``labels_``; hdbscan gives the cluster's number where a cluster has no branches."""
    if not isinstance(branch_detector, BranchDetector):
        raise InvalidTypeError(f"branch_detector must be a covey.BranchDetector, got {type(branch_detector).__name__}")
    parts = branch_detector._results()
    clusters, strengths, beside = approximate_predict(branch_detector._clusterer, points_to_predict, True)
    labels = np.full(len(clusters), -1, dtype=np.int64)
    probabilities = np.zeros(len(clusters))
    branches, shares = np.zeros(len(clusters), dtype=np.int64), np.ones(len(clusters))
    inside = (clusters >= 0) & (clusters < len(parts))
    branched = np.array([branch_detector._has_branches(part) for part in parts], dtype=bool)
    plain = np.flatnonzero(inside)[~branched[clusters[inside]]]
    labels[plain] = np.array(branch_detector._first_labels, dtype=np.int64)[clusters[plain]]
    probabilities[plain] = strengths[plain]
    chosen = np.flatnonzero(inside)[branched[clusters[inside]]]
    near = beside[chosen]
    labels[chosen], branches[chosen] = branch_detector.labels_[near], branch_detector.branch_labels_[near]
    shares[chosen] = branch_detector.branch_probabilities_[near]
    probabilities[chosen] = (strengths[chosen] + shares[chosen]) / 2
    return labels, probabilities, clusters, strengths, branches, shares


def _data_of(clusterer: Any) -> BranchDetectionData:
    if not isinstance(clusterer, HDBSCAN):
        raise InvalidTypeError(f"clusterer must be a covey.HDBSCAN, got {type(clusterer).__name__}")
    clusterer._result()
    return clusterer.branch_detection_data_


def _clusters_of(
    clusterer: HDBSCAN, labels: Any, probabilities: Any
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    count = len(clusterer.labels_)
    if labels is None:
        clusters = clusterer._result()
        own, strengths = one_cluster(clusterer, clusters)
        number = clusters.clusters
    else:
        own = contiguous(labels, "labels", np.int64, count).copy()
        number = int(own.max(initial=-1)) + 1
        strengths = np.where(own < 0, 0.0, 1.0)
    if probabilities is not None:
        strengths = contiguous(probabilities, "probabilities", np.float64, count).copy()
        if not (np.isfinite(strengths).all() and (strengths >= 0).all()):
            raise InvalidArgumentError("probabilities must be finite and at least 0")
    if number > count:
        raise InvalidArgumentError(f"labels must be below the number of rows, {count}, got {number - 1}")
    return own, strengths, number
