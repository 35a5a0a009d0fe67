"""One Arrow column, over all its batches: as a NumPy array, or as distinct strings and codes."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, addressof, byref, cast, pointer
from typing import Any, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._arrow import Array, Batches, Schema, SeriesOf, exporter, import_table
from ._errors import InvalidDataError, InvalidTypeError
from ._library import call

_NUMBERS = {
    b"g": "f8", b"f": "f4", b"e": "f2", b"c": "i1", b"C": "u1", b"s": "i2", b"S": "u2", b"i": "i4", b"I": "u4",
    b"l": "i8",
    b"L": "u8",
}  # fmt: skip
_UNITS = {"s": "s", "m": "ms", "u": "us", "n": "ns"}
_TEXTS = (b"u", b"U", b"vu")


class ArrowColumn:
    """A column of record batches, or an array on its own; its memory is the producer's."""

    def __init__(self, owner: Any, schema: Schema, parts: List[Tuple[Array, int, int]]) -> None:
        self._owner = owner
        self._schema = schema
        #: Array, first element (beside the array's own offset), number of elements.
        self._parts = parts
        self.format: bytes = schema.format

    @classmethod
    def of_table(cls, batches: Batches, index: int) -> "ArrowColumn":
        parts = [(array.children[index].contents, array.offset, array.length) for array in batches.arrays]
        return cls(batches, batches.schema.children[index].contents, parts)

    @classmethod
    def read(cls, values: Any, name: str) -> "Optional[ArrowColumn]":
        """A Series, an array or a chunked array of any library; None if it has no Arrow data, or is a table."""
        source = exporter(values)
        if source is None:
            return None
        batches = Batches(source, name)
        if isinstance(source, SeriesOf):
            return cls.of_table(batches, 0)
        return None if batches.is_table else cls.of_array(batches)

    @classmethod
    def of_array(cls, batches: Batches) -> "ArrowColumn":
        return cls(batches, batches.schema, [(array, 0, array.length) for array in batches.arrays])

    def __len__(self) -> int:
        return sum(count for _, _, count in self._parts)

    @property
    def _value_format(self) -> bytes:
        """Of the values, behind a dictionary and run ends."""
        schema = self._schema
        if schema.format == b"+r" and schema.n_children == 2:
            schema = schema.children[1].contents
        found: bytes = schema.dictionary.contents.format if schema.dictionary else schema.format
        return found

    @property
    def is_text(self) -> bool:
        return self._value_format in _TEXTS

    @property
    def is_category(self) -> bool:
        return bool(self._schema.dictionary) and self.is_text

    def codes(self, name: str) -> Tuple[NDArray[np.int32], List[str]]:
        """For strings: a code a row, -1 = null, and the distinct strings, in the order of a dictionary or of first
        appearance."""
        column = self._import(name)
        codes = _view(column.values, len(self), np.dtype(np.int32), self._imported).copy()
        pointers = (ctypes.c_char_p * column.category_count).from_address(column.categories or 1)
        return codes, [pointers[index].decode("utf-8") for index in range(column.category_count)]

    def to_numpy(self, name: str = "values") -> NDArray[Any]:
        """Numbers (floats with NaN if some are null; objects with None if a float would not be exact), datetimes,
        durations, strings as objects with None."""
        if self.is_text:
            codes, names = self.codes(name)
            return np.array([*names, None], dtype=object)[codes]
        format = self._schema.format
        plain = not self._schema.dictionary
        if plain and format == b"b":
            return _joined([self._booleans(*part) for part in self._parts], np.dtype(np.bool_))
        dtype = _dtype(format) if plain else None
        if dtype is not None:
            return _joined([self._primitive(array, start, count, dtype) for array, start, count in self._parts], dtype)
        if format in (b"tts", b"ttm", b"tdD") and plain:  # 32 bits, which no datetime of NumPy has
            unit = {b"tts": "m8[s]", b"ttm": "m8[ms]", b"tdD": "M8[D]"}[format]
            narrow = np.dtype(np.int32)
            days = _joined(
                [self._primitive(array, start, count, narrow) for array, start, count in self._parts], narrow
            )
            if days.dtype.kind != "f":
                return days.astype(np.int64).astype(unit)
            missing = np.isnan(days)
            found: NDArray[Any] = np.where(missing, 0, days).astype(np.int64).astype(unit)
            found[missing] = np.array("NaT", dtype=unit)
            return found
        column = self._import(name)
        if column.kind == 2:
            flags = _view(column.values, len(self), np.dtype(np.int8), self._imported)
            return np.array([False, True, None], dtype=object)[flags] if (flags < 0).any() else flags.astype(np.bool_)
        numbers = _view(column.values, len(self), np.dtype(np.float64), self._imported)
        return (numbers * 1e6).round().astype("M8[us]") if column.kind == 3 else numbers

    def _import(self, name: str) -> _structs.Column:
        """Read by the library: a table of this column alone."""
        child = Schema.from_buffer_copy(self._schema)
        child.name = b"values"
        root = Schema(
            format=b"+s", n_children=1, children=pointer(pointer(child)), release=Schema._fields_[7][1](lambda _: None)
        )
        arrays: List[Array] = []
        kept: List[Any] = [child, root]
        for array, start, count in self._parts:
            place = pointer(array)
            buffers = (ctypes.c_void_p * 1)()
            struct = Array(
                length=count, offset=start, n_buffers=1, n_children=1, buffers=cast(buffers, POINTER(ctypes.c_void_p)),
                children=pointer(place), release=Array._fields_[8][1](lambda _: None),
            )  # fmt: skip
            arrays.append(struct)
            kept += [place, buffers]
        try:
            table, handles = import_table(root, arrays)
        except InvalidDataError as failure:
            raise InvalidDataError(str(failure).replace('column "values"', name)) from None
        except Exception as failure:
            raise InvalidTypeError(str(failure).replace('column "values"', name)) from None
        self._imported = [self._owner, kept, arrays, *handles]
        column: _structs.Column = table.columns[0]
        return column

    def _primitive(self, array: Array, start: int, count: int, dtype: "np.dtype[Any]") -> NDArray[Any]:
        first = array.offset + start
        address = array.buffers[1] if count else None
        if count and not address:
            raise InvalidDataError("an Arrow array has no values")
        values = _view((address or 0) + first * dtype.itemsize, count, dtype, self._owner)
        valid = self._validity(array, first, count)
        if valid is None:
            return values
        if dtype.kind in "mM":
            return np.where(valid, values, np.array("NaT", dtype=dtype))
        if dtype.kind == "f":
            return np.where(valid, values, np.array(np.nan, dtype=dtype))
        if dtype.itemsize == 8 and np.any(np.abs(values[valid].astype(np.float64)) >= 2.0**53):
            return _or_none(values, valid)
        return np.where(valid, values.astype(np.float64), np.nan)

    def _booleans(self, array: Array, start: int, count: int) -> NDArray[Any]:
        first = array.offset + start
        values = _bits(array.buffers[1], first, count, self._owner)
        valid = self._validity(array, first, count)
        return values if valid is None else _or_none(values, valid)

    def _validity(self, array: Array, first: int, count: int) -> Optional[NDArray[np.bool_]]:
        if array.null_count == 0 or not count or not array.buffers[0]:
            return None
        valid = _bits(array.buffers[0], first, count, self._owner)
        return None if valid.all() else valid

    # Lists: events inside transactions.

    @property
    def is_list(self) -> bool:
        return self.format in (b"+l", b"+L")

    def lists(self) -> "Tuple[NDArray[np.int64], ArrowColumn]":
        """n + 1 offsets and the column of all lists' elements, batch after batch; a null list is an empty one."""
        offsets: List[NDArray[np.int64]] = [np.zeros(1, dtype=np.int64)]
        parts = []
        dtype = np.dtype(np.int32 if self.format == b"+l" else np.int64)
        for array, start, count in self._parts:
            if not count:
                continue
            first = array.offset + start
            place = _view(array.buffers[1] + first * dtype.itemsize, count + 1, dtype, self._owner).astype(np.int64)
            valid = self._validity(array, first, count)
            child = array.children[0].contents
            if valid is not None and np.any(np.diff(place)[~valid]):
                raise InvalidDataError("an Arrow list that is null has elements")
            parts.append((child, int(place[0]), int(place[-1] - place[0])))
            offsets.append(place[1:] - place[0] + offsets[-1][-1])
        return np.concatenate(offsets), ArrowColumn(self._owner, self._schema.children[0].contents, parts)

    def fields(self) -> "List[Tuple[str, ArrowColumn]]":
        """The columns of a struct."""
        if self.format != b"+s":
            raise InvalidTypeError(f"lists must hold structs, got the Arrow format {self.format.decode()!r}")
        found = []
        for index in range(self._schema.n_children):
            schema = self._schema.children[index].contents
            parts = [
                (array.children[index].contents, array.offset + start, count) for array, start, count in self._parts
            ]
            found.append(((schema.name or b"").decode("utf-8", "replace"), ArrowColumn(self._owner, schema, parts)))
        return found

    def matrix(self, name: str) -> Optional[NDArray[Any]]:
        """The rows of fixed-size lists, or of lists of one length; None for other columns. One batch is not copied."""
        if self.format.startswith(b"+w:"):
            blocks = []
            for array, start, count in self._parts:
                view = _structs.Matrix()
                part = Array.from_buffer_copy(array)
                part.offset, part.length = array.offset + start, count
                call("covey_arrow_matrix", addressof(self._schema), addressof(part), byref(view))
                dtype = np.dtype(np.float64 if view.type else np.float32)
                blocks.append(
                    _view(view.data, view.rows * view.columns, dtype, self._owner).reshape(view.rows, view.columns)
                )
            return _joined(blocks, np.dtype(np.float32))
        if not self.is_list:
            return None
        offsets, values = self.lists()
        width = int(offsets[1]) if len(offsets) > 1 else 0
        if np.any(np.diff(offsets) != width):
            raise InvalidDataError(f"{name} must have lists of one length")
        return values.to_numpy(name).reshape(-1, width)


def _or_none(values: NDArray[Any], valid: NDArray[np.bool_]) -> NDArray[Any]:
    found: NDArray[Any] = values.astype(object)
    found[~valid] = None
    return found


def _view(address: Optional[int], count: int, dtype: "np.dtype[Any]", owner: Any) -> NDArray[Any]:
    """Memory of a producer, kept for as long as the array lives."""
    if not count:
        return np.empty(0, dtype=dtype)
    memory = (ctypes.c_char * (count * dtype.itemsize)).from_address(address or 0)
    memory.owner = owner  # type: ignore[attr-defined]
    found: NDArray[Any] = np.frombuffer(memory, dtype=dtype)  # type: ignore[call-overload]
    return found


def _bits(address: Optional[int], first: int, count: int, owner: Any) -> NDArray[np.bool_]:
    if not count:
        return np.empty(0, dtype=np.bool_)
    if not address:
        raise InvalidDataError("an Arrow array has no values")
    bytes_ = _view(address + first // 8, (first % 8 + count + 7) // 8, np.dtype(np.uint8), owner)
    return np.unpackbits(bytes_, bitorder="little")[first % 8 : first % 8 + count].astype(np.bool_)


def _joined(parts: List[NDArray[Any]], dtype: "np.dtype[Any]") -> NDArray[Any]:
    if not parts:
        return np.empty(0, dtype=dtype)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _dtype(format: bytes) -> "Optional[np.dtype[Any]]":
    if format in _NUMBERS:
        return np.dtype(_NUMBERS[format])
    text = format.decode("ascii", "replace")
    if text == "tdm":
        return np.dtype("M8[ms]")
    if text[:2] == "ts" and text[3:4] == ":" and text[2] in _UNITS:
        return np.dtype(f"M8[{_UNITS[text[2]]}]")
    if text[:2] == "tD" and text[2:] in _UNITS:
        return np.dtype(f"m8[{_UNITS[text[2:]]}]")
    if text in ("ttu", "ttn"):
        return np.dtype(f"m8[{_UNITS[text[2]]}]")
    return None
