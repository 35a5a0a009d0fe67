"""Scores of transactions on Spark."""

from __future__ import annotations

import warnings
from typing import Any, Callable, Iterable, Iterator, Optional

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError
from .._findings import DataWarning
from ..engine import Engine
from ..sequences import Sequences
from ._runs import Part, backwards, checked_columns, checked_length, quoted, whole_runs
from ._session import task_context
from .embedding import MAX_LENGTH, event_columns

_KEY, _SIDE, _TIME, _FEATURES, _EVENT = "__key", "__side", "__time", "__features", "__event"


def score(
    events: Any,
    features: Any,
    engine: Any,
    *,
    key: str,
    time: str = "time",
    event: str = "event",
    dwell: Optional[str] = None,
    order: Any = (),
    time_unit: Optional[str] = None,
    max_length: int = MAX_LENGTH,
    reasons: bool = False,
) -> Any:
    """Scores transactions: a DataFrame of `key`, cluster (-1 = none), strength, risk, risky, and with `reasons` their
    sentences. The same numbers as ``covey.Engine.score`` gives, for any partitions.

    Args:
        events: a DataFrame with one row an event, or None where the engine has no encoder. Events of no transaction
            are left out; a transaction without events has an empty sequence.
        features: a DataFrame with one row a transaction and the columns that the engine needs (others are left alone).
        engine: a :class:`covey.Engine` or its bytes (sent to the workers, which load it once each), or a path that
            all workers can read.
        key: the column of both that says which transaction a row is; in `features` no value twice.
        time, event, dwell, order, time_unit, max_length: as in :func:`covey.spark.embed`. The engine says which
            further channels it needs.

    Lazy. Errors in tasks are those of ``Engine.score``; names of columns are checked now."""
    part = Part(engine, "engine", Engine, lambda given, place: given.save(place))
    known = engine if isinstance(engine, Engine) else part.load()
    encoder = known.encoder
    if features is None:
        raise InvalidTypeError("features must be a DataFrame with one row a transaction")
    if events is None and encoder is not None:
        raise InvalidTypeError("events must be a DataFrame: this engine has an encoder")
    if events is not None and encoder is None:
        raise InvalidTypeError("events must be None: this engine has no encoder")
    columns = list(known.features)
    checked_columns(features, {"key": key, "features": columns})
    length = checked_length(max_length)
    options: dict[str, Any] = {}
    if events is None:
        joined = _sides(features, None, key, columns, None, [], [])
    else:
        assert encoder is not None
        names = {"numeric": encoder.numeric_names, "categorical": encoder.categorical_names}
        if dwell is None and encoder.uses_dwell:
            dwell = "dwell"
        checked_columns(events, {"key": key, "time": time, "event": event, "dwell": dwell, "order": order, **names})
        options = {"time": _TIME, "event": event, "dwell": dwell, "time_unit": time_unit or "s", **names}
        used = event_columns(event, dwell, names)
        further = [order] if isinstance(order, str) else list(order or ())
        joined = _sides(features, events, key, columns, time, used, further)
    from pyspark.sql import types as T

    fields = [
        T.StructField(key, features.schema[key].dataType),
        T.StructField("cluster", T.LongType()),
        T.StructField("strength", T.DoubleType()),
        T.StructField("risk", T.DoubleType()),
        T.StructField("risky", T.BooleanType()),
    ]
    if key in ("cluster", "strength", "risk", "risky", "reasons"):
        raise InvalidArgumentError(f"key must not be called {key!r}, which is a column of the scores")
    if reasons:
        fields.append(T.StructField("reasons", T.ArrayType(T.StringType())))
    return joined.mapInArrow(_scorer(part, key, columns, options, length, reasons), T.StructType(fields))


def _sides(
    features: Any, events: Any, key: str, columns: list[str], time: Any, used: list[str], order: list[str]
) -> Any:
    """Features and events as one DataFrame: of each key first its features, then its events, the latest first."""
    from pyspark.sql import functions as F

    def packed(names: list[str]) -> Any:
        return F.struct(*[F.col(quoted(name)) for name in names]) if names else F.struct(F.lit(0).alias("none"))

    left = features.select(F.col(quoted(key)).alias(_KEY), F.lit(0).alias(_SIDE), packed(columns).alias(_FEATURES))
    if events is None:
        return left.repartition(_KEY).sortWithinPartitions(_KEY, _SIDE)
    inside = list(dict.fromkeys([*used, *order]))
    right = events.select(
        F.col(quoted(key)).alias(_KEY),
        F.lit(1).alias(_SIDE),
        F.col(quoted(time)).alias(_TIME),
        packed(inside).alias(_EVENT),
    )
    joined = left.unionByName(right, allowMissingColumns=True)
    ties = [F.col(f"{_EVENT}.{quoted(name)}").desc() for name in (order or used)]
    return joined.repartition(_KEY).sortWithinPartitions(_KEY, _SIDE, F.col(_TIME).desc_nulls_first(), *ties)


def _scorer(
    part: Part, key: str, columns: list[str], options: dict[str, Any], length: int, reasons: bool
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def work(batches: Iterable[Any]) -> Iterator[Any]:
        engine, context = part.load(), task_context()
        # One row of a run is the features'.
        for table in whole_runs(batches, _KEY, length + 1):
            side = np.asarray(table.column(_SIDE))
            chosen = table.filter(pa.array(side == 0))
            keys = chosen.column(_KEY).combine_chunks()
            twice = pc.equal(keys[1:], keys[:-1])
            if len(keys) > 1 and pc.any(twice).as_py():
                value = keys[pc.index(twice, True).as_py()].as_py()
                raise InvalidDataError(f"{key!r} must be unique in features, got {value!r} twice")
            if not len(keys):
                continue
            # Of two columns with the key, the features' own one is among `columns`, and stands as it is.
            given = _flat(chosen.column(_FEATURES), columns) if columns else pa.table({_KEY: keys})
            sequences = None if not options else _sequences(table.filter(pa.array(side == 1)), keys, options)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)
                found = engine.score(sequences, given, context=context)
            values = [
                keys,
                pa.array(found.cluster),
                pa.array(found.strength),
                pa.array(found.risk),
                pa.array(found.risky),
            ]
            names = [key, "cluster", "strength", "risk", "risky"]
            if reasons:
                values.append(pa.array([list(one.reasons) for one in found], type=pa.list_(pa.string())))
                names.append("reasons")
            yield pa.record_batch(values, names=names)

    return work


def _flat(column: Any, names: list[str]) -> pa.Table:
    values = column.combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = values.chunk(0)
    return pa.table({name: values.field(name) for name in names})


def _sequences(table: pa.Table, keys: Any, options: dict[str, Any]) -> Sequences:
    """The events of these keys, in their order."""
    table = backwards(table.filter(pc.is_in(table.column(_KEY), value_set=keys)))
    inside = event_columns(options["event"], options["dwell"], options)
    frame = _flat(table.column(_EVENT), inside)
    frame = frame.append_column(_TIME, table.column(_TIME)).append_column(_KEY, table.column(_KEY))
    sequences = Sequences._from_frame(frame, sequence=_KEY, order=keys, **options)
    sequences.keys = None  # in the order of the features already
    return sequences
