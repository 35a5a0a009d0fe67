"""`NotFittedError`, apart from the other errors because it needs scikit-learn."""

from __future__ import annotations

from sklearn.exceptions import NotFittedError as _SklearnNotFittedError

from ._errors import InvalidArgumentError


class NotFittedError(InvalidArgumentError, _SklearnNotFittedError):
    """An estimator's result before ``fit``."""
