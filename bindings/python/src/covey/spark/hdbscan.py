"""Exact HDBSCAN of a Spark DataFrame, as an estimator and a model of Spark ML."""

from __future__ import annotations

import math
import time
from functools import partial
from inspect import signature
from typing import Any, Callable, Optional, cast

import numpy as np
from numpy.typing import NDArray
from pyspark.ml import Estimator, Model
from pyspark.ml.param import Param, Params

from .._cluster_options import cluster_options
from .._errors import InternalError, InvalidArgumentError, UnsupportedError
from .._metrics import NATIVE
from ..clustering import HDBSCAN as OneMachine
from ..parts import cluster_edges
from ._cells import Blocks, find_centres, write_blocks
from ._cores import write_cores
from ._edges import spanning_forest
from ._labels import LABEL, ORDINAL, OUTLIER, STRENGTH, write_labels
from ._pruning import neighbour_pairs, needed_pairs
from ._rows import KEY, Rows, features_column, key_column, write_rows
from ._session import DRIVER_BYTES_A_ROW, Folder, check_driver, cores, for_parcels, run_job
from ._storage import StoredEstimator, StoredModel

#: Called with the stage and the share of it that is done.
Progress = Callable[[str, float], Any]

# The parameters of covey.HDBSCAN that go to it as they are.
_CLUSTERING = {
    "min_cluster_size": (5, "at least 2"),
    "min_samples": (None, "the neighbour whose distance is the core distance; None = min_cluster_size"),
    "cluster_selection_epsilon": (0.0, "clusters born below this distance are merged"),
    "cluster_selection_epsilon_max": (float("inf"), "eom passes over clusters born above this distance"),
    "cluster_selection_persistence": (0.0, "leaves that live for less than this, in lambda, are dissolved first"),
    "max_cluster_size": (0, "larger clusters are not selected; 0 = no limit"),
    "metric": ("euclidean", "euclidean, manhattan or cosine"),
    "alpha": (1.0, "distances are divided by it in mutual reachability"),
    "algorithm": ("best", "exact; approximate search is not there on Spark"),
    "cluster_selection_method": ("eom", "eom or leaf"),
    "allow_single_cluster": (False, "the root may be the only cluster"),
    "match_reference_implementation": (False, "as in hdbscan"),
    "missing": (
        signature(OneMachine).parameters["missing"].default,
        "reject, or noise: rows with a null, a NaN or an infinity are noise",
    ),
    "strengths": ("hdbscan", "hdbscan or bounded"),
}
#: The metrics whose distances the triangle inequality can bound, by the code of covey.h.
_METRICS = {0: "euclidean", 1: "manhattan", 2: "cosine"}
_SPARK = {
    "featuresCol": ("features", "an array of numbers, a vector, or a list of columns of numbers"),
    "keyCol": (
        None,
        "a column without nulls and repetitions, by whose order rows are numbered; None = the DataFrame's own order",
    ),
    "predictionCol": ("prediction", "the cluster, int, -1 = noise"),
    "probabilityCol": ("probability", "the strength of the membership, 0 to 1"),
    "outlierCol": ("outlier_score", "GLOSH, 0 to 1"),
    "block_rows": (0, "rows of a block; 0 = by the cores there are"),
    "work_dir": (None, "storage that driver and executors share; None = the checkpoint directory, or a local one"),
    "driver_memory": (0, "bytes that the driver may take for the tree; 0 = what the machine has"),
}


class _Parameters(Params):
    """The parameters of the estimator, which its model keeps."""

    min_cluster_size: Any
    featuresCol: Any

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(**{name: value for name, (value, _) in {**_SPARK, **_CLUSTERING}.items()})

    def setParams(self, **parameters: Any) -> Any:
        """Sets parameters by name."""
        for name in parameters:
            if name not in _SPARK and name not in _CLUSTERING:
                raise InvalidArgumentError(f"{name} is no parameter of covey.spark.HDBSCAN")
        return self._set(**parameters)

    def get(self, name: str) -> Any:
        return self.getOrDefault(name)


for _name, (_value, _text) in {**_SPARK, **_CLUSTERING}.items():
    setattr(_Parameters, _name, Param(Params._dummy(), _name, _text))


class HDBSCAN(_Parameters, StoredEstimator, Estimator):
    """HDBSCAN of rows that need not fit one machine. The labels are, byte for byte, those of ``covey.HDBSCAN`` on one
    machine for the same rows in the order of their keys, for any number of partitions and executors.

    Args:
        min_cluster_size and others: those of :class:`covey.HDBSCAN`, by its names: min_samples,
            cluster_selection_epsilon, cluster_selection_epsilon_max, cluster_selection_persistence, max_cluster_size,
            metric ("euclidean", "manhattan", "cosine"), alpha, cluster_selection_method, allow_single_cluster,
            match_reference_implementation, missing, strengths.
        featuresCol: an array of floats or doubles, a vector of Spark ML, or a list of columns of numbers.
        keyCol: rows are numbered by the order of this column, which has no nulls and no value twice. Without it they
            are numbered as the DataFrame has them (as ``collect()`` gives them), and ``transform`` finds rows by
            their features.
        predictionCol, probabilityCol, outlierCol: what ``transform`` adds: int (-1 = noise), double, double.
        block_rows: rows of a block; a task holds two blocks. 0 = chosen by the number of cores.
        work_dir: a folder that driver and executors share, for copies of the rows (about 3 times their bytes), which
            are removed when ``fit`` returns. None: the checkpoint directory, or a temporary folder if Spark runs on
            this machine alone.
        driver_memory: bytes that the driver may take; 0 = what the machine has left. The tree takes 320 a row (edges
            alone 24); more rows are refused before anything runs.
        progress: called as ``progress(stage, share)``; not a parameter of Spark ML.

    Method: rows are numbered and written once; k-means cells become blocks; each row's core distance is found among
    all rows, but the triangle inequality excludes blocks that are too far away; each pair of blocks gives the minimum
    spanning forest of its rows, with these core distances; forests are merged in rounds, by distance and then by row
    numbers; the driver receives one tree and condenses it. Pairs that cannot hold an edge of the tree are left out.
    Cost: all pairs of rows at the worst.

    Ties: if many edges have exactly the same length (rows of small whole numbers), there are several minimum spanning
    trees, and labels may differ from those of one machine, as covey.h says of ties.

    Workers use spark.task.cpus threads and native memory outside the JVM's heap: two blocks of rows, about as much
    again for the search, and 48 bytes an edge for each merge; set spark.executor.memoryOverhead for it.
    Errors: those of ``covey.HDBSCAN``; INVALID_DATA names the key; OUT_OF_MEMORY (the driver)."""

    def __init__(self, *, progress: Optional[Progress] = None, **parameters: Any) -> None:
        super().__init__()
        self.progress = progress
        self.setParams(**parameters)

    def fit(self, dataset: Any, params: Any = None) -> "HDBSCANModel":
        """Clusters the rows. `params`: other parameters for this fit, as in Spark ML."""
        return cast("HDBSCANModel", super().fit(dataset, params))

    def _fit(self, dataset: Any) -> "HDBSCANModel":
        choices = {name: self.get(name) for name in _CLUSTERING}
        plain = OneMachine(**choices)
        options = cluster_options(plain, 0)
        if options.search:
            raise UnsupportedError("algorithm must be exact: covey.spark has no approximate search")
        if _METRICS.get(NATIVE.get(choices["metric"], -1)) is None:
            raise InvalidArgumentError(
                f"metric must be one of {', '.join(_METRICS.values())}, got {choices['metric']!r}"
            )
        # Errors of names come before any job.
        features, key = self.get("featuresCol"), self.get("keyCol")
        features_column(dataset, features)
        if key is not None:
            key_column(dataset, key)
        total = run_job(lambda: dataset.count())
        check_driver(total, self.get("driver_memory"))
        folder = Folder(dataset.sparkSession, self.get("work_dir"))
        try:
            model = _Fit(self, dataset, folder, options, choices).run()
        except BaseException:
            folder.remove()
            raise
        return cast("HDBSCANModel", self._copyValues(model))


class _Fit:
    """One run of ``fit``."""

    def __init__(self, estimator: HDBSCAN, dataset: Any, folder: Folder, options: Any, choices: dict[str, Any]) -> None:
        self.estimator, self.dataset, self.folder, self.choices = estimator, dataset, folder, choices
        self.spark = dataset.sparkSession
        self.wanted = options.min_samples or options.min_cluster_size
        self.metric = _METRICS[NATIVE[choices["metric"]]]
        self.summary: dict[str, Any] = {"seconds": {}}

    def run(self) -> "HDBSCANModel":
        get = self.estimator.get
        noise = get("missing") == "noise"
        key = get("keyCol")
        rows: Rows = self.stage(
            "rows", lambda: run_job(lambda: write_rows(self.dataset, get("featuresCol"), key, noise, self.folder))
        )
        self.summary["rows"] = rows.count
        edges = self.tree(rows)
        choices = {
            name: value for name, value in self.choices.items() if name not in ("metric", "algorithm", "missing")
        }
        clusterer = self.stage("clusters", partial(cluster_edges, rows.count, edges, **choices))
        if rows.count and clusterer.connected_parts_ != 1:
            raise InternalError(
                f"the tree has {clusterer.connected_parts_} parts: do all executors run the same version of Covey?"
            )
        self.summary["edges"], self.summary["driver_bytes"] = len(edges), rows.count * DRIVER_BYTES_A_ROW
        del edges
        place = self.stage("labels", lambda: write_labels(self.spark, rows, clusterer, key is not None, self.folder))
        for name in ("rows", "cells", "cores"):
            self.folder.remove(name)
        return HDBSCANModel._made(self.spark.read.parquet(place), clusterer, self.summary, self.folder)

    def tree(self, rows: Rows) -> NDArray[Any]:
        """The n - 1 edges of the spanning tree."""
        if rows.count < 2:
            return np.empty(0, dtype=[("from", np.int64), ("to", np.int64), ("distance", np.float64)])
        size = self.estimator.get("block_rows") or default_block_rows(rows, cores(self.spark))
        cells = -(-rows.count // size)
        centres = self.stage("cells", lambda: find_centres(self.spark, rows, cells, self.metric))
        blocks: Blocks = self.stage(
            "blocks", lambda: write_blocks(self.spark, rows, centres, size, self.metric, self.folder)
        )
        k = min(self.wanted, rows.count - 1)
        with for_parcels(self.spark):
            stored: str = self.stage("core distances", lambda: write_cores(self.spark, rows, blocks, k, self.folder))
            return self.pairs(rows, blocks, stored)

    def pairs(self, rows: Rows, blocks: Blocks, stored: str) -> NDArray[Any]:
        from ..parts import merge_edges

        alpha = float(self.estimator.get("alpha"))
        count = len(blocks.counts)
        everything = [(a, b) for a in range(count) for b in range(a + 1, count)] or [(0, 0)]
        gaps = blocks.gaps() / alpha
        first = neighbour_pairs(blocks, gaps, everything)

        def run(pairs: list[tuple[int, int]]) -> NDArray[Any]:
            return spanning_forest(self.spark, rows, blocks, stored, pairs, alpha, self.folder)

        edges: NDArray[Any] = self.stage("pairs of near blocks", lambda: run(first))
        rest = sorted(set(everything) - set(first))
        needed = needed_pairs(self.spark, stored, rows.count, count, gaps, edges, rest) if rest else []
        if needed:
            edges = merge_edges(rows.count, edges, self.stage("other pairs", lambda: run(needed)))
        self.summary.update(blocks=count, pairs=len(first) + len(needed), pairs_left_out=len(rest) - len(needed))
        return edges

    def stage(self, name: str, work: Callable[[], Any]) -> Any:
        progress = self.estimator.progress
        if progress is not None:
            progress(name, 0.0)
        start = time.perf_counter()
        found = work()
        self.summary["seconds"][name] = time.perf_counter() - start
        if progress is not None:
            progress(name, 1.0)
        return found


def default_block_rows(rows: Rows, tasks: int) -> int:
    """Two pairs of blocks for each core at the least, and blocks of at most 256 MB."""
    wanted = rows.count / max(1, round(math.sqrt(8 * tasks)))
    most = max(1, (256 << 20) // max(1, rows.columns * rows.dtype.itemsize))
    return int(min(max(2000, wanted), most))


class HDBSCANModel(_Parameters, StoredModel, Model):
    """What ``HDBSCAN.fit`` found: the labels, by key, and on the driver the tree.

    Attributes:
        labels: a DataFrame of key, label, strength and outlier.
        clusterer: a fitted :class:`covey.HDBSCAN` with trees, persistence and ``select``; its arrays are in the order
            of the keys (without a key, of the DataFrame), without the rows that were left out.
        summary: rows, blocks, pairs, pairs_left_out, edges, driver_bytes, and the seconds of each stage.

    The labels lie in the folder of ``fit`` until ``close``, or until the program ends; ``save`` keeps them."""

    labels: Any
    clusterer: OneMachine
    summary: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self._folder: Optional[Folder] = None

    @classmethod
    def _made(
        cls, labels: Any, clusterer: OneMachine, summary: dict[str, Any], folder: Optional[Folder]
    ) -> "HDBSCANModel":
        model = cls()
        model.labels, model.clusterer, model.summary, model._folder = labels, clusterer, summary, folder
        return model

    def _transform(self, dataset: Any) -> Any:
        """Adds the three columns to the rows that were fitted, which are found by key or, without one, by features.
        Other rows
        get nulls: use ``covey.spark.score`` for new rows."""
        from pyspark.sql import Window
        from pyspark.sql import functions as F

        key = self.get("keyCol")
        added = {
            LABEL: self.get("predictionCol"),
            STRENGTH: self.get("probabilityCol"),
            OUTLIER: self.get("outlierCol"),
        }
        for name in added.values():
            if name in dataset.columns:
                raise InvalidArgumentError(f"the DataFrame has a column {name!r} already: drop it or set another name")
        names = {name: f"__covey_{name}" for name in (KEY, ORDINAL)}
        frame = dataset.withColumn(
            names[KEY], features_column(dataset, self.get("featuresCol")) if key is None else key_column(dataset, key)
        )
        labels = self.labels.withColumnRenamed(KEY, names[KEY])
        on = [names[KEY]]
        if key is None:
            # Equal rows may have labels of their own where distances tie, so that each takes one of them.
            window = Window.partitionBy(names[KEY]).orderBy(F.monotonically_increasing_id())
            frame = frame.withColumn(names[ORDINAL], F.row_number().over(window))
            labels = labels.withColumnRenamed(ORDINAL, names[ORDINAL])
            on.append(names[ORDINAL])
        for old, new in added.items():
            labels = labels.withColumnRenamed(old, new)
        return frame.join(labels, on, "left").select(*dataset.columns, *added.values())

    def close(self) -> None:
        """Removes the labels' files. DataFrames that ``transform`` made cannot be read any more."""
        if self._folder is not None:
            self._folder.remove()
            self._folder = None

    def copy(self, extra: Any = None) -> "HDBSCANModel":
        return cast("HDBSCANModel", super().copy(extra))
