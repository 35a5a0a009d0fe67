"""The conditions of rules, and pairs of columns that they may compare, as Python and as C have them (covey.h section 10)."""

from __future__ import annotations

import dataclasses
import enum
import math
from ctypes import Array, POINTER, byref, c_char_p, cast
from typing import Any, Sequence

from . import _structs
from ._arrays import c_string, integer, real
from ._errors import InvalidTypeError
from ._handle import Native
from ._library import call, library, required_text


class ConditionKind(enum.IntEnum):
    """What a condition asks of its feature."""

    INTERVAL = 0
    IN = 1
    NOT_IN = 2
    TRUE = 3
    FALSE = 4
    MISSING = 5
    PRESENT = 6


class Derived(enum.IntEnum):
    """What a condition's feature is: a column, or a number that is worked out of one or two columns of the row."""

    NONE = 0
    #: "hour of X": of a date in UTC, 0 to 24, with its minutes as a fraction.
    HOUR = 1
    #: "days from X to Y", of two dates.
    DAYS = 2
    #: "X / Y"; missing where Y is 0.
    RATIO = 3
    #: "X - Y".
    DIFFERENCE = 4


@dataclasses.dataclass(frozen=True)
class Condition:
    """One condition of a rule. INTERVAL: low <= x < high, either may be infinite, missing does not match. IN, NOT_IN:
    `categories`; a missing value matches neither. `columns` are what the feature is worked out of: itself where it is a
    column."""

    feature: str
    kind: ConditionKind
    low: float = -math.inf
    high: float = math.inf
    categories: tuple[str, ...] = ()
    #: In words; empty in a condition that was made by hand.
    text: str = dataclasses.field(default="", compare=False)
    #: Told by `feature`, so that a condition made by hand equals one that was found.
    derived: Derived = dataclasses.field(default=Derived.NONE, compare=False)
    columns: tuple[str, ...] = dataclasses.field(default=(), compare=False)

    def __str__(self) -> str:
        return self.text or repr(self)


def condition_structs(conditions: Sequence[Condition]) -> tuple["Array[_structs.Condition]", Any]:
    """Conditions as C reads them, and what has to live as long."""
    kept = []
    structs = []
    for condition in conditions:
        if not isinstance(condition, Condition):
            raise InvalidTypeError(f"pinned must hold Condition objects, got {condition!r}")
        names = (c_char_p * len(condition.categories))(*(c_string(name, "a category") for name in condition.categories))
        kept.append(names)
        structs.append(
            _structs.Condition(
                feature=c_string(condition.feature, "feature"), kind=integer(condition.kind, "kind"),
                low=real(condition.low, "low"), high=real(condition.high, "high"),
                categories=cast(names, POINTER(c_char_p)) if len(names) else None, category_count=len(names)))
    return (_structs.Condition * len(structs))(*structs), kept


def pair_structs(ratios: Any, differences: Any) -> tuple[Any, list[bytes]]:
    """Pairs of columns as structs, and the names that these point to."""
    kept: list[bytes] = []
    kinds: list[int] = []
    for name, given, kind in (("ratios", ratios, Derived.RATIO), ("differences", differences, Derived.DIFFERENCE)):
        for index, pair in enumerate(given):
            if isinstance(pair, str) or len(pair) != 2:
                raise InvalidTypeError(f"{name}[{index}] must be a pair of column names, got {pair!r}")
            kept += [c_string(column, f"{name}[{index}]") for column in pair]
            kinds.append(int(kind))
    structs = (_structs.FeaturePair * max(1, len(kinds)))()
    for index, kind_number in enumerate(kinds):
        structs[index] = _structs.FeaturePair(kept[2 * index], kept[2 * index + 1], kind_number, 0)
    return structs, kept


def read_condition(native: Native, rule: int, index: int) -> Condition:
    """Condition `index` of rule `rule` of a rule set."""
    struct = _structs.Condition()
    call("covey_rules_condition", native, rule, index, byref(struct))
    return Condition(
        feature=required_text(struct.feature),
        kind=ConditionKind(struct.kind),
        low=struct.low,
        high=struct.high,
        categories=tuple(required_text(struct.categories[place]) for place in range(struct.category_count)),
        text=required_text(library.covey_rules_condition_text(native, rule, index)),
        derived=Derived(struct.derived),
        columns=tuple(
            required_text(name) for name in (struct.first or struct.feature, struct.second) if name is not None
        ),
    )
