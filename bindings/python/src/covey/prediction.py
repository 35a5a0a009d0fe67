"""hdbscan's functions of new rows and soft membership."""

from __future__ import annotations

import warnings
from typing import Any, Optional, cast

import numpy as np
from numpy.typing import NDArray

from ._arguments import checked
from ._arrays import flag
from ._errors import InvalidTypeError
from .clustering import HDBSCAN
from .context import Context


@checked
def approximate_predict(
    clusterer: HDBSCAN,
    points_to_predict: Any,
    return_connecting_points: bool = False,
    *,
    context: Optional[Context] = None,
) -> tuple[NDArray[Any], ...]:
    """Places new rows (m x d) in the clusters without changing them: labels and strengths, as hdbscan's function, and
    with return_connecting_points the fitted rows beside which they stand in the tree. Rows that were fitted get their
    own labels again.

    Example::

        labels, strengths = covey.approximate_predict(clusterer, rows[:5])

    One search among the fitted rows for each new one. Errors: INVALID_ARGUMENT (not fitted with prediction_data=True),
    MISMATCH (columns), INVALID_DATA, CANCELLED.
    """
    connecting = flag(return_connecting_points, "return_connecting_points")
    labels, strengths, _, neighbours = _checked(clusterer)._place(points_to_predict, context)
    _warn_of_none(clusterer, "noise")
    return (labels, strengths, neighbours) if connecting else (labels, strengths)


@checked
def approximate_predict_scores(
    clusterer: HDBSCAN, points_to_predict: Any, *, context: Optional[Context] = None
) -> NDArray[np.float64]:
    """The outlier scores (GLOSH) of new rows, 0 to 1, relative to the densest fitted rows around them; errors and cost
    as :func:`approximate_predict`.

    Example::

        scores = covey.approximate_predict_scores(clusterer, rows[:5])
    """
    scores = _checked(clusterer)._place(points_to_predict, context)[2]
    _warn_of_none(clusterer, "outliers")
    return scores


@checked
def membership_vector(
    clusterer: HDBSCAN, points_to_predict: Any, *, context: Optional[Context] = None
) -> NDArray[np.float64]:
    """How much new rows belong to every cluster, m x clusters: ``clusterer.membership(X)``.

    Example::

        covey.membership_vector(clusterer, rows[:5]).sum(axis=1)  # at most 1
    """
    return cast("NDArray[np.float64]", _checked(clusterer).membership(points_to_predict, context=context))


@checked
def all_points_membership_vectors(clusterer: HDBSCAN, *, context: Optional[Context] = None) -> NDArray[np.float64]:
    """How much the fitted rows belong to every cluster, n x clusters: ``clusterer.membership()``; n zeros without
    clusters.

    Example::

        covey.all_points_membership_vectors(clusterer).argmax(axis=1)
    """
    found: Any = _checked(clusterer).membership(context=context)
    vectors: NDArray[np.float64] = found if found.shape[1] else np.zeros(len(found))
    return vectors


def _checked(clusterer: Any) -> HDBSCAN:
    if not isinstance(clusterer, HDBSCAN):
        raise InvalidTypeError(f"clusterer must be a covey.HDBSCAN, got {type(clusterer).__name__}")
    return clusterer


def _warn_of_none(clusterer: HDBSCAN, what: str) -> None:
    if not clusterer._result().clusters:
        warnings.warn(
            f"Clusterer does not have any defined clusters, new data will be automatically predicted as {what}.",
            stacklevel=3,
        )
