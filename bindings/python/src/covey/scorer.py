"""One transaction after another, in memory that is used again (covey.h section 11)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from ctypes import byref, c_void_p
from typing import Any, Optional

from . import _structs
from ._arguments import checked_methods
from ._arrays import _is_missing, c_string, flag, integer, real
from ._errors import InvalidArgumentError, InvalidTypeError, MismatchError
from ._handle import Handle, Native
from ._library import call, library
from ._scores import Score, Scores
from .context import Context, running
from .engine import Engine
from .sequences import Sequences


@checked_methods
class Scorer(Handle):
    """Scores one transaction after another in memory that is used again, in a fraction of the time of
    :meth:`Engine.score`, whose numbers it gives::

        with covey.Scorer(engine) as scorer:
            risk = scorer.score({"amount": 120.0, "country": "NL"}, sequences[:1])
            if scorer.risky:
                print(scorer.last().reasons)

    Args:
        engine: kept as long as the scorer.

    One thread at a time: a second one gets INVALID_ARGUMENT. Each thread can have a scorer of its own.
    """

    def __init__(self, engine: Engine, *, context: Optional[Context] = None) -> None:
        if not isinstance(engine, Engine):
            raise InvalidTypeError(f"engine must be an Engine, got {type(engine).__name__}")
        handle, pointer = engine._handle(), c_void_p()
        with running(context) as native:
            call("covey_scorer_create", handle, native, byref(pointer))
            # The context's callback is used for as long as the scorer.
            self._native = Native(pointer.value, "covey_scorer_destroy", keep=native)
        self._context = context
        self._encoder = engine.encoder
        self._columns = [
            (name, library.covey_engine_feature_index(handle, name.encode()), kind)
            for name, kind in engine.features.items()
        ]
        self._options = _structs.ScoreOptions()
        self._score = _structs.Score()

    def score(
        self,
        features: Optional[Mapping[str, Any]] = None,
        events: Optional[Sequences] = None,
        *,
        max_events: Optional[int] = None,
        seconds: Optional[float] = None,
    ) -> float:
        """The risk of a transaction, 0 to 1; :attr:`cluster` and the others are those of this score until the next.

        Args:
            features: plain values by the names of the engine's features, dates as seconds since 1970; None = missing.
                Names that it does not need are ignored.
            events: one sequence; None if the engine has no encoder.
            max_events, seconds: as for :meth:`Engine.score`.

        Errors: MISMATCH (a feature that is left out, a value of another kind), INVALID_DATA, CANCELLED.
        """
        handle = self._handle()
        self._set(handle, {} if features is None else features)
        for name, limit in (("max_events", max_events), ("seconds", seconds)):
            if limit is not None and not real(limit, name) > 0:
                raise InvalidArgumentError(f"{name} must be above 0, or None, got {limit!r}")
        self._options.max_events = 0 if max_events is None else integer(max_events, "max_events")
        self._options.seconds = 0.0 if seconds is None else real(seconds, "seconds")
        sequences = borrowed = None
        if events is not None:
            if not isinstance(events, Sequences):
                raise InvalidTypeError(f"events must be Sequences, got {type(events).__name__}")
            if self._encoder is None:
                raise MismatchError("events must be None: the engine has no encoder")
            sequences, borrowed = events._native(self._encoder)
        with running(self._context):
            call(
                "covey_scorer_score",
                handle,
                None if sequences is None else byref(sequences),
                byref(self._options),
                byref(self._score),
            )
        del borrowed
        return float(self._score.risk)

    def _set(self, handle: Native, features: Mapping[str, Any]) -> None:
        if not hasattr(features, "keys"):  # a row of a DataFrame is no Mapping, and as good as one
            raise InvalidTypeError(f"features must be a dict, got {type(features).__name__}")
        for name, index, kind in self._columns:
            try:
                value = features[name]
            except KeyError:
                raise MismatchError(f"features have no value of {name!r}; None stands for a missing one") from None
            if kind == "categorical":
                text = None if _is_missing(value) else value
                if text is not None and not isinstance(text, str):
                    raise MismatchError(f"feature {name!r} is categorical, got {value!r}")
                encoded = None if text is None else c_string(text, f"feature {name!r}")
                call("covey_scorer_set_category", handle, index, encoded)
            else:
                number = math.nan if _is_missing(value) else float((flag if kind == "boolean" else real)(value, name))
                call("covey_scorer_set_number", handle, index, number)

    def last(self) -> Score:
        """The last score with its rules and reasons. Errors: INVALID_ARGUMENT before the first score and after one
        that failed."""
        pointer = c_void_p()
        call("covey_scorer_scores", self._handle(), byref(pointer))
        return Scores(Native(pointer.value, "covey_scores_destroy"))[0]

    @property
    def cluster(self) -> int:
        """The cluster that the last transaction behaves like; -1 = none."""
        return int(self._score.cluster)

    @property
    def strength(self) -> float:
        """Of that membership, 0 to 1."""
        return float(self._score.strength)

    @property
    def risk(self) -> float:
        """Of the last transaction, 0 to 1."""
        return float(self._score.risk)

    @property
    def risky(self) -> bool:
        """Whether its cluster is risky, or a rule of a risky cluster fires."""
        return bool(self._score.risky)

    @property
    def rule_count(self) -> int:
        """How many rules fire."""
        return int(self._score.rule_count)

    def __repr__(self) -> str:
        return "Scorer(closed)" if self.closed else f"Scorer({len(self._columns)} features)"
