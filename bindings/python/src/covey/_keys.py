"""Keys: which transaction a row belongs to. Tables are paired by them and never by luck."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ._arrays import _is_missing, as_array
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError

#: From here on neighbouring integers are one float64, so that two customers may have one key.
_EXACT = 2.0**53


def read_keys(values: Any, name: str) -> NDArray[Any]:
    """One key a row, as integers, floats, datetimes or objects (strings); whole floats and whole objects become
    integers.

    Raises INVALID_DATA where a key is missing, and for floats at and above 2^53, of which several integers are one."""
    array = as_array(values, name)
    if array.ndim != 1:
        raise InvalidArgumentError(f"{name} must have 1 dimension, got {array.ndim}")
    kind = array.dtype.kind
    if kind in "iub":
        return array
    if kind == "f":
        return _from_floats(array, name)
    if kind in "mM":
        _refuse_missing(np.isnat(array), name)
        return array
    if kind in "USTO":
        return _from_objects(array.astype(object), name)
    raise InvalidTypeError(f"{name} must hold integers, strings or datetimes, got dtype {array.dtype}")


def as_column(values: Any) -> Any:
    """One transaction's value as a column of one row; columns as they are."""
    return [values] if isinstance(values, (str, bytes)) or not hasattr(values, "__len__") else values


def _refuse_missing(missing: NDArray[np.bool_], name: str) -> None:
    if missing.any():
        raise InvalidDataError(
            f"{name} is missing in row {int(np.argmax(missing))}; {_rows(missing.sum(), 'has', 'have')} no key: leave"
            " them out, or give them one"
        )


def _from_floats(array: NDArray[Any], name: str) -> NDArray[Any]:
    _refuse_missing(np.isnan(array), name)
    exact: float = _EXACT if array.dtype.itemsize >= 8 else 2.0 ** (int(np.finfo(array.dtype).nmant) + 1)
    large: NDArray[np.bool_] = np.greater_equal(np.abs(array), exact)
    if large.any():
        row = int(np.argmax(large))
        raise InvalidDataError(
            f"{name} holds floats, and in row {row} {array[row].item()!r}: at and above 2^{int(np.log2(exact))}"
            " different whole numbers are one float, so keys may have been joined; read the column as integers or"
            " strings"
        )
    return array.astype(np.int64) if np.all(array == np.floor(array)) else array


def _from_objects(array: NDArray[Any], name: str) -> NDArray[Any]:
    kinds = set(map(type, array))
    if kinds <= {str}:
        return array
    missing = np.fromiter((_is_missing(value) for value in array), dtype=bool, count=len(array))
    _refuse_missing(missing, name)
    if all(issubclass(kind, (int, np.integer)) and kind is not bool for kind in kinds):
        try:
            return array.astype(np.int64)
        except OverflowError:
            return array
    if all(issubclass(kind, datetime) for kind in kinds) and all(value.tzinfo is None for value in array):
        pandas = sys.modules.get("pandas")
        return array.astype("M8[us]") if pandas is None else np.asarray(pandas.DatetimeIndex(array))
    if all(issubclass(kind, (float, np.floating)) for kind in kinds):
        return _from_floats(array.astype(np.float64), name)
    for row, value in enumerate(array):
        if isinstance(value, (float, np.floating)) and abs(float(value)) >= _EXACT:
            _from_floats(np.array([value], dtype=np.float64), f"{name}, from row {row}")
    return array


def _family(keys: NDArray[Any]) -> str:
    """What keys of two tables must share to be compared."""
    kind = keys.dtype.kind
    if kind != "O":
        return {"M": "datetimes", "m": "durations"}.get(kind, "numbers")
    kinds = set(map(type, keys))
    if kinds and all(issubclass(found, str) for found in kinds):
        return "strings"
    if kinds and all(issubclass(found, (int, float, np.number)) for found in kinds):
        return "numbers"
    return "objects"


def first_appearance(keys: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """A code for each key, in the order of first appearance, and the distinct keys. O(n) where equal keys are
    adjacent."""
    if not len(keys):
        return np.empty(0, dtype=np.int64), keys
    with np.errstate(invalid="ignore"):
        heads = np.concatenate(([True], np.asarray(keys[1:] != keys[:-1], dtype=bool)))
    codes, distinct = _distinct(keys[heads])
    return codes[np.cumsum(heads) - 1], distinct


def _distinct(keys: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    pandas = sys.modules.get("pandas")
    try:
        if pandas is not None:
            codes, distinct = pandas.factorize(keys)
            return codes.astype(np.int64), np.asarray(distinct, dtype=keys.dtype)
        if keys.dtype.kind != "O":
            found, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
            order = np.argsort(first, kind="stable")
            place = np.empty(len(found), dtype=np.int64)
            place[order] = np.arange(len(found))
            return place[inverse.reshape(-1)], found[order]
        seen: dict[Any, int] = {}
        codes = np.fromiter((seen.setdefault(key, len(seen)) for key in keys), dtype=np.int64, count=len(keys))
    except TypeError as failure:  # a key that has no hash
        raise InvalidTypeError(f"keys must be numbers, strings or datetimes: {failure}") from None
    distinct = np.empty(len(seen), dtype=object)
    distinct[:] = list(seen)
    return codes, distinct


def read_order(values: Any, name: str) -> NDArray[Any]:
    """Keys of which none comes twice. Raises INVALID_DATA, which names the two rows."""
    keys = read_keys(values, name)
    codes, distinct = first_appearance(keys)
    if len(distinct) < len(keys):
        first = np.unique(codes, return_index=True)[1]
        again = np.setdiff1d(np.arange(len(keys)), first)
        row = int(again[0])
        raise InvalidDataError(
            f"{name}: the key {_shown(keys[row])} of row {row} is in row {int(first[codes[row]])} already; "
            f"{_rows(len(again), 'repeats', 'repeat')} a key: keep one row a key"
        )
    return keys


def places(keys: NDArray[Any], order: NDArray[Any], names: tuple[str, str]) -> NDArray[np.int64]:
    """The row of `order` that has each key; -1 = none. `order` has no key twice. O(n).

    Raises MISMATCH if one side has strings and the other numbers."""
    own, other = _family(keys), _family(order)
    if own != other and len(keys) and len(order) and "objects" not in (own, other):
        raise MismatchError(
            f"the keys of {names[0]} are {own} (as {_shown(keys[0])}), those of {names[1]} {other} "
            f"(as {_shown(order[0])}): make them the same first"
        )
    codes, distinct = first_appearance(keys)
    if distinct.dtype.kind in "mM" and order.dtype.kind == distinct.dtype.kind:
        common = np.result_type(distinct.dtype, order.dtype)
        distinct, order = distinct.astype(common), order.astype(common)
    pandas = sys.modules.get("pandas")
    if pandas is not None and distinct.dtype.kind != "O" and order.dtype.kind != "O" and len(order):
        found = pandas.Index(order).get_indexer(pandas.Index(distinct))
    else:
        place = {key: row for row, key in enumerate(order.tolist())}
        found = np.fromiter((place.get(key, -1) for key in distinct.tolist()), dtype=np.int64, count=len(distinct))
    return np.asarray(found, dtype=np.int64)[codes]


def alignment(
    have: Optional[NDArray[Any]], want: Optional[NDArray[Any]], names: tuple[str, str]
) -> Optional[NDArray[np.int64]]:
    """Which row of `have` stands for each key of `want`; None if the rows are in that order already, or if one
    side has no keys. Raises MISMATCH if a key of `want` is not there, INVALID_DATA if one comes twice in
    `have`."""
    if have is None or want is None:
        return None
    if len(have) == len(want) and (have is want or _equal(have, want)):
        return None
    chosen = places(want, read_order(have, f"the keys of {names[0]}"), (names[1], names[0]))
    if np.any(chosen < 0):
        row = int(np.argmax(chosen < 0))
        raise MismatchError(
            f"{names[0]} have no row for the key {_shown(want[row])} of {names[1]} (row {row}); "
            f"{int(np.sum(chosen < 0))} of {len(want)} keys are missing"
        )
    return chosen


def _rows(count: Any, one: str, several: str) -> str:
    return f"1 row {one}" if count == 1 else f"{count} rows {several}"


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    if _family(one) != _family(other):
        return False
    return bool(np.array_equal(one, other))


def _shown(key: Any) -> str:
    """A key as messages write it, whatever is in it."""
    text = repr(key.item() if isinstance(key, np.generic) else key)
    return text if len(text) <= 60 else text[:57] + "..."
