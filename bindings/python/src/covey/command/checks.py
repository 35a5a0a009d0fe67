"""What is odd about the tables, before anything is made of them."""

from __future__ import annotations

from typing import Any, List

import numpy as np

from .._findings import Finding
from .._labels import label_codes
from .columns import Roles


def odd_sequences(sequences: Any) -> List[Finding]:
    """Events that come twice, and events out of the order of time."""
    found: List[Finding] = []
    events, times = sequences.event_count, sequences.times
    if events < 2:
        return found
    within = np.ones(len(times) - 1, dtype=bool)
    starts = sequences.offsets[1:-1]
    within[starts[(starts > 0) & (starts < len(times))] - 1] = False
    late = int(np.sum(within & (np.diff(times) < 0)))
    if late:
        found.append(
            Finding(
                "order",
                f"{late:,} of {events:,} events come after a later one of their sequence",
                "they are sorted by time",
            )
        )
    codes = sequences._types.codes
    same = within & (np.diff(times) == 0) & (codes[1:] == codes[:-1])
    if sequences.dwell is not None:
        same &= sequences.dwell[1:] == sequences.dwell[:-1]
    twice = int(np.sum(same))
    if twice > max(10, events // 1000):
        text = f"{twice:,} of {events:,} events are the event before them again, at the same time"
        found.append(Finding("duplicates", text, "remove them, if the log wrote them twice"))
    return found


def odd_columns(events: Any, features: Any, roles: Roles) -> List[Finding]:
    """Columns of events that nothing uses, features that are constant, empty, or the label."""
    found: List[Finding] = []
    taken = set(roles.given().values())
    if events is not None:
        unused = [name for name in events.column_names if name not in taken]
        if unused:
            found.append(Finding("unknown_columns", f"events have columns that are not used: {unused}"))
    if features is None:
        return found
    known = None
    if roles.fraud is not None:
        known = label_codes(features.column(roles.fraud), f"fraud={roles.fraud!r}", features.num_rows)
    for name in features.column_names:
        column = features.column(name)
        if name in taken - {roles.amount} or not len(column):
            continue
        if column.null_count == len(column):
            found.append(Finding("empty", f"{name!r} has no values", "leave it out", name))
            continue
        codes = _codes(column)
        if codes is None:
            continue
        if codes.max() == codes.min():
            found.append(Finding("constant", f"{name!r} has one value in all rows", "leave it out", name))
        elif known is not None and _is_label(codes, known):
            text = f"{name!r} tells fraud from legitimate in every labelled row: it may be the label itself"
            found.append(
                Finding("feature_gives_label_away", text, "leave it out, if it is known only after the fact", name)
            )
    return found


def _codes(column: Any) -> Any:
    """The column's values as small numbers; None if there are more than a few, or they have none."""
    import pyarrow as pa

    try:
        few = column.slice(0, 100_000).combine_chunks()
        if pa.types.is_floating(few.type) and len(few.unique()) > 64:
            return None
        encoded = column.combine_chunks()
        if not pa.types.is_dictionary(encoded.type):
            encoded = encoded.dictionary_encode("encode")
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        return encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    except (pa.ArrowException, AttributeError, TypeError):
        return None


def _is_label(codes: Any, known: Any) -> bool:
    """Whether each value stands for one class alone, with both classes there and few values."""
    bad, good = np.unique(codes[known == 1]), np.unique(codes[known == 0])
    rows = int(np.sum(known >= 0))
    return bool(len(bad) and len(good) and len(bad) + len(good) <= 4 < rows and not np.intersect1d(bad, good).size)
