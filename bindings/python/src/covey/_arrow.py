"""Arrow data (pyarrow, polars, DuckDB, ...) through the C data interface, without a copy where the format fits."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_void_p
from typing import Any, Mapping, Optional

from . import _structs
from ._errors import InvalidTypeError
from ._handle import Native
from ._library import call, library

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = c_void_p
_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)

_TYPES = {"numeric": ("float64",), "boolean": ("bool_",), "categorical": ("string",), "date": ("timestamp", "us")}


class Exported:
    """The two structs of an array or a record batch; they stay the producer's and live as long as this object."""

    def __init__(self, values: Any) -> None:
        self._capsules = values.__arrow_c_array__()
        self.schema, self.array = (
            _pointer(capsule, name) for capsule, name in zip(self._capsules, (b"arrow_schema", b"arrow_array"))
        )


def is_arrow(values: Any) -> bool:
    """Whether an object exports Arrow data. pandas does too, but its own columns say more (categories, objects)."""
    exports = hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__")
    return exports and not type(values).__module__.startswith("pandas")


def record_batch(
    features: Any, name: str, kinds: Optional[Mapping[str, str]] = None, without: Optional[str] = None
) -> Any:
    """A table as one record batch; columns of the null type as the kind that is expected of them."""
    if not hasattr(features, "__arrow_c_stream__"):
        return features
    try:
        import pyarrow
    except ImportError:
        raise InvalidTypeError(f"{name}: a {type(features).__name__} needs pyarrow, which is not installed") from None
    table = pyarrow.table(features)
    if kinds and any(label in kinds for label in table.column_names):
        table = table.select([index for index, label in enumerate(table.column_names) if label in kinds])
    elif without is not None:
        table = table.select([index for index, label in enumerate(table.column_names) if label != without])
    for index, field in enumerate(table.schema):
        if kinds and pyarrow.types.is_null(field.type) and field.name in kinds:
            type_name, *unit = _TYPES[kinds[field.name]]
            column = table.column(index).cast(getattr(pyarrow, type_name)(*unit))
            table = table.set_column(index, field.name, column)
    batches = table.combine_chunks().to_batches()
    if len(batches) == 1:
        return batches[0]
    # None for an empty table, several where a column is too large for one chunk.
    if not batches:
        arrays = [pyarrow.array([], type=field.type) for field in table.schema]
    else:
        arrays = [pyarrow.concat_arrays(column.chunks) for column in table.columns]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=table.schema)


def import_table(
    features: Any, name: str, kinds: Optional[Mapping[str, str]] = None, without: Optional[str] = None
) -> tuple[_structs.Table, list[Any]]:
    """A `covey_table` and what it borrows."""
    exported = Exported(record_batch(features, name, kinds, without))
    pointer = c_void_p()
    call("covey_arrow_table_import", None, exported.schema, exported.array, byref(pointer))
    handle = Native(pointer.value, "covey_arrow_table_destroy")
    return library.covey_arrow_table_view(handle).contents, [handle, exported]


def import_matrix(values: Any) -> tuple[_structs.Matrix, Exported]:
    """A `covey_matrix` of an array of fixed-size lists and what it borrows."""
    if hasattr(values, "combine_chunks") and not hasattr(values, "__arrow_c_array__"):  # pyarrow's ChunkedArray
        values = values.combine_chunks()
    if not hasattr(values, "__arrow_c_array__"):
        raise InvalidTypeError(f"a {type(values).__name__} cannot be read as a matrix")
    exported = Exported(values)
    view = _structs.Matrix()
    call("covey_arrow_matrix", exported.schema, exported.array, byref(view))
    return view, exported
