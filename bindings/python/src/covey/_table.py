"""Expert features as Python programs hold them -> `covey_table`, column by column, without a copy where the layout fits."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from ctypes import cast
from datetime import date
from numbers import Real
from typing import Any, Iterator, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._arrow import import_table, is_arrow, record_batch
from ._arrays import _is_missing, as_array, c_string, plain, seconds, stride, vector
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError
from ._keys import read_keys
from ._strings import Names, factorise

NUMERIC, CATEGORICAL, BOOLEAN, DATE = 0, 1, 2, 3
#: Kind, values, categories.
Converted = Tuple[int, NDArray[Any], Optional[List[str]]]
KINDS = {NUMERIC: "numeric", CATEGORICAL: "categorical", BOOLEAN: "boolean", DATE: "date"}


class Table:
    """A `covey_table` and the arrays that it borrows.

    Accepted: a pandas DataFrame or a row of one, a mapping of names to arrays (or to scalars: one row), a structured array, a pyarrow
    Table or RecordBatch, any object with ``__arrow_c_stream__`` (polars, DuckDB; needs pyarrow), and a 2-d array of
    numbers, whose columns are named x0, x1, ...

    Floats and integers become numeric (NaN = missing), bools and nullable booleans boolean, strings and categories
    categorical (None and NaN = missing). Datetimes become dates (UTC where they have a zone, else as written; NaT = missing),
    for rules alone; durations are refused.
    `kinds` names the columns that are wanted, so that others may hold anything, and says what a column is of which all
    values are missing, as its dtype then says nothing. `without` is a column that is no feature, the key.
    """

    __slots__ = ("struct", "rows", "names", "kinds", "_keep")

    def __init__(
        self,
        features: Any,
        name: str = "features",
        kinds: Optional[Mapping[str, str]] = None,
        without: Optional[str] = None,
    ) -> None:
        if is_arrow(features):
            self.struct, self._keep = import_table(features, name, kinds, without)
            read = [self.struct.columns[index] for index in range(self.struct.column_count)]
            self.rows, self.names = self.struct.rows, [column.name.decode("utf-8") for column in read]
            self.kinds = {label: KINDS[column.kind] for label, column in zip(self.names, read)}
            return
        pairs = [
            pair for pair in columns(features, name) if (kinds is None and pair[0] != without) or (kinds and pair[0] in kinds)
        ]
        self._keep = []
        self.names = [_column_name(label, name) for label, _ in pairs]
        converted = [_convert(values, f"{name}[{label!r}]") for label, values in pairs]
        if kinds:
            converted = [_all_missing(column, kinds.get(label)) for label, column in zip(self.names, converted)]
        self.kinds = {label: KINDS[kind] for label, (kind, _, _) in zip(self.names, converted)}
        self.rows = _common_rows(self.names, [array for _, array, _ in converted], features, name)
        array_type = _structs.Column * max(1, len(converted))
        structs = array_type()
        for struct, column, (kind, array, categories) in zip(structs, self.names, converted):
            encoded = c_string(column, f"{name} column name")
            struct.name, struct.kind = encoded, kind
            struct.values, struct.stride = array.ctypes.data, stride(array)
            if categories is not None:
                pointers = Names(categories, f"{name}[{column!r}] categories")
                struct.categories, struct.category_count = pointers.address, pointers.count
                self._keep.append(pointers)
            self._keep += [encoded, array]
        self._keep.append(structs)
        self.struct = _structs.Table(
            rows=self.rows, column_count=len(converted), columns=cast(structs, _structs.ColumnPointer)
        )


def columns(features: Any, name: str) -> Iterator[tuple[Any, Any]]:
    """Name and values of each column."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(features, pandas.DataFrame):
        for index, label in enumerate(features.columns):
            yield label, features.iloc[:, index]
    elif isinstance(features, Mapping):
        yield from features.items()
    elif pandas is not None and isinstance(features, pandas.Series) and any(isinstance(x, str) for x in features.index):
        yield from features.items()  # a row of a DataFrame
    elif isinstance(features, np.ndarray) and features.dtype.names is not None:
        if features.ndim != 1:
            raise InvalidArgumentError(f"{name} must have 1 dimension where it is a structured array, got {features.ndim}")
        for label in features.dtype.names:
            yield label, features[label]
    elif is_arrow(features):
        batch = record_batch(features, name)
        for index, label in enumerate(batch.schema.names):
            yield label, batch.column(index)
    else:
        array = as_array(features, name)
        if array.ndim != 2:
            raise InvalidTypeError(
                f"{name} must be a DataFrame, a mapping of names to columns, a structured array, a pyarrow Table or a "
                f"2-d array, got {type(features).__name__} of {array.ndim} dimension(s)"
            )
        for index in range(array.shape[1]):
            yield f"x{index}", array[:, index]


def feature_keys(
    features: Any, key: Optional[str], usual: Optional[str], name: str = "features"
) -> tuple[Optional[NDArray[Any]], Optional[str]]:
    """The keys of a table's rows and what they are called: its column or its named index `key`, or `usual` where there is
    one. Raises INVALID_ARGUMENT where `key` is neither."""
    wanted = key if key is not None else usual
    if wanted is None or features is None:
        if key is not None:
            raise InvalidArgumentError(f"key={key!r} needs {name}")
        return None, None
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(features, pandas.DataFrame):
        if wanted in features.index.names:
            return read_keys(features.index.get_level_values(wanted), f"{name}' index {wanted!r}"), wanted
    found = [values for label, values in columns(features, name) if label == wanted]
    if len(found) > 1:
        raise InvalidArgumentError(f"key={wanted!r}: {name} have more than one column of that name")
    if found:
        values = found[0]
        return read_keys([values] if np.ndim(values) == 0 else values, f"{name}[{wanted!r}]"), wanted
    if key is not None:
        raise InvalidArgumentError(f"key={key!r} is not a column of {name}")
    return None, None


def is_table(values: Any) -> bool:
    """Whether an object has named columns, and is not one column or a list of values."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(values, (pandas.DataFrame, pandas.Series, pandas.Index)):
        return isinstance(values, pandas.DataFrame)
    if isinstance(values, np.ndarray):
        return values.dtype.names is not None
    return is_arrow(values) and (hasattr(values, "columns") or hasattr(values, "column_names"))


def _column_name(label: Any, name: str) -> str:
    if not isinstance(label, str):
        raise InvalidTypeError(f"{name}: a column's name must be a string, got {label!r}")
    return label


def _common_rows(names: list[str], arrays: list[NDArray[Any]], features: Any, name: str) -> int:
    if not arrays:
        try:
            if not isinstance(features, Mapping):
                return len(features)
            return next((len(values) if np.ndim(values) else 1 for values in features.values()), 0)
        except (TypeError, ValueError):
            return 0
    for column, array in zip(names, arrays):
        if len(array) != len(arrays[0]):
            raise MismatchError(
                f"{name}[{column!r}] has {len(array)} rows, {name}[{names[0]!r}] has {len(arrays[0])}"
            )
    return len(arrays[0])


def _convert(values: Any, name: str) -> Converted:
    """Kind, values and categories of one column."""
    values = plain(values)  # an Arrow array inside a mapping
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


def _all_missing(column: Converted, kind: Optional[str]) -> Converted:
    """A column without a value, as the kind that is expected of it."""
    own, array, _ = column
    if kind is None or KINDS[own] == kind or not np.all(np.isnan(array) if own in (NUMERIC, DATE) else array == -1):
        return column
    if kind in (KINDS[NUMERIC], KINDS[DATE]):
        return NUMERIC if kind == KINDS[NUMERIC] else DATE, np.full(len(array), np.nan), None
    if kind == KINDS[BOOLEAN]:
        return BOOLEAN, np.full(len(array), -1, dtype=np.int8), None
    return CATEGORICAL, np.full(len(array), -1, dtype=np.int32), []


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
    hint = ": make it numbers first (seconds or days)" if kind == "m" else ""
    raise InvalidTypeError(f"{name} has dtype {array.dtype}, which is not a feature{hint}")


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
        names = [item if isinstance(item, str) else str(item) for item in dtype.categories]
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
        raise InvalidTypeError(f"{name} has dtype {dtype}, which is not a feature: make it numbers first")
    return _from_numpy(np.asarray(values, dtype=object), name)


def _from_values(array: NDArray[Any], name: str) -> Optional[Converted]:
    """Objects that are no strings; None where there is no value among them."""
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
    if any(hasattr(kind, "isoformat") for kind in present):
        raise InvalidTypeError(f"{name} holds times of day or dates beside other values: make them numbers first")
    return None
