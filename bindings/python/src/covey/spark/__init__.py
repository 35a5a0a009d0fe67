"""Covey on Apache Spark (PySpark 3.5 and 4.x): embeddings, exact HDBSCAN, scores, cluster risk and rules of rows that
no machine holds.

``pip install 'covey[spark]'``; workers need Covey too. Nothing here is loaded by ``import covey``.

    import covey.spark

    vectors = covey.spark.embed(events, encoder, by="transaction", time="seconds", event="event")
    model = covey.spark.HDBSCAN(min_cluster_size=50, featuresCol="embedding", keyCol="transaction").fit(vectors)
    clusters = model.transform(vectors)
    risk = covey.spark.cluster_risk(clusters.join(labels, "transaction"), fraud="label")
    rules = covey.spark.extract_rules(table, features=["amount", "country"], target="in_cluster_7")
    scores = covey.spark.score(events, features, engine, key="transaction", time="seconds", event="event")

Spark moves the data; the numbers come from the kernels of libcovey. Its memory lies outside the JVM's heap: give
executors spark.executor.memoryOverhead (or spark.executor.pyspark.memory) for it, as each function says.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._errors import UnsupportedError

try:
    import pyarrow  # noqa: F401
    import pyspark  # noqa: F401
except ImportError as missing:
    raise UnsupportedError(f"covey.spark needs the package {missing.name!r}: pip install 'covey[spark]'") from None

if TYPE_CHECKING:
    from .embedding import embed
    from .hdbscan import HDBSCAN, HDBSCANModel
    from .hybrid import hybrid_rows
    from .risk import cluster_risk
    from .rules import MeasuredRule, MeasuredRules, extract_rules
    from .scoring import score

__all__ = [
    "HDBSCAN",
    "HDBSCANModel",
    "MeasuredRule",
    "MeasuredRules",
    "cluster_risk",
    "embed",
    "extract_rules",
    "hybrid_rows",
    "score",
]

# A task loads this package for its kernels, and none of what the driver needs.
_HOMES = {
    "HDBSCAN": "hdbscan",
    "HDBSCANModel": "hdbscan",
    "cluster_risk": "risk",
    "MeasuredRule": "rules",
    "MeasuredRules": "rules",
    "embed": "embedding",
    "extract_rules": "rules",
    "hybrid_rows": "hybrid",
    "score": "scoring",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
