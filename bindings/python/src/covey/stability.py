"""How much of a clustering comes again on other draws of the rows, and how far prediction agrees with fit."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from ._arguments import checked
from ._arrays import choice, integer
from ._checks import checked_rows
from ._errors import InvalidArgumentError, InvalidTypeError, MismatchError
from .clustering import HDBSCAN
from .context import Context
from .matching import match_clusters

_DRAWS = {"bootstrap": 0, "half": 1}


@checked
def cluster_stability(
    clusterer: HDBSCAN,
    X: Any,
    *,
    resamples: int = 20,
    draw: str = "bootstrap",
    seed: int = 0,
    context: Optional[Context] = None,
) -> NDArray[np.float64]:
    """How stable each cluster is (Hennig 2007): the mean, over draws of the rows, of the largest Jaccard share that a
    cluster of the draw has with it, over the rows drawn. From .75 on a cluster counts as stable; below .6 it should not
    be relied on. NaN for a cluster of which no draw has a row.

    Example::

        covey.cluster_stability(clusterer, rows, resamples=3)  # one share a cluster

    Args:
        clusterer: a fitted HDBSCAN; its parameters are used for each draw.
        X: the rows that it was fitted to.
        draw: "bootstrap" (n rows with replacement) or "half" (n / 2 rows without). Rows drawn twice lie at distance 0,
            which makes bootstrap the sterner of the two with small min_samples.
        context: of the fits; None = that of the clusterer.

    Cost: `resamples` fits of n rows.
    """
    rows = _rows_of(clusterer, X)
    if integer(resamples, "resamples") < 1:
        raise InvalidArgumentError(f"resamples must be at least 1, got {resamples}")
    with_replacement = choice(draw, "draw", _DRAWS) == 0
    random = np.random.default_rng(integer(seed, "seed", signed=False))
    labels, count = clusterer.labels_, clusterer._result().clusters
    shares = np.full((resamples, count), np.nan)
    size = len(rows) if with_replacement else max(1, len(rows) // 2)
    for resample in range(resamples):
        drawn = random.choice(len(rows), size, replace=with_replacement)
        found = _again(clusterer, context).fit(rows[drawn]).labels_
        # Copies of a row have one label, since equal rows are never split.
        distinct, first = np.unique(drawn, return_index=True)
        shares[resample] = _best_shares(labels[distinct], found[first], count)
    is_seen = ~np.isnan(shares)
    sums = np.where(is_seen, shares, 0).sum(axis=0)
    means: NDArray[np.float64] = np.divide(
        sums, is_seen.sum(axis=0), out=np.full(count, np.nan), where=is_seen.any(axis=0)
    )
    return means


@checked
def prediction_agreement(
    clusterer: HDBSCAN, X: Any, *, folds: int = 5, seed: int = 0, context: Optional[Context] = None
) -> float:
    """The share of rows that prediction puts where fit has them: each of `folds` parts is predicted by a fit of the
    others, whose clusters are matched to the fitted ones (:func:`covey.match_clusters`); noise counts as a place.

    Example::

        covey.prediction_agreement(clusterer, rows, folds=2)

    Rows that were fitted get their own labels again, so that nothing less than rows left out says how well new rows are
    placed. Cost: `folds` fits and n predictions. X: the rows that the clusterer was fitted to.
    """
    rows = _rows_of(clusterer, X)
    if not 2 <= integer(folds, "folds") <= len(rows):
        raise InvalidArgumentError(f"folds must be 2 to {len(rows)}, the number of rows, got {folds}")
    random = np.random.default_rng(integer(seed, "seed", signed=False))
    part = random.permutation(len(rows)) % folds
    labels, agreed = clusterer.labels_, 0
    for fold in range(folds):
        inside, outside = np.flatnonzero(part != fold), np.flatnonzero(part == fold)
        fitted = _again(clusterer, context).set_params(prediction_data=True).fit(rows[inside])
        matches = match_clusters(labels, fitted.labels_, old_keys=np.arange(len(rows)), new_keys=inside)
        predicted = fitted.predict(rows[outside])
        names = np.append(matches.ids, -1)
        agreed += int((names[predicted] == labels[outside]).sum())
    return agreed / len(rows)


def _rows_of(clusterer: Any, X: Any) -> NDArray[Any]:
    if not isinstance(clusterer, HDBSCAN):
        raise InvalidTypeError(f"clusterer must be a covey.HDBSCAN, got {type(clusterer).__name__}")
    count = len(clusterer.labels_)
    if clusterer.metric == "precomputed":
        raise InvalidArgumentError("metric must be one of rows, got 'precomputed'")
    rows = checked_rows(X)
    if len(rows) != count:
        raise MismatchError(f"X must have the {count} rows that the clusterer was fitted to, got {len(rows)}")
    return rows


def _again(clusterer: HDBSCAN, context: Optional[Context]) -> HDBSCAN:
    fresh: HDBSCAN = clone(clusterer)
    if context is not None:
        fresh.set_params(context=context)
    return fresh.set_params(prediction_data=False, branch_detection_data=False)


def _best_shares(old: NDArray[np.int64], new: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """The largest Jaccard share of each old cluster with a new one; NaN if no row of it was drawn."""
    width = int(new.max(initial=-1)) + 1
    sizes = np.bincount(old[old >= 0], minlength=count)
    result = np.where(sizes > 0, 0.0, np.nan)
    both = (old >= 0) & (new >= 0)
    codes, shared = np.unique(old[both] * max(width, 1) + new[both], return_counts=True)
    first, second = codes // max(width, 1), codes % max(width, 1)
    shares = shared / (sizes[first] + np.bincount(new[new >= 0], minlength=width)[second] - shared)
    np.maximum.at(result, first, shares)
    return result
