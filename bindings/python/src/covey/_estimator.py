"""What Covey's estimators share: scikit-learn's conventions, with failures that are CoveyErrors."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator

from ._errors import CoveyError, InvalidArgumentError


class Estimator(BaseEstimator):
    """BaseEstimator whose set_params fails with a CoveyError."""

    def set_params(self, **parameters: Any) -> Any:
        try:
            return super().set_params(**parameters)
        except CoveyError:
            raise
        except ValueError as failure:
            raise InvalidArgumentError(str(failure)) from None
