"""Numeric and categorical channels of events: one more value for each event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Iterator, Optional

import numpy as np
from numpy.typing import NDArray

from ._arrays import _numeric, arrow_column, as_array, category_name, vector
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError
from ._strings import factorise, is_text


class Types:
    """One categorical value an event: integers, or strings kept as distinct names and codes.

    `indices`: whether integers are indices in a vocabulary (True), codes whose digits are names there (False), or
    whatever the vocabulary allows, which is refused where it allows both (None)."""

    __slots__ = ("codes", "names", "are_indices", "label")

    def __init__(
        self,
        codes: NDArray[np.int32],
        names: Optional[list[str]] = None,
        are_indices: Optional[bool] = None,
        label: str = "types",
    ) -> None:
        self.codes = codes
        self.names = names
        self.are_indices = are_indices
        self.label = label

    @classmethod
    def convert(cls, values: Any, name: str, are_indices: Optional[bool] = None) -> "Types":
        if isinstance(values, Types):  # read already, under the name that the caller knows
            return values
        found = cls._read(values, name)
        found.are_indices, found.label = are_indices, name
        return found

    @classmethod
    def _read(cls, values: Any, name: str) -> "Types":
        column = arrow_column(values, name)
        if column is not None and column.is_text:
            return cls(*column.codes(name))
        dtype: Any = getattr(values, "dtype", None)
        if column is None and hasattr(dtype, "categories"):
            codes = vector(getattr(values, "cat", values).codes, name, np.int32)
            return cls(codes, [category_name(item) for item in dtype.categories])
        array = as_array(values, name) if column is None else column.to_numpy(name)
        if array.ndim != 1:
            raise InvalidArgumentError(f"{name} must have 1 dimension, got {array.ndim}")
        if is_text(array):
            names, codes = factorise(array, name)
            return cls(codes, names)
        if array.dtype.kind in "iu" or not array.size:
            return cls(vector(array, name, np.int32))
        return cls(_partial_indices(array, name))

    def take(self, index: Any) -> "Types":
        return Types(self.codes[index], self.names, self.are_indices, self.label)

    def indices(self, vocabulary: Any) -> NDArray[np.int32]:
        """The indices in a model's vocabulary; strings are looked up, missing ones are unknown.

        Raises INVALID_DATA for integers that are names in the vocabulary as well as indices of others, as nobody can
        tell which is meant, and for a table's codes of which the vocabulary knows none."""
        if self.names is not None:
            found: NDArray[np.int32] = vocabulary._indices(self.names)[self.codes]
            return found
        if self.are_indices:
            return self.codes
        values = self._distinct()
        places = vocabulary._indices([str(value) for value in values])[:-1]
        differ = (places > 0) & (places != values)
        size = len(vocabulary)
        if not differ.any():
            valid = (places > 0) | ((values > 0) & (values < size))
            if self.are_indices is False and len(values) and not valid.any():
                raise InvalidDataError(
                    f"{self.label} holds integers (as {values[0]}), and none of them is a name in the vocabulary, which"
                    f" has {[vocabulary[index] for index in range(1, min(size, 4))]}: is it the column that the encoder"
                    " was trained on?"
                )
            return self.codes
        if self.are_indices is None and np.all(values < size):
            value = int(values[np.argmax(differ)])
            raise InvalidDataError(
                f"{self.label} holds the integer {value}, which is an index in the vocabulary (of"
                f" {vocabulary[value]!r}) and also a name there (of index {int(places[np.argmax(differ)])}): pass"
                " strings, or say indices=True or indices=False"
            )
        return self._looked_up(values, places)

    def _distinct(self) -> NDArray[np.int64]:
        """The integers that occur, without the missing ones."""
        if len(self.codes) and int(self.codes.max()) < 1 << 20:
            return np.flatnonzero(np.bincount(np.maximum(self.codes, -1) + np.int32(1))[1:])
        found = np.unique(self.codes).astype(np.int64)
        return found[found >= 0]

    def _looked_up(self, values: NDArray[np.int64], places: NDArray[np.int32]) -> NDArray[np.int32]:
        where = np.searchsorted(values, self.codes).clip(0, len(values) - 1)
        return np.where(self.codes < 0, -1, places[where]).astype(np.int32)

    def values(self) -> NDArray[Any]:
        """What the caller gave: indices, or strings with None for missing ones."""
        if self.names is None:
            return self.codes
        return np.array([*self.names, None], dtype=object)[self.codes]

    def __len__(self) -> int:
        return len(self.codes)


def _partial_indices(array: NDArray[Any], name: str) -> NDArray[np.int32]:
    """Indices among which some are missing (then pandas has floats or objects): -1, which is unknown."""
    wrong = InvalidTypeError(
        f"{name} must be vocabulary indices (integers) or strings, got dtype {array.dtype}: .astype(str) makes strings"
        " of other kinds"
    )
    if array.dtype.kind not in "fO" or any(issubclass(kind, (bool, np.bool_)) for kind in set(map(type, array))):
        raise wrong
    try:
        numbers = _numeric(array, name)
    except InvalidTypeError:
        raise wrong from None
    present = ~np.isnan(numbers)
    if np.any(numbers[present] % 1 != 0):
        raise wrong
    indices = np.full(len(array), -1, dtype=np.int32)
    indices[present] = vector(numbers[present], name, np.int32)
    return indices


class Channels:
    """Channels in the caller's order, by name where the caller gave names."""

    __slots__ = ("names", "values")

    def __init__(self, names: Optional[list[str]], values: list[Any]) -> None:
        self.names = names
        self.values = values

    @classmethod
    def convert(
        cls, given: Any, name: str, events: int, categorical: bool, are_indices: Optional[bool] = None
    ) -> "Channels":
        pairs = list(_pairs(given, name))
        values: list[Any] = []
        for label, column in pairs:
            field = f"{name}[{label!r}]"
            values.append(
                Types.convert(column, field, are_indices) if categorical else vector(column, field, np.float64)
            )
            if len(values[-1]) != events:
                raise MismatchError(f"{field} must have {events} values, one an event, got {len(values[-1])}")
        named = bool(pairs) and all(isinstance(label, str) for label, _ in pairs)
        return cls([label for label, _ in pairs] if named else None, values)

    def take(self, index: Any) -> "Channels":
        return Channels(
            self.names, [value.take(index) if isinstance(value, Types) else value[index] for value in self.values]
        )

    def arranged(self, wanted: list[str], name: str) -> list[Any]:
        """In the model's order: by name, or as they are where they have no names. Raises MISMATCH."""
        if self.names is None:
            if len(self.values) != len(wanted):
                raise MismatchError(f"{name}: the model has {len(wanted)} channels {wanted}, got {len(self.values)}")
            return self.values
        missing = [label for label in wanted if label not in self.names]
        if missing:
            raise MismatchError(f"{name}: the model's channel {missing[0]!r} is not among {self.names}")
        return [self.values[self.names.index(label)] for label in wanted]


def _pairs(given: Any, name: str) -> Iterator[tuple[Any, Any]]:
    if given is None:
        return
    if isinstance(given, Mapping):
        for label, column in given.items():
            if not isinstance(label, str):
                raise InvalidTypeError(f"{name}: a channel's name must be a string, got {label!r}")
            yield label, column
    elif isinstance(given, (list, tuple)) and given and np.ndim(given[0]) == 1:
        yield from enumerate(given)
    else:
        array = as_array(given, name)
        if array.ndim != 2:
            raise InvalidArgumentError(
                f"{name} must be a mapping of names to columns, a list of columns or an events x channels array, "
                f"got {array.ndim} dimension(s)"
            )
        yield from ((index, array[:, index]) for index in range(array.shape[1]))
