"""The pictures of a clustering's trees; matplotlib is optional."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ._errors import InvalidArgumentError, UnavailableError, UnsupportedError


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as pyplot
    except ImportError:
        raise UnsupportedError("plots need matplotlib, which is not installed") from None
    return pyplot


def icicle(tree: NDArray[Any], separation: float, log_size: bool, most: int) -> dict[str, Any]:
    """Bars whose width is how many rows a cluster has at a lambda, under lines where clusters part. O(n log n)."""
    result: dict[str, Any] = {
        "bar_centers": [],
        "bar_tops": [],
        "bar_bottoms": [],
        "bar_widths": [],
        "line_xs": [],
        "line_ys": [],
        "cluster_bounds": {},
    }
    if not len(tree):
        return result
    root = int(tree["parent"].min())
    count = int(max(tree["parent"].max(), tree["child"].max())) - root + 1
    branches = tree[tree["child"] >= root]
    children: dict[int, list[int]] = {}
    sizes, births = np.zeros(count), np.zeros(count)
    for parent, child, lambda_value, size in branches.tolist():
        children.setdefault(parent - root, []).append(child - root)
        sizes[child - root], births[child - root] = size, lambda_value
    sizes[0] = int(tree["child_size"][tree["parent"] == root].sum())
    # Leaves stand side by side, from left to right; a cluster stands in the middle of its children.
    places, next_place, stack = np.zeros(count), 0.0, [(0, False)]
    while stack:
        node, is_done = stack.pop()
        if is_done:
            places[node] = np.mean([places[child] for child in children[node]])
        elif node in children:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(children[node]))
        else:
            places[node] = next_place
            next_place += separation
    finite = tree["lambda_val"][np.isfinite(tree["lambda_val"])]
    top = float(finite.max()) if len(finite) else 1.0
    scale = max(float(np.log(sizes[0]) if log_size else sizes[0]), 1.0)
    order = np.argsort(tree["parent"], kind="stable")
    starts = np.searchsorted(tree["parent"][order], np.arange(root, root + count + 1))
    for node in range(count):
        edges = tree[order[starts[node] : starts[node + 1]]]
        lambdas = np.minimum(edges["lambda_val"], top)
        sorted_places = np.argsort(lambdas, kind="stable")
        lambdas, leaving = lambdas[sorted_places], edges["child_size"][sorted_places]
        levels, first = np.unique(lambdas, return_index=True)
        left = sizes[node] - np.concatenate([[0], np.cumsum(leaving)])[first]
        if len(levels) > most:
            chosen = np.unique(np.linspace(0, len(levels) - 1, most).astype(int))
            levels, left = levels[chosen], left[chosen]
        bottom, widest = births[node], 0.0
        for level, size in zip(levels, left):
            width = float(np.log(size) if log_size else size) / scale
            widest = max(widest, width)
            result["bar_centers"].append(places[node])
            result["bar_bottoms"].append(bottom)
            result["bar_tops"].append(float(level) - bottom)
            result["bar_widths"].append(width)
            bottom = float(level)
        result["cluster_bounds"][node + root] = (
            places[node] - widest / 2,
            places[node] + widest / 2,
            births[node],
            bottom,
        )
        if node in children:
            ends = [places[child] for child in children[node]]
            result["line_xs"].append([min(ends), max(ends)])
            result["line_ys"].append([bottom, bottom])
    return result


def plot_condensed(
    tree: Any,
    leaf_separation: float = 1,
    cmap: Any = "viridis",
    select_clusters: bool = False,
    selection_palette: Any = None,
    label_clusters: bool = False,
    axis: Any = None,
    colorbar: bool = True,
    log_size: bool = False,
    max_rectangles_per_icicle: int = 20,
) -> Any:
    pyplot = _pyplot()
    data = icicle(tree._raw_tree, leaf_separation, log_size, max_rectangles_per_icicle)
    axis = pyplot.gca() if axis is None else axis
    widths = np.array(data["bar_widths"])
    mapping = _mapping(pyplot, cmap, widths)
    colours = "black" if mapping is None else mapping.to_rgba(widths)
    axis.bar(
        data["bar_centers"],
        data["bar_tops"],
        bottom=data["bar_bottoms"],
        width=data["bar_widths"],
        color=colours,
        align="center",
        linewidth=0,
    )
    for xs, ys in zip(data["line_xs"], data["line_ys"]):
        axis.plot(xs, ys, color="black", linewidth=1)
    if select_clusters:
        from matplotlib.patches import Ellipse

        for label, node in enumerate(tree.selected_nodes):
            left, right, low, high = data["cluster_bounds"][int(node)]
            colour = "r" if selection_palette is None else selection_palette[label % len(selection_palette)]
            centre = ((left + right) / 2, (low + high) / 2)
            axis.add_artist(
                Ellipse(
                    centre,
                    leaf_separation + right - left,
                    1.2 * max(high - low, 1e-12),
                    facecolor="none",
                    edgecolor=colour,
                )
            )
            if label_clusters:
                axis.annotate(str(label), xy=centre, xytext=(left - 4 * leaf_separation, centre[1]))
    if colorbar and mapping is not None:
        pyplot.colorbar(mapping, ax=axis).ax.set_ylabel("share of the rows" if not log_size else "log(rows), relative")
    axis.set_xticks([])
    axis.invert_yaxis()
    axis.set_ylabel("lambda")
    return axis


def plot_linkage(
    tree: Any,
    axis: Any = None,
    truncate_mode: Optional[str] = None,
    p: int = 0,
    vary_line_width: bool = True,
    cmap: Any = "viridis",
    colorbar: bool = True,
) -> Any:
    pyplot = _pyplot()
    from scipy.cluster.hierarchy import dendrogram

    axis = pyplot.gca() if axis is None else axis
    drawn = dendrogram(tree.to_numpy(), p=p, truncate_mode=truncate_mode, no_plot=True)
    heights = np.array([max(line) for line in drawn["dcoord"]]) if drawn["dcoord"] else np.zeros(0)
    mapping = _mapping(pyplot, cmap, heights)
    for xs, ys, height in zip(drawn["icoord"], drawn["dcoord"], heights):
        width = 0.5 + (2.5 * height / heights.max() if vary_line_width and heights.max() > 0 else 0)
        axis.plot(xs, ys, color="black" if mapping is None else mapping.to_rgba(height), linewidth=width)
    if colorbar and mapping is not None:
        pyplot.colorbar(mapping, ax=axis).ax.set_ylabel("distance")
    axis.set_xticks([])
    axis.set_ylabel("distance")
    return axis


def plot_spanning(
    tree: Any,
    rows: Any,
    axis: Any = None,
    node_size: float = 40,
    node_color: Any = "k",
    node_alpha: float = 0.8,
    edge_alpha: float = 0.5,
    edge_cmap: Any = "viridis_r",
    edge_linewidth: float = 2,
    vary_line_width: bool = True,
    colorbar: bool = True,
) -> Any:
    pyplot = _pyplot()
    from matplotlib.collections import LineCollection

    if rows is None:
        raise UnavailableError("this plot needs the rows, which distances, a pickle or a file do not have")
    edges = tree.to_numpy()
    if len(edges) > 32767:
        raise InvalidArgumentError(f"a plot of {len(edges)} edges would show nothing: 32,767 at the most")
    points = np.asarray(rows, dtype=np.float64)
    points = points - points.mean(axis=0)
    if points.shape[1] > 2:
        points = points @ np.linalg.svd(points, full_matrices=False)[2][:2].T
    elif points.shape[1] == 1:
        points = np.column_stack([points, np.zeros(len(points))])
    axis = pyplot.gca() if axis is None else axis
    lengths = edges[:, 2]
    width: Any = edge_linewidth
    if vary_line_width and len(lengths) and lengths.max() > 0:
        width = edge_linewidth * (0.2 + (1 - lengths / lengths.max()))
    lines = LineCollection(
        points[edges[:, :2].astype(np.intp)],
        linewidths=width,
        cmap=None if edge_cmap == "none" else edge_cmap,
        alpha=edge_alpha,
    )
    if edge_cmap != "none":
        lines.set_array(lengths)
    axis.add_collection(lines)
    axis.scatter(points[:, 0], points[:, 1], s=node_size, c=node_color, alpha=node_alpha)
    axis.set_axis_off()
    if colorbar and edge_cmap != "none":
        pyplot.colorbar(lines, ax=axis).ax.set_ylabel("mutual reachability distance")
    return axis


def _mapping(pyplot: Any, cmap: Any, values: NDArray[Any]) -> Any:
    if isinstance(cmap, str) and cmap.lower() == "none":
        return None
    from matplotlib.colors import Normalize

    largest = float(values.max()) if len(values) else 1.0
    mapping = pyplot.cm.ScalarMappable(cmap=cmap, norm=Normalize(0, largest))
    mapping.set_array(values)
    return mapping
