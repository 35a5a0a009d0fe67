"""Fraud labels: known fraud 1, known legitimate 0, unknown NaN, whatever they are written as."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ._arrays import _is_missing, arrow_column, as_array
from ._errors import InvalidArgumentError, InvalidDataError, MismatchError

_FRAUD = {"1", "1.0", "true", "t", "yes", "y", "fraud", "fraudulent", "chargeback"}
_LEGITIMATE = {"0", "0.0", "false", "f", "no", "n", "legitimate", "legit", "genuine", "good"}
_UNKNOWN = {"", "-1", "-1.0", "unknown", "none", "null", "nan", "na", "n/a", "?", "<na>"}


def read_labels(values: Any, name: str = "fraud", length: Optional[int] = None) -> NDArray[np.float64]:
    """n float64 of 1 (known fraud), 0 (known legitimate) and NaN (unknown).

    Booleans, numbers (-1 and NaN are unknown), None, pandas.NA and the usual words in any case. Raises INVALID_DATA,
    which names the row and the value, for anything else."""
    array = _plain(values, name)
    if array.ndim != 1:
        raise InvalidArgumentError(f"{name} must have 1 dimension, got {array.ndim}")
    if length is not None and len(array) != length:
        raise MismatchError(f"{name} must have {length} values, got {len(array)}")
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.float64)
    if kind in "iuf":
        return _from_numbers(array, name)
    return _from_objects(array.astype(object), name)


def label_codes(values: Any, name: str = "fraud", length: Optional[int] = None) -> NDArray[np.int8]:
    """The same as covey.h has them: 1, 0 and -1."""
    found = read_labels(values, name, length)
    return np.where(np.isnan(found), -1, found).astype(np.int8)


def _plain(values: Any, name: str) -> NDArray[Any]:
    dtype: Any = getattr(values, "dtype", None)
    if hasattr(dtype, "categories") and arrow_column(values, name) is None:  # pandas' categories of numbers or words
        categories: NDArray[Any] = np.array([*dtype.categories, None], dtype=object)
        found: NDArray[Any] = categories[np.asarray(getattr(values, "cat", values).codes)]
        return found
    return as_array(values, name)


def _from_numbers(array: NDArray[Any], name: str) -> NDArray[np.float64]:
    found = array.astype(np.float64)
    found[found == -1] = np.nan
    wrong = ~((found == 0) | (found == 1) | np.isnan(found))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidDataError(f"{name}[{row}] must be 0, 1, or -1, NaN or None for unknown, got {array[row]}")
    return found


def _from_objects(array: NDArray[Any], name: str) -> NDArray[np.float64]:
    known: dict[Any, float] = {}
    found = np.empty(len(array), dtype=np.float64)
    for row, value in enumerate(array):
        try:
            if value not in known:
                known[value] = _label(value, f"{name}[{row}]")
            found[row] = known[value]
        except TypeError:  # no hash, or pandas.NA, which has no truth
            found[row] = _label(value, f"{name}[{row}]")
    return found


def _label(value: Any, name: str) -> float:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _FRAUD:
            return 1.0
        if word in _LEGITIMATE:
            return 0.0
        if word in _UNKNOWN:
            return float("nan")
    elif _is_missing(value):
        return float("nan")
    else:
        try:
            if value == 1 or value == 0:
                return float(value)
            if value == -1:
                return float("nan")
        except (TypeError, ValueError):
            pass
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    raise InvalidDataError(
        f"{name} must be 1, True or 'fraud' for known fraud, 0, False or 'legitimate' for known legitimate, and None,"
        f" NaN, -1 or '' for unknown, got {shown}"
    )
