"""Numbers and arrays on their way into the library: checked here, copied only where the header needs another layout."""

from __future__ import annotations

import numbers
import operator
import os
from collections.abc import Mapping
from decimal import Decimal
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._arrow import Batches, SeriesOf, exporter
from ._arrow_columns import ArrowColumn
from ._errors import CoveyError, InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError

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
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (numbers.Real, np.number, Decimal)):
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


def path_of(path: Union[str, bytes, "os.PathLike[Any]"]) -> Path:
    """A file's path for Python's own reading and writing."""
    return Path(os.fsdecode(path_bytes(path)))


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


def as_array(values: Any, name: str) -> NDArray[Any]:
    """Anything array-like, dense; columns of Arrow, polars and pandas with missing values as floats, or as objects with
    None."""
    if hasattr(values, "toarray") and hasattr(values, "nnz"):
        raise InvalidTypeError(f"{name} is a sparse matrix; Covey needs a dense one: pass {name}.toarray()")
    if isinstance(values, np.ndarray):
        return unmasked(values)
    column = arrow_column(values, name)
    if column is not None:
        return column.to_numpy(name)
    try:
        if hasattr(values, "to_numpy"):
            values = _from_series(values)
        array = np.asarray(values)
        if array.dtype.kind in "US" and isinstance(values, (list, tuple)):
            array = np.asarray(values, dtype=object)  # else None and NaN beside strings become words
    except CoveyError:
        raise
    except Exception as failure:  # whatever a library raises for what has no array
        raise InvalidTypeError(f"{name} cannot be made an array: {failure}") from None
    return array


def unmasked(array: NDArray[Any]) -> NDArray[Any]:
    """A masked array as a plain one, its masked numbers NaN and its other masked values None; others as they are."""
    if not isinstance(array, np.ma.MaskedArray):
        return array
    plain, mask = np.asarray(array), np.ma.getmaskarray(array)
    if not mask.any():
        return plain
    if plain.dtype.kind in "iu" and np.all(np.abs(plain[~mask].astype(np.float64)) < 2.0**53):
        plain = plain.astype(np.float64)
    if plain.dtype.kind not in "fmM":
        plain = plain.astype(object)
    plain = plain.copy()
    plain[mask] = {"f": np.nan, "m": np.timedelta64("NaT"), "M": np.datetime64("NaT")}.get(plain.dtype.kind)
    return plain


def arrow_column(values: Any, name: str) -> Optional[ArrowColumn]:
    """The Arrow data of a column: pyarrow's, polars', pandas' columns that are Arrow's inside; None for others."""
    if isinstance(values, ArrowColumn):
        return values
    if isinstance(values, (np.ndarray, list, tuple, str, bytes, Mapping)) or np.isscalar(values) or values is None:
        return None
    inside: Any = getattr(values, "array", None)  # of a Series or an index
    if type(inside).__name__.startswith("Arrow") and hasattr(inside, "__arrow_array__"):
        try:
            return ArrowColumn.read(inside.__arrow_array__(), name)
        except ImportError:
            return None
    return ArrowColumn.read(values, name)


def _from_series(values: Any) -> Any:
    dtype: Any = getattr(values, "dtype", None)
    if (
        not isinstance(dtype, np.dtype)
        and getattr(dtype, "kind", "O") in ("i", "u", "f", "b")
        and hasattr(values, "isna")
    ):
        if values.isna().any():  # pandas' nullable numbers and booleans
            if dtype.kind == "b":
                return values.to_numpy(dtype=object, na_value=None)
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            if dtype.kind in "iu" and np.any(np.abs(numbers) >= 2.0**53):
                return values.to_numpy(dtype=object, na_value=None)
            return numbers
        if dtype.kind == "b":
            return values.to_numpy(dtype=np.bool_)
    return values.to_numpy()


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


def numeric(values: Any, name: str) -> NDArray[Any]:
    """A column as numbers; raises INVALID_ARGUMENT for text and other things."""
    return _numeric(as_array(values, name), name)


def _native_layout(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """`array` as `dtype` in the machine's byte order and aligned: itself if that is so already."""
    return np.require(array, dtype=dtype, requirements="A")


def matrix(values: Any, name: str) -> tuple[_structs.Matrix, NDArray[Any]]:
    """A `covey_matrix` and the array that it borrows.

    C-contiguous float32 and float64 arrays and row slices of such (any row stride) pass without a copy; other layouts
    are copied, other numbers become float64.
    """
    array = _numeric(two_dimensions(values, name), name)
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
        data=array.ctypes.data, rows=rows, columns=columns, row_stride=row if rows > 1 else 0, type=_FLOATS[array.dtype]
    )
    return view, array


def two_dimensions(values: Any, name: str) -> NDArray[Any]:
    """Arrow lists of one length, a table of columns of numbers, or anything array-like."""
    if isinstance(values, np.ndarray):
        return unmasked(values)
    source = exporter(values)
    if source is None:
        return as_array(values, name)
    batches = Batches(source, name)
    if batches.is_table and not isinstance(source, SeriesOf):
        columns = [ArrowColumn.of_table(batches, index) for index in range(len(batches.names))]
        arrays = [
            _numeric(column.to_numpy(f"{name}[{label!r}]"), f"{name}[{label!r}]")
            for label, column in zip(batches.names, columns)
        ]
        if not arrays:
            return np.empty((batches.rows, 0))
        float32 = all(array.dtype == np.float32 for array in arrays)
        return np.column_stack([array.astype(np.float32 if float32 else np.float64, copy=False) for array in arrays])
    column = ArrowColumn.of_table(batches, 0) if batches.is_table else ArrowColumn.of_array(batches)
    found = column.matrix(name)
    return column.to_numpy(name) if found is None else found


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
    """Spans to the nearest double. Microseconds are exact in a double until the year 2255; finer ones since 1970 are
    not."""
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
    if any(issubclass(kind, time) for kind in kinds):
        return _times_of_day(array, name)
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
            raise InvalidTypeError(
                f"{name} mixes {'durations' if durations else 'dates'} with other values, got {value!r}"
            )
    return found.reshape(array.shape)


def _times_of_day(array: NDArray[Any], name: str) -> NDArray[np.float64]:
    found = np.full(array.size, np.nan)
    for index, value in enumerate(array.flat):
        if isinstance(value, time):
            found[index] = value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
        elif not _is_missing(value):
            raise InvalidTypeError(f"{name} mixes times of day with other values, got {value!r}")
    return found


def binary(values: Any, name: str, length: Optional[int] = None) -> NDArray[np.int8]:
    """A 0 or a 1 a row as int8: bool, integer, float."""
    array = as_array(values, name)
    if array.ndim != 1:
        raise InvalidArgumentError(f"{name} must have 1 dimension, got {array.ndim}")
    if length is not None and len(array) != length:
        raise MismatchError(f"{name} must have {length} values, got {len(array)}")
    array = _numeric(array, name)
    if array.dtype.kind == "b":
        return np.ascontiguousarray(array.astype(np.int8))
    wrong = np.flatnonzero(~((array == 0) | (array == 1)))
    if len(wrong):
        raise InvalidDataError(f"{name}[{wrong[0]}] must be 0 or 1, got {array[wrong[0]]}")
    return np.asarray(array == 1, dtype=np.int8)


def category_name(value: Any) -> str:
    """What a category is called: a whole float as the integer, so that missing values beside it change nothing."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _is_missing(value: Any) -> bool:
    """None, NaN, a Decimal that is NaN, pandas.NA or pandas.NaT."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA has no truth
        return type(value).__name__ == "NAType"
