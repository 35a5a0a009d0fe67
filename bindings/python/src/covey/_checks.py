"""What scikit-learn checks of rows, in its words, as CoveyError."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import check_array

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # scikit-learn before 1.6
    validate_data = None

from ._errors import CoveyError, InvalidDataError, InvalidTypeError, MismatchError
from ._library import call

_FINITE = (
    "ensure_all_finite" if "ensure_all_finite" in inspect.signature(check_array).parameters else "force_all_finite"
)


def checked_rows(X: Any, least: int = 1) -> NDArray[Any]:
    """n x d floats, n at least `least`; finiteness is the library's to judge. Sparse rows are filled up."""
    if issparse(X):
        X = X.toarray()
    try:
        checked: NDArray[Any] = check_array(
            X, dtype=[np.float64, np.float32], input_name="X", ensure_min_samples=least, **{_FINITE: False}
        )
    except CoveyError:
        raise
    except TypeError as failure:
        raise InvalidTypeError(str(failure)) from failure
    except ValueError as failure:
        raise InvalidDataError(str(failure)) from failure
    return checked


def judged_call(name: str, *arguments: Any) -> None:
    """A call whose refusal of a number is told in scikit-learn's words too."""
    try:
        call(name, *arguments)
    except InvalidDataError as failure:
        raise InvalidDataError(f"X contains NaN, infinity or a number that cannot be used: {failure}") from None


def check_features(estimator: Any, X: Any, reset: bool) -> None:
    """scikit-learn's bookkeeping of n_features_in_ and feature_names_in_."""
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
