"""Ragged events: the click streams that lead to transactions (covey.h section 5)."""

from __future__ import annotations

from ctypes import cast
from typing import TYPE_CHECKING, Any, Iterable, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._html import Shown
from ._arguments import checked_methods
from ._arrays import as_array, contiguous, seconds, stride
from ._channels import Channels, Types
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError
from ._event_frames import EventFrame, Grouping, check_channels, key_order, read_times
from ._event_lists import read_lists
from ._findings import Finding, tell
from ._keys import places, read_keys, read_order

if TYPE_CHECKING:
    from .encoder import SequenceEncoder


@checked_methods
class Sequences(Shown):
    """A batch of event sequences; sequence i has the events ``offsets[i]`` to ``offsets[i + 1] - 1``.

    Example::

        sequences = covey.Sequences([0, 2, 3], ["home", "pay", "pay"], [0.0, 3.5, 9.0])
        sequences.lengths  # 2 and 1

    Args:
        offsets: n + 1 integers that do not decrease; an equal pair is an empty sequence, whose embedding is zero.
        types: one an event: vocabulary indices, or strings, which the encoder's vocabulary turns into indices when they
            are embedded. What the vocabulary does not know, and None and NaN, count as the unknown entry.
        times: one an event, seconds on any common clock, datetimes or durations. Events are used in the order of time,
            equal times in their given order; the last one is the transaction.
        dwell: seconds (or durations) spent on the event, >= 0, NaN = missing; or None.
        numeric: numeric channels, one value an event, NaN = missing: a mapping of names to columns (matched with the
            model's names), a list of columns or an events x channels array (in the model's order).
        categorical: likewise, of strings or indices.
        keys: one a sequence: which transaction it belongs to. Embeddings and scores carry them, and what is joined with
            the batch is compared by them. key_name: what the column is called.
        indices: what integers in `types` and `categorical` are: indices in the encoder's vocabulary (True), or codes
            that are looked up by their digits (False). None: indices, unless the vocabulary has them as names; where it
            has both, the batch is refused when it is embedded.

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
        key_name: Optional[str] = None,
        indices: Optional[bool] = None,
    ) -> None:
        self.offsets: NDArray[np.int64] = contiguous(offsets, "offsets", np.int64)
        if len(self.offsets) == 0:
            raise InvalidArgumentError("offsets must have at least 1 number (n + 1), got 0")
        self._types = Types.convert(types, "types", indices)
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
        self._categorical = Channels.convert(categorical, "categorical", events, categorical=True, are_indices=indices)
        self.keys: Optional[NDArray[Any]] = None
        self.key_name = key_name
        self.rows: Optional[NDArray[np.int64]] = None
        self.findings: list[Finding] = []
        if keys is not None:
            self.keys = read_keys(keys, "keys")
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
        order: Any = None,
        time_unit: Optional[str] = None,
        indices: bool = False,
    ) -> "Sequences":
        """From a table with one row an event; the README says what a table may be.

        Example::

            sequences = covey.Sequences.from_frame(
                events, sequence="id", time="time", event="event", order=features.id
            )

        Args:
            sequence: the column with the key of the sequence that a row belongs to. ``keys`` holds the key of each
                sequence, ``key_name`` this column's name. Rows need not be adjacent; within a sequence their order is
                kept, but that datetimes which a double cannot tell apart (it has a quarter of a microsecond) are
                sorted.
            time, event, dwell: the columns of those names in ``Sequences``.
            numeric, categorical: names of channel columns.
            order: the keys of the transactions, one a sequence and none twice: the sequences come in this order, empty
                where a key has no events. A list of keys, a column, or a table with a column named as `sequence` (the
                features). None: in the order of first appearance.
            indices: integers in `event` and `categorical` are indices in the encoder's vocabulary. False: they are
                codes, which are looked up by their digits where the vocabulary has any of them; one that knows none is
                refused when the batch is embedded.
            time_unit: of numbers in `time`: "s", "ms", "us" or "ns". None: seconds, unless nearly all numbers are times
                between 1990 and 2100 in another unit, which ``findings`` then says.

        ``rows`` holds the table's row of each event. ``findings`` says what is odd (a guessed unit, events whose key is
        not in `order`, keys without events), and each is a :class:`DataWarning`, but for keys without events. O(rows
        log rows) at the most. Errors name the column and the table's row: INVALID_ARGUMENT for an unknown column or one
        that is there twice, INVALID_DATA for a missing key, keys that are floats of 2^53 and more, a key twice in
        `order`, times that are not finite, MISMATCH for keys of two kinds or no key in common.
        """
        batch = cls._from_frame(frame, sequence, time, event, dwell, numeric, categorical, order, time_unit, indices)
        tell(found for found in batch.findings if found.code != "transactions_without_events")
        return batch

    @classmethod
    def _from_frame(
        cls,
        frame: Any,
        sequence: str,
        time: str,
        event: str,
        dwell: Optional[str] = None,
        numeric: Union[None, str, Iterable[str]] = (),
        categorical: Union[None, str, Iterable[str]] = (),
        order: Any = None,
        time_unit: Optional[str] = None,
        indices: bool = False,
        called: Tuple[str, str] = ("sequence", "order"),
    ) -> "Sequences":
        """`from_frame`, whose findings the caller tells. called: what its caller's user calls sequence and order."""
        table = EventFrame(frame)
        keys = read_keys(table.column(sequence, called[0]), f"{called[0]}={sequence!r}")
        table.rows = len(keys)
        wanted = None if order is None else key_order(order, sequence, called[1])
        grouping = Grouping(keys, wanted, sequence, called[1])
        times, spent = read_times(table, time, dwell, time_unit)
        batch = cls(
            [0, len(keys)],
            Types.convert(table.column(event, "event"), f"event={event!r}", indices),
            times.seconds,
            None if spent is None else spent.seconds,
            table.several(numeric, "numeric"),
            table.several(categorical, "categorical"),
            indices=indices,
        )
        check_channels(table, dict(zip(batch._numeric.names or [], batch._numeric.values)))
        rows = grouping.rows(times.exact)
        if rows is not None:
            batch = batch._gather(rows, batch.offsets)
        batch.offsets, batch.keys, batch.key_name = grouping.offsets, grouping.keys, sequence
        batch.rows = np.arange(len(keys)) if rows is None else rows
        batch.findings = times.findings + grouping.findings
        return batch

    @classmethod
    def from_lists(
        cls,
        frame: Any,
        *,
        events: str,
        time: str,
        event: str,
        dwell: Optional[str] = None,
        numeric: Union[None, str, Iterable[str]] = (),
        categorical: Union[None, str, Iterable[str]] = (),
        key: Optional[str] = None,
        time_unit: Optional[str] = None,
        indices: bool = False,
    ) -> "Sequences":
        """From a table with one row a transaction, in which the column `events` holds the list of its events: an Arrow
        or polars list of structs, or lists of mappings. One sequence a row, in the table's order; a missing list is an
        empty one.

        key: the column with the row's key. The other arguments name fields of the structs, as in :meth:`from_frame`;
        errors and findings count events over all lists. O(events)."""
        table = EventFrame(frame)
        offsets, rows = read_lists(table.column(events, "events"), f"events={events!r}")
        if rows.rows == 0:
            batch = cls(offsets, np.empty(0, dtype=np.int32), np.empty(0), None if dwell is None else np.empty(0))
            batch._numeric, batch._categorical = (
                Channels.convert(
                    {name: np.empty(0) for name in _listed(names)}, role, 0, categorical=role == "categorical"
                )
                for names, role in ((numeric, "numeric"), (categorical, "categorical"))
            )
            times = None
        else:
            times, spent = read_times(rows, time, dwell, time_unit)
            batch = cls(
                offsets,
                Types.convert(rows.column(event, "event"), f"event={event!r}", indices),
                times.seconds,
                None if spent is None else spent.seconds,
                rows.several(numeric, "numeric"),
                rows.several(categorical, "categorical"),
                indices=indices,
            )
            check_channels(rows, dict(zip(batch._numeric.names or [], batch._numeric.values)))
        if key is not None:
            batch.keys, batch.key_name = read_order(table.column(key, "key"), f"key={key!r}"), key
            if len(batch.keys) != len(batch):
                raise MismatchError(f"key={key!r} must have {len(batch)} values, one a row, got {len(batch.keys)}")
        batch.findings = [] if times is None else times.findings
        tell(batch.findings)
        return batch

    def align(self, keys: Any) -> "Sequences":
        """The sequences of these keys, in their order; empty for a key that is not there. Errors: INVALID_ARGUMENT for
        a batch without keys, INVALID_DATA for a key twice, MISMATCH for keys of another kind."""
        if self.keys is None:
            raise InvalidArgumentError("align needs sequences with keys: pass keys= or use from_frame")
        order = key_order(keys, self.key_name or "keys")
        found = places(order, read_order(self.keys, "the sequences' keys"), ("keys", "the sequences"))
        batch = self[np.where(found < 0, 0, found)] if len(self) else self._empty(len(order))
        if np.any(found < 0) and len(self):
            kept = np.repeat(found >= 0, batch.lengths)
            offsets = np.concatenate(([0], np.cumsum(np.where(found < 0, 0, batch.lengths)))).astype(np.int64)
            batch = batch._gather(np.flatnonzero(kept), offsets)
        batch.keys = order
        return batch

    def _empty(self, count: int) -> "Sequences":
        return self._gather(slice(0, 0), np.zeros(count + 1, dtype=np.int64))

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

    @property
    def shape(self) -> "tuple[int]":
        """(sequences,), by which scikit-learn knows that a batch can be indexed by arrays."""
        return (len(self),)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, rows: Any) -> "Sequences":
        """A smaller batch: a slice (of step 1 without a copy of its events), a boolean mask or an array of sequence
        numbers."""
        if isinstance(rows, tuple) and len(rows) == 2 and rows[1] is Ellipsis:  # as scikit-learn writes it
            rows = rows[0]
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
        batch.rows = None if self.rows is None else self.rows[index]
        batch.dwell = None if self.dwell is None else self.dwell[index]
        batch._numeric = self._numeric.take(index)
        batch._categorical = self._categorical.take(index)
        return batch

    def __repr__(self) -> str:
        count, events = len(self), self.event_count
        return f"Sequences({count} sequence{'' if count == 1 else 's'}, {events} event{'' if events == 1 else 's'})"

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


def _listed(names: Union[None, str, Iterable[str]]) -> list[str]:
    return [] if names is None else [names] if isinstance(names, str) else list(names)


def _channel_array(arrays: list[NDArray[Any]]) -> Any:
    if not arrays:
        return _structs.ChannelPointer()
    channels = (_structs.Channel * len(arrays))()
    for channel, array in zip(channels, arrays):
        channel.values, channel.stride = array.ctypes.data, stride(array)
    return cast(channels, _structs.ChannelPointer)  # keeps `channels` alive
