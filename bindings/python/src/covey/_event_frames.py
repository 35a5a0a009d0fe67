"""`Sequences.from_frame`: a table with one row an event -> sequences, by key."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError
from ._findings import Finding
from ._keys import _shown, first_appearance, places, read_order
from ._table import columns, is_table
from ._times import Times

Names = Union[None, str, Iterable[str]]


class _Place(int):
    """The place of a column that has not been asked for."""


class EventFrame:
    """The columns of a table, by name, each with as many values as there are events."""

    def __init__(self, frame: Any, name: str = "frame") -> None:
        self.name = name
        self._columns: Dict[Any, Any] = {}
        self._repeated: Set[Any] = set()
        #: A DataFrame makes a column when it is asked for, which costs more than reading it if there are few rows.
        self._frame: Any = None
        pandas = sys.modules.get("pandas")
        if pandas is None or not isinstance(frame, pandas.DataFrame):
            for label, values in columns(frame, name):
                self.add(label, values)
        else:
            self._frame = frame
            for place, label in enumerate(frame.columns):
                self.add(label, _Place(place))
            for level in frame.index.names:
                if level is not None and level not in self._columns:
                    self._columns[level] = frame.index.get_level_values(level)
        self.rows: Optional[int] = None

    def add(self, label: Any, values: Any) -> None:
        if label in self._columns:
            self._repeated.add(label)
        self._columns[label] = values

    def column(self, label: Any, role: str) -> Any:
        """Raises INVALID_ARGUMENT if there is no such column or more than one, MISMATCH for another length."""
        try:
            values = self._columns[label]
        except KeyError:
            raise InvalidArgumentError(
                f"{role}={label!r} is not a column of the {self.name}, which has {list(self._columns)}"
            ) from None
        except TypeError:  # no hash
            raise InvalidTypeError(f"{role} must be a column's name, got {label!r}") from None
        if label in self._repeated:
            raise InvalidArgumentError(f"{role}={label!r}: the {self.name} has more than one column of that name")
        if isinstance(values, _Place):
            values = self._columns[label] = self._frame.iloc[:, values]
        if self.rows is not None and hasattr(values, "__len__") and len(values) != self.rows:
            raise MismatchError(f"{role}={label!r} must have {self.rows} values, one an event, got {len(values)}")
        return values

    def several(self, labels: Names, role: str) -> Dict[str, Any]:
        try:
            listed = [] if labels is None else [labels] if isinstance(labels, str) else list(labels)
        except TypeError:
            raise InvalidTypeError(f"{role} must be a list of columns' names, got {labels!r}") from None
        values = [self.column(label, role) for label in listed]
        return dict(zip(listed, values))


class Grouping:
    """Which events belong to which sequence, and in which order they stand."""

    def __init__(
        self, keys: NDArray[Any], order: Optional[NDArray[Any]], sequence: str, order_name: str = "order"
    ) -> None:
        self.findings: List[Finding] = []
        self._order_name = order_name
        if order is None:
            self.codes, self.keys = first_appearance(keys)
        else:
            self.codes, self.keys = places(keys, order, (f"the events' {sequence!r}", order_name)), order
            self._tell_of_strangers(keys, sequence)
        self.counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.keys))
        if order is not None:
            self._tell_of_empty(sequence)
        self.offsets = np.concatenate(([0], np.cumsum(self.counts))).astype(np.int64)

    def _tell_of_strangers(self, keys: NDArray[Any], sequence: str) -> None:
        strange = self.codes < 0
        count = int(strange.sum())
        if not count:
            return
        row = int(np.argmax(strange))
        if count == len(keys) and len(self.keys):
            raise MismatchError(
                f"no event belongs to any key of {self._order_name}: {sequence!r} is {_shown(keys[0])} in row 0, "
                f"{self._order_name} begins with {_shown(self.keys[0])}"
            )
        distinct = len(first_appearance(keys[strange])[1])
        self.findings.append(
            Finding(
                "events_without_transaction",
                f"{count} events of {distinct} keys are not in {self._order_name} and are left out; the first is row"
                f" {row}, with {sequence!r} = {_shown(keys[row])}",
                "pass the features of these transactions too, if they belong to the data",
                sequence,
            )
        )

    def _tell_of_empty(self, sequence: str) -> None:
        empty = self.counts == 0
        count = int(empty.sum())
        if count:
            self.findings.append(
                Finding(
                    "transactions_without_events",
                    f"{count} of {len(self.keys)} keys of {self._order_name} have no events; their sequences are empty"
                    f" and their embeddings zero; the first is {_shown(self.keys[int(np.argmax(empty))])} in row"
                    f" {int(np.argmax(empty))}",
                    "",
                    sequence,
                )
            )

    def rows(self, exact: Optional[NDArray[np.int64]]) -> Optional[NDArray[np.int64]]:
        """The table's row of each event, sequence after sequence; None if they are in that order already.

        `exact`: times finer than a double can tell; they decide the order within a sequence."""
        kept = np.flatnonzero(self.codes >= 0) if np.any(self.codes < 0) else None
        codes = self.codes if kept is None else self.codes[kept]
        if exact is not None:
            order = np.lexsort((exact if kept is None else exact[kept], codes))
        elif np.any(codes[1:] < codes[:-1]):
            order = np.argsort(codes, kind="stable")
        else:
            return kept
        return order if kept is None else kept[order]


def key_order(order: Any, sequence: str, name: str = "order") -> NDArray[Any]:
    """The keys of `order`: a list of them, or a table with that column."""
    if isinstance(order, Mapping) or is_table(order):
        return read_order(EventFrame(order, "order").column(sequence, "sequence"), f"order[{sequence!r}]")
    return read_order(order, name)


def read_times(
    frame: EventFrame, time: str, dwell: Optional[str], unit: Optional[str]
) -> Tuple[Times, Optional[Times]]:
    """Times and dwell of the events, checked here so that errors name the table's rows."""
    times = Times.read(frame.column(time, "time"), f"time={time!r}", unit)
    wrong = ~np.isfinite(times.seconds)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidDataError(
            f"time={time!r} must be finite, got {times.seconds[row]} in row {row} of the {frame.name}"
        )
    if dwell is None:
        return times, None
    spent = Times.read(frame.column(dwell, "dwell"), f"dwell={dwell!r}", "s")
    wrong = (spent.seconds < 0) | np.isinf(spent.seconds)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidDataError(
            f"dwell={dwell!r} must be finite and not negative, got {spent.seconds[row]} in row {row} of the"
            f" {frame.name}"
        )
    return times, spent


def check_channels(frame: EventFrame, channels: Dict[str, Any]) -> None:
    for label, values in channels.items():
        wrong = np.isinf(values)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InvalidDataError(
                f"numeric={label!r} must not be infinite, got {values[row]} in row {row} of the {frame.name}"
            )
