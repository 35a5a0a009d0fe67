"""Strings on their way into the library: distinct names once, and a code for each value."""

from __future__ import annotations

import sys
from ctypes import addressof, c_char_p
from typing import Any, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ._arrays import _is_missing, c_string
from ._errors import InvalidDataError, InvalidTypeError


class Names:
    """A `const char *const *`: encoded strings and the array of pointers to them."""

    __slots__ = ("count", "_array")

    def __init__(self, values: Iterable[Any], name: str) -> None:
        encoded = [c_string(value, f"{name}[{index}]") for index, value in enumerate(values)]
        self.count = len(encoded)
        self._array = (c_char_p * max(1, self.count))(*encoded)

    @property
    def address(self) -> int:
        return addressof(self._array)


def is_text(array: NDArray[Any]) -> bool:
    """Whether an array holds strings: by its dtype, or, for objects, by its first value that is not missing."""
    if array.dtype.kind in "UST":
        return True
    if array.dtype.kind != "O":
        return False
    return any(isinstance(first, (str, bytes)) for first in _first_present(array))


def _first_present(array: NDArray[Any]) -> list[Any]:
    for value in array.flat:
        if not _is_missing(value):
            return [value]
    return []


def factorise(array: NDArray[Any], name: str) -> tuple[list[str], NDArray[np.int32]]:
    """The distinct strings in the order of their first appearance and the index of each value; -1 = missing (None,
    NaN)."""
    if array.dtype.kind == "S":
        array = array.astype(object)
    codes, values = group(array if array.dtype.kind == "U" else array.astype(object), name)
    texts: list[str] = []
    for value in values:
        if isinstance(value, bytes):
            try:
                value = value.decode("utf-8")
            except UnicodeDecodeError as failure:
                raise InvalidDataError(f"{name} must be UTF-8: {failure}") from None
        if not isinstance(value, str):
            raise InvalidTypeError(
                f"{name} must hold strings, got {value!r}, a {type(value).__name__}: make them strings first"
            )
        texts.append(str(value))
    return texts, codes.astype(np.int32)


def _codes_by_appearance(array: NDArray[Any], name: str) -> tuple[NDArray[Any], Sequence[Any]]:
    """Codes in the order of first appearance, -1 for missing, and the distinct values."""
    try:
        pandas = sys.modules.get("pandas")
        if pandas is not None:
            found, values = pandas.factorize(array)
            return found, list(values)
        seen: dict[Any, int] = {}
        codes = np.empty(len(array), dtype=np.int64)
        for index, value in enumerate(array):
            codes[index] = -1 if _is_missing(value) else seen.setdefault(value, len(seen))
        return codes, list(seen)
    except TypeError as failure:  # a value that has no hash
        raise InvalidTypeError(f"{name} holds values that are neither numbers nor strings: {failure}") from None


def group(array: NDArray[Any], name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Codes in the order of first appearance, and the distinct values as an array of the same dtype."""
    if array.dtype.kind == "O":
        codes, values = _codes_by_appearance(array, name)
        keys = np.empty(len(values), dtype=object)
        keys[:] = values
    else:
        keys, first, inverse = np.unique(array, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        place = np.empty(len(keys), dtype=np.int64)
        place[order] = np.arange(len(keys))
        codes, keys = place[inverse.reshape(-1)], keys[order]
    return codes, keys
