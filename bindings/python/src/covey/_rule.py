"""One rule and its figures."""

from __future__ import annotations

import dataclasses
import math
from ctypes import byref
from typing import Any, Optional

from . import _structs
from ._conditions import Condition, read_condition
from ._handle import Native
from ._html import Shown
from ._library import call, library, required_text


@dataclasses.dataclass(frozen=True, repr=False)
class Rule(Shown):
    """A conjunction and its figures. Those named search_ were measured on the rows that the search used, the others on
    rows it never saw."""

    conditions: tuple[Condition, ...]
    #: A sentence with the figures.
    text: str
    #: Unseen rows that the rule matches, and those of them in the target.
    matched: int
    support: int
    #: support / matched with its Wilson interval.
    precision: float
    precision_low: float
    precision_high: float
    #: support / unseen target rows.
    recall: float
    #: precision / share of the target among the unseen rows.
    lift: float
    search_matched: int
    search_support: int
    search_precision: float
    search_recall: float
    search_lift: float
    #: Wilson intervals.
    recall_low: float
    recall_high: float
    search_precision_low: float
    search_precision_high: float
    search_recall_low: float
    search_recall_high: float
    #: Sums of weights; the numbers of rows without weights.
    matched_weight: float
    support_weight: float
    search_matched_weight: float
    search_support_weight: float
    #: Sums of weight x amount of the matching rows in the target and of the others; 0 without amounts.
    amount: float
    false_amount: float
    search_amount: float
    search_false_amount: float
    #: Of chance on the unseen rows, corrected for the rules chosen; None if not tested.
    p_value: Optional[float]
    #: Of chance on the search's rows, corrected for all rules tried; None without permutations.
    search_p_value: Optional[float]
    #: Share of the resamples in which the rule comes back; None without resamples.
    stability: Optional[float]
    #: Whether it was given by hand.
    given: bool
    #: False if it was measured on no rows: the figures say nothing.
    measured: bool
    #: What the author of such a rule says, which counts when an engine scores; None if nothing.
    stated_precision: Optional[float]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        conditions = " and ".join(condition.text for condition in self.conditions)
        return (
            f"Rule({conditions!r}, support={self.support}, precision={self.precision:.3g}, recall={self.recall:.3g}, "
            f"lift={self.lift:.3g})"
        )


def read_rule(native: Native, index: int) -> Rule:
    report = _structs.RuleReport()
    call("covey_rules_get", native, index, byref(report))
    figures = {
        field.name: getattr(report, field.name)
        for field in dataclasses.fields(Rule)
        if field.name not in ("conditions", "text")
    }
    figures["given"], figures["measured"] = bool(figures["given"]), bool(figures["measured"])
    for name in ("p_value", "search_p_value", "stability", "stated_precision"):
        if math.isnan(figures[name]):
            figures[name] = None
    conditions = tuple(read_condition(native, index, place) for place in range(report.condition_count))
    return Rule(conditions=conditions, text=required_text(library.covey_rules_text(native, index)), **figures)


def column_kinds(features: Any) -> dict[str, str]:
    """The columns that features of a rule set's JSON need, and their kinds."""
    kinds: dict[str, str] = {}
    for feature in features:
        if "derived" not in feature:
            kinds[feature["name"]] = feature["kind"]
            continue
        for operation, names in feature["derived"].items():
            kinds.update(dict.fromkeys(names, "date" if operation in ("hour", "days") else "numeric"))
    return kinds
