"""Weights of rows: how many equal rows each stands for."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ._arrays import contiguous
from ._errors import InvalidArgumentError, MismatchError


def row_weights(values: Any, rows: int) -> Optional[NDArray[np.int64]]:
    """`sample_weight` as whole numbers; None if every row counts once."""
    if values is None:
        return None
    given = contiguous(values, "sample_weight", np.float64)
    if len(given) != rows:
        raise MismatchError(f"sample_weight must have {rows} values, one a row, got {len(given)}")
    wrong = np.flatnonzero(~((given >= 0) & (given == np.floor(given)) & (given <= 2**30)))
    if len(wrong):
        row = int(wrong[0])
        raise InvalidArgumentError(
            f"sample_weight[{row}] must be a whole number of rows, 0 to {2**30}, got {given[row]}: a row of weight w"
            " stands for w equal rows"
        )
    if rows and not given.any():
        raise InvalidArgumentError("sample_weight must not be zero for all rows")
    return None if (given == 1).all() else given.astype(np.int64)


def weights_of(condensed: NDArray[Any], rows: int) -> NDArray[np.int64]:
    """How many rows each stands for, which the condensed tree has as the sizes of its rows."""
    weights = np.ones(rows, dtype=np.int64)
    own = condensed["child"] < rows
    weights[condensed["child"][own]] = condensed["child_size"][own]
    return weights
