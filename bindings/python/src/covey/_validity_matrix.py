"""DBCV of a matrix of distances, for metrics that the library does not search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def matrix_validity(
    distances: NDArray[np.float64], labels: NDArray[np.int32], features: int, plain: bool
) -> tuple[float, NDArray[np.float64]]:
    """The index, and that of each cluster."""
    count = max(0, int(labels.max(initial=-1)) + 1)
    members = [np.flatnonzero(labels == cluster) for cluster in range(count)]
    parts = [_part(distances[np.ix_(rows, rows)], features, plain) if len(rows) else None for rows in members]
    scores = np.zeros(count)
    for cluster, part in enumerate(parts):
        if part is None:
            continue
        cores, inner, sparseness = part
        separation = np.inf
        for other, others in enumerate(parts):
            if other == cluster or others is None:
                continue
            between = distances[np.ix_(members[cluster][inner], members[other][others[1]])]
            reach = np.maximum(np.maximum(between, cores[inner, None]), others[0][others[1]][None, :])
            separation = min(separation, float(reach.min()))
        larger = max(separation, sparseness)
        scores[cluster] = 0 if larger == 0 else np.nan if np.isinf(larger) else (separation - sparseness) / larger
    sizes = np.array([len(rows) for rows in members], dtype=float)
    return float((sizes * scores).sum() / len(labels)) if count else 0.0, scores


def _part(
    distances: NDArray[np.float64], features: int, plain: bool
) -> tuple[NDArray[np.float64], NDArray[np.intp], float]:
    """Core distances, the inner nodes of the spanning tree and the longest edge between them."""
    count = len(distances)
    cores = np.zeros(count)
    if not plain and count > 1:
        with np.errstate(divide="ignore", over="ignore"):
            sums = np.where(distances != 0, (1 / distances) ** features, 0).sum(axis=1)
            cores = np.zeros(count) if not sums.any() else (sums / (count - 1)) ** (-1 / features)
    reach = np.maximum(np.maximum(distances, cores[:, None]), cores[None, :])
    nearest, inside, row = np.full(count, np.inf), np.zeros(count, dtype=bool), 0
    edges: list[tuple[int, int, float]] = []
    inside[0] = True
    while len(edges) < count - 1:
        nearest = np.where(inside, np.inf, np.minimum(nearest, reach[row]))
        row = int(np.argmin(nearest))
        # The first row of the tree at that distance, as in hdbscan.
        ends = np.flatnonzero(inside & np.isclose(reach[row], nearest[row]))
        edges.append((int(ends[0]), row, float(nearest[row])))
        inside[row] = True
    degrees = np.bincount(np.array([edge[:2] for edge in edges], dtype=np.intp).ravel(), minlength=count)
    inner = np.flatnonzero(degrees > 1)
    if not len(inner):
        inner = np.array([0])
    between = [length for first, second, length in edges if degrees[first] > 1 and degrees[second] > 1]
    lengths = between or [length for _, _, length in edges]
    return cores, inner, max(lengths, default=0.0)
