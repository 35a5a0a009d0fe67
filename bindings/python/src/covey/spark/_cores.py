"""The core distance of each row among all rows: each block searches itself, then rows visit the blocks that may hold
nearer rows."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ._cells import Blocks
from ._parcels import Parcel, grouped, in_slots, joined, mapped, packed, parcel, sent_to, slots
from ._rows import Rows
from ._session import Folder, task_context, tasks_for, run_job

_ROWS, _VISIT, _LISTS = 0, 1, 2
# Visitors that are searched at once. More would save time where a tree is built of the block, and take memory.
_VISITORS = 32768


def write_cores(spark: Any, rows: Rows, blocks: Blocks, k: int, folder: Folder) -> str:
    """Writes `cores` in the folder: the blocks again, called by their places, with each row's core distance as
    `more`."""
    count = len(blocks.counts)
    tasks = tasks_for(spark, count, rows.count)
    places = slots(tasks)[np.arange(count) % tasks]
    table = [(name, int(places[place]), place) for place, name in enumerate(blocks.names)]
    stored = sent_to(spark.read.parquet(blocks.path), spark, table)
    if count == 1:
        found = mapped(in_slots(stored, 1), _alone(rows, k, blocks.metric))
    else:
        visits = mapped(in_slots(stored, tasks), _search_own(rows, blocks, places, k))
        lists = mapped(in_slots(stored.unionByName(visits), tasks), _search_visitors(rows, blocks.metric, places, k))
        found = mapped(in_slots(stored.unionByName(lists), tasks), _merge(rows, k))
    run_job(lambda: found.write.parquet(folder / "cores"))
    return folder / "cores"


def _alone(rows: Rows, k: int, metric: str) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def work(batches: Iterable[Any]) -> Iterator[Any]:
        from ..parts import nearest

        for block, found in grouped(batches):
            numbers, matrix, _ = joined(list(found), rows.dtype, rows.columns)
            _, far = nearest(
                matrix, matrix, k, query_numbers=numbers, row_numbers=numbers, metric=metric, context=task_context()
            )
            yield from packed(numbers, matrix, np.ascontiguousarray(far[:, k - 1]), block=block)

    return work


def _search_own(
    rows: Rows, blocks: Blocks, places: NDArray[np.int32], k: int
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Each row's list of nearest rows in its own block, and the rows for the blocks that may hold nearer ones."""

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        from ..parts import nearest

        context = task_context()
        for block, found in grouped(batches):
            numbers, matrix, _ = joined(list(found), rows.dtype, rows.columns)
            near, far = nearest(
                matrix, matrix, k, query_numbers=numbers, row_numbers=numbers, metric=blocks.metric, context=context
            )
            yield from packed(numbers, near, far, block=block, kind=_LISTS, source=block, slot=places[block])
            visiting = _visits(blocks, matrix, far[:, k - 1])
            for target in range(len(blocks.counts)):
                chosen = visiting[:, target]
                if target != block and chosen.any():
                    yield from packed(
                        numbers[chosen],
                        matrix[chosen],
                        None,
                        block=target,
                        kind=_VISIT,
                        source=block,
                        slot=places[target],
                    )

    return work


def _visits(blocks: Blocks, matrix: NDArray[Any], most: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows (of any) must look into which block: those that it may be nearer to than their k-th neighbour so
    far."""
    found = np.empty((len(matrix), len(blocks.counts)), dtype=np.bool_)
    step = max(1, (1 << 22) // len(blocks.counts))
    for start in range(0, len(matrix), step):
        part = slice(start, start + step)
        found[part] = blocks.reach_of(matrix[part]) <= most[part, None]
    return found


def _search_visitors(
    rows: Rows, metric: str, places: NDArray[np.int32], k: int
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """The lists of nearest rows of a block for the rows that visit it; the lists of the block's own rows go on."""

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        from ..parts import nearest

        context = task_context()

        def searched(
            held: list[Parcel], own: NDArray[np.int64], matrix: NDArray[Any], block: int, part: int
        ) -> Iterator[Any]:
            numbers, points, _ = joined(held, rows.dtype, rows.columns)
            near, far = nearest(
                points, matrix, k, query_numbers=numbers, row_numbers=own, metric=metric, context=context
            )
            source = held[0].source
            yield from packed(
                numbers, near, far, block=source, kind=_LISTS, source=block, slot=places[source], first_part=part << 12
            )

        for block, found in grouped(batches):
            stored: list[Parcel] = []
            own, matrix = np.empty(0, dtype=np.int64), np.empty((0, rows.columns), dtype=rows.dtype)
            held: list[Parcel] = []
            calls = 0
            for item in found:
                if item.kind == _ROWS:
                    stored.append(item)
                    continue
                if stored:
                    own, matrix, _ = joined(stored, rows.dtype, rows.columns)
                    stored = []
                full = sum(len(part.numbers) for part in held) >= _VISITORS
                if held and (full or item.kind != _VISIT or item.source != held[0].source):
                    yield from searched(held, own, matrix, block, calls)
                    held, calls = [], calls + 1
                if item.kind == _VISIT:
                    held.append(item)
                else:
                    yield parcel(places[block], block, _LISTS, block, item.part, item.numbers, item.rows, item.more)
            if held:
                yield from searched(held, own, matrix, block, calls)

    return work


def _merge(rows: Rows, k: int) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """A block's rows with their core distances, of the lists that all blocks have made for them."""

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        for block, found in grouped(batches):
            stored: list[Parcel] = []
            numbers, matrix = np.empty(0, dtype=np.int64), np.empty((0, rows.columns), dtype=rows.dtype)
            best = np.empty((0, k))
            for item in found:
                if item.kind == _ROWS:
                    stored.append(item)
                    continue
                if stored:
                    numbers, matrix, _ = joined(stored, rows.dtype, rows.columns)
                    best, stored = np.full((len(numbers), k), np.inf), []
                at = np.searchsorted(numbers, item.numbers)
                far = np.frombuffer(item.more, dtype=np.float64).reshape(-1, k)
                # Only distances count, and blocks share no row: the k least of both lists.
                best[at] = np.sort(np.concatenate([best[at], far], axis=1), axis=1)[:, :k]
            yield from packed(numbers, matrix, np.ascontiguousarray(best[:, k - 1]), block=block)

    return work
