"""The spanning tree of all rows: forests of pairs of blocks, merged in rounds until one is left."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from .._trees import EDGE
from ._cells import Blocks
from ._parcels import PARCEL_BYTES, grouped, in_slots, joined, mapped, parcel, sent_to, slots
from ._rows import Rows
from ._session import Folder, cores, task_context, tasks_for, run_job

# Forests that a task merges into one.
_FAN = 8
_NONE = np.empty(0, dtype=np.int64)


def spanning_forest(
    spark: Any, rows: Rows, blocks: Blocks, cores_path: str, pairs: list[tuple[int, int]], alpha: float, folder: Folder
) -> NDArray[Any]:
    """The spanning forest of the edges that these pairs of blocks need, on the driver."""
    work = sum(float(blocks.counts[a] + blocks.counts[b]) ** 2 for a, b in pairs)
    tasks = min(16 * cores(spark), tasks_for(spark, len(pairs), work / 20_000))
    groups = _dealt(blocks.counts, pairs, tasks)
    places = slots(tasks)
    table = [
        (block, int(places[group]), pair) for pair, group in enumerate(groups) for block in sorted(set(pairs[pair]))
    ]
    sent = in_slots(sent_to(spark.read.parquet(cores_path), spark, table), tasks)
    forests, left = mapped(sent, _pair_forest(rows, blocks.metric, alpha, groups, tasks)), tasks
    while left > 1:
        left = -(-left // _FAN)
        forests = mapped(in_slots(forests, left), _merged(rows.count, left))
    run_job(lambda: forests.write.mode("overwrite").parquet(folder / "edges"))
    found = collected(spark.read.parquet(folder / "edges"), rows.count)
    folder.remove("edges")
    return found


def _dealt(counts: NDArray[np.int64], pairs: list[tuple[int, int]], tasks: int) -> list[int]:
    """A task for each pair, so that each has about the same work: the largest pair goes to the task with the least so
    far."""
    import heapq

    loads = [(0.0, task) for task in range(tasks)]
    groups = [0] * len(pairs)
    sizes = [float(counts[a] + (counts[b] if b != a else 0)) ** 2 for a, b in pairs]
    for pair in sorted(range(len(pairs)), key=lambda place: -sizes[place]):
        load, task = heapq.heappop(loads)
        groups[pair] = task
        heapq.heappush(loads, (load + sizes[pair], task))
    return groups


def collected(frame: Any, rows: int) -> NDArray[Any]:
    """The edges of stored parcels. They come a partition at a time, so that the JVM never holds them all."""
    edges, filled = np.empty(max(0, rows - 1), dtype=EDGE), 0
    for (data,) in frame.select("rows").toLocalIterator():
        part = np.frombuffer(data, dtype=EDGE)
        edges[filled : filled + len(part)] = part
        filled += len(part)
    return edges[:filled]


def _forwarded(edges: NDArray[Any], source: int, left: int) -> Iterator[Any]:
    """A forest as parcels for the next round, in which `left` tasks merge."""
    groups = -(-left // _FAN)
    target = source // _FAN
    slot = slots(groups)[target]
    step = PARCEL_BYTES // EDGE.itemsize
    for part, start in enumerate(range(0, len(edges), step)):
        yield parcel(slot, target, 0, source, part, _NONE, edges[start : start + step].tobytes(), b"")


def _pair_forest(
    rows: Rows, metric: str, alpha: float, groups: list[int], tasks: int
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def work(batches: Iterable[Any]) -> Iterator[Any]:
        from ..parts import spanning_edges

        context = task_context()
        forest, source = Forest(rows.count), 0
        for pair, found in grouped(batches):
            source = groups[pair]
            numbers, matrix, core = joined(list(found), rows.dtype, rows.columns)
            forest.add(spanning_edges(matrix, core, row_numbers=numbers, metric=metric, alpha=alpha, context=context))
        yield from _forwarded(forest.edges(), source, tasks)

    return work


def _merged(count: int, left: int) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def work(batches: Iterable[Any]) -> Iterator[Any]:
        for target, found in grouped(batches):
            forest = Forest(count)
            for item in found:
                forest.add(np.frombuffer(item.rows, dtype=EDGE))
            yield from _forwarded(forest.edges(), target, left)

    return work


class Forest:
    """The spanning forest of the edges that are added, in memory for it and about as many edges again."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._kept = np.empty(0, dtype=EDGE)
        self._waiting: list[NDArray[Any]] = []
        self._size = 0

    def add(self, edges: NDArray[Any]) -> None:
        self._waiting.append(edges)
        self._size += len(edges)
        if self._size > max(len(self._kept), 1 << 18):
            self._merge()

    def edges(self) -> NDArray[Any]:
        self._merge()
        return self._kept

    def _merge(self) -> None:
        from ..parts import merge_edges

        if not self._waiting:
            return
        found = np.concatenate([self._kept, *self._waiting])
        self._waiting, self._size = [], 0
        if self._rows <= 4 * len(found):
            self._kept = merge_edges(self._rows, found)
            return
        # The kernel takes memory for each row there is; these edges touch few. Their own numbers keep the order, and
        # so the ties.
        known, place = np.unique(np.concatenate([found["from"], found["to"]]), return_inverse=True)
        found["from"], found["to"] = place[: len(found)], place[len(found) :]
        self._kept = merge_edges(len(known), found)
        self._kept["from"], self._kept["to"] = known[self._kept["from"]], known[self._kept["to"]]
