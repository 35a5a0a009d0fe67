"""Rules as a report shows them: those for fraud, those that describe a group, and what each does on all rows."""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from .._errors import CoveyError
from ..rules import extract_rules
from .source import Group, Source
from .statistics import finite

#: Rules that describe a group are searched for the first groups only, and where the rows are not too many.
DESCRIBED_GROUPS = 24
DESCRIBED_ROWS = 300_000


def shown_rules(source: Source) -> List[Dict[str, Any]]:
    """The result's rules for fraud, and what each would have done on all rows."""
    if source.rule_set is None or not source.rules:
        return []
    fired = None if source.frame is None else source.rule_set.fired(source.frame)
    return [_rule(source, rule, None if fired is None else fired[:, index]) for index, rule in enumerate(source.rules)]


def _rule(source: Source, rule: Any, fired: Any) -> Dict[str, Any]:
    figures = ("precision", "precision_low", "precision_high", "recall", "lift")
    found = {"text": rule.text, "matched": rule.matched, "support": rule.support, "measured": bool(rule.measured)}
    found.update({name: finite(getattr(rule, name)) for name in figures})
    return found if fired is None else {**found, "backtest": _backtest(source, fired)}


def _backtest(source: Source, fired: Any) -> Dict[str, Any]:
    """What the rule would have done on all rows of the data, those of its search among them."""
    known = source.known[fired]
    money = None if source.amounts is None else source.amounts[fired]
    return {
        "rows": int(fired.sum()),
        "fraud": int(np.sum(known == 1)),
        "legitimate": int(np.sum(known == 0)),
        "unknown": int(np.sum(np.isnan(known))),
        "caught_amount": None if money is None else float(money[known == 1].sum()),
        "false_alarm_amount": None if money is None else float(money[known == 0].sum()),
    }


def describing_rules(source: Source, group: Group, features: Dict[str, Any]) -> List[Dict[str, Any]]:
    """Rules whose target is the group itself: how a transaction of it looks."""
    if not features or source.rows > DESCRIBED_ROWS or not 8 <= len(group.members) < source.rows:
        return []
    target = np.zeros(source.rows, dtype=bool)
    target[group.members] = True
    try:
        rules = extract_rules(features, target, max_rules=2, min_support=3, target_name=f"group {group.number}")
        fired = rules.fired(features)
    except CoveyError:  # nothing to describe it by: the profile says as much
        return []
    return [_rule(source, rule, fired[:, index]) for index, rule in enumerate(rules.rules)]


def feature_columns(source: Source) -> Dict[str, Any]:
    """The features alone, in a form that rules read."""
    found: Dict[str, Any] = {}
    for column in source.columns:
        if column.kind == "categorical":
            found[column.name] = np.array([*column.categories, None], dtype=object)[column.values]
        elif column.kind == "boolean":
            codes = np.nan_to_num(column.values, nan=2).astype(int)
            found[column.name] = np.array([False, True, None], dtype=object)[codes]
        else:
            found[column.name] = column.values
    return found
