"""What scikit-learn checks of rows, in its words, as CoveyError."""

from __future__ import annotations

import inspect
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import check_array

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # scikit-learn before 1.6
    validate_data = None

from ._arrays import numeric, two_dimensions, unmasked
from ._arrow import exporter
from ._errors import CoveyError, InvalidDataError, InvalidTypeError, MismatchError
from ._library import call
from ._table import columns, is_table

_FINITE = (
    "ensure_all_finite" if "ensure_all_finite" in inspect.signature(check_array).parameters else "force_all_finite"
)


def checked_rows(X: Any, least: int = 1) -> NDArray[Any]:
    """n x d floats, n at least `least`; finiteness is the library's to judge. Sparse rows are filled up, masked numbers
    are NaN."""
    if issparse(X):
        X = X.toarray()
    given = X
    try:
        if isinstance(X, np.ndarray):
            X = unmasked(X)
        elif exporter(X) is not None and not hasattr(
            X, "iloc"
        ):  # Arrow's tables and lists, but pandas is scikit-learn's
            X = two_dimensions(X, "X")
        checked: NDArray[Any] = check_array(
            X, dtype=[np.float64, np.float32], input_name="X", ensure_min_samples=least, **{_FINITE: False}
        )
    except CoveyError as failure:
        raise _without_numbers(given) or failure
    except TypeError as failure:
        raise _without_numbers(given) or InvalidTypeError(str(failure)) from failure
    except ValueError as failure:
        raise _without_numbers(given) or InvalidDataError(str(failure)) from failure
    return checked


def _without_numbers(X: Any) -> Optional[CoveyError]:
    """Names the first column that holds no numbers, and what to do; None if there is none."""
    if not is_table(X) and not (isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.names is None):
        return None
    matrix = isinstance(X, np.ndarray) and X.dtype.names is None
    named = ((index, X[:, index]) for index in range(X.shape[1])) if matrix else columns(X, "X")
    for label, values in named:
        try:
            numeric(values, f"column {label} of X" if matrix else f"X[{label!r}]")
        except CoveyError as failure:
            if "the string" not in str(failure):
                return None if matrix else InvalidDataError(str(failure))
            return InvalidDataError(
                f"{failure}. HybridFeatures makes numbers of text and categories; metric='gower' takes them as they are"
            )
    return None


def judged_call(name: str, *arguments: Any) -> None:
    """A call whose refusal of a number is told in scikit-learn's words too."""
    try:
        call(name, *arguments)
    except InvalidDataError as failure:
        raise InvalidDataError(f"X contains NaN, infinity or a number that cannot be used: {failure}") from None


def check_features(estimator: Any, X: Any, reset: bool) -> None:
    """scikit-learn's bookkeeping of n_features_in_ and feature_names_in_."""
    if exporter(X) is not None and len(getattr(X, "shape", ())) != 2:
        X = checked_rows(X, least=0)  # a relation or a list column, whose names are not kept
    try:
        if validate_data is not None:
            validate_data(estimator, X=X, reset=reset, skip_check_array=True)
        else:
            estimator._check_feature_names(X, reset=reset)
            estimator._check_n_features(X, reset=reset)
    except TypeError as failure:
        raise InvalidTypeError(str(failure)) from failure
    except ValueError as failure:
        raise MismatchError(str(failure)) from failure
