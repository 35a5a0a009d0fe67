"""Sessions whose events come one at a time (covey.h section 11)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from ctypes import addressof, byref, c_double, c_int32, c_void_p, create_string_buffer
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._html import Shown
from ._arguments import checked_methods
from ._arrays import _is_missing, integer, seconds
from ._errors import InvalidArgumentError, InvalidTypeError, MismatchError
from ._handle import Native
from ._library import call, library
from ._scores import Score, Scores
from ._table import Table, held
from .context import Context, running
from .encoder import SequenceEncoder
from .engine import Engine
from .vocabulary import Vocabulary


@checked_methods
class Session(Shown):
    """The events of one session so far, which the engine scores at any time::

        session = covey.Session(engine)
        session.add("login", 0.0)
        session.add("pay", 4.5)
        session.score({"amount": 120.0, "country": "NL"}).risk

    It keeps the last `largest_events` events that came and forgets older ones, so that one client with 100,000 events
    cannot hold a thread. Embedding and score are those of :meth:`SequenceEncoder.embed` and :meth:`Engine.score` for
    the events that are kept, byte for byte.

    Args:
        engine: with an encoder. largest_events: 1 to 16,777,216.

    For any number of threads, which wait for each other. Errors: INVALID_ARGUMENT, MISMATCH (an engine without an
        encoder).
    """

    def __init__(self, engine: Engine, largest_events: int = 1000) -> None:
        self._use(engine)
        most = integer(largest_events, "largest_events")
        size = library.covey_session_size(engine._handle(), most)
        if size == 0:
            raise InvalidArgumentError(f"largest_events must be 1 to 16777216, got {most}")
        self._buffer = create_string_buffer(size)
        self.reset()

    def _use(self, engine: Engine) -> None:
        if not isinstance(engine, Engine):
            raise InvalidTypeError(f"engine must be an Engine, got {type(engine).__name__}")
        encoder = engine.encoder
        if encoder is None:
            raise MismatchError("engine must have an encoder: without one it takes no events")
        self._lock = threading.Lock()
        self._engine = engine
        self._encoder: SequenceEncoder = encoder
        # Vocabularies, names and the known names that were looked up: an event costs no second look.
        self._vocabulary = encoder.vocabulary
        self._numeric = encoder.numeric_names
        self._categorical = dict(zip(encoder.categorical_names, encoder.categorical_vocabularies))
        self._known: dict[tuple[int, str], int] = {}

    def add(
        self,
        event: Any,
        time: Any,
        dwell: Any = None,
        *,
        numeric: Optional[Mapping[str, Any]] = None,
        categorical: Optional[Mapping[str, Any]] = None,
    ) -> None:
        """Adds an event; the session is unchanged if this fails.

        Args:
            event: a name, which is looked up, or an index in the encoder's vocabulary; None = unknown. What the
                vocabulary does not have is counted by :attr:`unknown`.
            time: seconds on the clock of the session's other events, or a datetime. dwell: seconds or a duration; None
                = missing.
            numeric, categorical: the encoder's channels by their names; one that is left out is missing.

        Errors: INVALID_ARGUMENT (a channel that the encoder does not have), INVALID_DATA.
        """
        numbers = _channels(numeric, self._numeric, "numeric")
        codes = _channels(categorical, self._categorical, "categorical")
        struct = _structs.Event(type=self._index(0, self._vocabulary, event, "event"), time=_seconds(time, "time"))
        spent = None if dwell is None else c_double(_seconds(dwell, "dwell"))
        reals = (c_double * len(numbers))(*[_real(value, name) for name, value in numbers.items()])
        indices = (c_int32 * len(codes))(
            *[
                self._index(place, self._categorical[name], value, f"categorical[{name!r}]")
                for place, (name, value) in enumerate(codes.items(), 1)
            ]
        )
        struct.dwell = None if spent is None else addressof(spent)
        struct.numeric, struct.numeric_count = addressof(reals), len(numbers)
        struct.categorical, struct.categorical_count = addressof(indices), len(codes)
        with self._lock:
            call("covey_session_add", self._engine._handle(), self._buffer, len(self._buffer), byref(struct))

    def _index(self, channel: int, vocabulary: Vocabulary, value: Any, name: str) -> int:
        if isinstance(value, str):
            found = self._known.get((channel, value))
            if found is None:
                found = int(vocabulary._indices([value])[0])
                # Unknown names come from outside without end: they are not kept.
                if found > 0:
                    self._known[channel, value] = found
            return found
        if _is_missing(value):
            return 0
        return integer(value, name, bits=32)

    def score(self, features: Any = None, *, context: Optional[Context] = None) -> Score:
        """The score of the session as one transaction; `features` is a mapping of names to plain values or a table of
        one row.
        Errors: as :meth:`Engine.score`."""
        table = None if features is None else Table(held(features), kinds=self._engine.features)
        pointer = c_void_p()
        with self._lock, running(context) as native:
            call(
                "covey_session_score",
                self._engine._handle(),
                native,
                self._buffer,
                len(self._buffer),
                None if table is None else byref(table.struct),
                byref(pointer),
            )
        return Scores(Native(pointer.value, "covey_scores_destroy"))[0]

    def embedding(self, *, context: Optional[Context] = None) -> NDArray[np.float32]:
        """The embedding of the events that are kept; zeros if there are none. Errors: as
        :meth:`SequenceEncoder.embed`."""
        result = np.empty(self._encoder.dimension, dtype=np.float32)
        with self._lock, running(context) as native:
            call(
                "covey_session_embed",
                self._engine._handle(),
                native,
                self._buffer,
                len(self._buffer),
                result.ctypes.data,
                len(result),
            )
        return result

    def reset(self) -> None:
        """Forgets all events."""
        with self._lock:
            call("covey_session_start", self._engine._handle(), self._buffer, len(self._buffer))

    def to_bytes(self) -> bytes:
        """The session, for a database or another process; :meth:`from_bytes` reads it."""
        with self._lock:
            return self._buffer.raw

    @classmethod
    def from_bytes(cls, engine: Engine, data: Any) -> "Session":
        """Goes on with a session. `engine` may be another than that which began it, if its encoder has the same names
        of events
        and channels. Errors: CORRUPT_FILE, MISMATCH (other names)."""
        try:
            given = bytes(memoryview(data))
        except TypeError:
            raise InvalidTypeError(f"data must be bytes, got {type(data).__name__}") from None
        session = cls.__new__(cls)
        session._use(engine)
        session._buffer = create_string_buffer(given, len(given))
        session._state()
        return session

    def _state(self) -> _structs.SessionState:
        struct = _structs.SessionState()
        with self._lock:
            call("covey_session_get", self._engine._handle(), self._buffer, len(self._buffer), byref(struct))
        return struct

    def __len__(self) -> int:
        """Events that it keeps now."""
        return int(self._state().events)

    @property
    def largest_events(self) -> int:
        """The most events that it keeps."""
        return int(self._state().largest_events)

    @property
    def total(self) -> int:
        """Events that came, with those that were forgotten."""
        return int(self._state().total)

    @property
    def unknown(self) -> int:
        """Events that came whose type the vocabulary does not have."""
        return int(self._state().unknown)

    def __repr__(self) -> str:
        state = self._state()
        return f"Session({state.events} of {state.total} events, {state.unknown} unknown)"


def _channels(given: Optional[Mapping[str, Any]], names: Any, role: str) -> dict[str, Any]:
    """The value of each of the encoder's channels; None if none is given."""
    if given is None:
        return dict.fromkeys(names)
    if not isinstance(given, Mapping):
        raise InvalidTypeError(f"{role} must be a mapping of channel names to values, got {type(given).__name__}")
    for name in given:
        if name not in names:
            raise InvalidArgumentError(f"{role} has {name!r}, and the encoder's {role} channels are {list(names)}")
    return {name: given.get(name) for name in names}


def _real(value: Any, name: str) -> float:
    return float("nan") if _is_missing(value) else float(_seconds(value, f"numeric[{name!r}]"))


def _seconds(value: Any, name: str) -> float:
    if type(value) in (float, int):
        return float(value)
    return float(seconds([value], name, 1)[0])
