"""Clusters that agree with the labels that are known: HDBSCAN*(BC) of Castro Gertrudes, Zimek, Sander et al. 2019."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import vector
from ._errors import InvalidArgumentError, MismatchError


def known_labels(y: Any, rows: int) -> NDArray[np.int64]:
    """The label of each row as 0 and above, -1 if none is known: a number below 0, NaN or None."""
    if y is None:
        raise InvalidArgumentError("semi_supervised needs y, the labels that are known, -1 where none is")
    given = vector(y, "y", np.float64)
    if len(given) != rows:
        raise MismatchError(f"y must have {rows} values, one a row, got {len(given)}")
    found = np.full(rows, -1, dtype=np.int64)
    known = np.isfinite(given) & (given >= 0)
    if (given[known] != np.floor(given[known])).any():
        raise InvalidArgumentError("y must hold whole numbers, or NaN and numbers below 0 where no label is known")
    if not known.any():
        raise InvalidArgumentError("y must hold at least one label, a number of at least 0")
    found[known] = np.unique(given[known], return_inverse=True)[1].reshape(-1)
    return found


def nodes_by_labels(
    tree: NDArray[Any],
    labels: NDArray[np.int64],
    weights: NDArray[np.int64],
    single_rows: bool,
    allow_single_cluster: bool,
) -> NDArray[np.int64]:
    """The nodes of the condensed tree that agree best with labels: those with the largest sum of B-cubed F measures, of
    equal sums with the larger stability. Rows are 0..n-1, the root n. O(edges + nodes x labels).

    single_rows: a labelled row that leaves a cluster with clusters below it counts as a cluster of its own that is lost
        where the clusters below are taken ("bc"); otherwise it does not count ("bc_simple")."""
    rows = len(labels)
    if not len(tree):
        return np.empty(0, dtype=np.int64)
    parent, child = tree["parent"].astype(np.int64) - rows, tree["child"].astype(np.int64)
    nodes = int(max(parent.max(), child.max() - rows)) + 1
    own = child < rows
    # Rows that were left out are no part of the tree.
    used = own & (tree["lambda_val"] > 0)
    inner = ~own
    above = np.full(nodes, -1, dtype=np.int64)
    above[child[inner] - rows] = parent[inner]
    is_inner = np.zeros(nodes, dtype=bool)
    is_inner[parent[inner]] = True
    stability = _stability(tree, parent, child, rows, nodes)
    known = used & (labels[np.minimum(child, rows - 1)] >= 0)
    label, place, weight = labels[child[known]], parent[known], weights[child[known]]
    counts = np.zeros((nodes, int(labels.max()) + 1))
    np.add.at(counts, (place, label), weight)
    for node in range(nodes - 1, 0, -1):
        counts[above[node]] += counts[node]
    scores = _bcubed(counts, counts[0])
    # What the clusters below a node come to together.
    below, steady = np.zeros(nodes), np.zeros(nodes)
    if single_rows:
        alone = is_inner[place]
        each = _bcubed_of_one(counts[0])
        np.add.at(below, place[alone], weight[alone] * each[label[alone]])
    chosen = np.zeros(nodes, dtype=bool)
    for node in range(nodes - 1, -1 if allow_single_cluster else 0, -1):
        best, own_score = np.float32(below[node]), np.float32(scores[node])
        if best > own_score or (best == own_score and steady[node] > stability[node]):
            score, total = below[node], steady[node]
        else:
            chosen[node] = True
            score, total = scores[node], stability[node]
        if node:
            below[above[node]] += score
            steady[above[node]] += total
    covered = np.zeros(nodes, dtype=bool)
    for node in range(1, nodes):
        covered[node] = covered[above[node]] or chosen[above[node]]
    if not is_inner[0]:
        chosen[0] = chosen[0] and allow_single_cluster
    return np.flatnonzero(chosen & ~covered) + rows


def _stability(
    tree: NDArray[Any], parent: NDArray[np.int64], child: NDArray[np.int64], rows: int, nodes: int
) -> NDArray[np.float64]:
    births = np.zeros(nodes)
    inner = child >= rows
    births[child[inner] - rows] = tree["lambda_val"][inner]
    result = np.zeros(nodes)
    np.add.at(result, parent, (tree["lambda_val"] - births[parent]) * tree["child_size"])
    return result


def _bcubed(counts: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of the F measures of a node's labelled rows, relative to all labelled rows."""
    every = totals.sum()
    if not every:
        return np.zeros(len(counts))
    inside = counts.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Precision count / inside and recall count / total, of which F is the harmonic mean.
        score = np.where(counts > 0, counts * 2 * counts / (inside + totals), 0.0)
    found: NDArray[np.float64] = score.sum(axis=1) / every
    return found


def _bcubed_of_one(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = 2 / (1 + totals) / totals.sum() if totals.sum() else np.zeros(len(totals))
    return found
