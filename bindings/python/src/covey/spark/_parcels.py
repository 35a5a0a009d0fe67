"""What moves between tasks: parcels of rows or edges as bytes, which Spark shuffles and sorts.

A parcel is a row of a DataFrame. Its `slot` chooses the partition, `block` the group that a task works on at once,
`kind` and `part` the order inside the group. Bytes are cheaper than one row of numbers each, and a parcel is small
enough for any batch.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any, Callable, Iterable, Iterator, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

#: Bytes of a parcel's rows, about.
PARCEL_BYTES = 1 << 20
#: Parcels of an Arrow batch and of a batch of the Parquet reader, which hold their bytes at once.
PARCELS_A_BATCH = 8

SCHEMA = "slot int, block int, kind int, source int, part int, numbers binary, rows binary, more binary"
_ARROW = pa.schema(
    [(name, pa.int32()) for name in ("slot", "block", "kind", "source", "part")]
    + [(name, pa.binary()) for name in ("numbers", "rows", "more")]
)


class Parcel(NamedTuple):
    """`numbers` are int64; what `rows` and `more` hold is for the stage to say."""

    slot: int
    block: int
    kind: int
    source: int
    part: int
    numbers: NDArray[np.int64]
    rows: bytes
    more: bytes


def parcels(batches: Iterable[Any]) -> Iterator[Parcel]:
    """The parcels of Arrow batches, in their order."""
    for batch in batches:
        places = [batch.schema.get_field_index(name) for name in _ARROW.names]
        for row in range(batch.num_rows):
            slot, block, kind, source, part, numbers, rows, more = (
                batch.column(place)[row].as_py() for place in places
            )
            yield Parcel(slot, block, kind, source, part, np.frombuffer(numbers, dtype=np.int64), rows, more)


def grouped(batches: Iterable[Any]) -> Iterator[tuple[int, Iterator[Parcel]]]:
    """Blocks and their parcels, of batches that are sorted by block."""
    yield from groupby(parcels(batches), key=lambda parcel: parcel.block)


def packed(
    numbers: NDArray[np.int64],
    rows: NDArray[Any],
    more: NDArray[Any] | None,
    *,
    block: int,
    kind: int = 0,
    source: int = 0,
    slot: int = 0,
    first_part: int = 0,
) -> Iterator[Any]:
    """Arrow batches of one parcel each. `rows` and `more` have one entry a number."""
    width = max(1, rows[:1].nbytes + (0 if more is None else more[:1].nbytes) + 8)
    step = max(1, PARCEL_BYTES // width)
    for part, start in enumerate(range(0, len(numbers), step)):
        stop = start + step
        last = b"" if more is None else more[start:stop].tobytes()
        yield parcel(
            slot, block, kind, source, first_part + part, numbers[start:stop], rows[start:stop].tobytes(), last
        )


def parcel(
    slot: int, block: int, kind: int, source: int, part: int, numbers: NDArray[np.int64], rows: bytes, more: bytes
) -> Any:
    """An Arrow batch of one parcel."""
    return pa.record_batch(
        [pa.array([int(value)], type=pa.int32()) for value in (slot, block, kind, source, part)]
        + [pa.array([data], type=pa.binary()) for data in (numbers.tobytes(), rows, more)],
        schema=_ARROW,
    )


def joined(
    found: list[Parcel], dtype: np.dtype[Any], columns: int
) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.float64]]:
    """The numbers, the rows and, if there are any, the further float64 of parcels, in the order of the numbers."""
    numbers = np.concatenate([part.numbers for part in found])
    order = np.argsort(numbers, kind="stable")
    rows = np.frombuffer(b"".join(part.rows for part in found), dtype=dtype).reshape(len(numbers), columns)
    more = np.frombuffer(b"".join(part.more for part in found), dtype=np.float64)
    return numbers[order], rows[order], more[order] if len(more) == len(order) else more


def sent_to(frame: Any, spark: Any, places: list[tuple[int, int, int]]) -> Any:
    """The parcels of blocks, each sent to its (block, slot, group) of `places`: a block may go to many groups or to
    none."""
    from pyspark.sql import functions as F

    table = spark.createDataFrame(places, "block int, to_slot int, to_block int")
    sent = frame.join(F.broadcast(table), "block")
    return sent.select(
        F.col("to_slot").alias("slot"),
        F.col("to_block").alias("block"),
        "kind",
        F.col("block").alias("source"),
        "part",
        "numbers",
        "rows",
        "more",
    )


def in_slots(frame: Any, count: int) -> Any:
    """The parcels of each slot in one partition, sorted by block, kind, source and part."""
    return frame.repartition(max(1, count), "slot").sortWithinPartitions("block", "kind", "source", "part")


def mapped(frame: Any, work: Callable[[Iterator[Any]], Iterator[Any]]) -> Any:
    """The parcels that `work` makes of Arrow batches."""
    return frame.mapInArrow(work, SCHEMA)


def slots(count: int) -> NDArray[np.int32]:
    """`count` values of `slot`, each of which Spark puts into a partition of its own among `count`. Spark takes
    Murmur3 of the value modulo the number of partitions; values 0, 1, 2, ... would leave a third of them empty."""
    found = np.full(count, -1, dtype=np.int64)
    start, left = 0, count
    while left:
        values = np.arange(start, start + 4 * count + 64, dtype=np.uint32)
        places = _murmur3(values).astype(np.int32).astype(np.int64) % count
        unique, first = np.unique(places, return_index=True)
        fresh = found[unique] < 0
        found[unique[fresh]] = values[first[fresh]]
        start, left = start + len(values), int((found < 0).sum())
    return found.astype(np.int32)


def _murmur3(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Murmur3 (x86, 32 bits) of each value as 4 bytes, with Spark's seed."""

    def turned(x: NDArray[np.uint32], by: int) -> NDArray[np.uint32]:
        return (x << np.uint32(by)) | (x >> np.uint32(32 - by))

    with np.errstate(over="ignore"):
        mixed = turned(values * np.uint32(0xCC9E2D51), 15) * np.uint32(0x1B873593)
        found = turned(np.uint32(42) ^ mixed, 13) * np.uint32(5) + np.uint32(0xE6546B64)
        found = found ^ np.uint32(4)
        found = (found ^ (found >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        found = (found ^ (found >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        return found ^ (found >> np.uint32(16))
