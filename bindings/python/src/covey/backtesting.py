"""What rules would have done on transactions of the past (covey.h section 10)."""

from __future__ import annotations

import dataclasses
import math
from ctypes import byref, c_double, c_int64, c_void_p
from typing import Any, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._html import Shown
from ._arguments import checked, checked_methods
from ._arrays import binary, contiguous, real, seconds
from ._errors import InvalidTypeError, MismatchError
from ._handle import Handle, Native, made_by_library
from ._labels import label_codes
from ._library import call, library
from ._pairing import same_index
from ._table import Table
from ._trees import pandas
from .context import Context, running
from .rules import RuleSet

_ANY, _ALL = -1, -2
_SHADOW = {"both": 0, "first": 1, "second": 2, "neither": 3}


@dataclasses.dataclass(frozen=True)
class Matches(Shown):
    """Rows, and what is known of them: fraud is what a rule would have caught, legitimate rows are its false alarms."""

    rows: int
    fraud: int
    legitimate: int
    #: Sums of amounts; 0 without amounts.
    amount: float
    fraud_amount: float
    legitimate_amount: float
    #: fraud / (fraud + legitimate) with its Wilson interval; None, 0 and 1 if no row is labelled.
    precision: Optional[float]
    precision_low: float
    precision_high: float
    #: fraud / all fraud of the table, likewise.
    recall: Optional[float]
    recall_low: float
    recall_high: float


@dataclasses.dataclass(frozen=True)
class RuleMatches(Matches):
    """What a rule matched, and how that changed over time."""

    #: Of the rows, those that no other rule in force matches.
    added_rows: int
    added_fraud: int
    added_legitimate: int
    added_amount: float
    added_fraud_amount: float
    added_legitimate_amount: float
    #: The chance of a precision that falls so over the periods where it does not (Cochran-Armitage, one-sided, Holm's
    #: correction for the number of rules); None if nothing can be tested.
    decay_p: Optional[float]
    #: Of a share of matching rows that changes so, two-sided, likewise.
    hit_rate_p: Optional[float]
    #: In the last quarter of the periods.
    recent_rows: int
    recent_fraud: int
    recent_legitimate: int
    #: Whether the rule should go: see covey_backtest_report in covey.h.
    retire: bool


@checked_methods
class Backtest(Handle):
    """What a rule set would have done; made by :func:`backtest`. Immutable.

    Attributes:
        rules: one :class:`RuleMatches` a rule, in the set's order. any: of the rows that any rule matches.
        starts: when each period begins (seconds); empty without times.
        outcomes: the names of the outcomes.
    """

    def __init__(
        self, native: Any = None, names: Sequence[str] = (), texts: Sequence[str] = (), shadowed: bool = False
    ) -> None:
        native = made_by_library(native, "a Backtest is made by covey.backtest(...)")
        self._native = native
        self._texts = list(texts)
        self._shadowed = shadowed
        self.outcomes = list(names)
        self.rules: list[RuleMatches] = [self._get(rule) for rule in range(len(self._texts))]
        self.any: RuleMatches = self._get(_ANY)
        starts = [library.covey_backtest_period_start(native, period) for period in range(self._periods())]
        self.starts: list[float] = [start for start in starts if not math.isnan(start)]

    def _periods(self) -> int:
        return int(library.covey_backtest_period_count(self._handle()))

    def _get(self, rule: int) -> RuleMatches:
        report = _structs.BacktestReport()
        call("covey_backtest_get", self._handle(), rule, byref(report))
        found: RuleMatches = _read(report, RuleMatches)
        return found

    def periods(self, rule: Optional[int] = None, *, all: bool = False) -> list[Matches]:
        """The figures of a rule by period; None = of rows that any rule matches; all=True: of all rows."""
        chosen = _ALL if all else _ANY if rule is None else rule
        found = []
        for period in range(self._periods()):
            report = _structs.BacktestReport()
            call("covey_backtest_period", self._handle(), chosen, period, byref(report))
            found.append(_read(report, Matches))
        return found

    def by_outcome(self, rule: Optional[int] = None) -> dict[str, tuple[int, float]]:
        """Rows and their amounts that a rule (None = any) matches, by what became of them."""
        result = {}
        for index, name in enumerate(self.outcomes):
            rows, amount = c_int64(), c_double()
            call(
                "covey_backtest_outcome",
                self._handle(),
                _ANY if rule is None else rule,
                index,
                byref(rows),
                byref(amount),
            )
            result[name] = (rows.value, amount.value)
        return result

    @property
    def overlap(self) -> NDArray[np.int64]:
        """rules x rules: rows that both match; -1 for sets of more than 1024 rules."""
        handle, count = self._handle(), len(self._texts)
        return np.array(
            [
                [library.covey_backtest_overlap(handle, first, second) for second in range(count)]
                for first in range(count)
            ],
            dtype=np.int64,
        ).reshape(count, count)

    @property
    def shadow(self) -> dict[str, Matches]:
        """Rows by which set matches them: "both", "first", "second" and "neither"; empty without a shadow."""
        result = {}
        for name, which in _SHADOW.items() if self._shadowed else ():
            report = _structs.BacktestReport()
            call("covey_backtest_shadow", self._handle(), which, byref(report))
            result[name] = _read(report, Matches)
        return result

    def to_frame(self) -> Any:
        """A pandas DataFrame with one row a rule, and its sentence as the index."""
        names = [field.name for field in dataclasses.fields(RuleMatches)]
        return pandas().DataFrame([dataclasses.astuple(rule) for rule in self.rules], columns=names, index=self._texts)

    def __repr__(self) -> str:
        return f"Backtest({len(self.rules)} rules match {self.any.rows} rows, {self.any.fraud} of them fraud)"


@checked
def backtest(
    rules: RuleSet,
    features: Any,
    fraud: Any,
    amounts: Any = None,
    times: Any = None,
    *,
    outcomes: Any = None,
    live: Any = None,
    shadow: Optional[RuleSet] = None,
    period: float = 604_800.0,
    confidence: float = 0.95,
    context: Optional[Context] = None,
) -> Backtest:
    """Runs rules, found or written by hand, on n transactions of the past.

    Example::

        tested = covey.backtest(rules, features, fraud, amounts=amounts)
        tested.to_frame()

    Args:
        rules: the set. features: a table of n rows with its columns.
        fraud: n of True/1 (known fraud), False/0 (known legitimate), None/NaN/-1 (unknown).
        amounts: n finite numbers >= 0. times: n finite numbers (seconds) or datetimes, in any order.
        outcomes: n strings, what became of each transaction ("disputed", "refunded", "blocked", "passed"); at most 64
            of them.
        live: one a rule, True if it is in force already: `added` figures are what a rule brings beside those in
            force.
        shadow: a second set, which is compared with the first on the same rows.
        period: seconds of one period of time, a week; at most 10,000 periods.
        confidence: of the Wilson intervals, 0.5 to 0.9999.

    See covey_backtest_run in covey.h. Errors: INVALID_ARGUMENT, INVALID_DATA, MISMATCH, OUT_OF_MEMORY, CANCELLED.
    """
    if not isinstance(rules, RuleSet) or not (shadow is None or isinstance(shadow, RuleSet)):
        raise InvalidTypeError("rules and shadow must be RuleSet objects")
    handle, other = rules._handle(), None if shadow is None else shadow._handle()
    kinds = {**rules._kinds, **({} if shadow is None else shadow._kinds)}
    same_index(features=features, fraud=fraud, amounts=amounts, times=times, outcomes=outcomes)
    table = Table(features, kinds=kinds)
    known = label_codes(fraud, "fraud", table.rows)
    money = None if amounts is None else contiguous(amounts, "amounts", np.float64, table.rows)
    when = None if times is None else np.ascontiguousarray(seconds(times, "times", table.rows))
    force = None if live is None else binary(live, "live", len(rules))
    codes, names = None, []
    if outcomes is not None:
        texts = np.asarray(outcomes, dtype=object)
        if texts.shape != (table.rows,):
            raise MismatchError(f"outcomes has {texts.shape} values, features has {table.rows} rows")
        for text in texts:
            if not isinstance(text, str):
                raise InvalidTypeError(f"outcomes must be strings, got {text!r}")
        found, inverse = np.unique(texts.astype(str), return_inverse=True)
        names, codes = [str(name) for name in found], np.ascontiguousarray(inverse, dtype=np.int32)
    options = _structs.BacktestOptions(
        amounts=None if money is None else money.ctypes.data,
        times=None if when is None else when.ctypes.data,
        outcomes=None if not names or codes is None else codes.ctypes.data,
        outcome_count=len(names),
        period=real(period, "period"),
        confidence=real(confidence, "confidence"),
        live=None if force is None else force.ctypes.data,
        shadow=None if other is None else other.address,
    )
    pointer = c_void_p()
    with running(context) as native:
        call(
            "covey_backtest_run", native, handle, byref(table.struct), known.ctypes.data, byref(options), byref(pointer)
        )
    del other
    return Backtest(
        Native(pointer.value, "covey_backtest_destroy"), names, [rule.text for rule in rules.rules], shadow is not None
    )


def _read(report: Any, kind: Any) -> Any:
    values = {field.name: getattr(report, field.name) for field in dataclasses.fields(kind)}
    for name in ("precision", "recall", "decay_p", "hit_rate_p"):
        if name in values and math.isnan(values[name]):
            values[name] = None
    if "retire" in values:
        values["retire"] = bool(values["retire"])
    return kind(**values)
