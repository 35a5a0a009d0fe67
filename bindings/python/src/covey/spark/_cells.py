"""Blocks of rows that lie near each other: the cells of k-means, cut where they are large; and how near two blocks
can come."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Iterator, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._errors import InternalError
from ._parcels import PARCEL_BYTES, Parcel, grouped, in_slots, joined, mapped, packed, parcel, slots
from ._rows import PARTITION, PLACE, ROW, Rows
from ._session import Folder, for_parcels, task_context, tasks_for, run_job

# Bounds are computed in double precision; this much of them is given away, so that rounding cannot make one too strict.
_SLACK = 1e-9


class Blocks(NamedTuple):
    """Block b has `counts[b]` rows, all within `radii[b]` of `centres[b]`; its parcels at `path` are called
    `names[b]`."""

    path: str
    names: list[int]
    counts: NDArray[np.int64]
    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    metric: str

    def gaps(self) -> NDArray[np.float64]:
        """How near, at the least, a row of one block can be to a row of another, by the triangle inequality."""
        found = np.array(
            [self.reach_of(self.centres[b : b + 1], self.radii[b : b + 1])[0] for b in range(len(self.counts))]
        )
        return found.reshape(len(self.counts), len(self.counts))

    def reach_of(self, rows: NDArray[Any], within: Any = 0.0) -> NDArray[np.float64]:
        """rows x blocks: the least distance from a ball of radius `within` around each row to each block."""
        apart = straight(rows, self.centres, self.metric)
        gap = apart - self.radii - np.reshape(within, (-1, 1))
        gap = np.maximum(0.0, gap - _SLACK * (apart + self.radii))
        return gap * gap / 2 if self.metric == "cosine" else gap


def straight(rows: NDArray[Any], centres: NDArray[np.float64], metric: str) -> NDArray[np.float64]:
    """Distances that the triangle inequality holds for; for cosine those of the chords (1 - cos = chord^2 / 2)."""
    from scipy.spatial.distance import cdist

    given = np.asarray(rows, dtype=np.float64)
    found: NDArray[np.float64] = cdist(unit(given) if metric == "cosine" else given, centres, _SCIPY[metric])
    return found


#: The metric by which rows choose their cells; for cosine the rows are brought to length 1.
_CELLS = {"euclidean": "euclidean", "manhattan": "manhattan", "cosine": "euclidean"}
_SCIPY = {"euclidean": "euclidean", "manhattan": "cityblock", "cosine": "euclidean"}


def unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    found: NDArray[np.float64] = rows / np.where(lengths == 0, 1.0, lengths)
    return found


def find_centres(spark: Any, rows: Rows, cells: int, metric: str) -> NDArray[np.float64]:
    """The centres of k-means on a sample. Which rows are drawn depends on where they stand, so that a second fit
    draws the same."""
    from pyspark.sql import functions as F

    if cells == 1:
        return np.zeros((1, rows.columns))
    every = max(1, rows.count // max(4000, 40 * cells))
    frame = spark.read.parquet(rows.path).where(F.col(PLACE) >= 0)
    drawn = frame.where(F.pmod(F.hash(PARTITION, PLACE), F.lit(every)) == 0).select(PARTITION, PLACE, ROW).collect()
    drawn.sort(key=lambda line: (line[0], line[1]))
    data = np.frombuffer(b"".join(bytes(line[2]) for line in drawn), dtype=rows.dtype)
    sample = data.reshape(-1, rows.columns).astype(np.float64)
    sample = unit(sample) if metric == "cosine" else sample
    cells = min(cells, len(np.unique(sample, axis=0)))
    if cells <= 1:
        return sample[:1] if len(sample) else np.zeros((1, rows.columns))
    from sklearn.cluster import KMeans

    found: NDArray[np.float64] = KMeans(cells, n_init=1, max_iter=25, random_state=0).fit(sample).cluster_centers_
    return found


def write_blocks(
    spark: Any, rows: Rows, centres: NDArray[np.float64], block_rows: int, metric: str, folder: Folder
) -> Blocks:
    """Writes `blocks` in the folder: the rows of each cell in blocks of about `block_rows`."""
    cells = len(centres)
    tasks = tasks_for(spark, cells, rows.count)
    places = slots(tasks)[np.arange(cells) % tasks]
    frame = spark.read.parquet(rows.path).select(PARTITION, PLACE, ROW).where(f"{PLACE} >= 0")
    # Here rows are short and come in batches of thousands, there they are parcels: two jobs, with settings of their
    # own.
    run_job(lambda: mapped(frame, _by_cell(rows, centres, places, metric)).write.parquet(folder / "sent"))
    with for_parcels(spark):
        sent = in_slots(spark.read.parquet(folder / "sent"), tasks)
        run_job(lambda: mapped(sent, _cut(rows, centres, block_rows, metric)).write.parquet(folder / "cells"))
        folder.remove("sent")
        lines = spark.read.parquet(folder / "cells").select("block", "source", "more").collect()
        found: dict[int, list[float]] = {}
        for block, cell, more in lines:
            count, radius = np.frombuffer(more, dtype=np.float64)
            known = found.setdefault(block, [0.0, 0.0, cell])
            known[0], known[1] = known[0] + count, max(known[1], radius)
    names = sorted(found)
    counts = np.array([found[name][0] for name in names], dtype=np.int64)
    if counts.sum() != rows.count:
        raise InternalError(
            f"blocks hold {counts.sum()} rows of {rows.count}: do all executors run the same version of Covey?"
        )
    own = centres[[int(found[name][2]) for name in names]]
    return Blocks(folder / "cells", names, counts, own, np.array([found[name][1] for name in names]), metric)


def _by_cell(
    rows: Rows, centres: NDArray[np.float64], places: NDArray[np.int32], metric: str
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Numbers rows and sends each to the cell whose centre is nearest."""

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        from ..parts import nearest

        context = task_context()
        for batch in batches:
            if batch.num_rows == 0:
                continue
            numbers = rows.numbers(np.asarray(batch.column(0)), np.asarray(batch.column(1)))
            given = rows.matrix(batch.column(2))
            points = given.astype(np.float64)
            points = unit(points) if metric == "cosine" else points
            # The library's search gives the same cell to a row whenever the task runs, which a matrix product might
            # not.
            cell = nearest(points, centres, 1, metric=_CELLS[metric], context=context)[0][:, 0]
            order = np.lexsort((numbers, cell))
            for chosen in np.split(order, np.flatnonzero(np.diff(cell[order])) + 1):
                own, first = int(cell[chosen[0]]), int(numbers[chosen[0]])
                # The first number tells a parcel from all others, so that parcels have an order.
                yield from packed(
                    numbers[chosen],
                    given[chosen],
                    None,
                    block=own,
                    slot=places[own],
                    source=first >> 31,
                    kind=0,
                    first_part=first & 0x7FFFFFFF,
                )

    return work


def _cut(
    rows: Rows, centres: NDArray[np.float64], block_rows: int, metric: str
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Makes blocks of the parcels of a cell. A block is called cell + cells * (how many the cell has already)."""
    cells = len(centres)

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        for cell, found in grouped(batches):
            held: list[Parcel] = []
            serial = filled = part = 0
            for own in found:
                held.append(own)
                filled += len(own.numbers)
                full = filled >= block_rows
                if full or sum(len(other.rows) for other in held) >= PARCEL_BYTES:
                    yield _block_parcel(held, rows, centres, metric, cell, cell + cells * serial, part)
                    held, part = [], part + 1
                if full:
                    serial, filled = serial + 1, 0
            if held:
                yield _block_parcel(held, rows, centres, metric, cell, cell + cells * serial, part)

    return work


def _block_parcel(
    held: list[Parcel], rows: Rows, centres: NDArray[np.float64], metric: str, cell: int, block: int, part: int
) -> Any:
    numbers, matrix, _ = joined(held, rows.dtype, rows.columns)
    radius = straight(matrix, centres[cell : cell + 1], metric).max()
    about = np.array([len(numbers), radius * (1 + _SLACK)])
    return parcel(0, block, 0, cell, part, numbers, matrix.tobytes(), about.tobytes())
