"""The graphs in which branches are found, as an object with hdbscan's methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import InvalidArgumentError, UnsupportedError
from ._trees import networkx, pandas

_EDGE = np.dtype(
    [
        ("parent", np.int64),
        ("child", np.int64),
        ("centrality", np.float64),
        ("mutual_reachability", np.float64),
        ("component", np.int64),
    ]
)


class ApproximationGraph:
    """The rows inside clusters, and the edges between rows of one cluster by which its branches were found.

    Attributes: point_mask: which rows are in a cluster."""

    def __init__(self, graphs: list[NDArray[np.float64]], columns: dict[str, NDArray[Any]], rows: Any = None) -> None:
        """graphs: of each cluster, its edges. columns: what is said of every row, by hdbscan's names."""
        self.point_mask: NDArray[np.bool_] = columns["cluster_label"] >= 0
        self._rows = None if rows is None else np.asarray(rows)[self.point_mask]
        self._edges = np.empty(sum(map(len, graphs)), dtype=_EDGE)
        start = 0
        for cluster, edges in enumerate(graphs):
            part = self._edges[start : start + len(edges)]
            for place, name in enumerate(("parent", "child", "centrality", "mutual_reachability")):
                part[name] = edges[:, place]
            part["component"] = cluster
            start += len(edges)
        types: Any = [("id", np.int64), *((name, values.dtype) for name, values in columns.items())]
        self._points = np.empty(int(self.point_mask.sum()), dtype=types)
        # hdbscan numbers the points it shows; its edges have the rows' numbers, and so have ours in both.
        self._points["id"] = np.flatnonzero(self.point_mask)
        for name, values in columns.items():
            self._points[name] = values[self.point_mask]

    def to_numpy(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Points (id, label, probability, centrality, cluster_label, ...) and edges (parent, child, centrality,
        mutual_reachability, component) as record arrays. Rows have their numbers in the data."""
        return self._points.copy(), self._edges.copy()

    def to_pandas(self) -> tuple[Any, Any]:
        """The same as two DataFrames."""
        return pandas().DataFrame(self._points), pandas().DataFrame(self._edges)

    def to_networkx(self, feature_names: Any = None) -> Any:
        """A graph with the edges' ``weight`` of 1 / (1 + mutual reachability), and everything else as attributes."""
        modules = networkx()
        graph = modules.Graph()
        graph.add_nodes_from(self._points["id"].tolist())
        for parent, child, centrality, reach, component in self._edges.tolist():
            graph.add_edge(
                parent,
                child,
                weight=1 / (1 + reach),
                mutual_reachability=reach,
                component=component,
                centrality=centrality,
            )
        identifiers = self._points["id"].tolist()
        for name in (self._points.dtype.names or ())[1:]:
            modules.set_node_attributes(graph, dict(zip(identifiers, self._points[name].tolist())), name)
        if self._rows is not None:
            names = feature_names or [f"feature {place}" for place in range(self._rows.shape[1])]
            for place, name in enumerate(names):
                modules.set_node_attributes(graph, dict(zip(identifiers, self._rows[:, place].tolist())), name)
        return graph

    def plot(
        self,
        positions: Any = None,
        feature_names: Any = None,
        node_color: Any = "label",
        node_vmin: Any = None,
        node_vmax: Any = None,
        node_cmap: Any = "viridis",
        node_alpha: float = 1,
        node_size: float = 1,
        node_marker: str = "o",
        edge_color: Any = "k",
        edge_vmin: Any = None,
        edge_vmax: Any = None,
        edge_cmap: Any = "viridis",
        edge_alpha: float = 1,
        edge_width: float = 1,
    ) -> None:
        """Draws the graph with matplotlib. positions: n x 2, one a row of the data; None = a layout by Graphviz
        (pygraphviz).
        node_color and edge_color: a column of ``to_numpy``, a feature's name, or what matplotlib takes."""
        try:
            import matplotlib.pyplot as pyplot
            from matplotlib.collections import LineCollection
        except ImportError:
            raise UnsupportedError("plots need matplotlib, which is not installed") from None
        places = self._positions(positions)
        ends = np.stack([places[self._edges["parent"]], places[self._edges["child"]]], axis=1)
        lines = LineCollection(list(ends), cmap=edge_cmap, linewidths=edge_width, alpha=edge_alpha, zorder=0)
        if isinstance(edge_color, str) and edge_color in (_EDGE.names or ()):
            edge_color = self._edges[edge_color]
        if isinstance(edge_color, str):
            lines.set_edgecolor(edge_color)
        else:
            lines.set_array(np.asarray(edge_color))
        lines.set_clim(edge_vmin, edge_vmax)
        axis = pyplot.gca()
        axis.add_collection(lines)
        outside, inside = places[~self.point_mask], places[self.point_mask]
        axis.scatter(
            outside[:, 0], outside[:, 1], node_size, color="silver", marker=node_marker, alpha=node_alpha, linewidth=0
        )
        colours = self._colours(node_color, feature_names)
        shades = (
            {}
            if isinstance(colours, str) or colours is None
            else {"cmap": node_cmap, "vmin": node_vmin, "vmax": node_vmax}
        )
        if isinstance(node_color, str) and node_color.endswith("label"):
            colours, shades = colours % 10, {"cmap": "tab10", "vmin": 0, "vmax": 9}
        axis.scatter(
            inside[:, 0], inside[:, 1], node_size, colours, marker=node_marker, alpha=node_alpha, linewidth=0, **shades
        )
        axis.set_axis_off()

    def _positions(self, positions: Any) -> NDArray[np.float64]:
        places = np.full((len(self.point_mask), 2), np.nan)
        if positions is None:
            for node, place in networkx().nx_agraph.graphviz_layout(self.to_networkx(), prog="sfdp").items():
                places[node] = place
            return places
        given = np.asarray(positions, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] < 2 or len(given) not in (len(places), len(self._points)):
            raise InvalidArgumentError(f"positions must be {len(places)} x 2, one a row of the data, got {given.shape}")
        places[slice(None) if len(given) == len(places) else self.point_mask] = given[:, :2]
        return places

    def _colours(self, wanted: Any, feature_names: Any) -> Any:
        if isinstance(wanted, str):
            if wanted in (self._points.dtype.names or ()):
                return self._points[wanted]
            if self._rows is not None and feature_names is not None and wanted in feature_names:
                return self._rows[:, list(feature_names).index(wanted)]
            place = wanted[len("feature_") :]
            if (
                self._rows is not None
                and wanted.startswith("feature_")
                and place.isdigit()
                and int(place) < self._rows.shape[1]
            ):
                return self._rows[:, int(place)]
            return wanted
        values = wanted if wanted is None else np.asarray(wanted)
        return values[self.point_mask] if values is not None and len(values) == len(self.point_mask) else values
