"""One rule for columns of pandas that belong together: rows are paired by position, and only where the indexes agree
that this is right."""

from __future__ import annotations

import sys
from typing import Any

from ._errors import MismatchError


def same_index(**values: Any) -> None:
    """Refuses a Series whose index has the labels of the first indexed one, all or some, in other rows: by position or
    by label, nobody can tell. Indexes without a common label (numbers beside names) say nothing of order, and values
    without an index are taken by position."""
    indexed = [(name, value) for name, value in values.items() if _has_index(value)]
    for name, value in indexed[1:]:
        _refuse_other_order(name, value.index, indexed[0][0], indexed[0][1].index)


def same_rows(labels: Any, what: str, **values: Any) -> None:
    """The same for rows that have numbers or keys and no index: an index of these `labels` in another order is refused.
    Any other index says nothing, as the rows may be a part of a larger table."""
    for name, value in values.items():
        if not _has_index(value) or len(value) != len(labels):
            continue
        own = value.index.tolist()
        if own != list(labels) and set(own) == set(labels):
            raise MismatchError(
                f"the index of {name} has {what} in another order: pass keys={name}.index if the engine knows keys, "
                f"{name} in the order of the rows, or {name}.to_numpy() to take it as it is"
            )


def _has_index(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, (pandas.Series, pandas.DataFrame))


def _refuse_other_order(name: str, own: Any, partner: str, other: Any) -> None:
    if len(own) != len(other) or own.equals(other):  # lengths are checked where the values are read
        return
    try:
        common = int(own.isin(other).sum())
    except (TypeError, ValueError):  # labels of two kinds, or indexes of several levels beside one
        return
    if common == len(own):
        raise MismatchError(
            f"{name} has the index of {partner} in another order: pass {name}.reindex({partner}.index) to pair them by "
            f"label, or {name}.to_numpy() by position"
        )
    if common:
        raise MismatchError(
            f"{name} and {partner} have different indexes, with {common} of {len(own)} labels in common: give {name}"
            f" the labels of {partner}, or pass {name}.to_numpy() to pair them by position"
        )
