"""Expert features as Python programs hold them -> `covey_table`, column by column, without a copy where the layout
fits."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from ctypes import c_char, c_char_p, cast
from typing import Any, Iterator, Optional, Union

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._arrow import Batches, SeriesOf, exporter, import_table
from ._arrow_columns import ArrowColumn
from ._arrays import as_array, c_string, stride
from ._column import CATEGORICAL, KINDS, Converted, as_expected, convert
from ._errors import InvalidArgumentError, InvalidTypeError, MismatchError
from ._keys import as_column, read_keys
from ._strings import Names


class Table:
    """A `covey_table` and the arrays that it borrows.

    Accepted: a pandas DataFrame or a row of one, a mapping of names to arrays (or to scalars: one row), a list of
    mappings, a structured array, a polars DataFrame or LazyFrame, a DuckDB relation or query, a pyarrow Table,
    RecordBatch or Dataset, any object with ``__arrow_c_stream__`` or ``__arrow_c_array__``, and a 2-d array of numbers,
    whose columns are named x0, x1, ...

    Floats, integers and decimals become numeric (NaN = missing), durations and times of day too (seconds), bools and
    nullable booleans boolean, strings and categories categorical (None and NaN = missing). Datetimes become dates (UTC
    where they have a zone, else as written; NaT = missing), for rules alone. `kinds` names the columns that are wanted,
    so that others may hold anything, and says what is expected of a column whose
    values say less: if all are missing, and if numbers stand for categories. `without` names the key and other
        columns that are no features.
    """

    __slots__ = ("struct", "rows", "names", "kinds", "_keep")
    _keep: list[Any]

    def __init__(
        self,
        features: Any,
        name: str = "features",
        kinds: Optional[Mapping[str, str]] = None,
        without: Union[None, str, Collection[str]] = None,
    ) -> None:
        without = {without} if isinstance(without, str) else set(without or ())
        batches = _batches(features, name)
        if batches is not None:
            self._read_batches(batches, name, kinds, without)
            return
        pairs = [
            pair
            for pair in columns(features, name)
            if (kinds is None and pair[0] not in without) or (kinds and pair[0] in kinds)
        ]
        self._keep = []
        self.names = [_column_name(label, name) for label, _ in pairs]
        converted = [convert(values, f"{name}[{label!r}]") for label, values in pairs]
        if kinds:
            converted = [
                as_expected(column, kinds.get(label), f"{name}[{label!r}]")
                for label, column in zip(self.names, converted)
            ]
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

    def _read_batches(
        self, batches: Batches, name: str, kinds: Optional[Mapping[str, str]], without: Collection[str]
    ) -> None:
        """The library reads them; a column that is not of the kind that is expected of it is converted here, if it can
        be."""
        named = batches.names
        wanted = (
            None
            if kinds is None and not without
            else [label for label in named if (label not in without if kinds is None else label in kinds)]
        )
        table, handles = import_table(batches.schema, batches.arrays, wanted)
        self._keep = [batches, handles]
        count = table.column_count
        structs = (_structs.Column * max(1, count))(*[table.columns[index] for index in range(count)])
        self.rows, self.names, self.kinds = table.rows, [], {}
        for index in range(count):
            struct = structs[index]
            label = struct.name.decode("utf-8")
            expected = None if kinds is None else kinds.get(label)
            if expected is not None and KINDS[struct.kind] != expected:
                column = ArrowColumn.of_table(batches, named.index(label))
                self._refill(struct, as_expected(convert(column, f"{name}[{label!r}]"), expected, f"{name}[{label!r}]"))
            self.names.append(label)
            self.kinds[label] = KINDS[struct.kind]
        self._keep.append(structs)
        self.struct = _structs.Table(rows=table.rows, column_count=count, columns=cast(structs, _structs.ColumnPointer))

    def column(self, index: int) -> _structs.Column:
        """A column as the library sees it."""
        found: _structs.Column = self.struct.columns[index]
        return found

    def keep_categories(self, index: int, kept: NDArray[Any]) -> None:
        """Makes all other categories of a column missing; `kept`: their codes."""
        struct = self.column(index)
        pointers = (c_char_p * struct.category_count).from_address(struct.categories)
        place = np.full(struct.category_count + 1, -1, dtype=np.int32)
        place[kept] = np.arange(len(kept))
        step = struct.stride or 4
        memory: Any = (c_char * (step * (self.rows - 1) + 4)).from_address(struct.values)
        codes: NDArray[np.int32] = np.ndarray(self.rows, dtype=np.int32, buffer=memory, strides=(step,))
        names = [pointers[code].decode("utf-8") for code in kept]
        self._refill(struct, (CATEGORICAL, place[codes], names))

    def leave_out(self, labels: Collection[str]) -> None:
        """Takes columns out."""
        kept = [index for index, label in enumerate(self.names) if label not in labels]
        structs = (_structs.Column * max(1, len(kept)))(*[self.struct.columns[index] for index in kept])
        self._keep.append(structs)
        self.names = [self.names[index] for index in kept]
        self.kinds = {label: self.kinds[label] for label in self.names}
        self.struct = _structs.Table(
            rows=self.rows, column_count=len(kept), columns=cast(structs, _structs.ColumnPointer)
        )

    def _refill(self, struct: _structs.Column, column: Converted) -> None:
        struct.kind, array, categories = column
        struct.values, struct.stride = array.ctypes.data, stride(array)
        self._keep.append(array)
        struct.categories, struct.category_count = None, 0
        if categories is not None:
            pointers = Names(categories, "categories")
            struct.categories, struct.category_count = pointers.address, pointers.count
            self._keep.append(pointers)


def _batches(features: Any, name: str) -> Optional[Batches]:
    """The Arrow data of a table; None for other tables. Raises INVALID_ARGUMENT if the data are no table."""
    if isinstance(features, Batches):
        return features
    if isinstance(features, (Mapping, np.ndarray, list, tuple, str, bytes)):
        return None
    source = exporter(features)
    if source is None:
        return None
    batches = Batches(source, name)
    if not batches.is_table or isinstance(source, SeriesOf):
        raise InvalidTypeError(
            f"{name} must be a table, got one column of the Arrow format {batches.schema.format.decode()!r}"
        )
    return batches


def held(features: Any, name: str = "features") -> Any:
    """A table that may be read more than once with the same rows in the same order: a query is run and a stream read
    here, once, whatever is asked of it later. Other tables are what they are."""
    batches = _batches(features, name)
    return features if batches is None else batches


def column_labels(features: Any, name: str) -> list[Any]:
    """The names of the columns, without the columns where they need not be made."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(features, pandas.DataFrame):
        return list(features.columns)
    if isinstance(features, Mapping):
        return list(features)
    batches = _batches(features, name)
    return [label for label, _ in columns(features, name)] if batches is None else list(batches.names)


def columns(features: Any, name: str) -> Iterator[tuple[Any, Any]]:
    """Name and values of each column."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(features, pandas.DataFrame):
        yield from features.items()
        return
    if isinstance(features, Mapping):
        yield from features.items()
        return
    if pandas is not None and isinstance(features, pandas.Series) and any(isinstance(x, str) for x in features.index):
        yield from features.items()  # a row of a DataFrame
        return
    if isinstance(features, np.ndarray) and features.dtype.names is not None:
        if features.ndim != 1:
            raise InvalidArgumentError(
                f"{name} must have 1 dimension where it is a structured array, got {features.ndim}"
            )
        for label in features.dtype.names:
            yield label, features[label]
        return
    if isinstance(features, (list, tuple)) and features and isinstance(features[0], Mapping):
        yield from _from_rows(features, name)
        return
    batches = _batches(features, name)
    if batches is not None:
        for index, label in enumerate(batches.names):
            yield label, ArrowColumn.of_table(batches, index)
        return
    array = as_array(features, name)
    if array.ndim != 2:
        hint = ": one column is no table, and labels (y) have no place here" if array.ndim == 1 else ""
        raise InvalidTypeError(
            f"{name} must be a DataFrame, a mapping of names to columns, a list of mappings, a structured array, an"
            f" Arrow table or a 2-d array, got {type(features).__name__} of {array.ndim} dimension(s){hint}"
        )
    for index in range(array.shape[1]):
        yield f"x{index}", array[:, index]


def _from_rows(rows: Any, name: str) -> Iterator[tuple[Any, Any]]:
    """A list of mappings, one a row; a name that a row lacks is missing there."""
    labels: dict[Any, None] = {}
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InvalidTypeError(f"{name}[{index}] must be a mapping as {name}[0] is, got {type(row).__name__}")
        labels.update(dict.fromkeys(row))
    for label in labels:
        values = np.empty(len(rows), dtype=object)
        values[:] = [row.get(label) for row in rows]
        yield label, values


def feature_keys(
    features: Any, key: Optional[str], usual: Optional[str], name: str = "features", own: Optional[str] = None
) -> tuple[Optional[NDArray[Any]], Optional[str]]:
    """The keys of a table's rows and what they are called: its column or its named index `key`, or `usual` where there
    is one. Raises INVALID_ARGUMENT if `key` is neither. Without a table, `key` may be `own`, the name of the keys that
    events or embeddings carry."""
    wanted = key if key is not None else usual
    if wanted is None or features is None:
        if key is not None and key != own:
            carried = "" if own is None else f", as the keys are {own!r}"
            raise InvalidArgumentError(f"key={key!r} needs {name}{carried}")
        return None, None
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(features, pandas.DataFrame):
        if wanted in features.index.names:
            return read_keys(features.index.get_level_values(wanted), f"{name}' index {wanted!r}"), wanted
        found = [features.iloc[:, place] for place, label in enumerate(features.columns) if label == wanted]
    else:
        found = [values for label, values in columns(features, name) if label == wanted]
    if len(found) > 1:
        raise InvalidArgumentError(f"key={wanted!r}: {name} have more than one column of that name")
    if found:
        return read_keys(as_column(found[0]), f"{name}[{wanted!r}]"), wanted
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
    if isinstance(values, (list, tuple)):
        return bool(values) and isinstance(values[0], Mapping)
    if isinstance(values, Batches):
        return True
    return any(hasattr(values, name) for name in ("columns", "column_names", "collect_schema"))


def has_names(table: Any) -> bool:
    """Whether a table's columns have names, and not numbers, as those of a matrix in a DataFrame."""
    labels = getattr(table, "columns", None)
    if labels is None or not hasattr(table, "iloc"):
        return True
    return any(isinstance(label, str) for label in labels)


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
            raise MismatchError(f"{name}[{column!r}] has {len(array)} rows, {name}[{names[0]!r}] has {len(arrays[0])}")
    return len(arrays[0])
