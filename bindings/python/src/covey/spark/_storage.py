"""Estimators and models in folders, in the layout of Spark ML, so that pipelines keep and load them too."""

from __future__ import annotations

import json
import os
import tempfile
import time
from typing import Any

from pyspark.ml.util import MLReadable, MLReader, MLWritable, MLWriter

from .._errors import CorruptFileError
from ..clustering import HDBSCAN as OneMachine

# Bytes of a row in which the tree is kept.
_PIECE = 8 << 20


class StoredEstimator(MLReadable, MLWritable):
    """An estimator whose parameters are all there is to keep."""

    def write(self) -> Any:
        return Writer(self)

    @classmethod
    def read(cls) -> Any:
        return Reader(cls)


class StoredModel(MLReadable, MLWritable):
    """A model: its parameters, labels and tree."""

    def write(self) -> Any:
        return ModelWriter(self)

    @classmethod
    def read(cls) -> Any:
        return ModelReader(cls)


class Writer(MLWriter):
    """``write().overwrite().save(path)``."""

    def __init__(self, instance: Any) -> None:
        super().__init__()
        self.instance = instance

    def save(self, path: str) -> None:
        self.saveImpl(path)

    def saveImpl(self, path: str) -> None:
        write_metadata(self.instance, path, _session(), self.mode)

    @property
    def mode(self) -> str:
        return "overwrite" if self.shouldOverwrite else "errorifexists"


class ModelWriter(Writer):
    def saveImpl(self, path: str) -> None:
        model = self.instance
        spark = model.labels.sparkSession
        write_metadata(model, path, spark, self.mode, {"summary": model.summary})
        model.labels.write.mode(self.mode).parquet(f"{path}/labels")
        with tempfile.TemporaryDirectory(prefix="covey-") as folder:
            place = os.path.join(folder, "clusters")
            model.clusterer.save(place)
            with open(place, "rb") as file:
                data = file.read()
        pieces = [
            (part, bytearray(data[start : start + _PIECE])) for part, start in enumerate(range(0, len(data), _PIECE))
        ]
        tree = spark.createDataFrame(pieces, "part int, data binary")
        tree.repartition(max(1, min(len(pieces), 200))).write.mode(self.mode).parquet(f"{path}/clusters")


class Reader(MLReader):
    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    def load(self, path: str) -> Any:
        instance = self.kind()
        read_parameters(instance, path, _session())
        return instance


class ModelReader(Reader):
    def load(self, path: str) -> Any:
        spark = _session()
        model = self.kind()
        metadata = read_parameters(model, path, spark)
        model.labels = spark.read.parquet(f"{path}/labels")
        lines = sorted(spark.read.parquet(f"{path}/clusters").collect(), key=lambda line: line["part"])
        if [line["part"] for line in lines] != list(range(len(lines))):
            raise CorruptFileError(f"{path}/clusters lacks a part")
        with tempfile.TemporaryDirectory(prefix="covey-") as folder:
            place = os.path.join(folder, "clusters")
            with open(place, "wb") as file:
                for line in lines:
                    file.write(line["data"])
            model.clusterer = OneMachine.load(place)
        model.summary = metadata.get("summary", {})
        return model


def write_metadata(instance: Any, path: str, spark: Any, mode: str, further: dict[str, Any] | None = None) -> None:
    values = {
        "class": f"{type(instance).__module__}.{type(instance).__name__}",
        "timestamp": int(time.time() * 1000),
        "sparkVersion": spark.version,
        "uid": instance.uid,
        "paramMap": {param.name: value for param, value in instance._paramMap.items()},
        "defaultParamMap": {param.name: value for param, value in instance._defaultParamMap.items()},
        **(further or {}),
    }
    spark.createDataFrame([(json.dumps(values),)], "value string").coalesce(1).write.mode(mode).text(f"{path}/metadata")


def read_parameters(instance: Any, path: str, spark: Any) -> dict[str, Any]:
    lines = spark.read.text(f"{path}/metadata").collect()
    try:
        values: dict[str, Any] = json.loads(lines[0][0])
        kind = f"{type(instance).__module__}.{type(instance).__name__}"
        if values["class"] != kind:
            raise CorruptFileError(f"{path} holds a {values['class']}, not a {kind}")
        instance._resetUid(values["uid"])
        # A parameter of a newer version is no parameter here, and says so.
        instance.setParams(**values["paramMap"])
    except (IndexError, KeyError, TypeError, ValueError) as failure:
        raise (
            failure if isinstance(failure, CorruptFileError) else CorruptFileError(f"{path}/metadata: {failure}")
        ) from failure
    return values


def _session() -> Any:
    from pyspark.sql import SparkSession

    return SparkSession.builder.getOrCreate()
