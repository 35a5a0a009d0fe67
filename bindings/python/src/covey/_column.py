"""One column of features -> its kind, values and categories."""

from __future__ import annotations

from datetime import date, time, timedelta
from numbers import Real
from typing import Any, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from ._arrow_columns import ArrowColumn
from ._arrays import _is_missing, arrow_column, as_array, category_name, seconds, vector
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError
from ._strings import factorise

NUMERIC, CATEGORICAL, BOOLEAN, DATE = 0, 1, 2, 3
#: Kind, values, categories.
Converted = Tuple[int, NDArray[Any], Optional[List[str]]]
KINDS = {NUMERIC: "numeric", CATEGORICAL: "categorical", BOOLEAN: "boolean", DATE: "date"}


def convert(values: Any, name: str) -> Converted:
    """Kind, values and categories of one column."""
    column = arrow_column(values, name)
    if column is not None:
        return _from_arrow(column, name)
    dtype = getattr(values, "dtype", None)
    if dtype is not None and not isinstance(dtype, np.dtype):
        converted = _from_extension(values, dtype, name)
        if converted is not None:
            return converted
    if np.ndim(values) == 0:  # one transaction's value
        array = np.array([values], dtype=object if values is None or isinstance(values, str) else None)
    else:
        array = as_array(values, name)
    return _from_numpy(array, name)


def _from_arrow(column: ArrowColumn, name: str) -> Converted:
    if column.is_text:
        codes, names = column.codes(name)
        return CATEGORICAL, codes, names
    return _from_numpy(column.to_numpy(name), name)


def as_expected(column: Converted, kind: Optional[str], name: str) -> Converted:
    """A column as the kind that is expected of it: one without a value, and numbers if categories are expected,
    which are the categories of their names ("7995" for 7995 and 7995.0). Others stay what they are."""
    own, array, _ = column
    if kind is None or KINDS[own] == kind:
        return column
    if np.all(np.isnan(array) if own in (NUMERIC, DATE) else array == -1):
        if kind in (KINDS[NUMERIC], KINDS[DATE]):
            return NUMERIC if kind == KINDS[NUMERIC] else DATE, np.full(len(array), np.nan), None
        if kind == KINDS[BOOLEAN]:
            return BOOLEAN, np.full(len(array), -1, dtype=np.int8), None
        return CATEGORICAL, np.full(len(array), -1, dtype=np.int32), []
    if kind == KINDS[CATEGORICAL] and own == NUMERIC:
        numbers, codes = np.unique(array, return_inverse=True)
        present = numbers[~np.isnan(numbers)]
        codes = codes.reshape(-1).astype(np.int32)
        codes[codes >= len(present)] = -1
        return CATEGORICAL, codes, [category_name(number) for number in present]
    return column


def _from_numpy(array: NDArray[Any], name: str) -> Converted:
    if array.ndim != 1:
        raise InvalidArgumentError(f"{name} must have 1 dimension, got {array.ndim}")
    kind = array.dtype.kind
    if kind == "b":
        return BOOLEAN, vector(array.view(np.int8), name, np.int8), None
    if kind in "iuf":
        return NUMERIC, vector(array, name, np.float64), None
    if kind in "USTO":
        return _from_objects(array, name)
    if kind == "M":
        return DATE, seconds(array, name), None
    if kind == "m":
        return NUMERIC, seconds(array, name), None
    raise InvalidTypeError(f"{name} has dtype {array.dtype}, which is not a feature")


def _from_objects(array: NDArray[Any], name: str) -> Converted:
    """Strings are categorical; objects that are all bool or all numbers are what they are."""
    if array.dtype.kind == "O":
        kinds = set(map(type, array))
        if not kinds & {str, bytes}:
            found = _from_values(array, name)
            if found is not None:
                return found
    names, codes32 = factorise(array, name)
    return CATEGORICAL, codes32, names


def _from_extension(values: Any, dtype: Any, name: str) -> Optional[Converted]:
    """pandas' own dtypes: categories, nullable numbers and booleans, strings."""
    if hasattr(dtype, "categories"):
        codes = getattr(values, "cat", values).codes
        names = [category_name(item) for item in dtype.categories]
        if len(set(names)) != len(names):
            raise InvalidDataError(f"{name} has categories that are the same as strings")
        return CATEGORICAL, vector(codes, name, np.int32), names
    kind = getattr(dtype, "kind", "O")
    if kind == "b":
        return BOOLEAN, values.to_numpy(dtype=np.int8, na_value=-1), None
    if kind in "iuf":
        return NUMERIC, values.to_numpy(dtype=np.float64, na_value=np.nan), None
    if kind == "M":
        return DATE, seconds(values, name), None
    if kind == "m":
        return NUMERIC, seconds(values, name), None
    return _from_numpy(np.asarray(values, dtype=object), name)


def _from_values(array: NDArray[Any], name: str) -> Optional[Converted]:
    """Objects that are no strings; None if there is no value among them."""
    missing = np.fromiter((_is_missing(value) for value in array), dtype=bool, count=len(array))
    present = {type(value) for value in array[~missing]}
    if not present:
        return None
    if all(issubclass(kind, (bool, np.bool_)) for kind in present):
        codes = np.full(len(array), -1, dtype=np.int8)
        codes[~missing] = array[~missing].astype(np.int8)
        return BOOLEAN, codes, None
    if all(issubclass(kind, Real) or kind.__name__ == "Decimal" for kind in present):
        numbers = np.full(len(array), np.nan)
        numbers[~missing] = array[~missing].astype(np.float64)
        return NUMERIC, numbers, None
    if all(issubclass(kind, date) for kind in present):  # a datetime is a date
        return DATE, seconds(array, name), None
    if all(issubclass(kind, (time, timedelta)) for kind in present):
        return NUMERIC, seconds(array, name), None
    if any(hasattr(kind, "isoformat") for kind in present):
        raise InvalidTypeError(f"{name} holds dates or times of day beside other values: make them one kind first")
    return None
