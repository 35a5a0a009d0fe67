"""Hybrid rows on Spark: embeddings beside scaled features."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Iterator, Optional

import numpy as np
import pyarrow as pa

from .._errors import InvalidArgumentError, InvalidDataError
from ..hybrid import HybridFeatures
from ._runs import Part, checked_columns, listed
from ._session import task_context
from .embedding import float_lists


def hybrid_rows(
    frame: Any, hybrid: Any, *, features: Any = (), embedding: Optional[str] = "embedding", outputCol: str = "features"
) -> Any:
    """Adds the rows that are clustered: ``HybridFeatures.transform`` of each row, an array of floats.

    Args:
        frame: a DataFrame with embeddings and features side by side, as a join of ``embed`` and a table of features.
        hybrid: a fitted :class:`covey.HybridFeatures`, its file's bytes or a path that all workers can read. Fit it
            on a sample: what it learns are medians, scales and categories.
        features: the columns of features. embedding: the column of embeddings, None where `hybrid` has none.

    Lazy. Errors in tasks are those of ``transform``."""
    names = listed(features)
    checked_columns(frame, {"features": names, "embedding": embedding})
    if outputCol in frame.columns:
        raise InvalidArgumentError(f"outputCol={outputCol!r} is a column of the DataFrame already")
    part = Part(hybrid, "hybrid", HybridFeatures, lambda given, place: given.save(place))
    from pyspark.sql import types as T

    schema = T.StructType([*frame.schema.fields, T.StructField(outputCol, T.ArrayType(T.FloatType(), False))])
    return frame.mapInArrow(_transformer(part, names, embedding, outputCol), schema)


def _transformer(
    part: Part, names: list[str], embedding: Optional[str], output: str
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def work(batches: Iterable[Any]) -> Iterator[Any]:
        found, context = part.load(), task_context()
        found.context = context
        for batch in batches:
            if batch.num_rows == 0:
                continue
            columns = {name: batch.column(place) for place, name in enumerate(batch.schema.names)}
            block = None if embedding is None else _matrix(columns[embedding], embedding)
            table = pa.table({name: columns[name] for name in names}) if names else None
            rows = np.asarray(found.transform(block, features=table))
            yield pa.record_batch([*columns.values(), float_lists(rows)], names=[*columns, output])

    return work


def _matrix(column: Any, name: str) -> np.ndarray[Any, Any]:
    lengths = np.diff(np.asarray(column.offsets))
    if column.null_count or column.values.null_count or (lengths != lengths[0]).any():
        raise InvalidDataError(f"{name!r} must hold as many numbers in each row, without nulls")
    first, last = column.offsets[0].as_py(), column.offsets[len(column)].as_py()
    return np.ascontiguousarray(column.values.to_numpy(zero_copy_only=False)[first:last].reshape(len(column), -1))
