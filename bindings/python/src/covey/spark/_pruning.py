"""Which pairs of blocks can still give an edge to the spanning tree."""

from __future__ import annotations

from typing import Any, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ._cells import Blocks
from ._parcels import mapped, parcel, parcels
from ._session import run_job

# The nearest blocks whose pairs are searched first.
_NEAREST = 3
# Lengths at which the forest is cut to see what it joins; between two of them the shorter one counts, which only
# keeps more pairs.
_LEVELS = 32


def neighbour_pairs(
    blocks: Blocks, gaps: NDArray[np.float64], everything: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Each block with the nearest ones, by which the others are judged, and the pairs that overlap, which cannot be
    left out."""
    if len(everything) <= 3 or not any(gaps[a, b] > 0 for a, b in everything):
        return everything
    from ._cells import straight

    apart = straight(blocks.centres, blocks.centres, "euclidean" if blocks.metric == "cosine" else blocks.metric)
    np.fill_diagonal(apart, np.inf)
    chosen = {(a, b) for a, b in everything if gaps[a, b] == 0}
    for a in range(len(apart)):
        for b in np.argsort(apart[a], kind="stable")[:_NEAREST].tolist():
            chosen.add((min(a, b), max(a, b)))
    return sorted(chosen)


def needed_pairs(
    spark: Any,
    cores_path: str,
    rows: int,
    blocks: int,
    gaps: NDArray[np.float64],
    edges: NDArray[Any],
    pairs: list[tuple[int, int]],
) -> list[tuple[int, int]]:
    """The pairs whose rows are not yet joined by edges that are shorter than the gap between the two blocks.

    An edge between two blocks is at least as long as their gap. If shorter edges join all rows of both blocks, this
    edge is the longest of a cycle, and no minimum spanning tree needs it (the cycle property)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    block = _block_of_rows(spark, cores_path, rows)
    lengths = np.array([gaps[a, b] for a, b in pairs])
    apart = lengths[lengths > 0]
    if not len(apart):
        return pairs
    levels = np.unique(np.quantile(apart, np.linspace(0, 1, _LEVELS), method="lower"))
    joined = np.zeros(len(pairs), dtype=np.bool_)
    for level, above in zip(levels, [*levels[1:].tolist(), np.inf]):
        short = edges[edges["distance"] < level]
        graph = coo_matrix((np.ones(len(short), dtype=np.int8), (short["from"], short["to"])), shape=(rows, rows))
        part = connected_components(graph, directed=False)[1]
        least, most = np.full(blocks, rows, dtype=np.int64), np.full(blocks, -1, dtype=np.int64)
        np.minimum.at(least, block, part)
        np.maximum.at(most, block, part)
        for place in np.flatnonzero((lengths >= level) & (lengths < above)):
            a, b = pairs[place]
            joined[place] = least[a] == most[a] == least[b] == most[b]
    return [pair for pair, left_out in zip(pairs, joined) if not left_out]


def _block_of_rows(spark: Any, cores_path: str, rows: int) -> NDArray[np.int32]:
    """The block of each row: 4 bytes a row on the driver."""
    found = np.full(rows, -1, dtype=np.int32)

    def bare(batches: Iterable[Any]) -> Iterator[Any]:
        for item in parcels(batches):
            yield parcel(0, item.block, 0, 0, item.part, item.numbers, b"", b"")

    frame = mapped(spark.read.parquet(cores_path), bare).select("block", "numbers")
    for own, numbers in run_job(lambda: frame.toLocalIterator()):
        found[np.frombuffer(numbers, dtype=np.int64)] = own
    return found
