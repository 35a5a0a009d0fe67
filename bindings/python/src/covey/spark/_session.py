"""What Covey needs of a Spark session: settings for its own queries, a folder, and what a task may use."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
import threading
import uuid
from contextlib import contextmanager
from typing import Any, Callable, Iterator, TypeVar

from .. import _errors
from .._errors import CoveyError, InvalidArgumentError, OutOfMemoryError
from ..context import Context
from ._parcels import PARCELS_A_BATCH

T = TypeVar("T")

# A worker and the Parquet reader hold one batch of parcels at once. The defaults, thousands of rows, are for short
# rows.
_PARCELS = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(PARCELS_A_BATCH),
    "spark.sql.parquet.columnarReaderBatchSize": str(PARCELS_A_BATCH),
    "spark.sql.execution.arrow.pyspark.fallback.enabled": "false",
}
_settings = threading.RLock()


@contextmanager
def settings(spark: Any, values: dict[str, str]) -> Iterator[None]:
    """The session's settings while queries of Covey run; the caller's come back."""
    with _settings:
        before = {name: spark.conf.get(name, None) for name in values}
        try:
            for name, value in values.items():
                spark.conf.set(name, value)
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    spark.conf.unset(name)
                else:
                    spark.conf.set(name, value)


def for_parcels(spark: Any) -> Any:
    return settings(spark, _PARCELS)


def run_job(action: Callable[[], T]) -> T:
    """Runs `action`. If a task raised an error of Covey, this error is raised, and not Spark's report of a failed
    job."""
    try:
        return action()
    except CoveyError:
        raise
    except Exception as failure:
        found = re.search(r"covey\._errors\.(\w+): (.*)", str(failure))
        kind = getattr(_errors, found[1], None) if found else None
        if found is None or not (isinstance(kind, type) and issubclass(kind, CoveyError)):
            raise
        raise kind(found[2].strip()) from failure


def cores(spark: Any) -> int:
    """How many tasks run at once; Spark Connect does not say, and 64 stands for a cluster's."""
    context = spark_context(spark)
    if context is not None:
        return max(1, int(context.defaultParallelism))
    return max(1, int(spark.conf.get("spark.default.parallelism", "64")))


def tasks_for(spark: Any, groups: int, rows: float) -> int:
    """The number of tasks for `groups` groups: enough for all cores, but few for few rows, since each task has a cost
    of its own."""
    return int(min(groups, max(cores(spark), rows // 4000, 1)))


def spark_context(spark: Any) -> Any:
    """The SparkContext, or None with Spark Connect."""
    try:
        return spark.sparkContext
    except Exception:  # noqa: BLE001 (each version of Connect raises an error of its own)
        return None


def task_context() -> Context:
    """Inside a task: as many threads as spark.task.cpus says. Tasks that share a process share nothing of it."""
    from pyspark import TaskContext

    task = TaskContext.get()
    count = 1 if task is None else int(task.cpus()) if hasattr(task, "cpus") else 1
    return Context(threads=max(1, count))


class Folder:
    """A folder of its own below `place`, in which a fit keeps its rows; removed with ``remove``, at the latest when
    the program ends. Executors and driver must share `place`."""

    def __init__(self, spark: Any, place: str | None) -> None:
        self._spark = spark
        self._own: str | None = None
        if place is None:
            place = self._default(spark)
        self.path = f"{place.rstrip('/')}/covey-{uuid.uuid4().hex}"
        atexit.register(self.remove)

    def _default(self, spark: Any) -> str:
        context = spark_context(spark)
        master = context.master if context is not None else spark.conf.get("spark.master", "")
        checkpoint = None if context is None else context._jsc.sc().getCheckpointDir()
        if checkpoint is not None and checkpoint.isDefined():
            return str(checkpoint.get())
        if str(master).startswith("local"):
            self._own = tempfile.mkdtemp(prefix="covey-spark-")
            return f"file://{self._own}"
        raise InvalidArgumentError(
            "work_dir must name storage that the driver and all executors share (hdfs://, s3a://, a mounted folder), "
            "or the SparkContext must have a checkpoint directory"
        )

    def __truediv__(self, name: str) -> str:
        return f"{self.path}/{name}"

    def remove(self, name: str | None = None) -> None:
        """Removes one part of the folder, or the whole folder; a missing part is no error. With Spark Connect, which
        has no call for it, a remote folder stays."""
        path = self.path if name is None else self / name
        local = path[len("file://") :] if path.startswith("file://") else path if "://" not in path else None
        if local is not None and os.path.exists(local):
            shutil.rmtree(local, ignore_errors=True)
        else:
            _remove_remote(self._spark, path)
        if name is None:
            atexit.unregister(self.remove)
            if self._own is not None:
                shutil.rmtree(self._own, ignore_errors=True)


def _remove_remote(spark: Any, path: str) -> None:
    context = spark_context(spark)
    if context is None or context._jsc is None:
        return
    try:
        place = context._jvm.org.apache.hadoop.fs.Path(path)
        place.getFileSystem(context._jsc.hadoopConfiguration()).delete(place, True)
    except Exception:  # noqa: BLE001 (at the program's end the JVM may be gone)
        pass


#: The most bytes a row that the driver holds: the edges, twice while they are merged, and the memory of
#: covey_cluster_edges.
DRIVER_BYTES_A_ROW = 24 + 24 + 72 + 200


def check_driver(rows: int, allowed: int) -> None:
    """Refuses rows whose tree the driver cannot hold, before anything runs. `allowed` = 0: what the machine has
    left."""
    needed = rows * DRIVER_BYTES_A_ROW
    free = allowed or available_bytes()
    if needed > free:
        raise OutOfMemoryError(
            f"the tree of {rows} rows takes up to {needed} bytes on the driver ({DRIVER_BYTES_A_ROW} a row), and it has"
            f" {free}: use a larger driver, fewer rows, or driver_memory= if more is free than seems"
        )


def available_bytes() -> int:
    """What this process may still take, by the machine and by its control group."""
    found = 1 << 62
    try:
        with open("/proc/meminfo") as file:
            found = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        pass
    for limit, usage in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            with open(limit) as most, open(usage) as now:
                found = min(found, max(0, int(most.read()) - int(now.read())))
        except (OSError, ValueError):  # no such group, or "max"
            pass
    return found
