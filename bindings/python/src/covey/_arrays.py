"""Numbers and arrays on their way into the library: checked here, copied only where the header needs another layout."""

from __future__ import annotations

import numbers
import operator
import os
from datetime import date, datetime, timedelta, timezone
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError

_FLOATS = {np.dtype(np.float32): 0, np.dtype(np.float64): 1}


def integer(value: Any, name: str, bits: int = 64, signed: bool = True) -> int:
    """A Python or NumPy integer that fits the C type; the range that the header documents is checked by the library."""
    if isinstance(value, (bool, np.bool_)):
        raise InvalidTypeError(f"{name} must be an integer, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise InvalidTypeError(f"{name} must be an integer, got {value!r}") from None
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if not low <= number <= high:
        raise InvalidArgumentError(f"{name} must be {low} to {high}, got {number}")
    return number


def real(value: Any, name: str) -> float:
    """A Python or NumPy number as a double; the documented range is checked by the library."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (numbers.Real, np.number)):
        raise InvalidTypeError(f"{name} must be a number, got {value!r}")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidTypeError(f"{name} must be a number, got {value!r}") from None


def flag(value: Any, name: str) -> int:
    if not isinstance(value, (bool, np.bool_)) and not (isinstance(value, int) and value in (0, 1)):
        raise InvalidTypeError(f"{name} must be True or False, got {value!r}")
    return int(value)


def choice(value: Any, name: str, choices: dict[str, int]) -> int:
    """The code of a named choice."""
    if not isinstance(value, str) or value not in choices:
        raise InvalidArgumentError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return choices[value]


def path_bytes(path: Union[str, bytes, "os.PathLike[Any]"]) -> bytes:
    """A file's path for the library."""
    try:
        encoded = os.fsencode(path)
    except (TypeError, UnicodeError) as failure:
        raise InvalidTypeError(f"path must be a str, bytes or os.PathLike: {failure}") from None
    return c_string(encoded, "path")


def c_string(value: Union[str, bytes], name: str) -> bytes:
    """A string that can end with NUL."""
    if isinstance(value, str):
        try:
            value = value.encode("utf-8")
        except UnicodeEncodeError:
            raise InvalidArgumentError(f"{name} must be valid Unicode, got {value!r}") from None
    elif not isinstance(value, bytes):
        raise InvalidTypeError(f"{name} must be a string, got {value!r}")
    if b"\0" in value:
        raise InvalidArgumentError(f"{name} must not hold a NUL character, got {value!r}")
    return value


def plain(values: Any) -> Any:
    """Arrow columns as arrays; everything else as it is."""
    if type(values).__module__.startswith("pyarrow") and hasattr(values, "to_numpy"):
        return values.to_numpy() if hasattr(values, "chunks") else values.to_numpy(zero_copy_only=False)
    return values


def as_array(values: Any, name: str) -> NDArray[Any]:
    """Anything array-like, dense."""
    if hasattr(values, "toarray") and hasattr(values, "nnz"):
        raise InvalidTypeError(f"{name} is a sparse matrix; Covey needs a dense one: pass {name}.toarray()")
    values = plain(values)
    if hasattr(values, "to_numpy") and not isinstance(values, np.ndarray):
        dtype: Any = getattr(values, "dtype", None)
        if not isinstance(dtype, np.dtype) and getattr(dtype, "kind", "O") in "iuf" and values.isna().any():
            values = values.to_numpy(dtype=np.float64, na_value=np.nan)  # pandas' nullable numbers
        else:
            values = values.to_numpy()
    try:
        array = np.asarray(values)
        if array.dtype.kind in "US" and isinstance(values, (list, tuple)):
            array = np.asarray(values, dtype=object)  # else None and NaN beside strings become words
    except (TypeError, ValueError) as failure:
        raise InvalidTypeError(f"{name} cannot be made an array: {failure}") from None
    return array


def _numeric(array: NDArray[Any], name: str) -> NDArray[Any]:
    """A bool, integer or float array as it is; objects that are numbers, None or pandas.NA as float64."""
    kind = array.dtype.kind
    if kind in "biuf":
        return array
    if kind == "O":
        if any(issubclass(found, (str, bytes)) for found in set(map(type, array.flat))):
            text = next(value for value in array.flat if isinstance(value, (str, bytes)))
            raise InvalidTypeError(f"{name} must hold numbers, got the string {text!r}")
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError):
            pass
        try:
            known = [np.nan if _is_missing(value) else value for value in array.flat]
            return np.array(known, dtype=np.float64).reshape(array.shape)
        except (TypeError, ValueError) as failure:
            raise InvalidTypeError(f"{name} must hold numbers: {failure}") from None
    raise InvalidTypeError(f"{name} must hold numbers, got dtype {array.dtype}")


def _native_layout(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """`array` as `dtype` in the machine's byte order and aligned: itself where that is so already."""
    return np.require(array, dtype=dtype, requirements="A")


def matrix(values: Any, name: str) -> tuple[_structs.Matrix, NDArray[Any]]:
    """A `covey_matrix` and the array that it borrows.

    C-contiguous float32 and float64 arrays and row slices of such (any row stride) pass without a copy; other layouts
    are copied, other numbers become float64.
    """
    array = _numeric(as_array(values, name), name)
    if array.ndim != 2:
        raise InvalidArgumentError(f"{name} must have 2 dimensions (rows, columns), got {array.ndim}")
    if array.shape[1] < 1:
        raise InvalidArgumentError(f"{name} must have at least 1 column, got shape {array.shape}")
    dtype = array.dtype.newbyteorder("=")
    array = _native_layout(array, dtype if dtype in _FLOATS else np.float64)
    size = array.itemsize
    rows, columns = array.shape
    row, column = array.strides
    if (columns > 1 and column != size) or (rows > 1 and (row < columns * size or row % size)):
        array = np.ascontiguousarray(array)
        row = columns * size
    view = _structs.Matrix(
        data=array.ctypes.data,
        rows=rows,
        columns=columns,
        row_stride=row if rows > 1 else 0,
        type=_FLOATS[array.dtype],
    )
    return view, array


def vector(values: Any, name: str, dtype: Any, length: Optional[int] = None) -> NDArray[Any]:
    """A 1-d array of `dtype`, any positive stride that the header accepts; integers must fit exactly."""
    array = _numeric(as_array(values, name), name)
    if array.ndim != 1:
        raise InvalidArgumentError(f"{name} must have 1 dimension, got {array.ndim}")
    if length is not None and len(array) != length:
        raise MismatchError(f"{name} must have {length} values, got {len(array)}")
    dtype = np.dtype(dtype)
    if dtype.kind == "i":
        array = _exact_integers(array, name, dtype)
    array = _native_layout(array, dtype)
    stride = array.strides[0]
    if len(array) > 1 and (stride < array.itemsize or stride % array.itemsize):
        array = np.ascontiguousarray(array)
    return array


def _exact_integers(array: NDArray[Any], name: str, dtype: Any) -> NDArray[Any]:
    if array.dtype.kind == "f":
        if not np.all(np.isfinite(array)) or np.any(array != np.floor(array)):
            raise InvalidDataError(f"{name} must hold whole numbers, got dtype {array.dtype} with others")
    if array.dtype.newbyteorder("=") != dtype and array.size:
        limits = np.iinfo(dtype)
        low, high = array.min(), array.max()
        if low < limits.min or high > limits.max:
            raise InvalidDataError(f"{name} must be {limits.min} to {limits.max}, got {low} to {high}")
    return array


def contiguous(values: Any, name: str, dtype: Any, length: Optional[int] = None) -> NDArray[Any]:
    """`vector` without gaps."""
    return np.ascontiguousarray(vector(values, name, dtype, length))


def stride(array: NDArray[Any]) -> int:
    """The stride of a 1-d array as the header writes it."""
    return int(array.strides[0]) if len(array) > 1 else 0


def seconds(values: Any, name: str, length: Optional[int] = None) -> NDArray[np.float64]:
    """Times as seconds: numbers as they are; datetimes as seconds since 1970 (UTC where they have a zone, else as
    written); durations as their seconds."""
    zone = getattr(getattr(values, "dtype", None), "tz", None)
    if zone is not None:  # pandas' datetimes with a zone; .dt on a Series, methods on an index
        values = getattr(values, "dt", values).tz_convert("UTC")
        values = getattr(values, "dt", values).tz_localize(None)
    array = as_array(values, name)
    if array.dtype.kind == "O":
        array = _moments(array, name)
    elif array.dtype.kind in "mM":
        missing = np.isnat(array)
        zero = np.array(0, dtype="M8[s]" if array.dtype.kind == "M" else "m8[s]")
        array = _to_seconds(array - zero)
        array[missing] = np.nan
    return vector(array, name, np.float64, length)


def _to_seconds(spans: NDArray[Any]) -> NDArray[np.float64]:
    """Spans to the nearest double. Microseconds are exact in a double until the year 2255; finer ones since 1970 are not."""
    unit, count = np.datetime_data(spans.dtype)
    if unit in ("ns", "ps", "fs", "as"):
        parts = 10 ** {"ns": 9, "ps": 12, "fs": 15, "as": 18}[unit]
        whole, rest = np.divmod(spans.astype(np.int64) * count, parts)
        micro = parts // 10**6
        found: NDArray[np.float64] = whole + rest / parts
        exact = rest % micro == 0
        found[exact] = (whole * 10**6 + rest // micro)[exact] / 1e6
        return found
    return spans.astype("m8[us]").astype(np.int64) / 1e6


def _moments(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Objects that are datetimes, dates or durations as seconds; other objects as they are."""
    kinds = set(map(type, array.flat))
    durations = any(issubclass(kind, timedelta) for kind in kinds)
    if not durations and not any(issubclass(kind, date) for kind in kinds):  # a datetime, and NaT, is a date
        return array
    found = np.empty(array.size, dtype=np.float64)
    for index, value in enumerate(array.flat):
        if _is_missing(value):
            found[index] = np.nan
        elif durations and isinstance(value, timedelta):
            found[index] = value.total_seconds()
        elif not durations and isinstance(value, datetime):
            found[index] = (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp()
        elif not durations and isinstance(value, date):
            found[index] = (value - date(1970, 1, 1)).total_seconds()
        else:
            raise InvalidTypeError(f"{name} mixes {'durations' if durations else 'dates'} with other values, got {value!r}")
    return found.reshape(array.shape)


def binary(values: Any, name: str, length: Optional[int] = None, unknown: bool = False) -> NDArray[np.int8]:
    """A label a row as int8: 0 or 1 (bool, integer, float); with `unknown` also -1, NaN, None and pandas.NA as -1."""
    if hasattr(values, "to_numpy") and str(getattr(values, "dtype", "")) in ("boolean", "Int8", "Int16", "Int32", "Int64"):
        array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        array = as_array(values, name)
    if array.dtype.kind == "O":
        array = np.array([np.nan if _is_missing(item) else item for item in array.ravel()], dtype=object)
    array = _numeric(array, name)
    if array.ndim != 1:
        raise InvalidArgumentError(f"{name} must have 1 dimension, got {array.ndim}")
    if length is not None and len(array) != length:
        raise MismatchError(f"{name} must have {length} values, got {len(array)}")
    if array.dtype.kind == "b":
        return np.ascontiguousarray(array).view(np.int8)
    result = np.full(len(array), -2, dtype=np.int8)
    result[array == 0] = 0
    result[array == 1] = 1
    if unknown:
        result[(array == -1) | np.isnan(array)] = -1
    wrong = np.flatnonzero(result == -2)
    if len(wrong):
        allowed = "0, 1, or -1, NaN or None for unknown" if unknown else "0 or 1"
        raise InvalidDataError(f"{name}[{wrong[0]}] must be {allowed}, got {array[wrong[0]]}")
    return result


def _is_missing(value: Any) -> bool:
    """None, NaN, pandas.NA or pandas.NaT."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA has no truth
        return type(value).__name__ == "NAType"


