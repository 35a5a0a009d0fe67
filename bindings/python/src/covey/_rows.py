"""Rows of numbers that know whose they are."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray


class KeyedRows(np.ndarray):
    """A NumPy array of n rows with ``keys``, one a row, and ``key_name``, what their column is called.

    Selecting rows (``rows[:10]``, ``rows[mask]``, ``rows[[3, 1]]``) selects their keys; arithmetic and every other view
    is a plain matter of numbers, whose ``keys`` are None."""

    keys: Optional[NDArray[Any]]
    key_name: Optional[str]

    def __array_finalize__(self, source: Any) -> None:
        self.keys, self.key_name = None, None

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        keys = self.keys
        if keys is not None and isinstance(found, KeyedRows):
            first = index[0] if isinstance(index, tuple) and index else index
            if isinstance(first, (slice, list)) or (isinstance(first, np.ndarray) and first.ndim == 1):
                chosen = keys[first]
                if found.ndim and len(found) == len(chosen):
                    found.keys, found.key_name = chosen, self.key_name
        return found

    def __deepcopy__(self, memo: Any) -> Any:
        return with_keys(np.array(self), self.keys, self.key_name)

    def copy(self, order: Any = "C") -> Any:
        return with_keys(np.array(self, order=order), self.keys, self.key_name)

    def __reduce__(self) -> Any:
        return _restore, (np.asarray(self), self.keys, self.key_name)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return array[()] if return_scalar or np.ndim(array) == 0 else np.asarray(array)


def _restore(array: NDArray[Any], keys: Optional[NDArray[Any]], key_name: Optional[str]) -> NDArray[Any]:
    return with_keys(array, keys, key_name)


def with_keys(array: NDArray[Any], keys: Optional[NDArray[Any]], key_name: Optional[str]) -> NDArray[Any]:
    """`array` with these keys; itself if there are none."""
    if keys is None:
        return array
    rows = array.view(KeyedRows)
    rows.keys, rows.key_name = keys, key_name
    return rows


def keys_of(values: Any) -> tuple[Optional[NDArray[Any]], Optional[str]]:
    """The keys of rows that carry them, and their name."""
    keys = getattr(values, "keys", None)
    return (None, None) if keys is None or callable(keys) else (keys, getattr(values, "key_name", None))
