"""A chosen number of clusters: the functions of hdbscan.flat, by ``HDBSCAN.select``, which does not cluster again."""

from __future__ import annotations

import warnings
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from .clustering import HDBSCAN
from .prediction import all_points_membership_vectors, approximate_predict, membership_vector


def HDBSCAN_flat(
    X: Any,
    n_clusters: Optional[int] = None,
    cluster_selection_epsilon: float = 0.0,
    clusterer: Optional[HDBSCAN] = None,
    inplace: bool = False,
    **parameters: Any,
) -> HDBSCAN:
    """A clusterer with n_clusters clusters, or with an epsilon; with prediction data.

    clusterer: one to begin with: it is fitted to X where it is not fitted or has no prediction data. inplace: changes
        it; otherwise a
    copy is made. parameters: of a new :class:`covey.HDBSCAN` if there is none."""
    if n_clusters is not None and cluster_selection_epsilon != 0:
        warnings.warn(
            f"'cluster_selection_epsilon' (={cluster_selection_epsilon}) is ignored when 'n_clusters' is supplied.",
            stacklevel=2,
        )
        cluster_selection_epsilon = 0.0
    if clusterer is None:
        base = HDBSCAN(**{**parameters, "prediction_data": True}).fit(X)
    else:
        base = clusterer
        if "_exemplars" not in base.__dict__ or base._raw_data is not X:
            base = HDBSCAN(**{**clusterer.get_params(), "prediction_data": True}).fit(X)
    if n_clusters is None and cluster_selection_epsilon == 0:
        chosen = base
    else:
        chosen = _selected(base, n_clusters, cluster_selection_epsilon, warn=True)
    if clusterer is not None and inplace:
        clusterer.__dict__.update(chosen.__dict__)
        return clusterer
    return chosen


def approximate_predict_flat(
    clusterer: HDBSCAN,
    points_to_predict: Any,
    n_clusters: Optional[int] = None,
    cluster_selection_epsilon: Optional[float] = None,
    prediction_data: Optional[HDBSCAN] = None,
    return_prediction_data: bool = False,
) -> tuple[Any, ...]:
    """Labels and strengths of new rows in n_clusters clusters, or those of an epsilon. With return_prediction_data the
    clusterer of that choice, too, which can be given as prediction_data to other calls."""
    chosen = prediction_data or _selected(clusterer, n_clusters, cluster_selection_epsilon, warn=True)
    labels, strengths = approximate_predict(chosen, points_to_predict)
    return (labels, strengths, chosen) if return_prediction_data else (labels, strengths)


def membership_vector_flat(
    clusterer: HDBSCAN,
    points_to_predict: Any,
    prediction_data: Optional[HDBSCAN] = None,
    n_clusters: Optional[int] = None,
    cluster_selection_epsilon: Optional[float] = None,
) -> NDArray[np.float64]:
    """Soft membership of new rows in n_clusters clusters, or those of an epsilon."""
    return membership_vector(
        prediction_data or _selected(clusterer, n_clusters, cluster_selection_epsilon), points_to_predict
    )


def all_points_membership_vectors_flat(
    clusterer: HDBSCAN,
    prediction_data: Optional[HDBSCAN] = None,
    n_clusters: Optional[int] = None,
    cluster_selection_epsilon: Optional[float] = None,
) -> NDArray[np.float64]:
    """Soft membership of the fitted rows in n_clusters clusters, or those of an epsilon."""
    return all_points_membership_vectors(prediction_data or _selected(clusterer, n_clusters, cluster_selection_epsilon))


def _selected(clusterer: HDBSCAN, n_clusters: Optional[int], epsilon: Optional[float], warn: bool = False) -> HDBSCAN:
    if n_clusters is None:
        return clusterer.select(cluster_selection_epsilon=epsilon) if epsilon else clusterer
    method = clusterer.cluster_selection_method
    if method == "eom":
        most = clusterer.select(cluster_selection_epsilon=0.0)._result().clusters
        if n_clusters > most:
            if warn:
                warnings.warn(
                    f"Cannot predict more than {most} with cluster selection method 'eom'. Changing to method"
                    " 'leaf'...",
                    stacklevel=3,
                )
            method = "leaf"
    return clusterer.select(n_clusters=n_clusters, cluster_selection_method=method)
