"""Whether what is scored still looks like what the engine was made of (covey.h section 11)."""

from __future__ import annotations

import json
from ctypes import byref, c_void_p
from typing import Any, Optional

import numpy as np

from ._arguments import checked_methods
from ._errors import InvalidTypeError
from ._handle import Handle, Native, buffer_bytes
from ._keys import alignment
from ._library import call
from ._scores import Scores
from ._table import Table, feature_keys, held
from .context import Context, running
from .engine import Engine


@checked_methods
class Drift(Handle):
    """Counts while an engine scores::

        drift = covey.Drift(engine)
        scores = engine.score(events, features)
        drift.add(events, features, scores)
        drift.report()["moved"]

    Whole numbers alone are counted, so that counts of several threads and machines add up to the same in any order
    (:meth:`merge`, :meth:`to_bytes`). For any number of threads.

    Errors: INVALID_ARGUMENT, OUT_OF_MEMORY, CANCELLED.
    """

    def __init__(self, engine: Engine, *, context: Optional[Context] = None) -> None:
        pointer = c_void_p()
        with running(context) as native:
            call("covey_drift_create", _engine(engine)._handle(), native, byref(pointer))
        self._engine = engine
        self._native = Native(pointer.value, "covey_drift_destroy")

    def add(
        self,
        events: Any = None,
        features: Any = None,
        scores: Optional[Scores] = None,
        *,
        context: Optional[Context] = None,
        **columns: Optional[str],
    ) -> None:
        """Counts transactions. Nothing is counted if this fails.

        Args:
            events, features: as for :meth:`Engine.score`, with its `key`, `time`, `event` and `dwell` as `columns`.
            scores: what the engine said of them. Any of the three may be None, but not all.

        Errors: as :meth:`Engine.score`.
        """
        for name in columns:
            if name not in ("key", "time", "event", "dwell"):
                raise TypeError(f"add() got an unexpected keyword argument {name!r}")
        engine, handle = self._engine, self._handle()
        if events is not None and engine.encoder is None:
            raise InvalidTypeError("events must be None: this engine has no encoder")
        if scores is not None and not isinstance(scores, Scores):
            raise InvalidTypeError(f"scores must be a covey.Scores, got {type(scores).__name__}")
        features = held(features)
        key, time, event, dwell = (columns.get(name) for name in ("key", "time", "event", "dwell"))
        sequences, _ = engine._sequences(events, features, key, time, event, dwell)
        struct = borrowed = None
        if sequences is not None and engine.encoder is not None:
            keys, _ = feature_keys(
                features, key, engine.columns.get("key") or sequences.key_name, own=sequences.key_name
            )
            chosen = alignment(sequences.keys, keys, ("the sequences", "the features"))
            struct, borrowed = (sequences if chosen is None else sequences[chosen])._native(engine.encoder)
        table = None if features is None else Table(features, kinds=engine.features)
        with running(context) as native:
            call(
                "covey_drift_add",
                handle,
                native,
                None if struct is None else byref(struct),
                None if table is None else byref(table.struct),
                None if scores is None else scores._native,
            )
        del borrowed

    def merge(self, other: "Drift", *, context: Optional[Context] = None) -> None:
        """Adds what `other` counted, of an engine of the same content. Errors: MISMATCH, OUT_OF_MEMORY, CANCELLED."""
        if not isinstance(other, Drift):
            raise InvalidTypeError(f"other must be a covey.Drift, got {type(other).__name__}")
        with running(context) as native:
            call("covey_drift_merge", self._handle(), native, other._handle())

    def report(self, earlier: Optional["Drift"] = None, *, context: Optional[Context] = None) -> dict[str, Any]:
        """What moved.

        "warnings" have a code and a text: "unknown_events", "time_between_events", "dwell", "unknown_categories".
        "moved" are names; "features", "clusters", "events" and "scores" have for each comparison its population
        stability index ("stability_index"), the p value of a chi-squared test, and whether it "moved": an index of 0.2
        or more that chance does not explain, after correction for the number of comparisons.

        Args:
            earlier: counts of the same engine to compare with. None: the rows that the engine keeps; event types, the
                time between events, dwell and risk are then not compared, since an engine keeps no counts of them.
        """
        if earlier is not None and not isinstance(earlier, Drift):
            raise InvalidTypeError(f"earlier must be a covey.Drift, got {type(earlier).__name__}")
        pointer = c_void_p()
        before = None if earlier is None else earlier._handle()
        with running(context) as native:
            call("covey_drift_report", self._handle(), native, before, byref(pointer))
        found: dict[str, Any] = json.loads(buffer_bytes(pointer.value))
        return found

    def to_bytes(self, *, context: Optional[Context] = None) -> bytes:
        """The counts, for another process; :meth:`from_bytes` reads them."""
        pointer = c_void_p()
        with running(context) as native:
            call("covey_drift_write", self._handle(), native, byref(pointer))
        return buffer_bytes(pointer.value)

    @classmethod
    def from_bytes(cls, engine: Engine, data: Any, *, context: Optional[Context] = None) -> "Drift":
        """Reads what :meth:`to_bytes` gave, with an engine of the same content. Errors: CORRUPT_FILE, MISMATCH."""
        try:
            given = np.frombuffer(data, dtype=np.uint8)
        except (TypeError, ValueError, BufferError) as failure:
            raise InvalidTypeError(f"data must be bytes, got {type(data).__name__}: {failure}") from None
        pointer = c_void_p()
        with running(context) as native:
            call("covey_drift_read", _engine(engine)._handle(), native, given.ctypes.data, len(given), byref(pointer))
        drift = cls.__new__(cls)
        drift._engine = engine
        drift._native = Native(pointer.value, "covey_drift_destroy")
        return drift

    def __repr__(self) -> str:
        if self.closed:
            return "Drift(closed)"
        return f"Drift({self.report()['transactions']} transactions)"


def _engine(engine: Any) -> Engine:
    if not isinstance(engine, Engine):
        raise InvalidTypeError(f"engine must be an Engine, got {type(engine).__name__}")
    return engine
