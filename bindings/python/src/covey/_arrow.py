"""Arrow data of any library (pyarrow, polars, DuckDB, ...), taken through the C data and C stream interfaces: no
library is imported for it, and what fits stays where it is."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, addressof, byref, c_char_p, c_int, c_int64, c_void_p
from typing import Any, Iterable, List, Optional, Tuple

from . import _structs
from ._errors import CoveyError, InvalidDataError, InvalidTypeError
from ._handle import Native
from ._library import call, library

_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = c_void_p
_capsule_pointer.argtypes = (ctypes.py_object, c_char_p)


class Schema(ctypes.Structure):
    """struct ArrowSchema."""


Schema._fields_ = [
    ("format", c_char_p),
    ("name", c_char_p),
    ("metadata", c_void_p),
    ("flags", c_int64),
    ("n_children", c_int64),
    ("children", POINTER(POINTER(Schema))),
    ("dictionary", POINTER(Schema)),
    ("release", ctypes.CFUNCTYPE(None, c_void_p)),
    ("private_data", c_void_p),
]


class Array(ctypes.Structure):
    """struct ArrowArray."""


Array._fields_ = [
    ("length", c_int64),
    ("null_count", c_int64),
    ("offset", c_int64),
    ("n_buffers", c_int64),
    ("n_children", c_int64),
    ("buffers", POINTER(c_void_p)),
    ("children", POINTER(POINTER(Array))),
    ("dictionary", POINTER(Array)),
    ("release", ctypes.CFUNCTYPE(None, c_void_p)),
    ("private_data", c_void_p),
]


class _Stream(ctypes.Structure):
    """struct ArrowArrayStream."""

    _fields_ = [
        ("get_schema", ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)),
        ("get_next", ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)),
        ("get_last_error", ctypes.CFUNCTYPE(c_char_p, c_void_p)),
        ("release", ctypes.CFUNCTYPE(None, c_void_p)),
        ("private_data", c_void_p),
    ]


class Batches:
    """A schema and the arrays of that schema which a library handed over; they are released with this object."""

    def __init__(self, values: Any, name: str) -> None:
        self.schema = Schema()
        self.arrays: List[Array] = []
        self._owned: List[Any] = []
        try:
            if hasattr(values, "__arrow_c_stream__"):
                self._read_stream(values.__arrow_c_stream__(None), name)
            else:
                self._read_array(values.__arrow_c_array__(None))
        except CoveyError:
            raise
        except Exception as failure:  # whatever the library raises for what it cannot export
            raise InvalidTypeError(
                f"{name}: this {type(values).__name__} cannot be exported to Arrow: {failure}"
            ) from None

    def _read_array(self, capsules: Tuple[Any, Any]) -> None:
        # The capsules keep and release the two structs.
        self._capsules = capsules
        self.schema = Schema.from_address(_capsule_pointer(capsules[0], b"arrow_schema"))
        self.arrays = [Array.from_address(_capsule_pointer(capsules[1], b"arrow_array"))]

    def _read_stream(self, capsule: Any, name: str) -> None:
        address = _capsule_pointer(capsule, b"arrow_array_stream")
        stream = _Stream.from_address(address)
        if not stream.release:
            raise InvalidDataError(f"{name}: this Arrow stream was read already")

        def check(status: int) -> None:
            if status:
                text = stream.get_last_error(address) or b""
                raise InvalidDataError(f"{name}: the Arrow stream failed: {text.decode('utf-8', 'replace') or status}")

        try:
            check(stream.get_schema(address, addressof(self.schema)))
            self._owned.append(self.schema)
            while True:
                array = Array()
                check(stream.get_next(address, addressof(array)))
                if not array.release:
                    break
                self._owned.append(array)
                self.arrays.append(array)
        finally:
            if stream.release:
                stream.release(address)

    def __del__(self) -> None:
        for struct in self.__dict__.get("_owned", ()):
            if struct.release:
                struct.release(addressof(struct))

    @property
    def is_table(self) -> bool:
        return bool(self.schema.format == b"+s")

    @property
    def names(self) -> List[str]:
        children = [self.schema.children[index].contents for index in range(self.schema.n_children)]
        return [(child.name or b"").decode("utf-8", "replace") for child in children]

    @property
    def rows(self) -> int:
        return sum(array.length for array in self.arrays)


def is_arrow(values: Any) -> bool:
    """Whether an object exports Arrow data. pandas does too, but its own columns say more (categories, objects)."""
    if type(values).__module__.partition(".")[0] == "pandas":
        return False
    return hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__")


def exporter(values: Any) -> Optional[Any]:
    """The object whose Arrow data stand for `values`: itself, what a lazy frame or a dataset reads, what a query gives.
    None if there is none."""
    if isinstance(values, type):
        return None
    module = type(values).__module__.partition(".")[0].lstrip("_")
    if module == "duckdb":
        return _from_duckdb(values)
    if module == "polars" and type(values).__name__ == "LazyFrame":
        return values.collect()
    if module == "polars" and type(values).__name__ == "Series":
        return SeriesOf(values)
    if module == "pyarrow":
        if hasattr(values, "to_reader") and not hasattr(values, "__arrow_c_stream__"):  # a Scanner
            return values.to_reader()
        if hasattr(values, "to_table"):  # a Dataset
            return values.to_table()
        if hasattr(values, "chunks") and not hasattr(values, "__arrow_c_stream__"):  # a ChunkedArray of old
            return _one_array(values)
    return values if is_arrow(values) else None


class SeriesOf:
    """A Series of polars, exported as a table of one column: before 1.5 its own export loses dates and categories."""

    def __init__(self, values: Any) -> None:
        self._frame = values.to_frame()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._frame.__arrow_c_stream__(requested_schema)


def _from_duckdb(values: Any) -> Optional[Any]:
    if hasattr(values, "__arrow_c_stream__"):
        return values
    for name in ("to_arrow_table", "fetch_arrow_table", "arrow"):  # before 1.1, and connections with a query's result
        if hasattr(values, name):
            try:
                return getattr(values, name)()
            except Exception as failure:
                raise InvalidTypeError(
                    f"this {type(values).__name__} of DuckDB has no result to read: {failure}"
                ) from None
    return None


def _one_array(values: Any) -> Any:
    combined = values.combine_chunks()
    if hasattr(combined, "chunks"):
        import pyarrow

        combined = (
            pyarrow.concat_arrays(combined.chunks) if combined.num_chunks else pyarrow.array([], type=values.type)
        )
    return combined


def import_table(
    schema: Schema, arrays: Iterable[Array], names: Optional[Iterable[str]] = None
) -> Tuple[_structs.Table, List[Any]]:
    """A `covey_table` of record batches (of the columns `names`; None = all), and what it borrows beside the
    batches."""
    pointers = [addressof(array) for array in arrays]
    places = (c_void_p * max(1, len(pointers)))(*pointers)
    options = _structs.ArrowOptions()
    texts: Any = None
    if names is not None:
        encoded = [name.encode("utf-8") for name in names]
        texts = (c_char_p * max(1, len(encoded)))(*encoded)
        options.names, options.name_count = addressof(texts), len(encoded)
    pointer = c_void_p()
    call(
        "covey_arrow_table_import_batches",
        None,
        addressof(schema),
        places,
        len(pointers),
        byref(options),
        byref(pointer),
    )
    handle = Native(pointer.value, "covey_arrow_table_destroy")
    return library.covey_arrow_table_view(handle).contents, [handle]
