"""The labels on their way back: from the driver's arrays to a table of keys and labels."""

from __future__ import annotations

from typing import Any, Iterable, Iterator

import numpy as np
import pyarrow as pa

from ..clustering import HDBSCAN
from ._rows import KEY, PARTITION, PLACE, Rows
from ._session import Folder, for_parcels, run_job

NUMBER, LABEL, STRENGTH, OUTLIER, ORDINAL = "number", "label", "strength", "outlier", "ordinal"
_LABELS = f"{NUMBER} bigint, {LABEL} int, {STRENGTH} double, {OUTLIER} double"
# Rows of a piece in which the driver sends labels: 20 bytes each.
_PIECE = 50_000


def write_labels(spark: Any, rows: Rows, clusterer: HDBSCAN, keyed: bool, folder: Folder) -> str:
    """Writes `labels` in the folder: key, label, strength and outlier score; for rows without keys also the index
    among equal rows. Rows that were left out are noise with an outlier score of 1, as on one machine."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    labels = np.asarray(clusterer.labels_, dtype=np.int32)
    strengths, outliers = np.asarray(clusterer.probabilities_), np.asarray(clusterer.outlier_scores_)
    pieces = [
        (
            start,
            bytearray(labels[part].tobytes()),
            bytearray(strengths[part].tobytes()),
            bytearray(outliers[part].tobytes()),
        )
        for start in range(0, len(labels), _PIECE)
        for part in [slice(start, start + _PIECE)]
    ]
    sent = spark.createDataFrame(pieces, "first bigint, labels binary, strengths binary, outliers binary")
    with for_parcels(spark):
        table = sent.repartition(max(1, min(len(pieces), 1000)), "first").mapInArrow(_unpacked, _LABELS)
        run_job(lambda: table.write.parquet(folder / "numbers"))
    starts = spark.createDataFrame(
        [(int(partition), int(start)) for partition, start in zip(rows.partitions, rows.starts)],
        f"{PARTITION} int, start bigint",
    )
    known = spark.read.parquet(rows.path).select(KEY, PARTITION, PLACE).join(F.broadcast(starts), PARTITION, "left")
    number = F.when(F.col(PLACE) >= 0, F.col("start") + F.col(PLACE))
    joined = (
        known.withColumn(NUMBER, number)
        .join(spark.read.parquet(folder / "numbers"), NUMBER, "left")
        .select(
            KEY,
            PARTITION,
            PLACE,
            F.coalesce(LABEL, F.lit(-1)).alias(LABEL),
            F.coalesce(STRENGTH, F.lit(0.0)).alias(STRENGTH),
            F.coalesce(OUTLIER, F.lit(1.0)).alias(OUTLIER),
        )
    )
    if not keyed:
        joined = joined.withColumn(ORDINAL, F.row_number().over(Window.partitionBy(KEY).orderBy(PARTITION, PLACE)))
    run_job(lambda: joined.drop(PARTITION, PLACE).write.parquet(folder / "labels"))
    folder.remove("numbers")
    return folder / "labels"


def _unpacked(batches: Iterable[Any]) -> Iterator[Any]:
    for batch in batches:
        for row in range(batch.num_rows):
            first, labels, strengths, outliers = (batch.column(place)[row].as_py() for place in range(4))
            found = np.frombuffer(labels, dtype=np.int32)
            yield pa.record_batch(
                [
                    pa.array(np.arange(first, first + len(found))),
                    pa.array(found),
                    pa.array(np.frombuffer(strengths, dtype=np.float64)),
                    pa.array(np.frombuffer(outliers, dtype=np.float64)),
                ],
                names=[NUMBER, LABEL, STRENGTH, OUTLIER],
            )
