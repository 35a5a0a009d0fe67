"""Gower's distance of mixed tables: numbers, categories and flags, with missing values."""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import c_char, c_char_p
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ._arrays import real
from ._distance_matrix import blockwise
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError
from ._metrics import NATIVE, Measure
from ._column import BOOLEAN, CATEGORICAL
from ._table import Table
from ._work import Work

#: Above so many columns of numbers and categories, all distances take less room.
MOST_PLACES = 1024


class Gower:
    """What a table says of Gower's distance (Gower 1971): the weighted mean over the columns that both rows know of |a
    - b| / range for numbers (dates and durations too), and of 0 or 1 for categories and flags; 1 if no column is
    known to both.

    Ranges and categories are those of the table it is made of. Without missing values the distance is Manhattan's
    between `places`, which the library searches, predictions included; otherwise all distances are looked at."""

    def __init__(self, X: Any, categorical: Any = None, w: Any = None) -> None:
        if categorical is None and w is None and isinstance(X, np.ndarray) and X.dtype.kind == "O":
            raise InvalidTypeError("metric gower reads an array of objects by its columns: give a DataFrame")
        plain = Table(X, "X")
        self.names = list(plain.names)
        if not self.names:
            raise InvalidDataError("X must have at least one column with the metric 'gower'")
        kinds = dict(plain.kinds)
        for label in _labels(categorical, self.names, "categorical"):
            kinds[label] = "categorical"
        self._wanted = kinds
        table = plain if kinds == plain.kinds else Table(X, "X", kinds=kinds)
        self.kinds = [table.column(index).kind for index in range(len(self.names))]
        self.categories = [_categories(table, index) for index in range(len(self.names))]
        self.weights = _weights(w, self.names)
        rows = self._read(table, self.categories)
        for index in np.flatnonzero(np.isinf(rows).any(axis=0)):
            raise InvalidDataError(f"X contains infinity in column {self.names[index]!r}")
        known = ~np.isnan(rows)
        with np.errstate(invalid="ignore"):
            spread = np.where(known, rows, -np.inf).max(axis=0, initial=-np.inf) - np.where(known, rows, np.inf).min(
                axis=0, initial=np.inf
            )
        self.ranges = np.where(np.isfinite(spread) & (spread > 0), spread, 1.0)
        self.is_whole = bool(known.all())

    def _read(self, table: Table, categories: list[Optional[list[str]]]) -> NDArray[np.float64]:
        """Numbers as they are, categories and flags as codes, NaN if they are missing; a category that was not there
        before has a code of its own."""
        rows = np.empty((table.rows, len(self.names)), dtype=np.float64)
        for index in range(len(self.names)):
            values = _values(table, index)
            if table.column(index).kind == CATEGORICAL:
                places = {name: code for code, name in enumerate(categories[index] or [])}
                new = np.array(
                    [places.get(name, len(places)) for name in _categories(table, index) or []] + [-1], dtype=np.int64
                )
                values = new[values]
            column = values.astype(np.float64)
            if table.column(index).kind in (CATEGORICAL, BOOLEAN):
                column[column < 0] = np.nan
            rows[:, index] = column
        return rows

    def coded(self, X: Any) -> NDArray[np.float64]:
        """The rows of a table of the same columns."""
        table = Table(X, "X")
        if table.kinds != self._wanted:
            table = Table(X, "X", kinds=self._wanted)
        if list(table.names) != self.names:
            raise MismatchError(f"X must have the columns {self.names}, got {list(table.names)}")
        for index, kind in enumerate(self.kinds):
            if table.column(index).kind != kind:
                raise MismatchError(
                    f"X[{self.names[index]!r}] must be {self._wanted[self.names[index]]}, as fitted, got"
                    f" {table.kinds[self.names[index]]}"
                )
        return self._read(table, self.categories)

    @property
    def width(self) -> int:
        """The columns of `places`: one for each number, and for each category and one that is new."""
        return sum(1 if names is None else len(names) + 1 for names in self.categories)

    def places(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Points whose Manhattan distance is Gower's between rows without missing values; NaN if one is missing."""
        shares = self.weights / self.weights.sum()
        blocks = []
        for index, names in enumerate(self.categories):
            column = rows[:, index]
            if names is None:
                blocks.append((column / self.ranges[index] * shares[index])[:, None])
                continue
            block = np.zeros((len(rows), len(names) + 1))
            known = ~np.isnan(column)
            block[np.flatnonzero(known), column[known].astype(np.int64)] = shares[index] / 2
            block[~known] = np.nan
            blocks.append(block)
        return np.concatenate(blocks, axis=1)

    def distances(self, rows: NDArray[Any], work: Optional[Work] = None) -> NDArray[np.float64]:
        """All of them, n x n; O(n^2 d)."""
        return blockwise(len(rows), len(self.categories), lambda start, end: self._between(rows, start, end), work)

    def _between(self, rows: NDArray[Any], start: int, end: int) -> NDArray[np.float64]:
        block, others = rows[start:end], rows[start:]
        total, known = np.zeros((len(block), len(others))), np.zeros((len(block), len(others)))
        for index, names in enumerate(self.categories):
            own, other = block[:, index][:, None], others[:, index][None, :]
            if names is None:
                apart = np.abs(own - other) / self.ranges[index]
                both = ~np.isnan(apart)
                apart[~both] = 0
            else:
                both = ~(np.isnan(own) | np.isnan(other))
                apart = (own != other) & both
            total += self.weights[index] * apart
            known += self.weights[index] * both
        found: NDArray[np.float64] = np.divide(total, known, out=np.ones_like(total), where=known > 0)
        return found

    def measure(self) -> Measure:
        if self.is_whole and self.width <= MOST_PLACES:
            return Measure(NATIVE["manhattan"], change=self.places)
        return Measure(distances=self.distances)


def _values(table: Table, index: int) -> NDArray[Any]:
    column = table.column(index)
    dtype = np.dtype({CATEGORICAL: np.int32, BOOLEAN: np.int8}.get(column.kind, np.float64))
    if table.rows == 0:
        return np.empty(0, dtype=dtype)
    step = column.stride or dtype.itemsize
    memory: Any = (c_char * (step * (table.rows - 1) + dtype.itemsize)).from_address(column.values)
    return np.ndarray(table.rows, dtype=dtype, buffer=memory, strides=(step,)).copy()


def _categories(table: Table, index: int) -> Optional[list[str]]:
    """The names of a column's categories; of flags two; None for numbers."""
    column = table.column(index)
    if column.kind == BOOLEAN:
        return ["no", "yes"]
    if column.kind != CATEGORICAL:
        return None
    pointers = (c_char_p * column.category_count).from_address(column.categories) if column.category_count else ()
    return [(pointer or b"").decode("utf-8") for pointer in pointers]


def _labels(given: Any, names: list[str], what: str) -> list[str]:
    """Names of columns, given as such or by their places."""
    if given is None:
        return []
    if isinstance(given, str) or not hasattr(given, "__iter__"):
        given = [given]
    found = []
    for label in given:
        if isinstance(label, (int, np.integer)) and not isinstance(label, bool) and 0 <= label < len(names):
            label = names[label]
        if label not in names:
            raise InvalidArgumentError(
                f"{what} must name columns of X, {', '.join(map(repr, names))}, or their places, got {label!r}"
            )
        found.append(label)
    return found


def _weights(given: Any, names: list[str]) -> NDArray[np.float64]:
    """One weight a column, from a mapping of names (1 for others) or a list."""
    if given is None:
        return np.ones(len(names))
    if isinstance(given, Mapping):
        weights = np.ones(len(names))
        for label, weight in given.items():
            weights[names.index(_labels([label], names, "w")[0])] = real(weight, f"w[{label!r}]")
    else:
        weights = np.array([real(weight, "w") for weight in given])
    if len(weights) != len(names) or not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise InvalidArgumentError(
            f"w must be {len(names)} finite weights of at least 0, one a column and not all 0, got {given!r}"
        )
    return weights
