"""The parameters of HDBSCAN as covey_cluster_options and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _structs
from ._arrays import choice, flag, integer, real
from ._errors import InvalidArgumentError, InvalidTypeError
from ._metrics import NATIVE

SELECTION = {"eom": 0, "leaf": 1}
# The first name of a number is that of a loaded clustering: its file does not say whether to warn.
MISSING = {"reject": 0, "warn": 1, "noise": 1}
STRENGTHS = {"hdbscan": 0, "bounded": 1}
# hdbscan's algorithms all give the exact result, so each of their names is the exact search.
SEARCH = {
    name: 0
    for name in ("best", "exact", "generic", "prims_kdtree", "prims_balltree", "boruvka_kdtree", "boruvka_balltree")
}
SEARCH["approximate"] = 1
#: What chooses clusters on a tree.
CHOICE = (
    "min_cluster_size",
    "max_cluster_size",
    "cluster_selection_method",
    "cluster_selection_epsilon",
    "cluster_selection_epsilon_max",
    "cluster_selection_persistence",
    "allow_single_cluster",
    "strengths",
)


def cluster_options(clusterer: Any, metric: int) -> _structs.ClusterOptions:
    """Raises InvalidArgumentError for a parameter that cannot be."""
    flag(clusterer.branch_detection_data, "branch_detection_data")
    if integer(clusterer.leaf_size, "leaf_size") < 1:
        raise InvalidArgumentError(f"leaf_size must be at least 1, got {clusterer.leaf_size}")
    min_cluster_size = integer(clusterer.min_cluster_size, "min_cluster_size")
    min_samples = 0
    if clusterer.min_samples is not None:
        min_samples = integer(clusterer.min_samples, "min_samples")
        if min_samples < 1:  # 0 is the header's word for None
            raise InvalidArgumentError(f"min_samples must be at least 1 or None, got {min_samples}")
    reference = flag(clusterer.match_reference_implementation, "match_reference_implementation")
    if reference:
        min_samples = max(1, (min_samples or min_cluster_size) - 1)
        min_cluster_size += 1
    epsilon = real(clusterer.cluster_selection_epsilon, "cluster_selection_epsilon")
    search = choice(clusterer.algorithm, "algorithm", SEARCH)
    if clusterer.index is not None and search != SEARCH["approximate"]:
        raise InvalidArgumentError(f'algorithm must be "approximate" with an index, got {clusterer.algorithm!r}')
    if clusterer.index is None and clusterer.index_search is not None:
        raise InvalidArgumentError(f"index_search must be None without an index, got {clusterer.index_search!r}")
    return _structs.ClusterOptions(
        min_cluster_size=min_cluster_size,
        min_samples=min_samples,
        max_cluster_size=_limit(clusterer.max_cluster_size),
        cluster_selection_epsilon=epsilon,
        cluster_selection_epsilon_max=_largest_epsilon(clusterer.cluster_selection_epsilon_max, epsilon),
        cluster_selection_persistence=real(clusterer.cluster_selection_persistence, "cluster_selection_persistence"),
        alpha=real(clusterer.alpha, "alpha"),
        metric=metric,
        selection=choice(clusterer.cluster_selection_method, "cluster_selection_method", SELECTION),
        allow_single_cluster=flag(clusterer.allow_single_cluster, "allow_single_cluster"),
        search=search,
        missing=choice(clusterer.missing, "missing", MISSING),
        prediction=flag(clusterer.prediction_data, "prediction_data"),
        seed=integer(clusterer.seed, "seed", signed=False),
        match_reference=reference,
        strengths=choice(clusterer.strengths, "strengths", STRENGTHS),
        index=_text(clusterer.index, "index"),
        index_search=_text(clusterer.index_search, "index_search"),
    )


def parameters_of(options: _structs.ClusterOptions) -> dict[str, Any]:
    """The parameters that give these options."""

    def name(names: dict[str, int], code: int) -> str:
        return next(name for name, other in names.items() if other == code)

    reference = bool(options.match_reference)
    return {
        "min_cluster_size": options.min_cluster_size - reference,
        "min_samples": options.min_samples + reference,
        "max_cluster_size": options.max_cluster_size,
        "cluster_selection_epsilon": options.cluster_selection_epsilon,
        "cluster_selection_epsilon_max": options.cluster_selection_epsilon_max or float("inf"),
        "cluster_selection_persistence": options.cluster_selection_persistence,
        "alpha": options.alpha,
        "metric": name(NATIVE, options.metric),
        "cluster_selection_method": name(SELECTION, options.selection),
        "allow_single_cluster": bool(options.allow_single_cluster),
        "algorithm": name(SEARCH, options.search),
        "missing": name(MISSING, options.missing),
        "prediction_data": bool(options.prediction),
        "seed": options.seed,
        "match_reference_implementation": reference,
        "strengths": name(STRENGTHS, options.strengths),
        "index": options.index.decode() if options.index is not None else None,
        "index_search": options.index_search.decode() if options.index_search is not None else None,
    }


def _text(value: Any, name: str) -> bytes | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidTypeError(f"{name} must be a string or None, got {type(value).__name__}")
    if "\0" in value:
        raise InvalidArgumentError(f"{name} must not hold a NUL, got {value!r}")
    return value.encode("utf-8", "surrogatepass")


def _largest_epsilon(value: Any, epsilon: float) -> float:
    largest = real(value, "cluster_selection_epsilon_max")
    if not largest >= epsilon:
        raise InvalidArgumentError(
            f"cluster_selection_epsilon_max must be at least cluster_selection_epsilon, {epsilon}, got {largest}"
        )
    # 0 is the header's word for no limit.
    return 0.0 if largest == float("inf") else largest or 5e-324


def _limit(value: Any) -> int:
    """A size that may be infinite, a fraction or None; 0 = no limit."""
    if value is None or not isinstance(value, (float, np.floating)):
        return 0 if value is None else integer(value, "max_cluster_size")
    if not value >= 0:
        raise InvalidArgumentError(f"max_cluster_size must be at least 0, got {value}")
    # Sizes are whole; below one, no cluster is small enough.
    return 0 if value == 0 or value >= 2**62 else max(1, int(value))
