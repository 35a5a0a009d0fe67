"""Ragged events: the click streams that lead to transactions (covey.h section 5)."""

from __future__ import annotations

from ctypes import cast
from typing import TYPE_CHECKING, Any, Iterable, Optional, Union

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._arrays import as_array, contiguous, seconds, stride
from ._channels import Channels, Types
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError
from ._strings import group
from ._table import columns

if TYPE_CHECKING:
    from .encoder import SequenceEncoder


class Sequences:
    """A batch of event sequences; sequence i has the events ``offsets[i]`` to ``offsets[i + 1] - 1``.

    Args:
        offsets: n + 1 integers that do not decrease; an equal pair is an empty sequence, whose embedding is zero.
        types: one an event: vocabulary indices, or strings, which the encoder's vocabulary turns into indices when they
            are embedded. What the vocabulary does not know, and None and NaN, count as the unknown entry.
        times: one an event, seconds on any common clock, datetimes or durations. Events are used in the order of time, equal
            times in their given order; the last one is the transaction.
        dwell: seconds (or durations) spent on the event, >= 0, NaN = missing; or None.
        numeric: numeric channels, one value an event, NaN = missing: a mapping of names to columns (matched with the
            model's names), a list of columns or an events x channels array (in the model's order).
        categorical: likewise, of strings or indices.
        keys: one a sequence, kept as ``.keys``; Covey does not read them.

    Arrays of the right dtype (int64, int32, float64) are borrowed, not copied: leave them as they are. Errors:
    INVALID_ARGUMENT, INVALID_DATA, MISMATCH; times and offsets are checked when the batch is embedded.
    """

    def __init__(
        self,
        offsets: Any,
        types: Any,
        times: Any,
        dwell: Any = None,
        numeric: Any = None,
        categorical: Any = None,
        *,
        keys: Any = None,
    ) -> None:
        self.offsets: NDArray[np.int64] = contiguous(offsets, "offsets", np.int64)
        if len(self.offsets) == 0:
            raise InvalidArgumentError("offsets must have at least 1 number (n + 1), got 0")
        self._types = Types.convert(types, "types")
        events = len(self._types)
        steps = np.diff(self.offsets)
        if np.any(steps < 0):
            at = int(np.flatnonzero(steps < 0)[0])
            raise InvalidDataError(
                f"offsets must not decrease, got {self.offsets[at]} then {self.offsets[at + 1]} at {at + 1}"
            )
        if self.offsets[0] < 0 or self.offsets[-1] > events:
            raise InvalidDataError(
                f"offsets must be 0 to {events}, the number of events, got {self.offsets[0]} to {self.offsets[-1]}"
            )
        self.times: NDArray[np.float64] = seconds(times, "times", events)
        self.dwell: Optional[NDArray[np.float64]] = None if dwell is None else seconds(dwell, "dwell", events)
        self._numeric = Channels.convert(numeric, "numeric", events, categorical=False)
        self._categorical = Channels.convert(categorical, "categorical", events, categorical=True)
        self.keys: Optional[NDArray[Any]] = None
        if keys is not None:
            self.keys = as_array(keys, "keys")
            if len(self.keys) != len(self):
                raise MismatchError(f"keys must have {len(self)} values, one a sequence, got {len(self.keys)}")

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        sequence: str,
        time: str,
        event: str,
        dwell: Optional[str] = None,
        numeric: Union[None, str, Iterable[str]] = (),
        categorical: Union[None, str, Iterable[str]] = (),
    ) -> "Sequences":
        """From a table with one row an event: a pandas DataFrame, a mapping of columns, a structured array, an Arrow
        table.

        Args:
            sequence: the column that says which sequence a row belongs to. Sequences come in the order in which they
                first appear; ``keys`` holds that column's value for each. Rows need not be adjacent; within a sequence
                their order is kept.
            time, event, dwell: the columns of those names in ``Sequences``.
            numeric, categorical: names of channel columns.

        O(rows log rows) at the most. Errors: INVALID_ARGUMENT for an unknown column, INVALID_DATA for a missing key.
        """
        table = {label: values for label, values in columns(frame, "frame")}

        def column(name: Optional[str], role: str) -> Any:
            try:
                values = table[name]
            except KeyError:
                raise InvalidArgumentError(
                    f"{role}={name!r} is not a column of the frame, which has {list(table)}"
                ) from None
            except TypeError:  # no hash
                raise InvalidTypeError(f"{role} must be a column's name, got {name!r}") from None
            if rows is not None and hasattr(values, "__len__") and len(values) != rows:
                raise MismatchError(f"{role}={name!r} must have {rows} values, one an event, got {len(values)}")
            return values

        def channels(names: Union[None, str, Iterable[str]], role: str) -> dict[str, Any]:
            try:
                listed = [] if names is None else [names] if isinstance(names, str) else list(names)
            except TypeError:
                raise InvalidTypeError(f"{role} must be a list of columns' names, got {names!r}") from None
            values = [column(name, role) for name in listed]
            return dict(zip(listed, values))

        rows: Optional[int] = None
        codes, keys = group(_keys(column(sequence, "sequence")), "sequence")
        rows = len(codes)
        if np.any(codes < 0):
            raise InvalidDataError(f"{sequence!r} is missing in row {int(np.flatnonzero(codes < 0)[0])}")
        offsets = np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=len(keys)))))
        batch = cls(
            [0, len(codes)],
            column(event, "event"),
            column(time, "time"),
            None if dwell is None else column(dwell, "dwell"),
            channels(numeric, "numeric"),
            channels(categorical, "categorical"),
        )
        if np.any(np.diff(codes) < 0):
            batch = batch._gather(np.argsort(codes, kind="stable"), batch.offsets)
        batch.offsets, batch.keys = offsets.astype(np.int64), keys
        return batch

    @property
    def types(self) -> NDArray[Any]:
        """The event types as they were given: indices, or strings (None = missing)."""
        return self._types.values()

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Events of each sequence."""
        return np.diff(self.offsets)

    @property
    def event_count(self) -> int:
        """Events of all sequences."""
        return int(self.offsets[-1] - self.offsets[0])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, rows: Any) -> "Sequences":
        """A smaller batch: a slice (of step 1 without a copy of its events), a boolean mask or an array of sequence numbers."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                offsets = self.offsets[start : max(start, stop) + 1]
                batch = self._gather(slice(int(offsets[0]), int(offsets[-1])), offsets - offsets[0])
                batch.keys = None if self.keys is None else self.keys[start : max(start, stop)]
                return batch
            rows = np.arange(start, stop, step)
        chosen = as_array(rows, "rows")
        if chosen.ndim == 0 or chosen.dtype.kind not in "biu" and chosen.size:
            raise InvalidTypeError("a batch is indexed by a slice, a boolean mask or an array of sequence numbers")
        try:
            order = np.arange(len(self))[chosen.astype(np.int64) if chosen.size == 0 else chosen]
        except IndexError as failure:
            raise InvalidArgumentError(str(failure)) from None
        lengths = self.lengths[order]
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        index = np.repeat(self.offsets[:-1][order] - offsets[:-1], lengths) + np.arange(offsets[-1])
        batch = self._gather(index, offsets)
        batch.keys = None if self.keys is None else self.keys[order]
        return batch

    def _shallow(self) -> "Sequences":
        batch = Sequences.__new__(Sequences)
        batch.__dict__.update(self.__dict__)
        return batch

    def _gather(self, index: Any, offsets: NDArray[np.int64]) -> "Sequences":
        batch = self._shallow()
        batch.offsets = offsets
        batch._types = self._types.take(index)
        batch.times = self.times[index]
        batch.dwell = None if self.dwell is None else self.dwell[index]
        batch._numeric = self._numeric.take(index)
        batch._categorical = self._categorical.take(index)
        return batch

    def __repr__(self) -> str:
        return f"Sequences({len(self)} sequences, {self.event_count} events)"

    def _native(self, encoder: "SequenceEncoder") -> tuple[_structs.Sequences, list[Any]]:
        """The struct for one call with this encoder, and what it borrows."""
        types = self._types.indices(encoder.vocabulary)
        numeric = self._numeric.arranged(encoder.numeric_names, "numeric")
        categorical = [
            channel.indices(vocabulary)
            for channel, vocabulary in zip(
                self._categorical.arranged(encoder.categorical_names, "categorical"), encoder.categorical_vocabularies
            )
        ]
        struct = _structs.Sequences(
            count=len(self),
            offsets=self.offsets.ctypes.data,
            types=types.ctypes.data,
            times=self.times.ctypes.data,
            types_stride=stride(types),
            times_stride=stride(self.times),
            numeric=_channel_array(numeric),
            categorical=_channel_array(categorical),
            numeric_count=len(numeric),
            categorical_count=len(categorical),
        )
        if self.dwell is not None:
            struct.dwell, struct.dwell_stride = self.dwell.ctypes.data, stride(self.dwell)
        return struct, [types, numeric, categorical, self]


def _channel_array(arrays: list[NDArray[Any]]) -> Any:
    if not arrays:
        return _structs.ChannelPointer()
    channels = (_structs.Channel * len(arrays))()
    for channel, array in zip(channels, arrays):
        channel.values, channel.stride = array.ctypes.data, stride(array)
    return cast(channels, _structs.ChannelPointer)  # keeps `channels` alive


def _keys(values: Any) -> NDArray[Any]:
    array = as_array(values, "sequence")
    if array.ndim != 1:
        raise InvalidArgumentError(f"the sequence column must have 1 dimension, got {array.ndim}")
    missing = np.isnan(array) if array.dtype.kind == "f" else np.isnat(array) if array.dtype.kind in "mM" else None
    if missing is not None and missing.any():
        raise InvalidDataError(f"the sequence column is missing in row {int(np.flatnonzero(missing)[0])}")
    return array
