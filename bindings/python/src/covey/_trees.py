"""The trees of a clustering as objects with hdbscan's methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._html import Shown
from ._arrays import integer, real
from ._errors import UnsupportedError

#: covey_edge, covey_merge and covey_condensed_edge; the last has hdbscan's field names.
EDGE = np.dtype([("from", np.int64), ("to", np.int64), ("distance", np.float64)])
MERGE = np.dtype([("left", np.int64), ("right", np.int64), ("distance", np.float64), ("size", np.int64)])
CONDENSED = np.dtype([("parent", np.int64), ("child", np.int64), ("lambda_val", np.float64), ("child_size", np.int64)])


def pandas() -> Any:
    """The pandas module, which is optional."""
    try:
        import pandas
    except ImportError:
        raise UnsupportedError("this needs pandas, which is not installed") from None
    return pandas


def networkx() -> Any:
    """The networkx module, which is optional."""
    try:
        import networkx
    except ImportError:
        raise UnsupportedError("this needs networkx, which is not installed") from None
    return networkx


class CondensedTree(Shown):
    """Who leaves whom at which lambda = 1 / distance. Rows are 0..n-1, clusters n (the root) and above."""

    def __init__(self, records: NDArray[Any], selected: NDArray[np.int64]) -> None:
        self._raw_tree = records
        self._selected = selected

    def to_numpy(self) -> Any:
        """A record array: parent, child, lambda_val, child_size."""
        return self._raw_tree.copy().view(np.recarray)

    def to_pandas(self) -> Any:
        """The same as a DataFrame."""
        return pandas().DataFrame(self._raw_tree)

    #: As everywhere else; ``to_pandas`` is hdbscan's name.
    to_frame = to_pandas

    def to_networkx(self) -> Any:
        """A directed graph: edges from parent to child with their lambda as ``weight``, nodes with their ``size``."""
        graph = networkx().DiGraph()
        tree = self._raw_tree
        graph.add_weighted_edges_from(zip(tree["parent"].tolist(), tree["child"].tolist(), tree["lambda_val"].tolist()))
        modules = networkx()
        modules.set_node_attributes(graph, dict(zip(tree["child"].tolist(), tree["child_size"].tolist())), "size")
        return graph

    def to_newick(self) -> str:
        """The clusters (not the rows) in Newick's format: nodes by number, the length of a branch the lambda that it
        lasts."""
        tree = self._raw_tree
        if not len(tree):
            return ";"
        root = int(tree["parent"].min())
        branches = tree[tree["child"] >= root]
        births = {root: 0.0, **dict(zip(branches["child"].tolist(), branches["lambda_val"].tolist()))}
        above = dict(zip(branches["child"].tolist(), branches["parent"].tolist()))
        below: dict[int, list[str]] = {}
        # Children have larger numbers than their parents.
        for node in sorted(births, reverse=True):
            inside = below.pop(node, [])
            text = (f"({','.join(inside)})" if inside else "") + str(node)
            if node == root:
                return text + ";"
            below.setdefault(above[node], []).append(f"{text}:{births[node] - births[above[node]]!r}")
        return ";"

    def get_plot_data(
        self, leaf_separation: float = 1, log_size: bool = False, max_rectangle_per_icicle: int = 20
    ) -> Any:
        """What ``plot`` draws, as a dictionary of hdbscan's keys: bar_centers, bar_tops, bar_bottoms, bar_widths,
        line_xs, line_ys, cluster_bounds."""
        from ._plots import icicle

        return icicle(self._raw_tree, leaf_separation, log_size, max_rectangle_per_icicle)

    def plot(self, **options: Any) -> Any:
        """Draws the tree with matplotlib and returns the axes. Options: leaf_separation, cmap, select_clusters,
        selection_palette, label_clusters, axis, colorbar, log_size, max_rectangles_per_icicle."""
        from ._plots import plot_condensed

        return plot_condensed(self, **options)

    def _select_clusters(self) -> list[int]:
        return [int(node) for node in self._selected]

    @property
    def selected_nodes(self) -> NDArray[np.int64]:
        """The node that each cluster is, by label."""
        return self._selected.copy()

    def __len__(self) -> int:
        return len(self._raw_tree)

    def __repr__(self) -> str:
        return f"CondensedTree({len(self)} edges)"


class SingleLinkageTree(Shown):
    """The merges, as scipy's linkage matrix."""

    def __init__(self, records: NDArray[Any], cut: Any = None) -> None:
        self._records = records
        self._cut = cut

    def get_clusters(self, cut_distance: float, min_cluster_size: int = 5) -> NDArray[np.int64]:
        """The labels of a cut at that distance; clusters of fewer rows than min_cluster_size are noise (-1)."""
        labels: NDArray[np.int64] = self._cut(
            real(cut_distance, "cut_distance"), integer(min_cluster_size, "min_cluster_size")
        )
        return labels

    def to_networkx(self) -> Any:
        """A directed graph: edges from a merge to what it joins, with the distance as ``weight``, nodes with their
        ``size``."""
        modules = networkx()
        graph = modules.DiGraph()
        first = len(self._records) + 1
        for place, (left, right, distance, size) in enumerate(self._records.tolist()):
            graph.add_edge(first + place, left, weight=distance)
            graph.add_edge(first + place, right, weight=distance)
            graph.nodes[first + place]["size"] = size
        return graph

    def plot(self, **options: Any) -> Any:
        """Draws SciPy's dendrogram with matplotlib and returns the axes. Options: axis, truncate_mode, p,
        vary_line_width, cmap, colorbar."""
        from ._plots import plot_linkage

        return plot_linkage(self, **options)

    def to_numpy(self) -> NDArray[np.float64]:
        """(n - 1) x 4 float64: left, right, distance, size; node n + i is merge i."""
        return _columns(self._records)

    def to_pandas(self) -> Any:
        """A DataFrame: parent, left_child, right_child, distance, size."""
        merges = self._records
        first = len(merges) + 1
        return pandas().DataFrame(
            {
                "parent": np.arange(first, first + len(merges)),
                "left_child": merges["left"],
                "right_child": merges["right"],
                "distance": merges["distance"],
                "size": merges["size"],
            }
        )

    #: As everywhere else; ``to_pandas`` is hdbscan's name.
    to_frame = to_pandas

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"SingleLinkageTree({len(self)} merges)"


class MinimumSpanningTree(Shown):
    """The minimum spanning tree of mutual reachability, by ascending distance."""

    def __init__(self, records: NDArray[Any], rows: Any = None) -> None:
        self._records = records
        self._rows = rows

    def to_networkx(self) -> Any:
        """A graph with the distances as ``weight``, and the rows' numbers, where they are known, as ``data``."""
        modules = networkx()
        graph = modules.Graph()
        graph.add_weighted_edges_from(self._records.tolist())
        if self._rows is not None:
            modules.set_node_attributes(graph, {place: tuple(row) for place, row in enumerate(self._rows)}, "data")
        return graph

    def plot(self, **options: Any) -> Any:
        """Draws the tree over the rows' first two principal components with matplotlib and returns the axes. Options:
        axis, node_size, node_color, node_alpha, edge_alpha, edge_cmap, edge_linewidth, vary_line_width, colorbar."""
        from ._plots import plot_spanning

        return plot_spanning(self, self._rows, **options)

    def to_numpy(self) -> NDArray[np.float64]:
        """(n - 1) x 3 float64: from, to, distance."""
        return _columns(self._records)

    def to_pandas(self) -> Any:
        """A DataFrame: from, to, distance."""
        return pandas().DataFrame(self._records)

    #: As everywhere else; ``to_pandas`` is hdbscan's name.
    to_frame = to_pandas

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"MinimumSpanningTree({len(self)} edges)"


def _columns(records: NDArray[Any]) -> NDArray[np.float64]:
    result = np.empty((len(records), len(records.dtype.names or ())), dtype=np.float64)
    for index, name in enumerate(records.dtype.names or ()):
        result[:, index] = records[name]
    return result
