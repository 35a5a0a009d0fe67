"""All distances between rows, block by block, for metrics that the library does not search."""

from __future__ import annotations

from typing import Any, Callable, Optional

import numpy as np
from numpy.typing import NDArray

from ._errors import CoveyError, InvalidArgumentError, InvalidDataError, InvalidTypeError, OutOfMemoryError
from ._work import Work

#: Distances and numbers of one block, so that a cancel is seen within about 100 ms and a block takes little memory.
_DISTANCES, _NUMBERS = 1 << 21, 1 << 25
#: The two directions of a callable may differ by so much of the larger: rounding.
_ROUNDING = 1e-9


def blockwise(
    count: int, width: int, block: Callable[[int, int], NDArray[Any]], work: Optional[Work]
) -> NDArray[np.float64]:
    """n x n distances; `block(start, end)` gives the rows from start to end, their columns from start on."""
    work = work or Work(None)
    step = max(1, min(_DISTANCES, _NUMBERS // max(1, width)) // max(1, count))
    work.take(8 * count * (count + min(step, count)), f"the matrix of all distances between {count} rows")
    try:
        result = np.empty((count, count))
    except MemoryError as failure:
        raise OutOfMemoryError(f"the matrix of all distances between {count} rows: {failure}") from None
    for start in range(0, count, step):
        work.check("distances", start / count)
        end = min(count, start + step)
        found = block(start, end)
        # Row after row, so that no block touches the memory of those to come, which takes seconds.
        result[start:end, :start], result[start:end, start:] = result[:start, start:end].T, found
    # A row is at no distance from itself, whatever rounding says.
    np.fill_diagonal(result, 0.0)
    return result


def pairwise(rows: NDArray[Any], metric: Any, parameters: dict[str, Any], work: Optional[Work]) -> NDArray[np.float64]:
    """By scikit-learn's and SciPy's metrics, or by a callable of two rows."""
    if metric != "nan_euclidean":
        refuse_missing(rows, metric)
    try:
        if callable(metric):
            return _by_callable(rows, metric, parameters, work)
        from sklearn.metrics import pairwise_distances

        def block(start: int, end: int) -> NDArray[Any]:
            found: NDArray[Any] = pairwise_distances(rows[start:end], rows[start:], metric=metric, **parameters)
            return found

        return blockwise(len(rows), rows.shape[1], block, work)
    except CoveyError:
        raise
    except (TypeError, ValueError) as failure:
        kind = InvalidTypeError if isinstance(failure, TypeError) else InvalidArgumentError
        raise kind(f"metric {metric!r}: {failure}") from failure


def _by_callable(
    rows: NDArray[Any], metric: Any, parameters: dict[str, Any], work: Optional[Work]
) -> NDArray[np.float64]:
    count, work = len(rows), work or Work(None)

    def block(start: int, end: int) -> NDArray[Any]:
        found = np.zeros((end - start, count - start))
        for row in range(start, end):
            line = rows[row]
            for other in range(row + 1, count):
                if not other % 16:
                    work.check("distances", row / count)
                found[row - start, other - start] = metric(line, rows[other], **parameters)
            if row + 1 < count:  # each pair is measured once; one of every row both ways
                _check_symmetry(found[row - start, row + 1 - start], metric(rows[row + 1], line, **parameters), row)
        inside = found[:, : end - start]
        inside += inside.T
        return found

    return blockwise(count, rows.shape[1], block, work)


def _check_symmetry(there: float, back: Any, row: int) -> None:
    if abs(there - back) > _ROUNDING * max(abs(there), abs(back)):
        raise InvalidDataError(
            f"metric must give the same distance in both directions, got {there} from row {row} to {row + 1} and {back}"
            " back"
        )


def refuse_missing(rows: NDArray[Any], metric: Any) -> None:
    """Names the first number that has no distance."""
    if rows.dtype.kind != "f":
        return
    wrong = ~np.isfinite(rows)
    if wrong.any():
        row, column = (int(place) for place in np.argwhere(wrong)[0])
        raise InvalidDataError(
            f"X contains NaN, infinity or a number that cannot be used: {rows[row, column]} in row {row}, column"
            f" {column}. Rows can be noise (missing=) by metrics that are searched; with the metric {_shown(metric)}"
            " leave them out"
        )


def _shown(metric: Any) -> str:
    return repr(metric) if isinstance(metric, str) else getattr(metric, "__name__", repr(metric))
