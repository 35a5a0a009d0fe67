"""The rows that are clustered: read once, checked, numbered and written, so that no task which runs again can change
them.

A row's number is its place in the order of the key, or in the DataFrame's own order. It is the sum of two numbers
that are stored with the row: its place in the partition that wrote it, and the rows of the partitions before that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .._errors import InvalidArgumentError, InvalidDataError, MismatchError
from ._session import Folder

KEY, PARTITION, PLACE, ROW = "key", "partition", "place", "row"


@dataclass(frozen=True)
class Rows:
    """The numbered rows in the folder: the partitions that wrote some and the number of the first row of each."""

    path: str
    count: int
    columns: int
    dtype: np.dtype[Any]
    partitions: NDArray[np.int64]
    starts: NDArray[np.int64]

    def numbers(self, partitions: NDArray[Any], places: NDArray[Any]) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self.starts[np.searchsorted(self.partitions, partitions)] + places
        return found

    def matrix(self, column: Any) -> NDArray[Any]:
        """Rows as numbers, of a column of bytes without nulls."""
        return row_matrix(column, self.dtype, self.columns)


def row_matrix(column: Any, dtype: np.dtype[Any], columns: int) -> NDArray[Any]:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    ends = np.frombuffer(column.buffers()[1], dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    data = np.frombuffer(column.buffers()[2] or b"", dtype=np.uint8)[ends[0] : ends[-1]] if len(column) else b""
    return np.frombuffer(data, dtype=dtype).reshape(len(column), columns)


def features_column(frame: Any, features: Any) -> Any:
    """The features as one array column: of float where they are floats, of double otherwise. They may be an array, a
    vector of Spark ML, or a list of columns of numbers."""
    from pyspark.sql import functions as F
    from pyspark.sql import types as T

    kinds = {field.name: field.dataType for field in frame.schema.fields}
    several = not isinstance(features, str)
    names = list(features) if several else [features]
    for name in names:
        if name not in kinds:
            raise InvalidArgumentError(
                f"featuresCol: {name!r} is not a column of the DataFrame, which has {list(kinds)}"
            )
    if several:
        if not names:
            raise InvalidArgumentError("featuresCol must name at least 1 column")
        for name in names:
            if not isinstance(kinds[name], (T.NumericType, T.BooleanType)):
                raise InvalidArgumentError(
                    f"featuresCol: {name!r} must be a column of numbers, got {kinds[name].simpleString()}"
                )
        return F.array(*[F.col(_quoted(name)).cast("double") for name in names])
    kind = kinds[names[0]]
    column = F.col(_quoted(names[0]))
    if isinstance(kind, T.ArrayType) and isinstance(kind.elementType, T.FloatType):
        return column
    if isinstance(kind, T.ArrayType) and isinstance(kind.elementType, T.NumericType):
        return column.cast("array<double>")
    if kind.typeName() == "vectorudt" or type(kind).__name__ == "VectorUDT":
        from pyspark.ml.functions import vector_to_array

        return vector_to_array(column)
    raise InvalidArgumentError(
        f"featuresCol: {names[0]!r} must be an array of numbers, a vector or a list of columns of numbers, got"
        f" {kind.simpleString()}"
    )


def key_column(frame: Any, key: Any) -> Any:
    from pyspark.sql import functions as F

    if key not in frame.columns:
        raise InvalidArgumentError(f"keyCol={key!r} is not a column of the DataFrame, which has {frame.columns}")
    return F.col(_quoted(key))


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def write_rows(frame: Any, features: Any, key: str | None, noise: bool, folder: Folder) -> Rows:
    """Writes `rows` in the folder: key, partition, place (-1 for a row with a hole, where `noise`), row."""
    from pyspark.sql import functions as F

    array = features_column(frame, features)
    single = frame.select(array.alias("f")).schema.fields[0].dataType.elementType.typeName() == "float"
    dtype = np.dtype(np.float32 if single else np.float64)
    chosen = frame.select((array if key is None else key_column(frame, key)).alias(KEY), array.alias("features"))
    kind = chosen.schema[KEY].dataType
    if key is not None:
        chosen = chosen.sort(KEY)
    from pyspark.sql import types as T

    schema = T.StructType(
        [
            T.StructField(KEY, kind),
            T.StructField(PARTITION, T.IntegerType()),
            T.StructField(PLACE, T.LongType()),
            T.StructField(ROW, T.BinaryType()),
        ]
    )
    chosen.mapInArrow(_writer(dtype, key, noise), schema).write.parquet(folder / "rows")
    spark = frame.sparkSession
    sums = sorted(
        (line["partition"], line["rows"], line["least"], line["most"])
        for line in (
            spark.read.schema(schema)
            .parquet(folder / "rows")
            .where(F.col(PLACE) >= 0)
            .groupBy(PARTITION)
            .agg(F.count("*").alias("rows"), F.min(F.length(ROW)).alias("least"), F.max(F.length(ROW)).alias("most"))
            .collect()
        )
    )
    least, most = min((line[2] for line in sums), default=0), max((line[3] for line in sums), default=0)
    if least != most:
        size = dtype.itemsize
        raise MismatchError(f"features must have as many numbers in each row, got {least // size} and {most // size}")
    if sums and most == 0:
        raise InvalidDataError("features must have at least 1 number in each row, got 0")
    counts = np.array([line[1] for line in sums], dtype=np.int64)
    return Rows(
        path=folder / "rows",
        count=int(counts.sum()),
        columns=most // dtype.itemsize,
        dtype=dtype,
        partitions=np.array([line[0] for line in sums], dtype=np.int64),
        starts=np.cumsum(counts) - counts,
    )


def _writer(dtype: np.dtype[Any], key: str | None, noise: bool) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """The work of a task of `write_rows`: one partition, in its order."""

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        from pyspark import TaskContext

        task = TaskContext.get()
        partition = 0 if task is None else task.partitionId()
        place, seen, last = 0, 0, None
        for batch in batches:
            if batch.num_rows == 0:
                continue
            keys, features = batch.column(0), batch.column(1)
            if key is not None:
                last = _check_keys(keys, last, key)
            rows, good = _row_bytes(features, dtype)
            if not noise and not good.all():
                at = int(np.flatnonzero(~good)[0])
                what = f"key {keys[at].as_py()!r}" if key is not None else f"partition {partition}, row {seen + at}"
                raise InvalidDataError(
                    f"features of {what} hold a null, a NaN or an infinity; missing='noise' makes such rows noise"
                )
            places = np.where(good, place + np.cumsum(good) - 1, -1)
            place, seen = place + int(good.sum()), seen + len(good)
            yield pa.record_batch(
                [keys, pa.array(np.full(len(good), partition, dtype=np.int32)), pa.array(places), rows],
                names=[KEY, PARTITION, PLACE, ROW],
            )

    return work


def _check_keys(keys: Any, last: Any, name: str) -> Any:
    """Keys come sorted, so that equal ones stand side by side."""
    if keys.null_count:
        raise InvalidDataError(f"keyCol={name!r} must have no null")
    twice = pc.equal(keys[1:], keys[:-1])
    if last is not None and keys[0].as_py() == last:
        raise InvalidDataError(f"keyCol={name!r} must be unique, got {last!r} twice")
    if pc.any(twice).as_py():
        at = pc.index(twice, True).as_py()
        raise InvalidDataError(f"keyCol={name!r} must be unique, got {keys[at].as_py()!r} twice")
    return keys[len(keys) - 1].as_py()


def _row_bytes(features: Any, dtype: np.dtype[Any]) -> tuple[Any, NDArray[np.bool_]]:
    """Each list of numbers as bytes, and true for each list without a null, a NaN or an infinity. -0.0 becomes 0.0."""
    offsets = np.asarray(features.offsets).astype(np.int64)
    values = features.values
    numbers = values.to_numpy(zero_copy_only=False).astype(dtype) + dtype.type(0)
    bad = ~np.isfinite(numbers)
    before = np.concatenate([[0], np.cumsum(bad)])
    good: NDArray[np.bool_] = before[offsets[1:]] == before[offsets[:-1]]
    good &= np.asarray(features.is_valid())
    lengths = np.where(good, np.diff(offsets), 0) * dtype.itemsize
    # A row that is left out has no bytes. Of the others the numbers are in place already.
    if not good.all():
        kept = np.repeat(good, np.diff(offsets))
        numbers = numbers[offsets[0] : offsets[-1]][kept]
    else:
        numbers = numbers[offsets[0] : offsets[-1]]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    if ends[-1] >= 1 << 31:
        raise InvalidDataError("features of a batch exceed 2 GiB: lower spark.sql.execution.arrow.maxRecordsPerBatch")
    rows = pa.Array.from_buffers(
        pa.binary(), len(good), [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(numbers))]
    )
    return rows, good
