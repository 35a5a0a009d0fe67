"""The conditions of rules, and pairs of columns that they may compare, as Python and as C have them (covey.h section
10)."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Iterable, Mapping
from ctypes import Array, POINTER, byref, c_char_p, cast
from typing import Any, Sequence

from . import _structs
from ._html import Shown
from ._arrays import c_string, integer, real
from ._errors import InvalidArgumentError, InvalidTypeError
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
    #: "X / Y"; missing if Y is 0.
    RATIO = 3
    #: "X - Y".
    DIFFERENCE = 4


@dataclasses.dataclass(frozen=True)
class Condition(Shown):
    """One condition of a rule. INTERVAL: low <= x < high, either may be infinite, missing does not match. IN, NOT_IN:
    `categories`; a missing value matches neither. `columns` are what the feature is worked out of: itself if it is a
    column.

    Example::

        condition = covey.Condition("amount", covey.ConditionKind.INTERVAL, low=200)
        rules = covey.RuleSet.from_conditions([[condition]])
    """

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
    for condition in _listed(conditions, "pinned", "Condition objects"):
        if not isinstance(condition, Condition):
            raise InvalidTypeError(f"pinned must hold Condition objects, got {condition!r}")
        categories = _categories(condition.categories, "a condition")
        names = (c_char_p * len(categories))(*(c_string(name, "a category") for name in categories))
        kept.append(names)
        structs.append(
            _structs.Condition(
                feature=c_string(condition.feature, "feature"),
                kind=integer(condition.kind, "kind"),
                low=real(condition.low, "low"),
                high=real(condition.high, "high"),
                categories=cast(names, POINTER(c_char_p)) if len(names) else None,
                category_count=len(names),
            )
        )
    return (_structs.Condition * len(structs))(*structs), kept


def pair_structs(ratios: Any, differences: Any) -> tuple[Any, list[bytes]]:
    """Pairs of columns as structs, and the names that these point to."""
    kept: list[bytes] = []
    kinds: list[int] = []
    for name, given, kind in (("ratios", ratios, Derived.RATIO), ("differences", differences, Derived.DIFFERENCE)):
        for index, pair in enumerate(_listed(given, name, "pairs of column names")):
            if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
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


_OPERATIONS = {Derived.HOUR: "hour", Derived.DAYS: "days", Derived.RATIO: "ratio", Derived.DIFFERENCE: "difference"}
_NAMES = {
    Derived.HOUR: "hour of {}",
    Derived.DAYS: "days from {} to {}",
    Derived.RATIO: "{} / {}",
    Derived.DIFFERENCE: "{} - {}",
}


def written_rules(rules: Any, kinds: Any, precisions: Any) -> dict[str, Any]:
    """Rules of conditions as the JSON of a rule set."""
    if kinds is not None and not isinstance(kinds, Mapping):
        raise InvalidTypeError(f"kinds must be a mapping of features to their kinds, got {kinds!r}")
    features: dict[str, dict[str, Any]] = {name: {"name": name, "kind": kind} for name, kind in (kinds or {}).items()}
    written: list[dict[str, Any]] = []
    for number, rule in enumerate(_listed(rules, "rules", "lists of Condition objects")):
        conditions = []
        for place, condition in enumerate(_listed(rule, f"rules[{number}]", "Condition objects")):
            if not isinstance(condition, Condition):
                raise InvalidTypeError(f"rules must hold Condition objects, got {condition!r}")
            conditions.append(_written(condition, f"rules[{number}][{place}]", features))
        written.append({"conditions": conditions})
    for entry in (entry for rule in written for entry in rule["conditions"]):
        if entry["feature"] not in features:
            raise InvalidArgumentError(f"kinds must say what {entry['feature']!r} is")
    if precisions is not None:
        stated = _listed(precisions, "precisions", "numbers and None")
        if len(stated) != len(written):
            raise InvalidArgumentError(f"precisions must be one a rule, {len(written)}, got {len(stated)}")
        for number, value in enumerate(stated):
            if value is not None:
                written[number]["stated_precision"] = _finite(value, f"precisions[{number}]")
    return {"format_version": 1, "features": list(features.values()), "rules": written}


def _written(condition: Condition, field: str, features: dict[str, dict[str, Any]]) -> dict[str, Any]:
    kind, derived = ConditionKind(condition.kind), Derived(condition.derived)
    name = condition.feature
    if not isinstance(name, str):
        raise InvalidTypeError(f"{field}.feature must be a string, got {name!r}")
    if derived != Derived.NONE:
        columns = condition.columns
        wanted = 1 if derived == Derived.HOUR else 2
        if isinstance(columns, str) or len(columns) != wanted or not all(isinstance(column, str) for column in columns):
            raise InvalidTypeError(f"{field}.columns must be {wanted} name(s) of columns, got {columns!r}")
        name = _NAMES[derived].format(*columns)
        features[name] = {"name": name, "kind": "numeric", "derived": {_OPERATIONS[derived]: list(columns)}}
    entry: dict[str, Any] = {"feature": name, "kind": kind.name.lower()}
    if kind == ConditionKind.INTERVAL:
        features.setdefault(name, {"name": name, "kind": "numeric"})
        for end in ("low", "high"):
            value = real(getattr(condition, end), f"{field}.{end}")
            if math.isnan(value):
                raise InvalidArgumentError(f"{field}.{end} must be a number, got nan")
            if not math.isinf(value):
                entry[end] = value
            elif (value > 0) == (end == "low"):
                raise InvalidArgumentError(f"{field}: low must be below high, got {condition.low} and {condition.high}")
    elif kind in (ConditionKind.IN, ConditionKind.NOT_IN):
        features.setdefault(name, {"name": name, "kind": "categorical"})
        entry["categories"] = list(_categories(condition.categories, field))
    elif kind in (ConditionKind.TRUE, ConditionKind.FALSE):
        features.setdefault(name, {"name": name, "kind": "boolean"})
    return entry


def _categories(categories: Any, field: str) -> tuple[str, ...]:
    """Names, which a single string is not: it would be taken for a list of its letters."""
    if isinstance(categories, (str, bytes)):
        raise InvalidTypeError(f"{field}.categories must be a tuple of strings, got the string {categories!r}")
    names = tuple(_listed(categories, f"{field}.categories", "strings"))
    for name in names:
        if not isinstance(name, str):
            raise InvalidTypeError(f"{field}.categories must hold strings, got {name!r}")
    return tuple(str(name) for name in names)


def _listed(values: Any, field: str, what: str) -> list[Any]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InvalidTypeError(f"{field} must be a list of {what}, got {values!r}")
    return list(values)


def _finite(value: Any, field: str) -> float:
    number = real(value, field)
    if not math.isfinite(number):
        raise InvalidArgumentError(f"{field} must be finite, got {number}")
    return number
