"""Embeddings of event sequences on Spark."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Iterator, Optional

import numpy as np
import pyarrow as pa

from .._errors import InvalidArgumentError
from ..encoder import SequenceEncoder
from ..sequences import Sequences
from ._runs import Part, backwards, checked_columns, checked_length, first_of_runs, listed, quoted, whole_runs
from ._session import task_context

#: The longest sequence, in events, that is embedded whole.
MAX_LENGTH = 10_000


def embed(
    events: Any,
    encoder: Any,
    *,
    by: str,
    time: str,
    event: str,
    dwell: Optional[str] = None,
    numeric: Any = (),
    categorical: Any = (),
    order: Any = (),
    time_unit: Optional[str] = None,
    indices: bool = False,
    max_length: int = MAX_LENGTH,
    precision: str = "float32",
    outputCol: str = "embedding",
) -> Any:
    """One embedding for each value of `by`: a DataFrame of `by` and `outputCol`, an array of d floats. The same bytes
    as ``covey.SequenceEncoder.embed`` gives the same events in the same order, for any partitions and batches.

    Args:
        events: a DataFrame with one row an event.
        encoder: a :class:`covey.SequenceEncoder` or its file's bytes (sent to the workers, which load it once each),
            or a path that all workers can read.
        by, time, event, dwell, numeric, categorical, indices: the columns, as in :meth:`covey.Sequences.from_frame`.
        order: columns that decide the order of events at the same time; without them their type does, then the other
            columns. Spark keeps no order of rows by itself.
        time_unit: of numbers in `time`: "s" (None too), "ms", "us" or "ns".
        max_length: of a longer sequence the latest `max_length` events count, by time and `order`. The others are
            left out as they come, so that a key with very many events needs no more memory than `max_length` of them.
        precision: as in ``embed``.

    Lazy, as Spark is. A task holds 65,536 events and one sequence at a time. Errors in tasks are those of
    ``from_frame`` and ``embed``; names of columns are checked now."""
    checked_columns(
        events,
        {
            "by": by,
            "time": time,
            "event": event,
            "dwell": dwell,
            "numeric": numeric,
            "categorical": categorical,
            "order": order,
        },
    )
    if outputCol == by:
        raise InvalidArgumentError(f"outputCol must not be the column {by!r}")
    part = Part(encoder, "encoder", SequenceEncoder, lambda given, place: given.save(place))
    names = {"numeric": listed(numeric), "categorical": listed(categorical)}
    options = {
        "sequence": by,
        "time": time,
        "event": event,
        "dwell": dwell,
        "time_unit": time_unit or "s",
        "indices": indices,
        **names,
    }
    from pyspark.sql import types as T

    frame = latest_first(events, by, time, event_columns(event, dwell, names), listed(order))
    schema = T.StructType(
        [T.StructField(by, events.schema[by].dataType), T.StructField(outputCol, T.ArrayType(T.FloatType(), False))]
    )
    work = _embedder(part, by, options, checked_length(max_length), precision)
    return frame.mapInArrow(work, schema)


def event_columns(event: str, dwell: Optional[str], names: dict[str, list[str]]) -> list[str]:
    return list(dict.fromkeys([event, *([] if dwell is None else [dwell]), *names["numeric"], *names["categorical"]]))


def latest_first(events: Any, by: str, time: str, columns: list[str], order: list[str]) -> Any:
    """The events of each key in one partition, side by side, the latest first. A missing time comes before all, so
    that it is seen."""
    from pyspark.sql import functions as F

    used = list(dict.fromkeys([by, time, *columns, *order]))
    ties = order or columns
    chosen = events.select(*[F.col(quoted(name)) for name in used])
    return chosen.repartition(F.col(quoted(by))).sortWithinPartitions(
        F.col(quoted(by)), F.col(quoted(time)).desc_nulls_first(), *[F.col(quoted(name)).desc() for name in ties]
    )


def _embedder(
    part: Part, by: str, options: dict[str, Any], most: int, precision: str
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def work(batches: Iterable[Any]) -> Iterator[Any]:
        encoder, context = part.load(), task_context()
        for table in whole_runs(batches, by, most):
            found = backwards(table)
            sequences = Sequences._from_frame(found, **options)
            embeddings = np.asarray(encoder.embed(sequences, context=context, precision=precision))
            keys = found.column(by).combine_chunks()
            keys = keys.take(pa.array(first_of_runs(keys)))
            yield pa.record_batch([keys, float_lists(embeddings)], names=[by, "embedding"])

    return work


def float_lists(matrix: np.ndarray[Any, Any]) -> Any:
    """Rows of float32 as lists."""
    values = pa.array(np.ascontiguousarray(matrix, dtype=np.float32).reshape(-1))
    ends = np.arange(len(matrix) + 1, dtype=np.int32) * matrix.shape[1]
    return pa.ListArray.from_arrays(pa.array(ends), values)
