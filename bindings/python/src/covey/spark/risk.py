"""Cluster risk of labels that lie on Spark."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Optional

import numpy as np
import pyarrow as pa

from .._errors import InvalidArgumentError
from .._labels import label_codes
from ..risk import ClusterRisk
from ..risk import cluster_risk as rate
from ._runs import checked_columns, quoted
from ._session import check_driver, run_job

_PARTS = "labels binary, fraud binary, amounts binary, times binary"


def cluster_risk(
    frame: Any,
    *,
    fraud: str,
    labels: str = "prediction",
    amounts: Optional[str] = None,
    times: Optional[str] = None,
    **options: Any,
) -> ClusterRisk:
    """Rates clusters: ``covey.cluster_risk`` of columns of a DataFrame, as ``HDBSCANModel.transform`` gives them.

    Args:
        labels: cluster labels, -1 = noise; fraud: 1, True or "fraud", 0, False or "legitimate", null = unknown, as
            there.
        amounts, times: columns of numbers, and of numbers or timestamps.
        options: confidence, min_lift, min_fraud, shares_over, known_share, context.

    The driver takes 5 to 21 bytes a row: the columns, not the rows. Errors: those of ``covey.cluster_risk``."""
    from pyspark.sql import functions as F
    from pyspark.sql import types as T

    checked_columns(frame, {"labels": labels, "fraud": fraud, "amounts": amounts, "times": times})
    chosen = [F.col(quoted(labels)).alias("labels"), F.col(quoted(fraud)).alias("fraud")]
    if amounts is not None:
        chosen.append(F.col(quoted(amounts)).cast("double").alias("amounts"))
    if times is not None:
        kind = frame.schema[times].dataType
        moment = F.col(quoted(times)).cast("timestamp") if isinstance(kind, T.DateType) else F.col(quoted(times))
        chosen.append(moment.cast("double").alias("times"))
    table = frame.select(*chosen)
    rows = run_job(lambda: table.count())
    check_driver(rows, 0)
    parts = run_job(lambda: list(table.mapInArrow(_packed, _PARTS).toLocalIterator()))

    def column(place: int, kind: Any) -> Any:
        return np.frombuffer(b"".join(bytes(part[place]) for part in parts), dtype=kind)

    found = column(0, np.int32)
    if (found < -1).any():
        raise InvalidArgumentError(
            "labels must be -1 or more, without nulls: are there rows that the model was not fitted to?"
        )
    return rate(
        found,
        column(1, np.int8),
        None if amounts is None else column(2, np.float64),
        None if times is None else column(3, np.float64),
        **options,
    )


def _packed(batches: Iterable[Any]) -> Iterator[Any]:
    for batch in batches:
        if batch.num_rows == 0:
            continue
        columns = {name: batch.column(place) for place, name in enumerate(batch.schema.names)}
        labels = columns["labels"].fill_null(-2).to_numpy(zero_copy_only=False).astype(np.int32)
        fraud = label_codes(columns["fraud"].to_pylist(), "fraud", batch.num_rows)
        further = [
            columns[name].to_numpy(zero_copy_only=False).astype(np.float64).tobytes() if name in columns else b""
            for name in ("amounts", "times")
        ]
        data = [labels.tobytes(), fraud.tobytes(), *further]
        arrays = [pa.array([value], type=pa.binary()) for value in data]
        yield pa.record_batch(arrays, names=["labels", "fraud", "amounts", "times"])
