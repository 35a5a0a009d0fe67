"""Times: seconds as doubles, the finer order that a double cannot tell, and the unit that numbers were meant in."""

from __future__ import annotations

from typing import Any, List, Optional

import numpy as np
from numpy.typing import NDArray

from ._arrays import as_array, choice, seconds
from ._errors import InvalidTypeError, MismatchError
from ._findings import Finding

UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
#: Seconds from 1970 to 1990 and to 2100: numbers that lie there in a unit are taken for times in that unit.
_EPOCH = (631_152_000.0, 4_102_444_800.0)
_CENTURIES = 300 * 31_557_600.0


class Times:
    """Times of n events.

    Attributes:
        seconds: n float64, NaN = missing.
        exact: n int64 in a finer unit, where doubles of seconds cannot tell all times apart; else None.
        findings: what was odd.
    """

    def __init__(
        self, seconds: NDArray[np.float64], exact: Optional[NDArray[np.int64]], findings: List[Finding]
    ) -> None:
        self.seconds = seconds
        self.exact = exact
        self.findings = findings

    @classmethod
    def read(cls, values: Any, name: str, unit: Optional[str] = None, length: Optional[int] = None) -> "Times":
        """Numbers in `unit` ("s", "ms", "us", "ns"; None = guessed), datetimes or durations."""
        if unit is not None:
            choice(unit, "time_unit", UNITS)
        try:
            found = seconds(values, name)
        except InvalidTypeError as failure:
            if "the string" not in str(failure):
                raise
            raise InvalidTypeError(f"{failure}: pandas.to_datetime makes times of text") from None
        if length is not None and len(found) != length:
            raise MismatchError(f"{name} must have {length} values, got {len(found)}")
        moments = is_moment(values)
        if moments:
            return cls(found, _exact(values, name), [])
        findings: List[Finding] = []
        if unit is None:
            unit, findings = _guess(found, name)
        if unit != "s":
            found = found / UNITS[unit]
        return cls(found, None, findings)


def is_moment(values: Any) -> bool:
    """Whether a column holds datetimes or durations, whose unit is known."""
    dtype: Any = getattr(values, "dtype", None)
    if dtype is None:
        return _holds_objects_of_time(values)
    kind = getattr(dtype, "kind", None)
    if kind == "O" or not isinstance(kind, str):
        return _holds_objects_of_time(values)
    return kind in "mM"


def _holds_objects_of_time(values: Any) -> bool:
    array = as_array(values, "times")
    if array.dtype.kind in "mM":
        return True
    if array.dtype.kind != "O":
        return False
    return not any(isinstance(value, (int, float, np.number)) and value == value for value in array.flat[:1000])


def _exact(values: Any, name: str) -> Optional[NDArray[np.int64]]:
    """Integers in the datetimes' own unit, where that is finer than microseconds and used."""
    zone = getattr(getattr(values, "dtype", None), "tz", None)
    if zone is not None:
        values = getattr(values, "dt", values).tz_convert("UTC")
        values = getattr(values, "dt", values).tz_localize(None)
    array = as_array(values, name)
    if array.dtype.kind not in "mM":
        return None
    unit, count = np.datetime_data(array.dtype)
    if unit not in ("ns", "ps", "fs", "as"):
        return None
    whole = array.astype(np.int64)
    step = {"ns": 1_000, "ps": 10**6, "fs": 10**9, "as": 10**12}[unit]
    return whole if count != 1 or np.any(whole % step) else None


def _guess(numbers: NDArray[np.float64], name: str) -> "tuple[str, List[Finding]]":
    """The unit in which nearly all numbers are times between 1990 and 2100; seconds if there is none."""
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return "s", []
    low, high = np.quantile(finite, [0.01, 0.99])
    for unit, count in UNITS.items():
        if _EPOCH[0] * count <= low and high <= _EPOCH[1] * count:
            if unit == "s":
                return "s", []
            text = (
                f"{name} holds {_WORDS[unit]} since 1970 (as {finite[0]:.0f}); they were divided by {count} to be"
                " seconds"
            )
            advice = f"give datetimes or seconds, or say time_unit={unit!r} or 's' to Sequences.from_frame"
            return unit, [Finding("time_unit", text, advice, _column(name))]
    if high - low > _CENTURIES:
        years = (high - low) / 31_557_600
        text = f"{name} spans {years:.0f} years, if its numbers are seconds (as {finite[0]:.6g})"
        advice = "if they are not, give datetimes or seconds, or say time_unit= to Sequences.from_frame"
        return "s", [Finding("time_unit", text, advice, _column(name))]
    return "s", []


def _column(name: str) -> str:
    return name.partition("=")[2].strip("'") or name
